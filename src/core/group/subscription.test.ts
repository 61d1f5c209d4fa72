import { expect, test } from '@jest/globals';
import { subscribedTopics } from './subscription.ts';

const bytes = (hex: string) => Buffer.from(hex.replaceAll(' ', ''), 'hex');

test('C-106: a subscription of version 1 without owned partitions, as kafkajs sends it, is read', () => {
  expect(subscribedTopics([bytes('0001 00000001 0001 74 00000000')])).toEqual(new Set(['t']));
});

test('the topics of all members count', () => {
  const topics = subscribedTopics([
    bytes('0000 00000002 0001 74 0001 75 ffffffff'),
    bytes('0003 00000001 0001 76 ffffffff 00000000 ffffffff ffff'),
  ]);
  expect(topics).toEqual(new Set(['t', 'u', 'v']));
});

test('what is no subscription says nothing, whatever lengths it claims', () => {
  for (const hex of [
    '',
    '00',
    '0000 0000',
    '0000 7fffffff',
    '0000 ffffffff',
    '0000 00000001 7fff 74',
    '0000 00000001 ffff',
    '0000 00000002 0001 74',
  ]) {
    expect(subscribedTopics([bytes(hex)])).toBeUndefined();
  }
});
