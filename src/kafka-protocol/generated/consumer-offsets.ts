// Generated from consumer-offsets.api by `npm run generate`; never edited.
//
// The records of __consumer_offsets that classic groups write. Tools read them, so they are Kafka's
// to the byte.
//
// A key begins with an int16, the type number below; a value with an int16, its version. A key
// without value is a tombstone. OffsetCommitValue: 1 keeps an expiry of its own, which ends with 2;
// 3 adds leaderEpoch (KIP-320); 4 is flexible and may name the topic's id. GroupMetadataValue: 1
// adds the rebalance timeout; 2 the time of the last change of state; 3 static members (KIP-345); 4
// is flexible. Type 0 is what OffsetCommit was in Kafka's first releases.

import { type Draft, EMPTY_BYTES, type RecordFormat, requireReadable, requireWritable, ZERO_UUID } from '../codec.ts';
import type { Reader } from '../reader.ts';
import type { Writer } from '../writer.ts';

export const LegacyOffsetCommitKey: RecordFormat<LegacyOffsetCommitKey> = {
  name: 'LegacyOffsetCommitKey',
  type: 0,
  minVersion: 0,
  maxVersion: 0,
  flexibleFrom: Number.POSITIVE_INFINITY,
  read: readLegacyOffsetCommitKey,
  write: writeLegacyOffsetCommitKey,
};

export const LegacyOffsetCommitValue: RecordFormat<LegacyOffsetCommitValue> = {
  name: 'LegacyOffsetCommitValue',
  type: 0,
  minVersion: 0,
  maxVersion: 0,
  flexibleFrom: Number.POSITIVE_INFINITY,
  read: readLegacyOffsetCommitValue,
  write: writeLegacyOffsetCommitValue,
};

export const OffsetCommitKey: RecordFormat<OffsetCommitKey> = {
  name: 'OffsetCommitKey',
  type: 1,
  minVersion: 0,
  maxVersion: 0,
  flexibleFrom: Number.POSITIVE_INFINITY,
  read: readOffsetCommitKey,
  write: writeOffsetCommitKey,
};

export const OffsetCommitValue: RecordFormat<OffsetCommitValue> = {
  name: 'OffsetCommitValue',
  type: 1,
  minVersion: 0,
  maxVersion: 4,
  flexibleFrom: 4,
  read: readOffsetCommitValue,
  write: writeOffsetCommitValue,
};

export const GroupMetadataKey: RecordFormat<GroupMetadataKey> = {
  name: 'GroupMetadataKey',
  type: 2,
  minVersion: 0,
  maxVersion: 0,
  flexibleFrom: Number.POSITIVE_INFINITY,
  read: readGroupMetadataKey,
  write: writeGroupMetadataKey,
};

export const GroupMetadataValue: RecordFormat<GroupMetadataValue> = {
  name: 'GroupMetadataValue',
  type: 2,
  minVersion: 0,
  maxVersion: 4,
  flexibleFrom: 4,
  read: readGroupMetadataValue,
  write: writeGroupMetadataValue,
};

export interface LegacyOffsetCommitKey {
  readonly group: string;
  readonly topic: string;
  readonly partition: number;
}

function readLegacyOffsetCommitKey(reader: Reader, version: number): LegacyOffsetCommitKey {
  const flexible = false;
  requireReadable(version >= 0 && version <= 0, 'LegacyOffsetCommitKey', version);
  const group = reader.string(flexible);
  const topic = reader.string(flexible);
  const partition = reader.int32();
  return { group, topic, partition };
}

function writeLegacyOffsetCommitKey(writer: Writer, input: Draft<LegacyOffsetCommitKey>, version: number): void {
  const flexible = false;
  requireWritable(version >= 0 && version <= 0, 'LegacyOffsetCommitKey', version);
  const { group = '', topic = '', partition = 0 } = input;
  writer.string(flexible, group);
  writer.string(flexible, topic);
  writer.int32(partition);
}

export interface LegacyOffsetCommitValue {
  readonly offset: bigint;
  readonly metadata: string;
  readonly commitTimestamp: bigint;
}

function readLegacyOffsetCommitValue(reader: Reader, version: number): LegacyOffsetCommitValue {
  const flexible = false;
  requireReadable(version >= 0 && version <= 0, 'LegacyOffsetCommitValue', version);
  const offset = reader.int64();
  const metadata = reader.string(flexible);
  const commitTimestamp = reader.int64();
  return { offset, metadata, commitTimestamp };
}

function writeLegacyOffsetCommitValue(writer: Writer, input: Draft<LegacyOffsetCommitValue>, version: number): void {
  const flexible = false;
  requireWritable(version >= 0 && version <= 0, 'LegacyOffsetCommitValue', version);
  const { offset = 0n, metadata = '', commitTimestamp = 0n } = input;
  writer.int64(offset);
  writer.string(flexible, metadata);
  writer.int64(commitTimestamp);
}

export interface OffsetCommitKey {
  readonly group: string;
  readonly topic: string;
  readonly partition: number;
}

function readOffsetCommitKey(reader: Reader, version: number): OffsetCommitKey {
  const flexible = false;
  requireReadable(version >= 0 && version <= 0, 'OffsetCommitKey', version);
  const group = reader.string(flexible);
  const topic = reader.string(flexible);
  const partition = reader.int32();
  return { group, topic, partition };
}

function writeOffsetCommitKey(writer: Writer, input: Draft<OffsetCommitKey>, version: number): void {
  const flexible = false;
  requireWritable(version >= 0 && version <= 0, 'OffsetCommitKey', version);
  const { group = '', topic = '', partition = 0 } = input;
  writer.string(flexible, group);
  writer.string(flexible, topic);
  writer.int32(partition);
}

