import { expect, test } from '@jest/globals';
import { javaHash } from '../base/index.ts';
import { TimelineMap } from './timeline-map.ts';

function orderOf<K extends string | number>(keys: readonly K[]): K[] {
  const map = new TimelineMap<K, boolean>();
  for (const key of keys) map.set(key, true);
  return map.inKafkaOrder((key) => key);
}

test('orders as Kafka 4.4.0 did', () => {
  expect(orderOf([0, 2, 1])).toEqual([2, 0, 1]);
  expect(orderOf([1, 2, 5])).toEqual([5, 2, 1]);
  expect(orderOf(['t', 'u'])).toEqual(['u', 't']);
});

test('has the slots that 64-bit arithmetic gives, whatever the key', () => {
  const keys = [0, 1, -1, 7, 2147483647, -2147483648, 65535, 65536, 'a', 'topic-1', 'ünïcödé'];
  const bits = 4n;
  const slot = (key: string | number) => {
    const hash = typeof key === 'number' ? key : javaHash(key);
    return BigInt.asUintN(64, BigInt(hash) * -7046029254386353131n) >> (64n - bits);
  };
  const ordered = orderOf<string | number>(keys);
  expect(ordered).toHaveLength(keys.length);
  expect(ordered.map(slot)).toEqual(ordered.map(slot).toSorted((a, b) => Number(a - b)));
});

test('grows before an entry is put that is already there', () => {
  const map = new TimelineMap<number, string>();
  for (const key of [1, 3]) map.set(key, 'a');
  expect(map.inKafkaOrder((key, value) => [key, value])).toEqual([
    [3, 'a'],
    [1, 'a'],
  ]);
  map.set(3, 'b');
  expect(map.inKafkaOrder((key, value) => [key, value])).toEqual([
    [1, 'a'],
    [3, 'b'],
  ]);
});

test('leaves more than is ordered as it was put', () => {
  const keys = Array.from({ length: 10_001 }, (_, i) => 10_001 - i);
  expect(orderOf(keys)).toEqual(keys);
  expect(orderOf(keys.slice(1))).not.toEqual(keys.slice(1));
});
