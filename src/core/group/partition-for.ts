import { inHashMapOrder, javaHash, partitionHasher } from '../base/index.ts';

/** The partition of `__consumer_offsets` that a group belongs to: Kafka's, so that tools agree with us. */
export function partitionFor(groupId: string, partitions: number): number {
  const hash = javaHash(groupId);
  return (hash === -0x80000000 ? 0 : Math.abs(hash)) % partitions;
}

/** Groups as Kafka answers them in DescribeGroups: those of one partition of the topic together, as they came. */
export function byPartition(
  groupIds: readonly string[],
  topic: string,
  partitions: number,
): readonly (readonly string[])[] {
  const groups = new Map<number, string[]>();
  for (const groupId of groupIds) {
    const index = partitionFor(groupId, partitions);
    const those = groups.get(index);
    if (those === undefined) groups.set(index, [groupId]);
    else those.push(groupId);
  }
  const ordered = inHashMapOrder([...groups.keys()], partitionHasher(topic));
  return ordered.map((index) => groups.get(index) ?? []);
}
