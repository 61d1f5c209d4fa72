import { EMPTY_BYTES, ErrorCode } from '../../kafka-protocol/index.ts';
import { type Effects, type Input, NOTHING } from '../coordinator/index.ts';
import type { ClassicGroup } from './classic-group.ts';
import type { Draft } from './draft.ts';
import { memberError } from './join.ts';
import { completeIfAllJoined, prepareRebalance } from './rebalance.ts';
import { sessionTimer, syncTimer } from './timer-names.ts';
import type {
  GroupReply,
  GroupVocabulary,
  HeartbeatCommand,
  LeaveCommand,
  SyncCommand,
  SyncReply,
} from './vocabulary.ts';

/** SyncGroup: the leader's brings the assignment and answers everybody's. */
export function sync(draft: Draft, command: SyncCommand): void {
  const { group, input } = draft;
  const { memberId } = command;
  const errorCode = syncError(group, command);
  const member = group.member(memberId);
  if (errorCode !== ErrorCode.NONE || member === undefined) {
    draft.answer(syncRefusal(errorCode));
    return;
  }
  if (group.state === 'PreparingRebalance') {
    draft.answer(syncRefusal(ErrorCode.REBALANCE_IN_PROGRESS));
    return;
  }
  if (group.removePendingSync(memberId)) draft.clearTimer(syncTimer(group.groupId));
  // One request of a member waits at a time. A newer one means that the older is no longer read.
  const answered = draft.completeSync(member, ErrorCode.REBALANCE_IN_PROGRESS);
  group.put({ ...answered, syncToken: input.token });
  if (group.state === 'Stable') {
    draft.completeSync(group.member(memberId) ?? member, ErrorCode.NONE, member.assignment);
  } else if (group.isLeader(memberId)) {
    assign(draft, command.assignments);
  }
}

/** Makes the leader's assignment that of the generation. Who is not in it gets an empty one. */
function assign(draft: Draft, assignments: SyncCommand['assignments']): void {
  const { group, input } = draft;
  const byMember = new Map(assignments.map(({ memberId, assignment }) => [memberId, assignment]));
  for (const member of group.members()) {
    const assigned = { ...member, assignment: byMember.get(member.memberId) ?? EMPTY_BYTES };
    group.put(assigned);
    if (assigned.syncToken === undefined) continue;
    draft.completeSync(assigned, ErrorCode.NONE, assigned.assignment);
    // A session that ended while the assignment was awaited was let pass, and begins anew.
    draft.expectHeartbeat(assigned);
  }
  // The record says since when the group was in the state that it leaves.
  const value = group.toValue();
  group.transition('Stable', input.nowMs);
  const { groupId } = group;
  draft.records.push({ kind: 'group', groupId, value });
  draft.ifUnwritten = { kind: 'assignment-unwritten', groupId };
}

function syncError(group: ClassicGroup, command: SyncCommand): number {
  const { memberId, groupInstanceId, generationId, protocolType, protocolName } = command;
  if (group.state === 'Empty') return ErrorCode.UNKNOWN_MEMBER_ID;
  const errorCode = memberError(group, memberId, groupInstanceId);
  if (errorCode !== ErrorCode.NONE) return errorCode;
  if (generationId !== group.generationId) return ErrorCode.ILLEGAL_GENERATION;
  const differs = (asked: string | null, actual: string | undefined) =>
    asked !== null && actual !== undefined && asked !== actual;
  const isInconsistent =
    differs(protocolType, group.protocolType) || differs(protocolName, group.protocolName);
  return isInconsistent ? ErrorCode.INCONSISTENT_GROUP_PROTOCOL : ErrorCode.NONE;
}

export const syncRefusal = (errorCode: number): SyncReply => ({
  kind: 'sync',
  errorCode,
  assignment: EMPTY_BYTES,
});

/** Heartbeat: moves the member's deadline, also while a rebalance goes on (C-105). No copy is made. */
export function heartbeat(
  group: ClassicGroup | undefined,
  command: HeartbeatCommand,
  input: Input,
): Effects<GroupVocabulary> {
  const { groupId, memberId, groupInstanceId, generationId } = command;
  let errorCode: number = ErrorCode.UNKNOWN_MEMBER_ID;
  if (group !== undefined) errorCode = memberError(group, memberId, groupInstanceId);
  if (errorCode === ErrorCode.NONE && generationId !== group?.generationId) {
    errorCode = ErrorCode.ILLEGAL_GENERATION;
  }
  const member = group?.member(memberId);
  if (errorCode !== ErrorCode.NONE || group === undefined || member === undefined) {
    return answer(input, { kind: 'heartbeat', errorCode });
  }
  if (group.state === 'PreparingRebalance') errorCode = ErrorCode.REBALANCE_IN_PROGRESS;
  return {
    ...answer(input, { kind: 'heartbeat', errorCode }),
    timers: [
      {
        name: sessionTimer(groupId, memberId),
        delayMs: member.sessionTimeoutMs,
        command: { kind: 'session-expired', groupId, memberId },
      },
    ],
  };
}

/** LeaveGroup: each member has its own answer, one rebalance follows for all. */
export function leave(draft: Draft, command: LeaveCommand): void {
  const { group } = draft;
  const members = command.members.map(({ memberId, groupInstanceId }) => ({
    memberId,
    groupInstanceId,
    errorCode: leaveOne(draft, memberId, groupInstanceId),
  }));
  draft.answer({ kind: 'leave', errorCode: ErrorCode.NONE, members });
  if (members.every(({ errorCode }) => errorCode !== ErrorCode.NONE)) return;
  if (group.state === 'PreparingRebalance') completeIfAllJoined(draft);
  else if (group.state !== 'Empty') prepareRebalance(draft);
}

/** An operator names a static member by its instance id alone (KIP-345). */
function leaveOne(draft: Draft, memberId: string, groupInstanceId: string | null): number {
  const { group } = draft;
  if (memberId === '') {
    const current = groupInstanceId === null ? undefined : group.staticMemberId(groupInstanceId);
    if (current === undefined) return ErrorCode.UNKNOWN_MEMBER_ID;
    draft.remove(current);
    return ErrorCode.NONE;
  }
  if (!group.isPendingJoin(memberId)) {
    const errorCode = memberError(group, memberId, groupInstanceId);
    if (errorCode !== ErrorCode.NONE) return errorCode;
  }
  draft.remove(memberId);
  return ErrorCode.NONE;
}

/** The effects of a command that only answers. */
export function answer(input: Input, reply: GroupReply): Effects<GroupVocabulary> {
  const { token } = input;
  return token === undefined ? NOTHING : { ...NOTHING, replies: [{ token, reply }] };
}
