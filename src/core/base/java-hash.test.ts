import { expect, test } from '@jest/globals';
import { inHashMapOrder, javaHash } from './java-hash.ts';

test('hashes as Java does', () => {
  expect(javaHash('')).toBe(0);
  expect(javaHash('range')).toBe(108280125);
  expect(javaHash('polygenelubricants')).toBe(-0x80000000);
});

test('orders by bucket, and within one by the time of coming', () => {
  // 'Aa' and 'BB' have one hash; 'q' and 'a' share a bucket of 16, not of 32.
  const order = (keys: readonly string[]) => inHashMapOrder(keys, (key) => key);
  expect(order(['c', 'b', 'a'])).toEqual(['a', 'b', 'c']);
  expect(order(['BB', 'Aa'])).toEqual(['BB', 'Aa']);
  expect(order(['q', 'a'])).toEqual(['q', 'a']);
  const many = [...'qabcdefghijkl'];
  expect(many).toHaveLength(13);
  expect(order(many)).toEqual([...'abcdefghijklq']);
});
