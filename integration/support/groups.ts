import {
  DescribeGroups,
  type Draft,
  JoinGroup,
  type JoinGroupRequest,
  OffsetCommit,
  SyncGroup,
} from '../../src/kafka-protocol/index.ts';
import { until } from './patience.ts';
import type { Conversation } from './recorded.ts';

export const STRANGE_GROUP_IDS: readonly string[] = [
  '',
  ' ',
  '.',
  '..',
  'with space',
  'with/slash',
  'with\nline',
  'with\u0000zero',
  'ünïcödé ☃',
  'x'.repeat(249),
  'x'.repeat(250),
  'x'.repeat(4000),
];

/** Member ids that no coordinator has given. */
export const MEMBER_IDS: readonly string[] = ['', 'unknown', 'ünïcödé ☃', 'x'.repeat(4000)];

/** What a member sends that is like any other. */
export const JOINING = {
  sessionTimeoutMs: 10_000,
  rebalanceTimeoutMs: 10_000,
  protocolType: 'consumer',
  protocols: [{ name: 'range', metadata: Uint8Array.of(1, 2, 3) }],
} as const;

export interface Joined {
  readonly memberId: string;
  readonly generationId: number;
}

/** Joins with version 9, as a new member does: a dynamic one asks twice. */
export async function joinAlone(
  { ask }: Conversation,
  request: Draft<JoinGroupRequest>,
): Promise<Joined> {
  const first = await ask(JoinGroup, 9, { ...JOINING, ...request });
  if (request.groupInstanceId !== undefined) return first;
  return ask(JoinGroup, 9, { ...JOINING, ...request, memberId: first.memberId });
}

/** The leader hands in an assignment for itself. */
export async function syncAlone(
  { ask }: Conversation,
  groupId: string,
  { memberId, generationId }: Joined,
  groupInstanceId: string | null = null,
  protocolType: string = JOINING.protocolType,
): Promise<void> {
  await ask(SyncGroup, 5, {
    groupId,
    generationId,
    memberId,
    groupInstanceId,
    protocolType,
    protocolName: 'range',
    assignments: [{ memberId, assignment: Uint8Array.of(9) }],
  });
}

/** Resolves when the group is in this state with so many members. */
export function groupIs(
  { quietly }: Conversation,
  groupId: string,
  state: string,
  members: number,
): Promise<void> {
  return until(`${groupId} ${state} with ${members} members`, async () => {
    const { groups } = await quietly(DescribeGroups, 5, { groups: [groupId] });
    return groups[0]?.groupState === state && groups[0].members.length === members;
  });
}

/**
 * Groups in every state: `stable`, `awaiting`, `preparing`, `pending`, which has given out one id, and `simple`, which
 * only has an offset of topic `t`. The request that `preparing` keeps waiting ends with its connection.
 */
export async function groupsOfAllStates(conversation: Conversation): Promise<void> {
  const { quietly } = conversation;
  const stable = await joinAlone(conversation, { groupId: 'stable' });
  await syncAlone(conversation, 'stable', stable);
  await joinAlone(conversation, { groupId: 'awaiting', groupInstanceId: 'i' });
  const waiting = await joinAlone(conversation, { groupId: 'preparing' });
  const request = { ...JOINING, groupId: 'preparing', rebalanceTimeoutMs: 600_000 };
  await quietly(JoinGroup, 9, { ...request, memberId: waiting.memberId });
  const { memberId } = await quietly(JoinGroup, 9, request);
  conversation.leaveWaiting(JoinGroup, 9, { ...request, memberId });
  await groupIs(conversation, 'preparing', 'PreparingRebalance', 2);
  await quietly(JoinGroup, 9, { ...JOINING, groupId: 'pending' });
  await conversation.topic('t');
  const topics = [{ name: 't', partitions: [{ partitionIndex: 0, committedOffset: 1n }] }];
  await quietly(OffsetCommit, 9, { groupId: 'simple', topics });
}
