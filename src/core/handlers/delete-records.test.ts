import { expect, test } from '@jest/globals';
import { ErrorCode } from '../../kafka-protocol/index.ts';
import { systemPace } from '../base/index.ts';
import { allThere } from '../testing/all-there.ts';
import { deleteRecords } from './delete-records.ts';
import type { RequestContext } from './handler.ts';

const { NONE, UNKNOWN_TOPIC_OR_PARTITION } = ErrorCode;

type Partitions = readonly (readonly [number, bigint])[];

async function ask(topics: readonly (readonly [string, Partitions])[], timeoutMs = 5000) {
  const asked: unknown[] = [];
  const partitions = {
    deleteRecords: async (name: string, index: number, offset: bigint, deadlineMs: number) => {
      asked.push([name, index, offset, deadlineMs]);
      // As a partition that is not there.
      if (offset < 0n) return { lowWatermark: -1n, errorCode: UNKNOWN_TOPIC_OR_PARTITION };
      return { lowWatermark: offset, errorCode: NONE };
    },
  };
  const deadlineMs = (ms: number) => 100 + ms;
  const services = { partitions, pace: systemPace };
  const ctx = { ...services, isAllowed: () => true, deadlineMs } as unknown as RequestContext;
  const request = topics.map(([name, wanted]) => ({
    name,
    partitions: wanted.map(([partitionIndex, offset]) => ({ partitionIndex, offset })),
  }));
  const answer = await deleteRecords.handle({ topics: request, timeoutMs }, ctx);
  // Whether the answer is written or not.
  const done = asked.length;
  const written = await allThere(answer);
  expect(asked).toHaveLength(done);
  return { asked, answer: written };
}

test('a partition that comes twice is answered once, for the last offset', async () => {
  const { asked, answer } = await ask([
    ['a', [[0, 5n]]],
    ['none', []],
    ['b', [[0, 1n]]],
    [
      'a',
      [
        [1, 7n],
        [0, 6n],
      ],
    ],
  ]);
  expect(asked).toEqual([
    ['a', 0, 6n, 5100],
    ['a', 1, 7n, 5100],
    ['b', 0, 1n, 5100],
  ]);
  expect(answer).toMatchObject({
    topics: [
      { name: 'a', partitions: [{ partitionIndex: 0 }, { partitionIndex: 1 }] },
      { name: 'b', partitions: [{ partitionIndex: 0 }] },
    ],
  });
});

test.each([0, -1, 999])('a timeout of %d ms leaves the log some time all the same', async (ms) => {
  const { asked } = await ask([['a', [[0, 5n]]]], ms);
  expect(asked).toEqual([['a', 0, 5n, 1100]]);
});

test('each of many partitions is answered with its own', async () => {
  const offset = (i: number) => (i % 3 === 0 ? -1n : 2n ** 60n + BigInt(i));
  const partitions = Array.from({ length: 700 }, (_, i) => [i, offset(i)] as const);
  const { asked, answer } = await ask([
    ['a', partitions.slice(0, 300)],
    ['b', partitions.slice(300)],
  ]);
  expect(asked).toHaveLength(700);
  const answered = partitions.map(([partitionIndex, lowWatermark]) => {
    const errorCode = lowWatermark < 0n ? UNKNOWN_TOPIC_OR_PARTITION : NONE;
    return { partitionIndex, errorCode, lowWatermark };
  });
  const topics = [
    { name: 'a', partitions: answered.slice(0, 300) },
    { name: 'b', partitions: answered.slice(300) },
  ];
  expect(answer).toEqual({ topics });
});
