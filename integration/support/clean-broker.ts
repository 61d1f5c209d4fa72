import {
  CreateTopics,
  DeleteGroups,
  DeleteTopics,
  DescribeGroups,
  ErrorCode,
  FindCoordinator,
  Heartbeat,
  LeaveGroup,
  ListGroups,
  ListOffsets,
  Metadata,
} from '../../src/kafka-protocol/index.ts';
import { PATIENCE_MS, until } from './patience.ts';
import type { RawClient } from './raw-client.ts';

export interface CreatedTopic {
  readonly name: string;
  readonly id: string;
}

/** A group for each partition of the topic of offsets: of one letter, whose code modulo 50 is the partition. */
export const GROUP_OF_EACH_PARTITION = Array.from({ length: 50 }, (_, i) =>
  String.fromCharCode(50 + i),
);

/** Resolves when the broker knows groups: its topic of offsets exists and all of it is loaded. */
export async function groupsReady(client: RawClient): Promise<void> {
  await until('a coordinator', async () => {
    const request = { keyType: 0, coordinatorKeys: ['any'] };
    const { coordinators } = await client.request(FindCoordinator, 4, request);
    return coordinators[0]?.errorCode === ErrorCode.NONE;
  });
  for (const groupId of GROUP_OF_EACH_PARTITION) {
    await until(`the partition of group ${groupId}`, async () => {
      const request = { groupId, generationId: 1, memberId: 'none' };
      const { errorCode } = await client.request(Heartbeat, 4, request);
      return errorCode === ErrorCode.UNKNOWN_MEMBER_ID;
    });
  }
}

/** Removes every group and every topic that is not the broker's own. */
export async function removeAll(client: RawClient): Promise<void> {
  const { groups } = await client.request(ListGroups, 4, {});
  const ids = groups.map(({ groupId }) => groupId);
  if (ids.length > 0) await removeGroups(client, ids);
  const names = (await topicsOf(client, null)).map(({ name }) => name);
  if (names.length === 0) return;
  await client.request(DeleteTopics, 5, { topicNames: names, timeoutMs: PATIENCE_MS });
  await until('no topics', async () => (await topicsOf(client, null)).length === 0);
}

/** Creates a topic and resolves when its partitions have leaders. */
export async function createAndWait(
  client: RawClient,
  name: string,
  numPartitions: number,
  configs: Readonly<Record<string, string>>,
): Promise<CreatedTopic> {
  const entries = Object.entries(configs).map(([key, value]) => ({ name: key, value }));
  const topic = { name, numPartitions, replicationFactor: 1, configs: entries };
  const { topics } = await client.request(CreateTopics, 5, {
    topics: [topic],
    timeoutMs: PATIENCE_MS,
  });
  if (topics[0]?.errorCode !== ErrorCode.NONE) {
    throw new Error(`CreateTopics ${name}: ${topics[0]?.errorCode} ${topics[0]?.errorMessage}`);
  }
  let id = '';
  await until(`leaders of ${name}`, async () => {
    const [seen] = await topicsOf(client, [name]);
    if (seen?.partitions.length !== numPartitions) return false;
    id = seen.topicId;
    return seen.partitions.every(({ errorCode }) => errorCode === ErrorCode.NONE);
  });
  // Apache Kafka names leaders before they know of it.
  const partitions = Array.from({ length: numPartitions }, (_, partitionIndex) => {
    return { partitionIndex, timestamp: -1n };
  });
  await until(`the leaders of ${name} to know`, async () => {
    const request = { replicaId: -1, topics: [{ name, partitions }] };
    const [asked] = (await client.request(ListOffsets, 7, request)).topics;
    return asked?.partitions.every(({ errorCode }) => errorCode === ErrorCode.NONE) === true;
  });
  return { name, id };
}

async function removeGroups(client: RawClient, ids: readonly string[]): Promise<void> {
  const { groups } = await client.request(DescribeGroups, 4, { groups: ids });
  for (const { groupId, members } of groups) {
    const leaving = members.map(({ memberId, groupInstanceId }) => ({ memberId, groupInstanceId }));
    if (leaving.length > 0) await client.request(LeaveGroup, 3, { groupId, members: leaving });
  }
  await until('no groups', async () => {
    const { results } = await client.request(DeleteGroups, 2, { groupsNames: ids });
    return results.every(({ errorCode }) => {
      return errorCode === ErrorCode.NONE || errorCode === ErrorCode.GROUP_ID_NOT_FOUND;
    });
  });
}

async function topicsOf(client: RawClient, names: readonly string[] | null) {
  const request = {
    topics: names === null ? null : names.map((name) => ({ name })),
    allowAutoTopicCreation: false,
  };
  const { topics } = await client.request(Metadata, 12, request);
  return topics.flatMap(({ name, isInternal, ...rest }) => {
    return name === null || isInternal ? [] : [{ name, ...rest }];
  });
}
