import { ErrorCode } from '../../kafka-protocol/index.ts';
import { assert } from '../base/index.ts';
import type { ClassicGroup, Member, Protocol } from './classic-group.ts';
import type { Draft } from './draft.ts';
import { roomBeside } from './pending-members.ts';
import {
  completeIfAllJoined,
  forgetSession,
  joinedReply,
  prepareRebalance,
  rebalanceOrComplete,
  sessionExpired,
} from './rebalance.ts';
import { sessionTimer } from './timer-names.ts';
import type { GroupValue, JoinCommand, JoinReply } from './vocabulary.ts';

/**
 * How long a new member's parked JoinGroup keeps it in the group. It cannot heartbeat before it knows
 * its id, and a client that gave up may have come back as another member.
 */
const NEW_MEMBER_JOIN_TIMEOUT_MS = 5 * 60_000;

/**
 * JoinGroup to a group that exists or was just created for it (`isNew`). False, and nothing is changed: it
 * has to be sent again, for pending members of other groups hold `otherPendingBytes` and leave no room.
 */
export function join(
  draft: Draft,
  asked: JoinCommand,
  isNew: boolean,
  otherPendingBytes: number,
): boolean {
  const command = { ...asked, protocols: distinct(asked.protocols) };
  const { memberId } = command;
  if (!hasRoom(draft, memberId)) {
    if (memberId !== '') draft.remove(memberId);
    draft.answer(refusal('', ErrorCode.GROUP_MAX_SIZE_REACHED));
  } else if (!draft.group.supports(command.protocolType, command.protocols)) {
    draft.answer(refusal(memberId, ErrorCode.INCONSISTENT_GROUP_PROTOCOL));
  } else if (memberId === '') {
    if (!joinAsNew(draft, command, otherPendingBytes)) return false;
  } else {
    joinAgain(draft, command);
  }
  if (isNew && draft.records.length === 0) {
    // The group exists from now on, also for the next coordinator.
    const { groupId } = draft.group;
    const stateSinceMs = draft.input.nowMs;
    draft.records.push({ kind: 'group', groupId, value: emptyValue(stateSinceMs) });
  }
  return true;
}

/**
 * Counts those who are waiting while a rebalance goes on, so that the last to come back are refused
 * when the limit was lowered; else the members.
 */
function hasRoom({ group, settings }: Draft, memberId: string): boolean {
  const member = group.member(memberId);
  if (group.state === 'Empty') return true;
  if (group.state === 'PreparingRebalance') {
    return member?.joinToken !== undefined || group.awaitingJoin < settings.groupMaxSize;
  }
  return member !== undefined || group.size < settings.groupMaxSize;
}

function joinAsNew(draft: Draft, command: JoinCommand, otherPendingBytes: number): boolean {
  const { group, input } = draft;
  const { groupInstanceId, clientId } = command;
  const newMemberId = `${groupInstanceId ?? clientId}-${input.newId()}`;
  if (groupInstanceId !== null) {
    const existingMemberId = group.staticMemberId(groupInstanceId);
    if (existingMemberId === undefined) addMember(draft, command, newMemberId);
    else replaceStaticMember(draft, command, existingMemberId, newMemberId);
  } else if (command.needsMemberId) {
    return addPendingMember(draft, command, newMemberId, otherPendingBytes);
  } else {
    addMember(draft, command, newMemberId);
  }
  return true;
}

/** It is to come again with its id (KIP-394). Where there are too many, the largest go as if their sessions ended. */
function addPendingMember(
  draft: Draft,
  { sessionTimeoutMs }: JoinCommand,
  memberId: string,
  otherPendingBytes: number,
): boolean {
  const { group } = draft;
  const { groupId } = group;
  const room = roomBeside(groupId, memberId, otherPendingBytes);
  if (room < 0) return false;
  while (group.pendingJoinBytes > room) {
    const { largestPendingJoin } = group;
    assert(largestPendingJoin !== undefined, 'only pending members hold something');
    sessionExpired(draft, largestPendingJoin);
  }
  group.addPendingJoin(memberId);
  const expired = { kind: 'session-expired', groupId, memberId } as const;
  draft.setTimer(sessionTimer(groupId, memberId), sessionTimeoutMs, expired);
  draft.answer(refusal(memberId, ErrorCode.MEMBER_ID_REQUIRED));
  return true;
}

function joinAgain(draft: Draft, command: JoinCommand): void {
  const { group } = draft;
  const { memberId, groupInstanceId } = command;
  if (group.isPendingJoin(memberId)) {
    // Only dynamic members are told to come again with an id.
    if (groupInstanceId === null) addMember(draft, command, memberId);
    else draft.answer(refusal('', ErrorCode.UNKNOWN_SERVER_ERROR));
    return;
  }
  const errorCode = memberError(group, memberId, groupInstanceId);
  const member = group.member(memberId);
  if (errorCode !== ErrorCode.NONE || member === undefined) {
    draft.answer(refusal(memberId, errorCode));
    return;
  }
  const isChanged = !areSame(member.protocols, command.protocols);
  switch (group.state) {
    case 'PreparingRebalance':
      rejoin(draft, member, command);
      return;
    case 'CompletingRebalance':
      // With the same metadata, the answer to its first JoinGroup was lost.
      if (isChanged) rejoin(draft, member, command);
      else draft.answer(joinedReply(group, memberId));
      return;
    case 'Stable':
      // A leader that joins again wants a rebalance: topics may have changed.
      if (isChanged || group.isLeader(memberId)) rejoin(draft, member, command);
      else draft.answer(joinedReply(group, memberId));
      return;
    case 'Empty':
      draft.answer(refusal(memberId, ErrorCode.UNKNOWN_MEMBER_ID));
  }
}

