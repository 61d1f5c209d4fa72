import { expect, test } from '@jest/globals';
import { ErrorCode, type ListOffsetsResponse } from '../../kafka-protocol/index.ts';
import { systemPace } from '../base/index.ts';
import { allThere } from '../testing/all-there.ts';
import type { RequestContext } from './handler.ts';
import { listOffsets } from './list-offsets.ts';

const isAllowed = () => true;

test('of many partitions each has its own answer', async () => {
  let [open, mostOpen] = [0, 0];
  const partitions = {
    listOffsets: async (topic: string, index: number) => {
      open += 1;
      mostOpen = Math.max(mostOpen, open);
      // Those asked later are answered earlier.
      for (let i = index % 7; i < 7; i++) await Promise.resolve();
      open -= 1;
      const offset = BigInt(1000 * Number(topic) + index);
      return { errorCode: ErrorCode.NONE, timestamp: -1n, offset, leaderEpoch: 1 };
    },
  };
  const ctx = { apiVersion: 7, isAllowed, pace: systemPace, partitions };
  const asked = (partitionIndex: number) => ({
    partitionIndex,
    currentLeaderEpoch: -1,
    timestamp: -1n,
  });
  const topics = Array.from({ length: 50 }, (_, i) => ({
    name: `${i}`,
    partitions: Array.from({ length: i }, (_, index) => asked(index)),
  }));
  const request = { replicaId: -1, isolationLevel: 0, topics, timeoutMs: 0 };
  const answer = await allThere(
    await listOffsets.handle(request, ctx as unknown as RequestContext),
  );
  const { topics: answered } = answer as ListOffsetsResponse;
  expect(answered).toHaveLength(49);
  for (const { name, partitions } of answered) {
    expect(partitions).toHaveLength(Number(name));
    for (const { partitionIndex, offset } of partitions) {
      expect(Number(offset)).toBe(1000 * Number(name) + partitionIndex);
    }
  }
  expect(mostOpen).toBe(256);
});

test('C-090 the isolation level of the request reaches the partition', async () => {
  const asked: string[] = [];
  const partitions = {
    listOffsets: async (_topic: string, _partition: number, query: { isolation: string }) => {
      asked.push(query.isolation);
      return { errorCode: ErrorCode.NONE, timestamp: -1n, offset: 7n, leaderEpoch: 1 };
    },
  };
  const ctx = {
    apiVersion: 7,
    isAllowed,
    pace: systemPace,
    partitions,
  } as unknown as RequestContext;
  const partition = { partitionIndex: 0, currentLeaderEpoch: -1, timestamp: -1n };
  for (const isolationLevel of [0, 1]) {
    const topics = [{ name: 't', partitions: [partition] }];
    const request = { replicaId: -1, isolationLevel, topics, timeoutMs: 0 };
    const answer = await allThere(await listOffsets.handle(request, ctx));
    expect(answer).toMatchObject({ topics: [{ partitions: [{ offset: 7n, leaderEpoch: 1 }] }] });
  }
  expect(asked).toEqual(['read_uncommitted', 'read_committed']);
});

test('before version 4 an answer has no leader epoch, and before 5 another word for no offset', async () => {
  const { NONE, OFFSET_NOT_AVAILABLE, LEADER_NOT_AVAILABLE, UNSUPPORTED_VERSION } = ErrorCode;
  const ask = async (apiVersion: number, errorCode: number, timestamp = -1n) => {
    const found = { errorCode, timestamp: 3n, offset: 7n, leaderEpoch: 1 };
    const partitions = { listOffsets: async () => found };
    const ctx = {
      apiVersion,
      isAllowed,
      pace: systemPace,
      partitions,
    } as unknown as RequestContext;
    const partition = { partitionIndex: 0, currentLeaderEpoch: -1, timestamp };
    const topics = [{ name: 't', partitions: [partition] }];
    const request = { replicaId: -1, isolationLevel: 0, topics, timeoutMs: 0 };
    const answer = await allThere(await listOffsets.handle(request, ctx));
    return (answer as { topics: [{ partitions: [object] }] }).topics[0].partitions[0];
  };
  const found = { partitionIndex: 0, timestamp: 3n, offset: 7n };
  const nothing = { partitionIndex: 0, timestamp: -1n, offset: -1n };
  expect(await ask(3, NONE)).toEqual({ ...found, errorCode: NONE });
  expect(await ask(4, NONE)).toEqual({ ...found, errorCode: NONE, leaderEpoch: 1 });
  // The largest timestamp may be asked for since version 7.
  expect(await ask(3, NONE, -3n)).toEqual({ ...nothing, errorCode: UNSUPPORTED_VERSION });
  expect(await ask(3, OFFSET_NOT_AVAILABLE)).toEqual({
    ...nothing,
    errorCode: LEADER_NOT_AVAILABLE,
  });
  expect(await ask(5, OFFSET_NOT_AVAILABLE)).toEqual({
    ...nothing,
    errorCode: OFFSET_NOT_AVAILABLE,
    leaderEpoch: -1,
  });
});
