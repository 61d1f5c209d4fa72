/** `hashCode` of a Java string: over UTF-16 units, in 32 bits. */
export function javaHash(text: string): number {
  let hash = 0;
  for (let i = 0; i < text.length; i += 1) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) | 0;
  return hash;
}

/**
 * Items with different keys in the order in which a Java `HashMap` shows them that they were put into one after
 * the other. Kafka's answers come out of such maps; clients may have come to rely on it.
 */
export function inHashMapOrder<T>(items: readonly T[], keyOf: (item: T) => string): T[] {
  let capacity = 16;
  while (items.length > 0.75 * capacity) capacity *= 2;
  const bucketOf = (item: T) => {
    const hash = javaHash(keyOf(item));
    return (hash ^ (hash >>> 16)) & (capacity - 1);
  };
  return items
    .map((item) => ({ item, bucket: bucketOf(item) }))
    .sort((some, other) => some.bucket - other.bucket)
    .map(({ item }) => item);
}
