import {
  type Api,
  CreateTopics,
  DeleteGroups,
  DeleteRecords,
  DeleteTopics,
  DescribeConfigs,
  DescribeGroups,
  type Draft,
  FindCoordinator,
  ListOffsets,
  Metadata,
  OffsetCommit,
  OffsetFetch,
  OffsetForLeaderEpoch,
  ZERO_UUID,
} from '../../src/kafka-protocol/index.ts';
import { encodeRequest } from '../support/raw-client.ts';

/** Items that a request may have is 120,000, and each of these adds a few of its own. */
const MOST = 119_000;
/** Every topic that is named is an item, and each of its partitions another. */
const HALF = MOST / 2;

/** The largest requests that are accepted, of each API that takes many items, as frames without their length. */
export function acceptedRequests(topic: string): ReadonlyMap<string, Uint8Array> {
  const names = numbered('n', MOST);
  const indexes = Array.from({ length: MOST }, (_, i) => i);
  const often = <Partition>(partition: Partition) =>
    Array.from({ length: HALF }, () => ({ name: topic, topic, partitions: [partition] }));
  const configs = { configurationKeys: null, resourceType: 2 };
  const [offset, committedOffset] = [0n, 1n];
  const byDefault = { numPartitions: -1, replicationFactor: -1 };
  return new Map([
    frame('metadata', Metadata, 12, {
      topics: names.map((name) => ({ name, topicId: ZERO_UUID })),
      allowAutoTopicCreation: false,
    }),
    frame('offset-fetch', OffsetFetch, 8, {
      groups: [{ groupId: 'g', topics: [{ name: topic, partitionIndexes: indexes }] }],
    }),
    frame('offset-fetch-groups', OffsetFetch, 8, {
      groups: names.slice(0, HALF / 2).map((groupId) => {
        return { groupId, topics: [{ name: topic, partitionIndexes: [0] }] };
      }),
    }),
    frame('describe-groups', DescribeGroups, 5, { groups: names }),
    frame('delete-topics', DeleteTopics, 5, { topicNames: names, timeoutMs: 30_000 }),
    frame('list-offsets', ListOffsets, 7, { topics: often({ partitionIndex: 0, timestamp: -1n }) }),
    frame('offset-commit', OffsetCommit, 8, {
      groupId: 'g',
      topics: [
        { name: topic, partitions: indexes.map((i) => ({ partitionIndex: i, committedOffset })) },
      ],
    }),
    frame('create-topics', CreateTopics, 7, {
      topics: names.map((name) => ({ name, ...byDefault })),
      validateOnly: true,
      timeoutMs: 30_000,
    }),
    frame('describe-configs', DescribeConfigs, 4, {
      resources: names.map((resourceName) => ({ ...configs, resourceName })),
    }),
    frame('find-coordinator', FindCoordinator, 4, { keyType: 0, coordinatorKeys: names }),
    frame('delete-groups', DeleteGroups, 2, { groupsNames: names }),
    frame('delete-records', DeleteRecords, 2, {
      topics: often({ partitionIndex: 0, offset }),
      timeoutMs: 30_000,
    }),
    frame('leader-epochs', OffsetForLeaderEpoch, 4, {
      topics: often({ partition: 0, leaderEpoch: 0 }),
    }),
  ]);
}

function frame<Request, Response>(
  name: string,
  api: Api<Request, Response>,
  version: number,
  body: Draft<Request>,
): [string, Uint8Array] {
  return [name, Buffer.from(encodeRequest(api, version, body, 1))];
}

/** Names that are as long as they may be for so many to be in one request. */
function numbered(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${prefix}${i}`.padEnd(12, '-'));
}
