import type { Json, JsonObject } from './adapter.ts';
import { readable, type ScenarioRecord } from './scenario-data.ts';

/** A record that was acknowledged: what it holds and, where the client says so, where it went. */
export interface Acknowledged {
  readonly text: string;
  readonly isPlaced: boolean;
  readonly place: readonly [number, number] | undefined;
}

/** What the broker acknowledged to one client: all of it must be there whatever became of the broker. */
export class Ledger {
  readonly #topics = new Map<string, Acknowledged[]>();
  readonly #groups = new Map<string, Map<number, number>>();
  readonly #created = new Map<string, number>();

  /** Numbers of partitions, by topic. */
  get created(): ReadonlyMap<string, number> {
    return this.#created;
  }

  /** By topic, in the order in which it was produced. */
  get topics(): ReadonlyMap<string, readonly Acknowledged[]> {
    return this.#topics;
  }

  /** Committed offsets by partition, by `[group, topic]` as text. */
  get groups(): ReadonlyMap<string, ReadonlyMap<number, number>> {
    return this.#groups;
  }

  /** Enters an operation that succeeded, when it is one that must last. */
  note(op: string, args: JsonObject, answer: JsonObject): void {
    if (op === 'produce') this.#produced(args, answer);
    if (op === 'create') this.#created.set(String(args.topic), Number(args.partitions));
    if (op === 'delete') {
      this.#topics.delete(String(args.topic));
      this.#created.delete(String(args.topic));
    }
    if (op === 'commit') {
      for (const [partition, offset] of args.offsets as [number, number][])
        this.#committed(args, partition, offset);
    }
    if (op === 'consume-group') {
      // It commits what lies behind the last of the records that it asked for.
      const records = (answer.records as JsonObject[]).slice(0, Number(args.count));
      for (const { partition, offset } of records)
        this.#committed(args, Number(partition), Number(offset) + 1);
    }
  }

  #produced(args: JsonObject, answer: JsonObject): void {
    const records = args.records as unknown as readonly ScenarioRecord[];
    const results = (answer.results ?? []) as [number, number][];
    // Some clients say only where each batch begins, some nothing at all.
    const hasPlaces = args.acks !== 0 && results.length === records.length;
    const topic = String(args.topic);
    const known = this.#topics.get(topic) ?? [];
    this.#topics.set(topic, known);
    records.forEach((record, i) => {
      const { partition } = record;
      const place = hasPlaces ? results[i] : undefined;
      known.push({ text: textOf(record), isPlaced: partition !== null, place });
    });
  }

  #committed({ group, topic }: JsonObject, partition: number, offset: number): void {
    const key = JSON.stringify([group, topic]);
    const offsets = this.#groups.get(key) ?? new Map<number, number>();
    this.#groups.set(key, offsets.set(partition, offset));
  }
}

/** Key, value and headers as text: of a record to produce. */
function textOf({ key, value, headers }: ScenarioRecord): string {
  return contentOf({
    key: readable(key),
    value: readable(value),
    headers: headers.map(([name, bytes]) => [name, readable(bytes)]),
  });
}

/** Key, value and headers as text: of a record that was read. */
export function contentOf({ key, value, headers }: JsonObject): string {
  return JSON.stringify([key ?? null, value ?? null, (headers ?? []) as Json]);
}
