import { until } from '../../integration/support/patience.ts';
import {
  DeleteGroups,
  DescribeGroups,
  LeaveGroup,
  ListOffsets,
  Metadata,
} from '../../src/kafka-protocol/index.ts';
import type { Side } from './side.ts';
import { fieldOf, listOf } from './tree.ts';

/** Waits until both have the same topics, with leaders that know: Kafka answers earlier. */
export async function topicsSettled(sides: readonly Side[]): Promise<void> {
  await until('the same topics', async () => {
    const names = await Promise.all(sides.map(topicNames));
    if (new Set(names.map((some) => JSON.stringify(some))).size !== 1) return false;
    const served = await Promise.all(sides.map((side, i) => areServed(side, names[i] ?? [])));
    return served.every((isServed) => isServed);
  });
}

export async function topicNames(side: Side): Promise<readonly string[]> {
  const { topics } = await side.request(Metadata, 12, { topics: null });
  return topics.flatMap(({ name }) => (name === null ? [] : [name])).sort();
}

async function areServed(side: Side, names: readonly string[]): Promise<boolean> {
  const partitions = [{ partitionIndex: 0, timestamp: -1n }];
  const topics = names.map((name) => ({ name, partitions }));
  const answer = await side.request(ListOffsets, 7, { replicaId: -1, topics });
  return answer.topics.every((topic) => topic.partitions[0]?.errorCode === 0);
}

/**
 * A commit without a generation whose partitions are all refused leaves an empty group in Kafka's memory, and none
 * here: it is deleted, since later requests would find it.
 */
export async function dropPhantomGroup(
  [kafka, ours]: readonly [Side, Side],
  request: unknown,
  answer: unknown,
): Promise<void> {
  const groupId = fieldOf(request, 'groupId');
  const codes = listOf(answer, 'topics')
    .flatMap((topic) => listOf(topic, 'partitions'))
    .map((partition) => fieldOf(partition, 'errorCode'));
  const hasGeneration = Number(fieldOf(request, 'generationIdOrMemberEpoch')) >= 0;
  if (typeof groupId !== 'string' || hasGeneration || codes.includes(0)) return;
  const { groups } = await ours.request(DescribeGroups, 5, { groups: [groupId] });
  if (groups[0]?.groupState === 'Dead') {
    await deleteGroup(kafka, groupId);
  }
}

export async function deleteGroup(side: Side, groupId: string): Promise<void> {
  await side.request(DeleteGroups, 2, { groupsNames: [groupId] });
}

/** Removes all members of a group, whose leaders are not the same: neither is wrong. */
export async function emptyGroup(sides: readonly Side[], groupId: string): Promise<void> {
  for (const side of sides) {
    const members = await membersOf(side, groupId);
    const leaving = members.map((memberId) => ({ memberId }));
    if (leaving.length > 0) await side.request(LeaveGroup, 3, { groupId, members: leaving });
  }
}

/** The ids of the members of a group. */
export async function membersOf(side: Side, groupId: string): Promise<readonly string[]> {
  const { groups } = await side.request(DescribeGroups, 4, { groups: [groupId] });
  return (groups[0]?.members ?? []).map(({ memberId }) => memberId);
}
