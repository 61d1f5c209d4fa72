import { ORDERED_MAX, orderedBy } from './ordered-by.ts';

/** `hashCode` of a Java string: over UTF-16 units, in 32 bits. */
export function javaHash(text: string): number {
  let hash = 0;
  for (let i = 0; i < text.length; i += 1) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) | 0;
  return hash;
}

/** `hashCode` of the Java objects that name the partitions of a topic. */
export function partitionHasher(topic: string): (partitionIndex: number) => number {
  const hash = javaHash(topic);
  return (partitionIndex) => (Math.imul(31, 31 + partitionIndex) + hash) | 0;
}

/**
 * Items with different hashes in the order in which a Java `HashMap` shows them into which `computeIfAbsent` put
 * one after the other: of one bucket the last comes first. Kafka's answers come out of such maps.
 */
export function inHashMapOrder<T>(items: readonly T[], hashOf: (item: T) => number): T[] {
  // Those stay as they came.
  if (items.length > ORDERED_MAX) return [...items];
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
  return byBucket(items, hashOf, concurrentCapacity(items.length));
}

/** How many buckets a `ConcurrentHashMap` of so many entries has. */
export function concurrentCapacity(entries: number): number {
  let capacity = 16;
  while (entries >= 0.75 * capacity) capacity *= 2;
  return capacity;
}

function byBucket<T>(items: readonly T[], hashOf: (item: T) => number, capacity: number): T[] {
  return orderedBy(items, (item) => spread(hashOf(item)) & (capacity - 1));
}

/** What the maps make of a hash. */
export function spread(hash: number): number {
  return hash ^ (hash >>> 16);
}
