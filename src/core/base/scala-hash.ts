import { inConcurrentHashMapOrder, sortedBy, spread } from './java-hash.ts';

const BITS_OF_A_LEVEL = 5;
const BITS_OF_A_HASH = 32;

/** Items with different hashes in the order of a mutable Scala `HashMap`: a bucket is sorted by what is made of hashes. */
export function inScalaMapOrder<T>(items: readonly T[], hashOf: (item: T) => number): T[] {
  return inConcurrentHashMapOrder(
    sortedBy(items, (item) => spread(hashOf(item))),
    hashOf,
  );
}

/** Keys in the order of an immutable Scala `HashMap`: a tree, of whose nodes each shows what it holds before its children. */
export function inScalaTreeOrder<T>(items: readonly T[], hashOf: (item: T) => number): T[] {
  return ofLevel(items, (item) => improved(hashOf(item)), 0);
}

function ofLevel<T>(items: readonly T[], hashOf: (item: T) => number, shift: number): T[] {
  if (shift >= BITS_OF_A_HASH) return [...items];
  const places = new Map<number, T[]>();
  const placeOf = (item: T) => (hashOf(item) >>> shift) & (2 ** BITS_OF_A_LEVEL - 1);
  for (const item of sortedBy(items, placeOf)) {
    const place = placeOf(item);
    const there = places.get(place);
    if (there === undefined) places.set(place, [item]);
    else there.push(item);
  }
  const all = [...places.values()];
  const held = all.filter(({ length }) => length === 1).flat();
  const children = all.filter(({ length }) => length > 1);
  return [...held, ...children.flatMap((child) => ofLevel(child, hashOf, shift + BITS_OF_A_LEVEL))];
}

function improved(hash: number): number {
  let mixed = (hash + ~(hash << 9)) | 0;
  mixed ^= mixed >>> 14;
  mixed = (mixed + (mixed << 4)) | 0;
  return mixed ^ (mixed >>> 10);
}
