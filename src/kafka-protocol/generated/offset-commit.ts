// Generated from 08-offset-commit.api by `npm run generate`; never edited.
//
// OffsetCommit: store how far a group has read.
//
// 2 is the oldest version Kafka 4 accepts; it may name how long offsets are kept, which ends with 5.
// 3 adds throttleTimeMs (KIP-124). 4: the client waits it out itself. 6 adds committedLeaderEpoch
// (KIP-320). 7 adds static members (KIP-345). 8 is flexible. 9 lets the members of consumer groups
// commit (KIP-848). 10 names topics by id (KIP-848).

import { type Api, type Draft, requireDefault, requireReadable, requireWritable, ZERO_UUID } from '../codec.ts';
import type { Reader } from '../reader.ts';
import type { Writer } from '../writer.ts';

export const OffsetCommit: Api<OffsetCommitRequest, OffsetCommitResponse> = {
  key: 8,
  name: 'OffsetCommit',
  minVersion: 2,
  maxVersion: 10,
  flexibleFrom: 8,
  request: { read: readOffsetCommitRequest, write: writeOffsetCommitRequest },
  response: { read: readOffsetCommitResponse, write: writeOffsetCommitResponse },
  requestHeaderVersion: (version: number) => (version >= 8 ? 2 : 1),
  responseHeaderVersion: (version: number) => (version >= 8 ? 1 : 0),
};

export interface OffsetCommitRequest {
  readonly groupId: string;
  /** -1 from outside */
  readonly generationIdOrMemberEpoch: number;
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  /** -1 the broker's */
  readonly retentionTimeMs: bigint;
  readonly topics: readonly OffsetCommitRequestTopic[];
}

export interface OffsetCommitRequestTopic {
  readonly name: string;
  readonly topicId: string;
  readonly partitions: readonly OffsetCommitRequestPartition[];
}

export interface OffsetCommitRequestPartition {
  readonly partitionIndex: number;
  readonly committedOffset: bigint;
  readonly committedLeaderEpoch: number;
  readonly committedMetadata: string | null;
}

function readOffsetCommitRequest(reader: Reader, version: number): OffsetCommitRequest {
  const flexible = version >= 8;
  requireReadable(version >= 2 && version <= 10, 'OffsetCommitRequest', version);
  const groupId = reader.string(flexible);
  const generationIdOrMemberEpoch = reader.int32();
  const memberId = reader.string(flexible);
  const groupInstanceId = version >= 7 ? reader.nullableString(flexible) : null;
  const retentionTimeMs = version <= 4 ? reader.int64() : -1n;
  const topics = reader.array(flexible, () => readOffsetCommitRequestTopic(reader, version));
  if (flexible) reader.skipTaggedFields();
  return { groupId, generationIdOrMemberEpoch, memberId, groupInstanceId, retentionTimeMs, topics };
}

function writeOffsetCommitRequest(writer: Writer, input: Draft<OffsetCommitRequest>, version: number): void {
  const flexible = version >= 8;
  requireWritable(version >= 2 && version <= 10, 'OffsetCommitRequest', version);
  const { groupId = '', generationIdOrMemberEpoch = -1, memberId = '', groupInstanceId = null, retentionTimeMs = -1n, topics = [] } = input;
  writer.string(flexible, groupId);
  writer.int32(generationIdOrMemberEpoch);
  writer.string(flexible, memberId);
  if (version >= 7) writer.nullableString(flexible, groupInstanceId);
  else requireDefault(groupInstanceId === null, 'OffsetCommitRequest.groupInstanceId', version);
  if (version <= 4) writer.int64(retentionTimeMs);
  writer.array(flexible, topics, (item) => writeOffsetCommitRequestTopic(writer, item, version));
  if (flexible) writer.noTaggedFields();
}

function readOffsetCommitRequestTopic(reader: Reader, version: number): OffsetCommitRequestTopic {
  const flexible = version >= 8;
  const name = version <= 9 ? reader.string(flexible) : '';
  const topicId = version >= 10 ? reader.uuid() : ZERO_UUID;
  const partitions = reader.array(flexible, () => readOffsetCommitRequestPartition(reader, version));
  if (flexible) reader.skipTaggedFields();
  return { name, topicId, partitions };
}

