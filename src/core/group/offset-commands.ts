import { ErrorCode, ZERO_UUID } from '../../kafka-protocol/index.ts';
import { type Effects, type Input, NOTHING, type TimerChange } from '../coordinator/index.ts';
import type { ClassicGroup } from './classic-group.ts';
import { memberError } from './join.ts';
import { answer } from './membership.ts';
import type { OffsetStore } from './offsets.ts';
import { endPendingSessions } from './pending-members.ts';
import { EXPIRE_OFFSETS_TIMER, sessionTimer } from './timer-names.ts';
import type {
  CommitCommand,
  CommitTopic,
  CommittedOffset,
  FetchCommand,
  FetchedOffset,
  GroupRecord,
  GroupSettings,
  GroupVocabulary,
  TopicName,
} from './vocabulary.ts';

/** A round of expiry looks at this many offsets before it lets other commands pass. */
const EXPIRY_STEP = 5_000;
/** Key and value of an offset, without the names of group and topic. */
const OFFSET_RECORD_BYTES_MIN = 34;

/**
 * OffsetCommit. A commit to a group that does not exist makes one that only stores offsets. One whose records can in no
 * way fit into `bytesMax` is refused before they are made: there may be a hundred thousand.
 */
export function commit(
  group: ClassicGroup | undefined,
  command: CommitCommand,
  settings: GroupSettings,
  input: Input,
  bytesMax: number,
): Effects<GroupVocabulary> {
  const isTooLarge = () => recordBytesMin(command, settings) > bytesMax;
  const errorCode =
    commitError(group, command) || (isTooLarge() ? ErrorCode.UNKNOWN_SERVER_ERROR : ErrorCode.NONE);
  if (errorCode !== ErrorCode.NONE) {
    return answer(input, { kind: 'commit', errorCode, topics: [] });
  }
  const { groupId, memberId } = command;
  const records: GroupRecord[] = [];
  const topics = command.topics.map(({ name, topicId, partitions }) => ({
    name,
    partitions: partitions.map((partition) => {
      const { partitionIndex, committedMetadata } = partition;
      if ((committedMetadata?.length ?? 0) > settings.offsetMetadataMaxBytes) {
        return { partitionIndex, errorCode: ErrorCode.OFFSET_METADATA_TOO_LARGE };
      }
      const value = committed(partition, topicId, command.retentionTimeMs, input.nowMs);
      records.push({ kind: 'offset', groupId, topic: name, partitionIndex, value });
      return { partitionIndex, errorCode: ErrorCode.NONE };
    }),
  }));
  // A commit shows that the member lives.
  const member = group?.state === 'CompletingRebalance' ? undefined : group?.member(memberId);
  const timers: TimerChange<GroupVocabulary>[] = [];
  if (member !== undefined) {
    const command = { kind: 'session-expired', groupId, memberId } as const;
    const delayMs = member.sessionTimeoutMs;
    timers.push({ name: sessionTimer(groupId, memberId), delayMs, command });
  }
  return { ...answer(input, { kind: 'commit', errorCode, topics }), records, timers };
}

/** What the records of a commit take at least. */
function recordBytesMin({ groupId, topics }: CommitCommand, settings: GroupSettings): number {
  let bytes = 0;
  for (const { name, partitions } of topics) {
    const each = OFFSET_RECORD_BYTES_MIN + groupId.length + name.length;
    for (const { committedMetadata } of partitions) {
      const isTaken = (committedMetadata?.length ?? 0) <= settings.offsetMetadataMaxBytes;
      if (isTaken) bytes += each;
    }
  }
  return bytes;
}

function committed(
  partition: CommitTopic['partitions'][number],
  topicId: string,
  retentionTimeMs: bigint,
  nowMs: number,
): CommittedOffset {
  return {
    offset: partition.committedOffset,
    leaderEpoch: partition.committedLeaderEpoch,
    metadata: partition.committedMetadata ?? '',
    commitTimestampMs: nowMs,
    expireTimestampMs: expiry(retentionTimeMs, nowMs),
    topicId,
  };
}

/** As in Kafka the sum is one of 64 bits: a retention beyond all time is over at once. */
function expiry(retentionTimeMs: bigint, nowMs: number): number | undefined {
  if (retentionTimeMs === -1n) return undefined;
  const atMs = Number(BigInt.asIntN(64, BigInt(nowMs) + retentionTimeMs));
  return Math.max(Math.min(atMs, Number.MAX_SAFE_INTEGER), Number.MIN_SAFE_INTEGER);
}

function commitError(group: ClassicGroup | undefined, command: CommitCommand): number {
  const { generationId, memberId, groupInstanceId, knowsGroupIdNotFound } = command;
  if (group === undefined) {
    if (generationId < 0) return ErrorCode.NONE;
    return knowsGroupIdNotFound ? ErrorCode.GROUP_ID_NOT_FOUND : ErrorCode.ILLEGAL_GENERATION;
  }
  // A tool, or a consumer that assigns partitions itself: while nobody is a member.
  if (generationId < 0 && group.state === 'Empty') return ErrorCode.NONE;
  if (generationId < 0 && memberId === '' && groupInstanceId === null) {
    return ErrorCode.UNKNOWN_MEMBER_ID;
  }
  const errorCode = memberError(group, memberId, groupInstanceId);
  if (errorCode !== ErrorCode.NONE) return errorCode;
  if (generationId !== group.generationId) return ErrorCode.ILLEGAL_GENERATION;
  return group.state === 'CompletingRebalance' ? ErrorCode.REBALANCE_IN_PROGRESS : ErrorCode.NONE;
}

