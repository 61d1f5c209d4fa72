import { expect, test } from '@jest/globals';
import { fc } from '../../kafka-protocol/testing/fast-check.ts';
import { ORDERED_MAX, orderedBy } from './ordered-by.ts';

const keys = fc.oneof(fc.nat(3), fc.integer({ min: 0, max: 0xffffffff }));

test('is the order of a stable sort', () => {
  fc.assert(
    fc.property(fc.array(keys, { maxLength: 300 }), (all) => {
      const items = all.map((key, at) => ({ key, at }));
      expect(orderedBy(items, ({ key }) => key)).toEqual(items.toSorted((a, b) => a.key - b.key));
    }),
  );
});

test('leaves more than the most as they came', () => {
  const items = Array.from({ length: ORDERED_MAX + 1 }, (_, i) => ORDERED_MAX - i);
  expect(orderedBy(items, (key) => key)).toEqual(items);
  const most = items.slice(1);
  expect(orderedBy(most, (key) => key)).toEqual(most.toReversed());
});

test('takes a key below zero for the one of the same bits', () => {
  expect(orderedBy([-1, 0, -0x80000000, 0x7fffffff], (key) => key)).toEqual([
    0, 0x7fffffff, -0x80000000, -1,
  ]);
});