export interface OffsetCommitValue {
  readonly offset: bigint;
  readonly leaderEpoch: number;
  readonly metadata: string;
  readonly commitTimestamp: bigint;
  readonly expireTimestamp: bigint;
  readonly topicId: string;
}

function readOffsetCommitValue(reader: Reader, version: number): OffsetCommitValue {
  const flexible = version >= 4;
  requireReadable(version >= 0 && version <= 4, 'OffsetCommitValue', version);
  const offset = reader.int64();
  const leaderEpoch = version >= 3 ? reader.int32() : -1;
  const metadata = reader.string(flexible);
  const commitTimestamp = reader.int64();
  const expireTimestamp = version === 1 ? reader.int64() : -1n;
  let topicId: string = ZERO_UUID;
  if (flexible) reader.taggedFields((tag) => {
    switch (tag) {
      case 0:
        topicId = reader.uuid();
        return true;
      default:
        return false;
    }
  });
  return { offset, leaderEpoch, metadata, commitTimestamp, expireTimestamp, topicId };
}

function writeOffsetCommitValue(writer: Writer, input: Draft<OffsetCommitValue>, version: number): void {
  const flexible = version >= 4;
  requireWritable(version >= 0 && version <= 4, 'OffsetCommitValue', version);
  const { offset = 0n, leaderEpoch = -1, metadata = '', commitTimestamp = 0n, expireTimestamp = -1n, topicId = ZERO_UUID } = input;
  writer.int64(offset);
  if (version >= 3) writer.int32(leaderEpoch);
  writer.string(flexible, metadata);
  writer.int64(commitTimestamp);
  if (version === 1) writer.int64(expireTimestamp);
  if (flexible) writer.taggedFields((add) => {
    if (topicId !== ZERO_UUID) add(0, () => writer.uuid(topicId));
  });
}

export interface GroupMetadataKey {
  readonly group: string;
}

function readGroupMetadataKey(reader: Reader, version: number): GroupMetadataKey {
  const flexible = false;
  requireReadable(version >= 0 && version <= 0, 'GroupMetadataKey', version);
  const group = reader.string(flexible);
  return { group };
}

function writeGroupMetadataKey(writer: Writer, input: Draft<GroupMetadataKey>, version: number): void {
  const flexible = false;
  requireWritable(version >= 0 && version <= 0, 'GroupMetadataKey', version);
  const { group = '' } = input;
  writer.string(flexible, group);
}

export interface GroupMetadataValue {
  readonly protocolType: string;
  readonly generation: number;
  readonly protocol: string | null;
  readonly leader: string | null;
  readonly currentStateTimestamp: bigint;
  readonly members: readonly MemberMetadata[];
}

export interface MemberMetadata {
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  readonly clientId: string;
  readonly clientHost: string;
  readonly rebalanceTimeout: number;
  readonly sessionTimeout: number;
  readonly subscription: Uint8Array;
  readonly assignment: Uint8Array;
}

function readGroupMetadataValue(reader: Reader, version: number): GroupMetadataValue {
  const flexible = version >= 4;
  requireReadable(version >= 0 && version <= 4, 'GroupMetadataValue', version);
  const protocolType = reader.string(flexible);
  const generation = reader.int32();
  const protocol = reader.nullableString(flexible);
  const leader = reader.nullableString(flexible);
  const currentStateTimestamp = version >= 2 ? reader.int64() : -1n;
  const members = reader.array(flexible, () => readMemberMetadata(reader, version));
  if (flexible) reader.skipTaggedFields();
  return { protocolType, generation, protocol, leader, currentStateTimestamp, members };
}

function writeGroupMetadataValue(writer: Writer, input: Draft<GroupMetadataValue>, version: number): void {
  const flexible = version >= 4;
  requireWritable(version >= 0 && version <= 4, 'GroupMetadataValue', version);
  const { protocolType = '', generation = 0, protocol = '', leader = '', currentStateTimestamp = -1n, members = [] } = input;
  writer.string(flexible, protocolType);
  writer.int32(generation);
  writer.nullableString(flexible, protocol);
  writer.nullableString(flexible, leader);
  if (version >= 2) writer.int64(currentStateTimestamp);
  writer.array(flexible, members, (item) => writeMemberMetadata(writer, item, version));
  if (flexible) writer.noTaggedFields();
}

function readMemberMetadata(reader: Reader, version: number): MemberMetadata {
  const flexible = version >= 4;
  const memberId = reader.string(flexible);
  const groupInstanceId = version >= 3 ? reader.nullableString(flexible) : null;
  const clientId = reader.string(flexible);
  const clientHost = reader.string(flexible);
  const rebalanceTimeout = version >= 1 ? reader.int32() : -1;
  const sessionTimeout = reader.int32();
  const subscription = reader.bytes(flexible);
  const assignment = reader.bytes(flexible);
  if (flexible) reader.skipTaggedFields();
  return { memberId, groupInstanceId, clientId, clientHost, rebalanceTimeout, sessionTimeout, subscription, assignment };
}

function writeMemberMetadata(writer: Writer, input: Draft<MemberMetadata>, version: number): void {
  const flexible = version >= 4;
  const { memberId = '', groupInstanceId = null, clientId = '', clientHost = '', rebalanceTimeout = -1, sessionTimeout = 0, subscription = EMPTY_BYTES, assignment = EMPTY_BYTES } = input;
  writer.string(flexible, memberId);
  if (version >= 3) writer.nullableString(flexible, groupInstanceId);
  writer.string(flexible, clientId);
  writer.string(flexible, clientHost);
  if (version >= 1) writer.int32(rebalanceTimeout);
  writer.int32(sessionTimeout);
  writer.bytes(flexible, subscription);
  writer.bytes(flexible, assignment);
  if (flexible) writer.noTaggedFields();
}