/** OffsetFetch of one group. What was never committed has offset -1. */
export function fetch(
  offsets: OffsetStore,
  command: FetchCommand,
  input: Input,
): Effects<GroupVocabulary> {
  if (command.topics === undefined) {
    const topics = offsets.inKafkaOrder(command.groupId, fetched);
    return answer(input, { kind: 'fetch', errorCode: ErrorCode.NONE, topics });
  }
  const stored = offsets.of(command.groupId);
  const topics = command.topics.map(({ name, partitionIndexes }) => {
    const partitions = stored?.get(name);
    return { name, partitions: partitionIndexes.map((i) => fetched(i, partitions?.get(i))) };
  });
  return answer(input, { kind: 'fetch', errorCode: ErrorCode.NONE, topics });
}

const fetched = (partitionIndex: number, offset: CommittedOffset | undefined): FetchedOffset => ({
  partitionIndex,
  committedOffset: offset?.offset ?? -1n,
  committedLeaderEpoch: offset?.leaderEpoch ?? -1,
  metadata: offset?.metadata ?? '',
  errorCode: ErrorCode.NONE,
  topicId: offset?.topicId ?? ZERO_UUID,
});

/** Tombstones for everything a group has committed. */
export function* offsetTombstones(offsets: OffsetStore, groupId: string): Iterable<GroupRecord> {
  for (const [topic, partitions] of offsets.of(groupId) ?? []) {
    for (const partitionIndex of partitions.keys()) {
      yield { kind: 'offset-tombstone', groupId, topic, partitionIndex };
    }
  }
}

/**
 * Offsets of topics that were deleted are dropped: those of that very id. No group is looked at that has committed for
 * none of them.
 */
export function topicsDeleted(
  offsets: OffsetStore,
  topics: readonly TopicName[],
): Effects<GroupVocabulary> {
  const records: GroupRecord[] = [];
  for (const { name: topic, topicId } of topics) {
    for (const groupId of offsets.groupsOf(topic)) {
      for (const [partitionIndex, offset] of offsets.of(groupId)?.get(topic) ?? []) {
        if (offset.topicId !== topicId) continue;
        records.push({ kind: 'offset-tombstone', groupId, topic, partitionIndex });
      }
    }
  }
  return { ...NOTHING, records, isDivisible: true };
}

/** A step of expiry: what has outlived its retention goes, and groups that are empty and bare. */
export function expireOffsets(
  groups: ReadonlyMap<string, ClassicGroup>,
  offsets: OffsetStore,
  groupIds: readonly string[],
  settings: GroupSettings,
  nowMs: number,
): Effects<GroupVocabulary> {
  const records: GroupRecord[] = [];
  const timers: TimerChange<GroupVocabulary>[] = [];
  let looked = 0;
  let at = 0;
  for (; at < groupIds.length && looked < EXPIRY_STEP; at += 1) {
    const groupId = groupIds[at] ?? '';
    const group = groups.get(groupId);
    if (group === undefined) continue;
    looked += 1;
    const expiry = expiredOf(group, offsets, settings, nowMs);
    looked += expiry.looked;
    for (const record of expiry.records) records.push(record);
    if (!expiry.isBare || group.state !== 'Empty') continue;
    records.push({ kind: 'group-tombstone', groupId });
    for (const change of endPendingSessions(group)) timers.push(change);
  }
  const rest = groupIds.slice(at);
  const next = { kind: 'expire-offsets', groupIds: rest } as const;
  timers.push(
    rest.length > 0
      ? { name: EXPIRE_OFFSETS_TIMER, delayMs: 0, command: next }
      : nextExpiry(settings),
  );
  return { ...NOTHING, records, timers, isDivisible: true };
}

export function nextExpiry(settings: GroupSettings): TimerChange<GroupVocabulary> {
  const delayMs = settings.offsetsRetentionCheckIntervalMs;
  return { name: EXPIRE_OFFSETS_TIMER, delayMs, command: { kind: 'expire-offsets' } };
}

interface Expired {
  readonly records: readonly GroupRecord[];
  readonly looked: number;
  /** Nothing of the group's offsets is left. */
  readonly isBare: boolean;
}

function expiredOf(
  group: ClassicGroup,
  offsets: OffsetStore,
  settings: GroupSettings,
  nowMs: number,
): Expired {
  const { groupId } = group;
  const stored = offsets.of(groupId);
  if (stored === undefined) return { records: [], looked: 0, isBare: true };
  const sinceMs = expirySince(group);
  if (sinceMs === undefined) return { records: [], looked: 0, isBare: false };
  const retentionMs = settings.offsetsRetentionMinutes * 60_000;
  const records: GroupRecord[] = [];
  let looked = 0;
  for (const [topic, partitions] of stored) {
    const isRead = group.isSubscribedTo(topic);
    looked += partitions.size;
    if (isRead) continue;
    for (const [partitionIndex, offset] of partitions) {
      const atMs = offset.expireTimestampMs ?? sinceMs(offset) + retentionMs;
      if (nowMs >= atMs) records.push({ kind: 'offset-tombstone', groupId, topic, partitionIndex });
    }
  }
  return { records, looked, isBare: records.length === looked };
}

/**
 * From when retention counts (KIP-211): for a group without members since it became Empty; for
 * offsets of topics that a Stable consumer group no longer reads, and of groups that only store
 * offsets, since the commit. Undefined: nothing expires now.
 */
function expirySince(group: ClassicGroup): ((offset: CommittedOffset) => number) | undefined {
  const sinceCommit = (offset: CommittedOffset) => offset.commitTimestampMs;
  if (group.protocolType === undefined) return sinceCommit;
  if (group.state === 'Empty') return (offset) => group.stateSinceMs ?? offset.commitTimestampMs;
  const isKnown = group.protocolType === 'consumer' && group.topics !== undefined;
  return isKnown && group.state === 'Stable' ? sinceCommit : undefined;
}