function rejoin(draft: Draft, member: Member, command: JoinCommand): void {
  updateMember(draft, member, command);
  rebalanceOrComplete(draft);
}

function addMember(draft: Draft, command: JoinCommand, memberId: string): void {
  const { group, input } = draft;
  const member: Member = {
    memberId,
    groupInstanceId: command.groupInstanceId,
    clientId: command.clientId,
    clientHost: command.clientHost,
    rebalanceTimeoutMs: command.rebalanceTimeoutMs,
    sessionTimeoutMs: command.sessionTimeoutMs,
    protocols: command.protocols,
    assignment: new Uint8Array(0),
    joinToken: input.token,
    syncToken: undefined,
    isNew: true,
  };
  if (group.state === 'PreparingRebalance' && group.previousState === 'Empty') {
    group.hasNewMember = true;
  }
  if (group.size === 0) group.protocolType = command.protocolType;
  group.put(member);
  draft.expectHeartbeat(member, NEW_MEMBER_JOIN_TIMEOUT_MS);
  rebalanceOrComplete(draft);
}

function updateMember(draft: Draft, member: Member, command: JoinCommand): Member {
  // One request of a member waits at a time. A newer one means that the older is no longer read.
  const errorCode = ErrorCode.REBALANCE_IN_PROGRESS;
  const { memberId } = member;
  const answered = draft.completeJoin(member, { kind: 'join', errorCode, memberId });
  const updated: Member = {
    ...answered,
    protocols: command.protocols,
    rebalanceTimeoutMs: command.rebalanceTimeoutMs,
    sessionTimeoutMs: command.sessionTimeoutMs,
    joinToken: draft.input.token,
  };
  draft.group.put(updated);
  return updated;
}

/** A static member came back without its id: it gets a new one, and who has the old is fenced. */
function replaceStaticMember(
  draft: Draft,
  command: JoinCommand,
  oldMemberId: string,
  memberId: string,
): void {
  const { group } = draft;
  const oldLeaderId = group.leaderId ?? '';
  const old = group.member(oldMemberId);
  assert(old !== undefined, 'the id of a static member names a member');
  const errorCode = ErrorCode.FENCED_INSTANCE_ID;
  const unparked = draft.completeSync(
    draft.completeJoin(old, { kind: 'join', errorCode, memberId: oldMemberId }),
    errorCode,
  );
  group.renameStaticMember(oldMemberId, { ...unparked, memberId, isNew: false });
  forgetSession(draft, oldMemberId);
  const member = updateMember(draft, { ...unparked, memberId, isNew: false }, command);
  draft.expectHeartbeat(member, old.sessionTimeoutMs);
  switch (group.state) {
    case 'Stable':
      if (group.protocolName !== group.selectProtocol()) {
        rebalanceOrComplete(draft);
        return;
      }
      group.readSubscriptions();
      draft.completeJoin(member, rejoinedReply(group, command, memberId, oldLeaderId));
      draft.records.push({ kind: 'group', groupId: group.groupId, value: group.toValue() });
      return;
    case 'CompletingRebalance':
      // The leader may already be assigning to the old id.
      prepareRebalance(draft);
      return;
    default:
      completeIfAllJoined(draft);
  }
}

/**
 * The answer to a static member that came back to a Stable group: no rebalance. A leader learns of the
 * members only where it can be told not to assign (KIP-814); before version 9 it is named its old self,
 * so that it does not take itself for the leader.
 */
function rejoinedReply(
  group: ClassicGroup,
  command: JoinCommand,
  memberId: string,
  oldLeaderId: string,
): JoinReply {
  const reply = joinedReply(group, memberId);
  if (!command.canSkipAssignment) return { ...reply, leader: oldLeaderId, members: [] };
  return { ...reply, skipAssignment: group.isLeader(memberId) };
}

/** NONE, or why requests in the name of this member are refused. */
export function memberError(
  group: ClassicGroup,
  memberId: string,
  groupInstanceId: string | null,
): number {
  if (groupInstanceId !== null) {
    const current = group.staticMemberId(groupInstanceId);
    if (current === undefined) return ErrorCode.UNKNOWN_MEMBER_ID;
    if (current !== memberId) return ErrorCode.FENCED_INSTANCE_ID;
  }
  return group.member(memberId) === undefined ? ErrorCode.UNKNOWN_MEMBER_ID : ErrorCode.NONE;
}

/** Of protocols of one name the first counts. */
function distinct(protocols: readonly Protocol[]): readonly Protocol[] {
  const byName = new Map(protocols.toReversed().map((protocol) => [protocol.name, protocol]));
  if (byName.size === protocols.length) return protocols;
  return protocols.filter((protocol) => byName.get(protocol.name) === protocol);
}

/** Whether two lists of protocols are equal, order and metadata included. */
function areSame(some: readonly Protocol[], others: readonly Protocol[]): boolean {
  if (some.length !== others.length) return false;
  return some.every(({ name, metadata }, i) => {
    const other = others[i];
    return other?.name === name && Buffer.compare(metadata, other.metadata) === 0;
  });
}

/** A group without members in its first generation. */
const emptyValue = (stateSinceMs: number): GroupValue => ({
  protocolType: '',
  generationId: 0,
  protocolName: null,
  leaderId: null,
  stateSinceMs,
  members: [],
});

const refusal = (memberId: string, errorCode: number): JoinReply => ({
  kind: 'join',
  errorCode,
  memberId,
});
