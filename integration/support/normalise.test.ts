import { expect, test } from '@jest/globals';
import { ZERO_UUID } from '../../src/kafka-protocol/index.ts';
import { Normaliser } from './normalise.ts';

test('names what a broker chooses, the same value by the same name', () => {
  const normaliser = new Normaliser();
  const ids = [{ topicId: 'b' }, { topicId: 'a' }, { topicId: 'b' }, { topicId: ZERO_UUID }];
  expect(normaliser.normalise(ids)).toEqual([
    { topicId: '<topic id 1>' },
    { topicId: '<topic id 2>' },
    { topicId: '<topic id 1>' },
    { topicId: ZERO_UUID },
  ]);
  expect(normaliser.normalise({ topicId: 'a' })).toEqual({ topicId: '<topic id 2>' });
});

test('finds random ids inside of texts', () => {
  const id = '01234567-89ab-cdef-0123-456789abcdef';
  const normalised = new Normaliser().normalise({ leader: `raw-${id}`, members: [id, 'm'] });
  expect(normalised).toEqual({ leader: 'raw-<uuid 1>', members: ['<uuid 1>', 'm'] });
});

test('keeps of a message whether there is one', () => {
  const messages = [{ errorMessage: null }, { errorMessage: '' }, { errorMessage: 'words' }];
  expect(new Normaliser().normalise(messages)).toEqual([
    { errorMessage: null },
    { errorMessage: '' },
    { errorMessage: '<text>' },
  ]);
});

test('keeps offsets and what says none, and hides times of the day', () => {
  const value = { offset: 12n, timestamp: 1_700_000_000_000n, producerId: -1n, leaderEpoch: -1 };
  expect(new Normaliser().normalise(value)).toEqual({
    offset: '12n',
    timestamp: '<time>',
    producerId: '-1n',
    leaderEpoch: -1,
  });
});

test('shows bytes, and long runs by their length', () => {
  const value = { metadata: Uint8Array.of(1, 255), name: `${'x'.repeat(100)}y` };
  expect(new Normaliser().normalise(value)).toEqual({
    metadata: '0x01ff',
    name: '<100 times x>y',
  });
});
