import { expect, test } from '@jest/globals';
import { ZERO_UUID } from '../../src/kafka-protocol/index.ts';
import {
  type Given,
  leaderEpoch,
  memberOf,
  producerId,
  resolved,
  topicId,
  withoutRepeats,
} from './template.ts';

const given: Given = {
  topicIds: new Map([['t', 'id-of-t']]),
  memberIds: new Map([[1, 'm-1']]),
  producerIds: [700n],
  leaderEpoch: 1,
};

test('puts in what the broker has given out', () => {
  const bytes = Uint8Array.of(1);
  const template = {
    topics: [{ topicId: topicId('t'), epoch: leaderEpoch(4) }, { topicId: topicId('zero') }],
    memberId: memberOf(1),
    producerId: producerId(0),
    bytes,
    name: null,
  };
  expect(resolved(template, given)).toEqual({
    topics: [{ topicId: 'id-of-t', epoch: 5 }, { topicId: ZERO_UUID }],
    memberId: 'm-1',
    producerId: 700n,
    bytes,
    name: null,
  });
});

test('has values for what was not given out', () => {
  const template = [topicId('never'), memberOf(3), producerId(2)];
  expect(resolved(template, given)).toEqual(['qqqqqqqqTMyN3e7u7u7u7g', 'nobody', 4242n]);
});

test('leaves out items that name the same, whatever else they hold', () => {
  const template = {
    topics: [
      { topicId: topicId('t'), partitions: [{ index: 0, offset: 1n }, { index: 1 }, { index: 0 }] },
      { topicId: topicId('t'), partitions: [] },
      { topicId: topicId('other') },
    ],
    keys: ['x', 'y', 'x'],
  };
  expect(JSON.stringify(withoutRepeats({ ...template }), (_, v) => (v === 1n ? 1 : v))).toEqual(
    JSON.stringify({
      topics: [
        { topicId: topicId('t'), partitions: [{ index: 0, offset: 1 }, { index: 1 }] },
        { topicId: topicId('other') },
      ],
      keys: ['x', 'y'],
    }),
  );
});