function writeOffsetCommitRequestTopic(writer: Writer, input: Draft<OffsetCommitRequestTopic>, version: number): void {
  const flexible = version >= 8;
  const { name = '', topicId = ZERO_UUID, partitions = [] } = input;
  if (version <= 9) writer.string(flexible, name);
  if (version >= 10) writer.uuid(topicId);
  writer.array(flexible, partitions, (item) => writeOffsetCommitRequestPartition(writer, item, version));
  if (flexible) writer.noTaggedFields();
}

function readOffsetCommitRequestPartition(reader: Reader, version: number): OffsetCommitRequestPartition {
  const flexible = version >= 8;
  const partitionIndex = reader.int32();
  const committedOffset = reader.int64();
  const committedLeaderEpoch = version >= 6 ? reader.int32() : -1;
  const committedMetadata = reader.nullableString(flexible);
  if (flexible) reader.skipTaggedFields();
  return { partitionIndex, committedOffset, committedLeaderEpoch, committedMetadata };
}

function writeOffsetCommitRequestPartition(writer: Writer, input: Draft<OffsetCommitRequestPartition>, version: number): void {
  const flexible = version >= 8;
  const { partitionIndex = 0, committedOffset = 0n, committedLeaderEpoch = -1, committedMetadata = '' } = input;
  writer.int32(partitionIndex);
  writer.int64(committedOffset);
  if (version >= 6) writer.int32(committedLeaderEpoch);
  writer.nullableString(flexible, committedMetadata);
  if (flexible) writer.noTaggedFields();
}

export interface OffsetCommitResponse {
  readonly throttleTimeMs: number;
  readonly topics: readonly OffsetCommitResponseTopic[];
}

export interface OffsetCommitResponseTopic {
  readonly name: string;
  readonly topicId: string;
  readonly partitions: readonly OffsetCommitResponsePartition[];
}

export interface OffsetCommitResponsePartition {
  readonly partitionIndex: number;
  readonly errorCode: number;
}

function readOffsetCommitResponse(reader: Reader, version: number): OffsetCommitResponse {
  const flexible = version >= 8;
  requireReadable(version >= 2 && version <= 10, 'OffsetCommitResponse', version);
  const throttleTimeMs = version >= 3 ? reader.int32() : 0;
  const topics = reader.array(flexible, () => readOffsetCommitResponseTopic(reader, version));
  if (flexible) reader.skipTaggedFields();
  return { throttleTimeMs, topics };
}

function writeOffsetCommitResponse(writer: Writer, input: Draft<OffsetCommitResponse>, version: number): void {
  const flexible = version >= 8;
  requireWritable(version >= 2 && version <= 10, 'OffsetCommitResponse', version);
  const { throttleTimeMs = 0, topics = [] } = input;
  if (version >= 3) writer.int32(throttleTimeMs);
  writer.array(flexible, topics, (item) => writeOffsetCommitResponseTopic(writer, item, version));
  if (flexible) writer.noTaggedFields();
}

function readOffsetCommitResponseTopic(reader: Reader, version: number): OffsetCommitResponseTopic {
  const flexible = version >= 8;
  const name = version <= 9 ? reader.string(flexible) : '';
  const topicId = version >= 10 ? reader.uuid() : ZERO_UUID;
  const partitions = reader.array(flexible, () => readOffsetCommitResponsePartition(reader, version));
  if (flexible) reader.skipTaggedFields();
  return { name, topicId, partitions };
}

function writeOffsetCommitResponseTopic(writer: Writer, input: Draft<OffsetCommitResponseTopic>, version: number): void {
  const flexible = version >= 8;
  const { name = '', topicId = ZERO_UUID, partitions = [] } = input;
  if (version <= 9) writer.string(flexible, name);
  if (version >= 10) writer.uuid(topicId);
  writer.array(flexible, partitions, (item) => writeOffsetCommitResponsePartition(writer, item, version));
  if (flexible) writer.noTaggedFields();
}

function readOffsetCommitResponsePartition(reader: Reader, version: number): OffsetCommitResponsePartition {
  const flexible = version >= 8;
  const partitionIndex = reader.int32();
  const errorCode = reader.int16();
  if (flexible) reader.skipTaggedFields();
  return { partitionIndex, errorCode };
}

function writeOffsetCommitResponsePartition(writer: Writer, input: Draft<OffsetCommitResponsePartition>, version: number): void {
  const flexible = version >= 8;
  const { partitionIndex = 0, errorCode = 0 } = input;
  writer.int32(partitionIndex);
  writer.int16(errorCode);
  if (flexible) writer.noTaggedFields();
}
