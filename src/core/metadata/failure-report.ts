/** A partition of a topic that is not as the image has it. */
export interface Failure {
  readonly topicId: string;
  /** As its folder is called. */
  readonly partition: string;
  readonly error: unknown;
}

/** What is said of all that has failed: the most frequent cause, for the first partition by name. */
export interface FailureNews {
  readonly reason: string;
  readonly partition: string;
  /** Partitions, and causes that are not the same. */
  readonly count: number;
  readonly causes: number;
}

/**
 * One line for all partitions that fail: on a disk that is off-line it is every partition there is. They are tried
 * again every few seconds: said again is only what has changed.
 */
export class FailureReport {
  readonly #failures = new Map<string, Failure[]>();
  #said = '[]';

  /** What failed of topics that were just brought in line; undefined when there is nothing new to say. */
  note(topicIds: ReadonlySet<string>, failures: readonly Failure[]): FailureNews | undefined {
    for (const id of topicIds) this.#failures.delete(id);
    for (const failure of failures) {
      const known = this.#failures.get(failure.topicId);
      if (known === undefined) this.#failures.set(failure.topicId, [failure]);
      else known.push(failure);
    }
    const all = [...this.#failures.values()].flat();
    const causes = causesOf(all);
    const saying = JSON.stringify(causes.map(({ cause, count }) => [cause, count]));
    const isNew = saying !== this.#said;
    this.#said = saying;
    const [first] = causes;
    if (!isNew || first === undefined) return undefined;
    const { reason, partition } = first;
    return { reason, partition, count: all.length, causes: causes.length };
  }
}

interface Cause {
  /** The reason without the partition's name. */
  readonly cause: string;
  readonly reason: string;
  readonly partition: string;
  readonly count: number;
}

/** The most frequent first; which partition failed first makes no difference. */
function causesOf(failures: readonly Failure[]): readonly Cause[] {
  const causes = new Map<string, Cause>();
  for (const { partition, error } of failures) {
    const reason = error instanceof Error ? error.message : String(error);
    const cause = reason.replaceAll(partition, '');
    const known = causes.get(cause);
    const count = (known?.count ?? 0) + 1;
    const isFirst = known === undefined || partition < known.partition;
    causes.set(cause, isFirst ? { cause, reason, partition, count } : { ...known, count });
  }
  return [...causes.values()].sort((a, b) => b.count - a.count || (a.cause < b.cause ? -1 : 1));
}
