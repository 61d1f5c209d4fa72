interface Named {
  readonly name: string | null;
  readonly errorCode?: number;
}

/** For requests whose items Kafka answers in an order of its own: by `name`, and those without one as they came. */
export function byName<Field extends string, Item extends Named>(
  field: Field,
): <Answer extends Readonly<Record<Field, readonly Item[]>>>(answer: Answer) => Answer {
  return (answer) => {
    const key = ({ name, errorCode = 0 }: Named) =>
      name === null ? '1' : `0 ${name} ${errorCode}`;
    const sorted = [...answer[field]].sort(
      (a, b) => Number(key(a) > key(b)) - Number(key(a) < key(b)),
    );
    return { ...answer, [field]: sorted };
  };
}

/** The same by `partitionIndex`, inside of topics that are answered by name. */
export function byPartition<
  Topic extends { readonly name: string; readonly partitions: readonly Partition[] },
  Partition extends { readonly partitionIndex: number },
  Answer extends { readonly topics: readonly Topic[] },
>(answer: Answer): unknown {
  const topics = answer.topics.map((topic) => ({
    ...topic,
    partitions: [...topic.partitions].sort((a, b) => a.partitionIndex - b.partitionIndex),
  }));
  return byName('topics')({ ...answer, topics });
}
