import { expect, test } from '@jest/globals';
import type { Engine, PartitionHandle } from '../engine/index.ts';
import { ErrorCode } from '../kafka-protocol/index.ts';
import { systemClock } from './base/index.ts';
import { configOf } from './config/testing/config-of.ts';
import type { ClusterMetadata } from './metadata/index.ts';
import { Partitions } from './partitions.ts';

const NEVER = Number.MAX_SAFE_INTEGER;

function deletion(policy: string | undefined, isInternal = false) {
  const configs = new Map(policy === undefined ? [] : [['cleanup.policy', policy]]);
  const topic = { id: 'id', name: 't', isInternal, configs, partitions: [{ index: 0 }] };
  const metadata = {
    topicByName: (name: string) => (name === 't' ? topic : undefined),
    partition: () => ({ handle: {} as PartitionHandle }),
  } as unknown as ClusterMetadata;
  const engine = { deleteRecords: async () => 3n } as unknown as Engine;
  const partitions = new Partitions({ engine, metadata, config: configOf({}), clock: systemClock });
  return async (name: string, index: number) => {
    return (await partitions.deleteRecords(name, index, 3n, NEVER)).errorCode;
  };
}

test('records go from topics of every policy but compaction alone', async () => {
  const policies = [undefined, 'delete', 'compact,delete', '', 'compact'];
  const codes = await Promise.all(policies.map((policy) => deletion(policy)('t', 0)));
  const { NONE, POLICY_VIOLATION } = ErrorCode;
  expect(codes).toEqual([NONE, NONE, NONE, NONE, POLICY_VIOLATION]);
});

test('a partition that is not there is unknown, whatever its topic is', async () => {
  const { INVALID_TOPIC_EXCEPTION, UNKNOWN_TOPIC_OR_PARTITION } = ErrorCode;
  for (const index of [-1, 1]) {
    expect(await deletion('compact')('t', index)).toBe(UNKNOWN_TOPIC_OR_PARTITION);
    expect(await deletion('delete', true)('t', index)).toBe(UNKNOWN_TOPIC_OR_PARTITION);
  }
  expect(await deletion('delete')('other', 0)).toBe(UNKNOWN_TOPIC_OR_PARTITION);
  expect(await deletion('delete', true)('t', 0)).toBe(INVALID_TOPIC_EXCEPTION);
});
