import { expect, test } from '@jest/globals';
import { inConcurrentHashMapOrder, inHashMapOrder, inHashSetOrder, javaHash } from './java-hash.ts';
import { ORDERED_MAX } from './ordered-by.ts';

test('hashes as Java does', () => {
  expect(javaHash('')).toBe(0);
  expect(javaHash('range')).toBe(108280125);
  expect(javaHash('polygenelubricants')).toBe(-0x80000000);
});

const order = (keys: string) => inHashMapOrder([...keys], javaHash).join('');

test('orders by bucket, and within one the last first', () => {
  // 'q' and 'a' share a bucket of 16, not of 32.
  expect(order('cba')).toBe('abc');
  expect(order('qa')).toBe('aq');
  expect(order('aq')).toBe('qa');
  expect(order('aqbcdefghijk')).toBe('qabcdefghijk');
  expect(order('aqbcdefghijkl')).toBe('abcdefghijklq');
});

test('a map for many threads grows one entry earlier', () => {
  const concurrent = (keys: string) => inConcurrentHashMapOrder([...keys], javaHash).join('');
  expect(concurrent('qabcdefghij')).toBe('qabcdefghij');
  expect(concurrent('qabcdefghijk')).toBe('abcdefghijkq');
});

test.each([inHashMapOrder, inHashSetOrder, inConcurrentHashMapOrder])(
  '%p leaves more than the most as they came',
  (inOrder) => {
    const items = Array.from({ length: ORDERED_MAX + 1 }, (_, i) => ORDERED_MAX - i);
    expect(inOrder(items, (item) => item)).toEqual(items);
  },
);

test('a set shows the first of a bucket first', () => {
  expect(inHashSetOrder([...'qcba'], javaHash).join('')).toBe('qabc');
});
