import {
  decodeKey,
  decodeVersioned,
  encodeKey,
  encodeVersioned,
  GroupMetadataKey,
  GroupMetadataValue,
  keyType,
  LegacyOffsetCommitKey,
  OffsetCommitKey,
  OffsetCommitValue,
} from '../../kafka-protocol/index.ts';
import type { EncodedRecord, RecordCodec } from '../coordinator/index.ts';
import { OffsetRecordReader } from './offset-record.ts';
import { OffsetRecordWriter } from './offset-record-writer.ts';
import type { CommittedOffset, GroupRecord, GroupValue } from './vocabulary.ts';

/** Values as a Kafka 4.4 broker writes them: version 1 of an offset only with an expiry of its own. */
const OFFSET_VALUE_VERSION = 4;
const EXPIRING_OFFSET_VALUE_VERSION = 1;
const GROUP_VALUE_VERSION = 3;

/** The records of `__consumer_offsets`, byte for byte those of Kafka. Records of other kinds are skipped. */
export function createGroupRecordCodec(): RecordCodec<GroupRecord> {
  const reader = new OffsetRecordReader();
  const writer = new OffsetRecordWriter();
  return {
    encode,
    encodeInto: (record, sink) => record.kind === 'offset' && writer.write(record, sink),
    decode: (key, value) => (key === null ? undefined : decode(key, value)),
    decodeAt: (place) => reader.read(place),
  };
}

function encode(record: GroupRecord): EncodedRecord {
  switch (record.kind) {
    case 'offset':
      return { key: offsetKey(record), value: offsetValue(record.value) };
    case 'offset-tombstone':
      return { key: offsetKey(record), value: null };
    case 'group':
      return { key: groupKey(record.groupId), value: groupValue(record.value) };
    case 'group-tombstone':
      return { key: groupKey(record.groupId), value: null };
  }
}

function decode(key: Uint8Array, value: Uint8Array | null): GroupRecord | undefined {
  switch (keyType(key)) {
    case LegacyOffsetCommitKey.type:
    case OffsetCommitKey.type: {
      const { group: groupId, topic, partition: partitionIndex } = decodeKey(OffsetCommitKey, key);
      if (value === null) return { kind: 'offset-tombstone', groupId, topic, partitionIndex };
      return { kind: 'offset', groupId, topic, partitionIndex, value: committedOffset(value) };
    }
    case GroupMetadataKey.type: {
      const { group: groupId } = decodeKey(GroupMetadataKey, key);
      if (value === null) return { kind: 'group-tombstone', groupId };
      return { kind: 'group', groupId, value: groupValueOf(value) };
    }
    default:
      return undefined;
  }
}

interface OffsetPlace {
  readonly groupId: string;
  readonly topic: string;
  readonly partitionIndex: number;
}

const offsetKey = ({ groupId, topic, partitionIndex }: OffsetPlace): Uint8Array =>
  encodeKey(OffsetCommitKey, { group: groupId, topic, partition: partitionIndex });

const groupKey = (groupId: string): Uint8Array => encodeKey(GroupMetadataKey, { group: groupId });

function offsetValue(value: CommittedOffset): Uint8Array {
  const { offset, leaderEpoch, metadata, expireTimestampMs, topicId } = value;
  const commitTimestamp = BigInt(value.commitTimestampMs);
  if (expireTimestampMs !== undefined) {
    const expireTimestamp = BigInt(expireTimestampMs);
    const fields = { offset, metadata, commitTimestamp, expireTimestamp };
    return encodeVersioned(OffsetCommitValue, fields, EXPIRING_OFFSET_VALUE_VERSION);
  }
  const fields = { offset, leaderEpoch, metadata, commitTimestamp, topicId };
  return encodeVersioned(OffsetCommitValue, fields, OFFSET_VALUE_VERSION);
}

function committedOffset(bytes: Uint8Array): CommittedOffset {
  const { offset, leaderEpoch, metadata, commitTimestamp, expireTimestamp, topicId } =
    decodeVersioned(OffsetCommitValue, bytes);
  return {
    offset,
    leaderEpoch,
    metadata,
    commitTimestampMs: Number(commitTimestamp),
    expireTimestampMs: expireTimestamp === -1n ? undefined : Number(expireTimestamp),
    topicId,
  };
}

function groupValue(value: GroupValue): Uint8Array {
  return encodeVersioned(
    GroupMetadataValue,
    {
      protocolType: value.protocolType,
      generation: value.generationId,
      protocol: value.protocolName,
      leader: value.leaderId,
      currentStateTimestamp: BigInt(value.stateSinceMs),
      members: value.members.map((member) => ({
        memberId: member.memberId,
        groupInstanceId: member.groupInstanceId,
        clientId: member.clientId,
        clientHost: member.clientHost,
        rebalanceTimeout: member.rebalanceTimeoutMs,
        sessionTimeout: member.sessionTimeoutMs,
        subscription: member.subscription,
        assignment: member.assignment,
      })),
    },
    GROUP_VALUE_VERSION,
  );
}

function groupValueOf(bytes: Uint8Array): GroupValue {
  const value = decodeVersioned(GroupMetadataValue, bytes);
  return {
    protocolType: value.protocolType,
    generationId: value.generation,
    protocolName: value.protocol,
    leaderId: value.leader,
    stateSinceMs: Number(value.currentStateTimestamp),
    members: value.members.map((member) => ({
      memberId: member.memberId,
      groupInstanceId: member.groupInstanceId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      rebalanceTimeoutMs:
        member.rebalanceTimeout === -1 ? member.sessionTimeout : member.rebalanceTimeout,
      sessionTimeoutMs: member.sessionTimeout,
      // Copies: a view would keep the whole slice of the log that was read.
      subscription: Uint8Array.from(member.subscription),
      assignment: Uint8Array.from(member.assignment),
    })),
  };
}
