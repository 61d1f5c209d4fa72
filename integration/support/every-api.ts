import {
  buildBatch,
  CreateTopics,
  ErrorCode,
  errorName,
  FindCoordinator,
  Heartbeat,
  InitProducerId,
  Metadata,
} from '../../src/kafka-protocol/index.ts';
import { until } from './patience.ts';
import type { RawClient } from './raw-client.ts';

/** What the requests of this table are about: a topic of one partition that exists. */
export interface Scene {
  readonly topic: string;
  readonly topicId: string;
}

type Body = (version: number, scene: Scene) => object;

const named = (version: number, idFrom: number, { topic, topicId }: Scene, key = 'name') =>
  version >= idFrom ? { topicId } : { [key]: topic };
const batch = () =>
  buildBatch([{ key: null, value: Buffer.from('v') }], { timestamp: 1_700_000_000_000n });
/** The groups that the requests name. */
const GROUPS = ['answers', 'joiners'] as const;

const member = { groupId: 'answers', memberId: 'nobody' };

/** A request of each API that a broker answers at once and with content, in each of its versions. */
export const requests: Readonly<Record<string, Body>> = {
  Produce: (version, scene) => ({
    acks: 1,
    timeoutMs: 5000,
    topicData: [{ ...named(version, 13, scene), partitionData: [{ index: 0, records: batch() }] }],
  }),
  Fetch: (version, scene) => ({
    topics: [
      {
        ...named(version, 13, scene, 'topic'),
        partitions: [{ partition: 0, partitionMaxBytes: 1 << 20 }],
      },
    ],
  }),
  ListOffsets: (_, { topic }) => ({
    replicaId: -1,
    topics: [{ name: topic, partitions: [{ partitionIndex: 0, timestamp: -1n }] }],
  }),
  Metadata: (version) => ({ topics: version === 0 ? [] : null }),
  OffsetCommit: (version, scene) => ({
    groupId: member.groupId,
    topics: [
      { ...named(version, 10, scene), partitions: [{ partitionIndex: 0, committedOffset: 1n }] },
    ],
  }),
  OffsetFetch: (version, { topic }) => {
    const topics = version >= 2 ? null : [{ name: topic, partitionIndexes: [0] }];
    const { groupId } = member;
    return version >= 8 ? { groups: [{ groupId, topics: null }] } : { groupId, topics };
  },
  FindCoordinator: (version) =>
    version >= 4 ? { coordinatorKeys: [member.groupId] } : { key: member.groupId },
  // Before version 4 a new member would have to wait for the rebalance.
  JoinGroup: (version) => ({
    groupId: version >= 4 ? 'joiners' : '',
    sessionTimeoutMs: 10_000,
    protocolType: 'consumer',
    protocols: [{ name: 'range', metadata: new Uint8Array(4) }],
  }),
  SyncGroup: (version) => ({
    ...member,
    ...(version >= 5 ? { protocolType: 'consumer', protocolName: 'range' } : {}),
  }),
  Heartbeat: () => member,
  LeaveGroup: (version) =>
    version >= 3 ? { groupId: member.groupId, members: [{ memberId: member.memberId }] } : member,
  DescribeGroups: () => ({ groups: [member.groupId] }),
  ListGroups: () => ({}),
  ApiVersions: (version) =>
    version >= 3 ? { clientSoftwareName: 'oracle', clientSoftwareVersion: '1' } : {},
  CreateTopics: (version) => ({
    topics: [{ name: `made-${version}`, numPartitions: 1, replicationFactor: 1 }],
  }),
  DeleteTopics: (version) =>
    version >= 6
      ? { topics: [{ name: 'made-7' }], timeoutMs: 5000 }
      : { topicNames: [`made-${version + 1}`], timeoutMs: 5000 },
  DeleteRecords: (_, { topic }) => ({
    topics: [{ name: topic, partitions: [{ partitionIndex: 0, offset: 0n }] }],
    timeoutMs: 5000,
  }),
  DescribeConfigs: (_, { topic }) => ({
    resources: [{ resourceType: 2, resourceName: topic, configurationKeys: null }],
    includeSynonyms: true,
  }),
  InitProducerId: () => ({ transactionalId: null }),
  OffsetForLeaderEpoch: (_, { topic }) => ({
    topics: [{ topic, partitions: [{ partition: 0, leaderEpoch: 0 }] }],
  }),
  DeleteGroups: () => ({ groupsNames: ['never-there'] }),
  DescribeCluster: () => ({}),
  DescribeTopicPartitions: (_, { topic }) => ({ topics: [{ name: topic }] }),
  SaslHandshake: () => ({ mechanism: 'PLAIN' }),
  SaslAuthenticate: () => ({ authBytes: new Uint8Array() }),
};

/** A topic with one partition whose leader is known, and groups whose coordinator serves. */
export async function prepareScene(client: RawClient): Promise<Scene> {
  const topic = `answers-${Date.now()}`;
  const { topics } = await client.request(CreateTopics, 7, {
    topics: [{ name: topic, numPartitions: 1, replicationFactor: 1 }],
  });
  const { errorCode = ErrorCode.NONE, topicId = '' } = topics[0] ?? {};
  if (errorCode !== ErrorCode.NONE) throw new Error(`topic: ${errorName(errorCode)}`);
  await client.request(Metadata, 12, { topics: [{ name: topic }] });
  await untilAnswered(ErrorCode.NONE, () =>
    client.request(InitProducerId, 4, { transactionalId: null }),
  );
  for (const groupId of GROUPS) {
    // Asking for the coordinator creates the topic that it keeps its groups in.
    await client.request(FindCoordinator, 4, { coordinatorKeys: [groupId] });
    await untilAnswered(ErrorCode.UNKNOWN_MEMBER_ID, () =>
      client.request(Heartbeat, 4, { groupId, memberId: 'nobody' }),
    );
  }
  return { topic, topicId };
}

/** Asks until the answer has this error. */
function untilAnswered(
  wanted: number,
  ask: () => Promise<{ readonly errorCode: number }>,
): Promise<void> {
  return until(`the error ${errorName(wanted)}`, async () => (await ask()).errorCode === wanted);
}
