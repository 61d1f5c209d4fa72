import { concurrentCapacity, spread } from './java-hash.ts';
import { ORDERED_MAX, type Ordered, orderedBy, orderOf } from './ordered-by.ts';

const BITS_OF_A_LEVEL = 5;
const BITS_OF_A_HASH = 32;

/** Items with different hashes in the order of a mutable Scala `HashMap`: a bucket is sorted by what is made of hashes. */
export function inScalaMapOrder<T>(items: readonly T[], hashOf: (item: T) => number): T[] {
  const bits = Math.log2(concurrentCapacity(items.length));
  return orderedBy(items, (item) => {
    const mixed = spread(hashOf(item));
    // The lowest bits name the bucket; within it the rest decides, and what is below zero comes first.
    return (mixed << (BITS_OF_A_HASH - bits)) | ((mixed ^ 0x80000000) >>> bits);
  });
}

/** Keys in the order of an immutable Scala `HashMap`: a tree, of whose nodes each shows what it holds before its children. */
export function inScalaTreeOrder<T>(items: readonly T[], hashOf: (item: T) => number): T[] {
  if (items.length > ORDERED_MAX) return [...items];
  const leaves = orderOf(items, (item) => pathOf(improved(hashOf(item))));
  const shown: T[] = [];
  showNode(leaves, { start: 0, end: items.length, shift: BITS_OF_A_HASH }, (place) => {
    shown.push(items[place] as T);
  });
  return shown;
}

/** The leaves from `start` to `end` are below it; their paths are the same from the bit `shift` on. */
interface TreeNode {
  readonly start: number;
  readonly end: number;
  readonly shift: number;
}

function showNode(leaves: Ordered, node: TreeNode, show: (place: number) => void): void {
  const shift = Math.max(0, node.shift - BITS_OF_A_LEVEL);
  let children = 0;
  for (let start = node.start; start < node.end; ) {
    const end = endOfChild(leaves.keys, start, node.end, shift);
    const isLeaf = end - start === 1 || node.shift === 0;
    for (let i = start; isLeaf && i < end; i += 1) show(leaves.places[i] ?? 0);
    if (!isLeaf) children += 1;
    start = end;
  }
  for (let start = node.start; children > 0; ) {
    const end = endOfChild(leaves.keys, start, node.end, shift);
    if (end - start > 1) {
      showNode(leaves, { start, end, shift }, show);
      children -= 1;
    }
    start = end;
  }
}

/** Where the leaves end whose paths are that of the first down to the bit `shift`. */
function endOfChild(paths: Uint32Array, start: number, end: number, shift: number): number {
  const prefix = (paths[start] ?? 0) >>> shift;
  let at = start + 1;
  while (at < end && (paths[at] ?? 0) >>> shift === prefix) at += 1;
  return at;
}

/** The places in the nodes from the root to a leaf, five bits each, the first the highest. */
function pathOf(hash: number): number {
  let path = hash >>> 30;
  for (let shift = 0; shift < 30; shift += BITS_OF_A_LEVEL) {
    path |= ((hash >>> shift) & (2 ** BITS_OF_A_LEVEL - 1)) << (27 - shift);
  }
  return path >>> 0;
}

function improved(hash: number): number {
  let mixed = (hash + ~(hash << 9)) | 0;
  mixed ^= mixed >>> 14;
  mixed = (mixed + (mixed << 4)) | 0;
  return mixed ^ (mixed >>> 10);
}
