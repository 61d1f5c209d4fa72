import { expect, test } from '@jest/globals';
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
