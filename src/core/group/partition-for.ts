/** The partition of `__consumer_offsets` that a group belongs to: Kafka's, so that tools agree with us. */
export function partitionFor(groupId: string, partitions: number): number {
  const hash = javaHash(groupId);
  return (hash === -0x80000000 ? 0 : Math.abs(hash)) % partitions;
}

/** `hashCode` of a Java string: over UTF-16 units, in 32 bits. */
function javaHash(text: string): number {
  let hash = 0;
  for (let i = 0; i < text.length; i += 1) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) | 0;
  return hash;
}
