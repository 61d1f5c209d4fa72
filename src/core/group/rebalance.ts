import { EMPTY_BYTES, ErrorCode } from '../../kafka-protocol/index.ts';
import type { ClassicGroup, Member } from './classic-group.ts';
import { metadataOf } from './classic-group.ts';
import type { Draft } from './draft.ts';
import { joinTimer, sessionTimer, syncTimer } from './timer-names.ts';
import type { JoinReply } from './vocabulary.ts';

/** A rebalance that nobody joined is looked at again, and not at once where its timeout is tiny. */
const NOBODY_JOINED_MIN_MS = 1_000;

/** Begins a rebalance; one that goes on already ends if everybody has joined. */
export function rebalanceOrComplete(draft: Draft): void {
  if (draft.group.state === 'PreparingRebalance') completeIfAllJoined(draft);
  else prepareRebalance(draft);
}

/** All members have to join again. A new group waits a moment for more members first. */
export function prepareRebalance(draft: Draft): void {
  const { group, settings, input } = draft;
  const { groupId } = group;
  if (group.state === 'CompletingRebalance')
    resetAssignments(draft, ErrorCode.REBALANCE_IN_PROGRESS);
  group.clearPendingSync();
  draft.clearTimer(syncTimer(groupId));

  const isInitial = group.state === 'Empty';
  group.transition('PreparingRebalance', input.nowMs);
  if (!isInitial) {
    if (group.haveAllJoined) completeJoinPhase(draft);
    else awaitJoins(draft);
    return;
  }
  const delayMs = settings.groupInitialRebalanceDelayMs;
  const remainingMs = Math.max(group.rebalanceTimeoutMs - delayMs, 0);
  const command = { kind: 'initial-delay-expired', groupId, remainingMs } as const;
  draft.setTimer(joinTimer(groupId), delayMs, command);
}

/** Nobody has an assignment any more, and who waits for one is told why. */
function resetAssignments(draft: Draft, errorCode: number): void {
  const { group } = draft;
  for (const member of group.members()) {
    const reset = { ...member, assignment: EMPTY_BYTES };
    group.put(reset);
    const isParked = member.syncToken !== undefined;
    draft.completeSync(reset, errorCode);
    if (isParked) draft.expectHeartbeat(member);
  }
}

/** No member can have the assignment that the log did not take: all of them join again. */
export function assignmentUnwritten(draft: Draft): void {
  const { group } = draft;
  if (group.state !== 'CompletingRebalance') return;
  // As the leader is told, who was heard of too.
  resetAssignments(draft, ErrorCode.UNKNOWN_SERVER_ERROR);
  const leader = group.member(group.leaderId ?? '');
  if (leader !== undefined) draft.expectHeartbeat(leader);
  prepareRebalance(draft);
}

/** Ends the join phase if everybody has joined, except during the initial delay. */
export function completeIfAllJoined(draft: Draft): void {
  const { group } = draft;
  if (group.state !== 'PreparingRebalance' || group.previousState === 'Empty') return;
  if (group.haveAllJoined) completeJoinPhase(draft);
}

/** Extends the initial delay while new members come, at most to the rebalance timeout. */
export function initialDelayExpired(draft: Draft, remainingMs: number): void {
  const { group, settings } = draft;
  if (group.state !== 'PreparingRebalance') return;
  if (!group.hasNewMember || remainingMs === 0) {
    completeJoinPhase(draft);
    return;
  }
  const { groupId } = group;
  group.hasNewMember = false;
  const delayMs = Math.min(settings.groupInitialRebalanceDelayMs, remainingMs);
  const command = {
    kind: 'initial-delay-expired',
    groupId,
    remainingMs: Math.max(remainingMs - settings.groupInitialRebalanceDelayMs, 0),
  } as const;
  draft.setTimer(joinTimer(groupId), delayMs, command);
}

