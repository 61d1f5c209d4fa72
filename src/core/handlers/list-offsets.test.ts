import { expect, test } from '@jest/globals';
import { ErrorCode } from '../../kafka-protocol/index.ts';
import type { RequestContext } from '../dispatch/handler.ts';
import { listOffsets } from './list-offsets.ts';

test('C-090 the isolation level of the request reaches the partition', async () => {
  const asked: string[] = [];
  const partitions = {
    listOffsets: async (_topic: string, _partition: number, query: { isolation: string }) => {
      asked.push(query.isolation);
      return { errorCode: ErrorCode.NONE, timestamp: -1n, offset: 7n, leaderEpoch: 1 };
    },
  };
  const ctx = { apiVersion: 7, isAllowed: () => true, partitions } as unknown as RequestContext;
  const partition = { partitionIndex: 0, currentLeaderEpoch: -1, timestamp: -1n };
  for (const isolationLevel of [0, 1]) {
    const topics = [{ name: 't', partitions: [partition] }];
    const request = { replicaId: -1, isolationLevel, topics, timeoutMs: 0 };
    const answer = await listOffsets.handle(request, ctx);
    expect(answer).toMatchObject({ topics: [{ partitions: [{ offset: 7n, leaderEpoch: 1 }] }] });
  }
  expect(asked).toEqual(['read_uncommitted', 'read_committed']);
});

test('before version 4 an answer has no leader epoch, and before 5 another word for no offset', async () => {
  const { NONE, OFFSET_NOT_AVAILABLE, LEADER_NOT_AVAILABLE, UNSUPPORTED_VERSION } = ErrorCode;
  const ask = async (apiVersion: number, errorCode: number, timestamp = -1n) => {
    const found = { errorCode, timestamp: 3n, offset: 7n, leaderEpoch: 1 };
    const partitions = { listOffsets: async () => found };
    const ctx = { apiVersion, isAllowed: () => true, partitions } as unknown as RequestContext;
    const partition = { partitionIndex: 0, currentLeaderEpoch: -1, timestamp };
    const topics = [{ name: 't', partitions: [partition] }];
    const request = { replicaId: -1, isolationLevel: 0, topics, timeoutMs: 0 };
    const answer = await listOffsets.handle(request, ctx);
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
