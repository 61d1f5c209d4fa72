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
