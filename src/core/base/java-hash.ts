/** `hashCode` of a Java string: over UTF-16 units, in 32 bits. */
export function javaHash(text: string): number {
  let hash = 0;
  for (let i = 0; i < text.length; i += 1) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) | 0;
  return hash;
}

/**
 * Items with different hashes in the order in which a Java `HashMap` shows them into which `computeIfAbsent` put
 * one after the other: of one bucket the last comes first. Kafka's answers come out of such maps.
 */
export function inHashMapOrder<T>(items: readonly T[], hashOf: (item: T) => number): T[] {
  return inHashSetOrder(items.toReversed(), hashOf);
}

/** The same for a Java `HashSet`: of one bucket the first comes first. */
export function inHashSetOrder<T>(items: readonly T[], hashOf: (item: T) => number): T[] {
  let capacity = 16;
  while (items.length > 0.75 * capacity) capacity *= 2;
  return byBucket(items, hashOf, capacity);
}

/** The same for a `ConcurrentHashMap`: it grows one entry earlier, and the first of a bucket comes first. */
export function inConcurrentHashMapOrder<T>(items: readonly T[], hashOf: (item: T) => number): T[] {
  let capacity = 16;
  while (items.length >= 0.75 * capacity) capacity *= 2;
  return byBucket(items, hashOf, capacity);
}

function byBucket<T>(items: readonly T[], hashOf: (item: T) => number, capacity: number): T[] {
  const bucketOf = (item: T) => {
    const hash = hashOf(item);
    return (hash ^ (hash >>> 16)) & (capacity - 1);
  };
  return items
    .map((item) => ({ item, bucket: bucketOf(item) }))
    .sort((some, other) => some.bucket - other.bucket)
    .map(({ item }) => item);
}