/** Answers everybody who has joined. Dynamic members who have not are members no longer. */
export function completeJoinPhase(draft: Draft): void {
  const { group, input } = draft;
  if (group.state !== 'PreparingRebalance') return;
  const { groupId } = group;
  draft.clearTimer(joinTimer(groupId));
  for (const { memberId, groupInstanceId, joinToken } of group.members()) {
    if (joinToken === undefined && groupInstanceId === null) draft.remove(memberId);
  }
  if (!group.electJoinedLeader() && group.size > 0) {
    // Nobody but static members is left, and none of them has come back: session timeouts decide.
    awaitJoins(draft, NOBODY_JOINED_MIN_MS);
    return;
  }
  group.nextGeneration(input.nowMs);
  if (group.size === 0) {
    draft.records.push({ kind: 'group', groupId, value: group.toValue() });
    return;
  }
  for (const member of group.members()) {
    const answered = draft.completeJoin(member, joinedReply(group, member.memberId));
    group.put({ ...answered, isNew: false });
    draft.expectHeartbeat(member);
    group.addPendingSync(member.memberId);
  }
  const { generationId } = group;
  const command = { kind: 'sync-expired', groupId, generationId } as const;
  draft.setTimer(syncTimer(groupId), group.rebalanceTimeoutMs, command);
}

/** The answer that makes a member part of the generation; the leader learns of all the others. */
export function joinedReply(group: ClassicGroup, memberId: string): JoinReply {
  return {
    kind: 'join',
    errorCode: ErrorCode.NONE,
    generationId: group.generationId,
    protocolType: group.protocolType ?? null,
    protocolName: group.protocolName ?? null,
    leader: group.leaderId ?? '',
    memberId,
    members: group.isLeader(memberId) ? membersForLeader(group) : [],
  };
}

export function membersForLeader(group: ClassicGroup) {
  return group.members().map((member) => ({
    memberId: member.memberId,
    groupInstanceId: member.groupInstanceId,
    metadata: metadataOf(member, group.protocolName),
  }));
}

/** Members who never asked for their assignment are removed, once a rebalance timeout has passed. */
export function syncExpired(draft: Draft, generationId: number): void {
  const { group } = draft;
  if (generationId !== group.generationId) return;
  if (group.state !== 'CompletingRebalance' && group.state !== 'Stable') return;
  const late = group.pendingSync();
  if (late.length === 0) return;
  for (const memberId of late) draft.remove(memberId);
  prepareRebalance(draft);
}

/** A member that is gone: the others share what it had. */
export function memberRemoved(draft: Draft): void {
  const { group } = draft;
  if (group.state === 'Stable' || group.state === 'CompletingRebalance') prepareRebalance(draft);
  else if (group.state === 'PreparingRebalance' && group.haveAllJoined) completeJoinPhase(draft);
}

/** A member that was not heard of in time. One whose request is parked is alive. */
export function sessionExpired(draft: Draft, memberId: string): void {
  const { group } = draft;
  if (group.isPendingJoin(memberId)) {
    draft.remove(memberId);
    if (group.state === 'PreparingRebalance' && group.haveAllJoined) completeJoinPhase(draft);
    return;
  }
  const member = group.member(memberId);
  if (member === undefined || isWaiting(member)) return;
  draft.remove(memberId);
  memberRemoved(draft);
}

/** A new member has no id to heartbeat with, so its parked JoinGroup does not count. */
const isWaiting = (member: Member): boolean =>
  !member.isNew && (member.joinToken !== undefined || member.syncToken !== undefined);

function awaitJoins(draft: Draft, atLeastMs = 0): void {
  const { groupId, rebalanceTimeoutMs } = draft.group;
  const command = { kind: 'rebalance-expired', groupId } as const;
  draft.setTimer(joinTimer(groupId), Math.max(rebalanceTimeoutMs, atLeastMs), command);
}

/** Forgets the session of an id that no longer names a member. */
export function forgetSession(draft: Draft, memberId: string): void {
  draft.clearTimer(sessionTimer(draft.group.groupId, memberId));
}
