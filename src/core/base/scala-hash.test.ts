import { describe, expect, test } from '@jest/globals';
import { fc } from '../../kafka-protocol/testing/fast-check.ts';
import { javaHash } from './java-hash.ts';
import { inScalaMapOrder, inScalaTreeOrder } from './scala-hash.ts';

test('a mutable map sorts each bucket by hash', () => {
  // 'q' and 'a' share a bucket of 16, not of 32; the twelfth entry makes it grow.
  const order = (keys: string) => inScalaMapOrder([...keys], javaHash).join('');
  expect(order('qcba')).toBe('aqbc');
  expect(order('qabcdefghij')).toBe('aqbcdefghij');
  expect(order('qabcdefghijk')).toBe('abcdefghijkq');
});

test('an immutable map shows keys as Kafka 4.4.0 did', () => {
  const topics = ['orders', 'a', 'b', 'topic-1', 'topic-2', 'topic-10', 'Aa', 'BB', 'payments'];
  expect(inScalaTreeOrder(topics, javaHash).join(' ')).toBe(
    'topic-1 payments topic-2 b topic-10 orders a Aa BB',
  );
  expect(inScalaTreeOrder(['Aa', 'orders', 'BB', 'b', 'a'], javaHash)).toHaveLength(5);
});

describe('a node of an immutable map shows what it holds, then its children', () => {
  const inOrder = (bits: number, hashes: readonly number[]): readonly number[] => {
    if (bits >= 32 || hashes.length < 2) return hashes;
    const places = Array.from({ length: 32 }, (_, place) => {
      return hashes.filter((hash) => ((improved(hash) >>> bits) & 31) === place);
    });
    const held = places.filter(({ length }) => length === 1);
    const children = places.filter(({ length }) => length > 1);
    return [...held.flat(), ...children.flatMap((child) => inOrder(bits + 5, child))];
  };
  const isInOrder = (hashes: readonly number[]) =>
    expect(inScalaTreeOrder(hashes, (hash) => hash)).toEqual(inOrder(0, hashes));

  test('of any hashes', () => {
    const hash = fc.oneof(fc.integer(), fc.nat(40));
    fc.assert(fc.property(fc.array(hash, { maxLength: 200 }), isInOrder));
  });

  test('down to the last level, where two bits are left', () => {
    // The same place in each node above.
    const hash = fc.tuple(fc.constantFrom(0, 77), fc.nat(3));
    const hashes = fc.array(hash.map(([low, last]) => hashOf((last << 30) | low)));
    fc.assert(fc.property(hashes, isInOrder));
  });
});

test('a bucket of a mutable map goes by the whole hash, below zero first', () => {
  const mixed = (hash: number) => hash ^ (hash >>> 16);
  const isUnder = (some: number, other: number) => {
    const difference = (mixed(some) & 15) - (mixed(other) & 15);
    return difference === 0 ? mixed(some) <= mixed(other) : difference < 0;
  };
  fc.assert(
    fc.property(fc.array(fc.integer(), { maxLength: 11 }), (hashes) => {
      const ordered = inScalaMapOrder(hashes, (hash) => hash);
      expect(ordered.toSorted()).toEqual(hashes.toSorted());
      expect(ordered.every((hash, i) => i === 0 || isUnder(ordered[i - 1] ?? 0, hash))).toBe(true);
    }),
  );
});

/** The hash of which the map makes this. */
function hashOf(made: number): number {
  const undone = (mixed: number, shift: number): number => {
    let value = mixed;
    for (let bits = shift; bits < 32; bits += shift) value = mixed ^ (value >>> shift);
    return value;
  };
  // Divided by 17, and by 1 - 2 ** 9, modulo 2 ** 32.
  const multiplied = undone(made, 10);
  const added = undone(Math.imul(multiplied, 4042322161), 14);
  const hash = Math.imul(added + 1, 134480385);
  expect(improved(hash) >>> 0).toBe(made >>> 0);
  return hash;
}

/** What the map makes of a hash before it looks for a place. */
function improved(hash: number): number {
  const added = (hash + ~(hash << 9)) | 0;
  const shifted = added ^ (added >>> 14);
  const multiplied = (shifted + (shifted << 4)) | 0;
  return multiplied ^ (multiplied >>> 10);
}
