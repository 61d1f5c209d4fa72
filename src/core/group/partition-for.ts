import { javaHash } from '../base/index.ts';

/** The partition of `__consumer_offsets` that a group belongs to: Kafka's, so that tools agree with us. */
export function partitionFor(groupId: string, partitions: number): number {
  const hash = javaHash(groupId);
  return (hash === -0x80000000 ? 0 : Math.abs(hash)) % partitions;
}
