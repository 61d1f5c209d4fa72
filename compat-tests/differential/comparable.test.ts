import { expect, test } from '@jest/globals';
import { buildBatch, ZERO_UUID } from '../../src/kafka-protocol/index.ts';
import { Comparable } from './comparable.ts';

const UUIDS = [
  '11111111-1111-4111-8111-111111111111',
  '22222222-2222-4222-8222-222222222222',
] as const;

function both(firstEpochs: readonly [number, number] = [0, 0]) {
  const topicIds = [new Map([['t', 'id-3']]), new Map([['t', 'id-7']])];
  return firstEpochs.map((leaderEpoch, i) => {
    const given = { topicIds: topicIds[i]!, memberIds: new Map(), producerIds: [], leaderEpoch };
    return new Comparable(given);
  }) as [Comparable, Comparable];
}

test('sorts topics and partitions, and keeps the order of results', () => {
  const [kafka, ours] = both();
  const partitions = [{ partitionIndex: 1 }, { partitionIndex: 0 }];
  const some = { throttleTimeMs: 9, topics: [{ name: 'b', partitions }, { name: 'a' }] };
  const other = { throttleTimeMs: 0, topics: [{ name: 'a' }, { name: 'b', partitions }] };
  expect(kafka.of('Metadata', [some])).toEqual(ours.of('Metadata', [other]));
  const results = [{ groupId: 'b' }, { groupId: 'a' }];
  expect(kafka.of('DeleteGroups', [{ results }])).toEqual([{ results }]);
});

test('calls ids after their topics, whatever the order in which they are seen', () => {
  const [kafka, ours] = both();
  const created = (a: string, b: string) => ({
    topics: [
      { name: 'a', topicId: a },
      { name: 'b', topicId: b },
      { name: '', topicId: ZERO_UUID },
      { name: 'refused', topicId: ZERO_UUID },
      { name: 'unknown', topicId: 'asked for', errorCode: 3 },
    ],
  });
  kafka.of('CreateTopics', [created('id-1', 'id-2')]);
  ours.of('CreateTopics', [created('id-9', 'id-8')]);
  const [some] = kafka.of('OffsetFetch', [{ topics: [{ topicId: 'id-1' }, { topicId: 'id-2' }] }]);
  const [other] = ours.of('OffsetFetch', [{ topics: [{ topicId: 'id-8' }, { topicId: 'id-9' }] }]);
  expect(some).toEqual(other);
  expect(ours.of('OffsetFetch', [{ topics: [{ topicId: 'id-8' }] }])).not.toEqual(
    kafka.of('OffsetFetch', [{ topics: [{ topicId: 'id-1' }] }]),
  );
});

test('knows the topics that were there before', () => {
  const [kafka, ours] = both();
  const answer = (...ids: readonly string[]) => [{ topics: ids.map((topicId) => ({ topicId })) }];
  expect(kafka.of('Metadata', answer('id-3', 'other'))).toEqual(
    ours.of('Metadata', answer('other', 'id-7')),
  );
});

test('measures leader epochs from the first', () => {
  const [kafka, ours] = both([0, 1]);
  const answer = (leaderEpoch: number) => ({ leaderEpoch, divergingEpoch: { epoch: -1 } });
  expect(kafka.of('Fetch', [answer(3)])).toEqual(ours.of('Fetch', [answer(4)]));
  expect(kafka.of('Fetch', [answer(5)])).not.toEqual(ours.of('Fetch', [answer(4)]));
  expect(kafka.of('Fetch', [answer(-1)])).toEqual(ours.of('Fetch', [answer(-1)]));
});

test('calls members by the names that the walk gives them, wherever their ids are', () => {
  const [kafka, ours] = both();
  const [a, b] = UUIDS;
  kafka.nameMember(`raw-${a}`, 'member 1');
  ours.nameMember(`raw-${b}`, 'member 1');
  const members = (...ids: readonly string[]) => [
    { members: ids.map((id) => ({ memberId: `raw-${id}` })) },
  ];
  expect(kafka.of('JoinGroup', members(a))).toEqual(ours.of('JoinGroup', members(b)));
  expect(kafka.of('JoinGroup', members(a, b))).toEqual(ours.of('JoinGroup', members(a, b)));
  expect(kafka.of('JoinGroup', members(a))).not.toEqual(ours.of('JoinGroup', members(a)));
});

test('compares records but for leader epochs and producer ids', () => {
  const [kafka, ours] = both();
  const fetched = (value: string, partitionLeaderEpoch: number, producerId: bigint) => {
    const options = { timestamp: 5n, partitionLeaderEpoch, producerId, producerEpoch: 0 };
    const records = buildBatch([{ key: null, value: Buffer.from(value) }], options);
    return [{ responses: [{ topic: 't', partitions: [{ partition: 0, records }] }] }];
  };
  expect(kafka.of('Fetch', fetched('v', 0, 7n))).toEqual(ours.of('Fetch', fetched('v', 1, 9n)));
  expect(kafka.of('Fetch', fetched('v', 0, 7n))).not.toEqual(ours.of('Fetch', fetched('w', 0, 7n)));
});

test('puts together what a Fetch tells of one topic in several places', () => {
  const [kafka, ours] = both();
  const topic = (...partitions: readonly number[]) => ({
    topic: 't',
    partitions: partitions.map((partition) => ({ partition })),
  });
  expect(kafka.of('Fetch', [{ responses: [topic(1), topic(0)] }])).toEqual(
    ours.of('Fetch', [{ responses: [topic(0, 1)] }]),
  );
  expect(kafka.of('Fetch', [{ unanswered: 'closed' }])).toEqual([{ unanswered: 'closed' }]);
});
