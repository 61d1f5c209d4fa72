// Generated from 09-offset-fetch.api by `npm run generate`; never edited.
//
// OffsetFetch: how far groups have read.
//
// 1 reads what OffsetCommit stored. 2 asks for all topics with null, and adds an error for the
// whole. 3 adds throttleTimeMs (KIP-124). 4: the client waits it out itself. 5 adds
// committedLeaderEpoch (KIP-320). 6 is flexible. 7 may wait for open transactions (KIP-447). 8 asks
// for several groups at once (KIP-709). 9 adds the member and its epoch (KIP-848). 10 names topics
// by id (KIP-848).

import { type Api, type Draft, notNull, requireDefault, requireReadable, requireWritable, ZERO_UUID } from '../codec.ts';
import type { Reader } from '../reader.ts';
import type { Writer } from '../writer.ts';

export const OffsetFetch: Api<OffsetFetchRequest, OffsetFetchResponse> = {
  key: 9,
  name: 'OffsetFetch',
  minVersion: 1,
  maxVersion: 10,
  flexibleFrom: 6,
  request: { read: readOffsetFetchRequest, write: writeOffsetFetchRequest },
  response: { read: readOffsetFetchResponse, write: writeOffsetFetchResponse },
  requestHeaderVersion: (version: number) => (version >= 6 ? 2 : 1),
  responseHeaderVersion: (version: number) => (version >= 6 ? 1 : 0),
};

export interface OffsetFetchRequest {
  readonly groupId: string;
  /** null asks for all */
  readonly topics: readonly OffsetFetchRequestTopic[] | null;
  readonly groups: readonly OffsetFetchRequestGroup[];
  readonly requireStable: boolean;
}

export interface OffsetFetchRequestTopic {
  readonly name: string;
  readonly partitionIndexes: readonly number[];
}

export interface OffsetFetchRequestGroup {
  readonly groupId: string;
  readonly memberId: string | null;
  readonly memberEpoch: number;
  readonly topics: readonly OffsetFetchRequestTopics[] | null;
}

export interface OffsetFetchRequestTopics {
  readonly name: string;
  readonly topicId: string;
  readonly partitionIndexes: readonly number[];
}

function readOffsetFetchRequest(reader: Reader, version: number): OffsetFetchRequest {
  const flexible = version >= 6;
  requireReadable(version >= 1 && version <= 10, 'OffsetFetchRequest', version);
  const groupId = version <= 7 ? reader.string(flexible) : '';
  const topics = version <= 7 ? (version >= 2 ? reader.nullableArray(flexible, () => readOffsetFetchRequestTopic(reader, version)) : reader.array(flexible, () => readOffsetFetchRequestTopic(reader, version))) : [];
  const groups = version >= 8 ? reader.array(flexible, () => readOffsetFetchRequestGroup(reader, version)) : [];
  const requireStable = version >= 7 ? reader.boolean() : false;
  if (flexible) reader.skipTaggedFields();
  return { groupId, topics, groups, requireStable };
}

function writeOffsetFetchRequest(writer: Writer, input: Draft<OffsetFetchRequest>, version: number): void {
  const flexible = version >= 6;
  requireWritable(version >= 1 && version <= 10, 'OffsetFetchRequest', version);
  const { groupId = '', topics = [], groups = [], requireStable = false } = input;
  if (version <= 7) writer.string(flexible, groupId);
  else requireDefault(groupId === '', 'OffsetFetchRequest.groupId', version);
  if (version <= 7) writer.nullableArray(flexible, version >= 2 ? topics : notNull(topics, 'OffsetFetchRequest.topics', version), (item) => writeOffsetFetchRequestTopic(writer, item, version));
  else requireDefault(topics !== null && topics.length === 0, 'OffsetFetchRequest.topics', version);
  if (version >= 8) writer.array(flexible, groups, (item) => writeOffsetFetchRequestGroup(writer, item, version));
  else requireDefault(groups.length === 0, 'OffsetFetchRequest.groups', version);
  if (version >= 7) writer.boolean(requireStable);
  else requireDefault(requireStable === false, 'OffsetFetchRequest.requireStable', version);
  if (flexible) writer.noTaggedFields();
}

function readOffsetFetchRequestTopic(reader: Reader, version: number): OffsetFetchRequestTopic {
  const flexible = version >= 6;
  const name = reader.string(flexible);
  const partitionIndexes = reader.array(flexible, () => reader.int32());
  if (flexible) reader.skipTaggedFields();
  return { name, partitionIndexes };
}

function writeOffsetFetchRequestTopic(writer: Writer, input: Draft<OffsetFetchRequestTopic>, version: number): void {
  const flexible = version >= 6;
  const { name = '', partitionIndexes = [] } = input;
  writer.string(flexible, name);
  writer.array(flexible, partitionIndexes, (item) => writer.int32(item));
  if (flexible) writer.noTaggedFields();
}

function readOffsetFetchRequestGroup(reader: Reader, version: number): OffsetFetchRequestGroup {
  const flexible = true;
  const groupId = reader.string(flexible);
  const memberId = version >= 9 ? reader.nullableString(flexible) : null;
  const memberEpoch = version >= 9 ? reader.int32() : -1;
  const topics = reader.nullableArray(flexible, () => readOffsetFetchRequestTopics(reader, version));
  reader.skipTaggedFields();
  return { groupId, memberId, memberEpoch, topics };
}

function writeOffsetFetchRequestGroup(writer: Writer, input: Draft<OffsetFetchRequestGroup>, version: number): void {
  const flexible = true;
  const { groupId = '', memberId = null, memberEpoch = -1, topics = [] } = input;
  writer.string(flexible, groupId);
  if (version >= 9) writer.nullableString(flexible, memberId);
  if (version >= 9) writer.int32(memberEpoch);
  writer.nullableArray(flexible, topics, (item) => writeOffsetFetchRequestTopics(writer, item, version));
  writer.noTaggedFields();
}

function readOffsetFetchRequestTopics(reader: Reader, version: number): OffsetFetchRequestTopics {
  const flexible = true;
  const name = version <= 9 ? reader.string(flexible) : '';
  const topicId = version >= 10 ? reader.uuid() : ZERO_UUID;
  const partitionIndexes = reader.array(flexible, () => reader.int32());
  reader.skipTaggedFields();
  return { name, topicId, partitionIndexes };
}

function writeOffsetFetchRequestTopics(writer: Writer, input: Draft<OffsetFetchRequestTopics>, version: number): void {
  const flexible = true;
  const { name = '', topicId = ZERO_UUID, partitionIndexes = [] } = input;
  if (version <= 9) writer.string(flexible, name);
  if (version >= 10) writer.uuid(topicId);
  writer.array(flexible, partitionIndexes, (item) => writer.int32(item));
  writer.noTaggedFields();
}

export interface OffsetFetchResponse {
  readonly throttleTimeMs: number;
  readonly topics: readonly OffsetFetchResponseTopic[];
  readonly errorCode: number;
  readonly groups: readonly OffsetFetchResponseGroup[];
}

export interface OffsetFetchResponseTopic {
  readonly name: string;
  readonly partitions: readonly OffsetFetchResponsePartition[];
}

export interface OffsetFetchResponsePartition {
  readonly partitionIndex: number;
  /** -1 none is committed */
  readonly committedOffset: bigint;
  readonly committedLeaderEpoch: number;
  readonly metadata: string | null;
  readonly errorCode: number;
}

export interface OffsetFetchResponseGroup {
  readonly groupId: string;
  readonly topics: readonly OffsetFetchResponseTopics[];
  readonly errorCode: number;
}

export interface OffsetFetchResponseTopics {
  readonly name: string;
  readonly topicId: string;
  readonly partitions: readonly OffsetFetchResponsePartitions[];
}

export interface OffsetFetchResponsePartitions {
  readonly partitionIndex: number;
  readonly committedOffset: bigint;
  readonly committedLeaderEpoch: number;
  readonly metadata: string | null;
  readonly errorCode: number;
}

function readOffsetFetchResponse(reader: Reader, version: number): OffsetFetchResponse {
  const flexible = version >= 6;
  requireReadable(version >= 1 && version <= 10, 'OffsetFetchResponse', version);
  const throttleTimeMs = version >= 3 ? reader.int32() : 0;
  const topics = version <= 7 ? reader.array(flexible, () => readOffsetFetchResponseTopic(reader, version)) : [];
  const errorCode = version >= 2 && version <= 7 ? reader.int16() : 0;
  const groups = version >= 8 ? reader.array(flexible, () => readOffsetFetchResponseGroup(reader, version)) : [];
  if (flexible) reader.skipTaggedFields();
  return { throttleTimeMs, topics, errorCode, groups };
}

function writeOffsetFetchResponse(writer: Writer, input: Draft<OffsetFetchResponse>, version: number): void {
  const flexible = version >= 6;
  requireWritable(version >= 1 && version <= 10, 'OffsetFetchResponse', version);
  const { throttleTimeMs = 0, topics = [], errorCode = 0, groups = [] } = input;
  if (version >= 3) writer.int32(throttleTimeMs);
  if (version <= 7) writer.array(flexible, topics, (item) => writeOffsetFetchResponseTopic(writer, item, version));
  else requireDefault(topics.length === 0, 'OffsetFetchResponse.topics', version);
  if (version >= 2 && version <= 7) writer.int16(errorCode);
  if (version >= 8) writer.array(flexible, groups, (item) => writeOffsetFetchResponseGroup(writer, item, version));
  else requireDefault(groups.length === 0, 'OffsetFetchResponse.groups', version);
  if (flexible) writer.noTaggedFields();
}

function readOffsetFetchResponseTopic(reader: Reader, version: number): OffsetFetchResponseTopic {
  const flexible = version >= 6;
  const name = reader.string(flexible);
  const partitions = reader.array(flexible, () => readOffsetFetchResponsePartition(reader, version));
  if (flexible) reader.skipTaggedFields();
  return { name, partitions };
}

function writeOffsetFetchResponseTopic(writer: Writer, input: Draft<OffsetFetchResponseTopic>, version: number): void {
  const flexible = version >= 6;
  const { name = '', partitions = [] } = input;
  writer.string(flexible, name);
  writer.array(flexible, partitions, (item) => writeOffsetFetchResponsePartition(writer, item, version));
  if (flexible) writer.noTaggedFields();
}

function readOffsetFetchResponsePartition(reader: Reader, version: number): OffsetFetchResponsePartition {
  const flexible = version >= 6;
  const partitionIndex = reader.int32();
  const committedOffset = reader.int64();
  const committedLeaderEpoch = version >= 5 ? reader.int32() : -1;
  const metadata = reader.nullableString(flexible);
  const errorCode = reader.int16();
  if (flexible) reader.skipTaggedFields();
  return { partitionIndex, committedOffset, committedLeaderEpoch, metadata, errorCode };
}

function writeOffsetFetchResponsePartition(writer: Writer, input: Draft<OffsetFetchResponsePartition>, version: number): void {
  const flexible = version >= 6;
  const { partitionIndex = 0, committedOffset = 0n, committedLeaderEpoch = -1, metadata = '', errorCode = 0 } = input;
  writer.int32(partitionIndex);
  writer.int64(committedOffset);
  if (version >= 5) writer.int32(committedLeaderEpoch);
  writer.nullableString(flexible, metadata);
  writer.int16(errorCode);
  if (flexible) writer.noTaggedFields();
}

function readOffsetFetchResponseGroup(reader: Reader, version: number): OffsetFetchResponseGroup {
  const flexible = true;
  const groupId = reader.string(flexible);
  const topics = reader.array(flexible, () => readOffsetFetchResponseTopics(reader, version));
  const errorCode = reader.int16();
  reader.skipTaggedFields();
  return { groupId, topics, errorCode };
}

function writeOffsetFetchResponseGroup(writer: Writer, input: Draft<OffsetFetchResponseGroup>, version: number): void {
  const flexible = true;
  const { groupId = '', topics = [], errorCode = 0 } = input;
  writer.string(flexible, groupId);
  writer.array(flexible, topics, (item) => writeOffsetFetchResponseTopics(writer, item, version));
  writer.int16(errorCode);
  writer.noTaggedFields();
}

function readOffsetFetchResponseTopics(reader: Reader, version: number): OffsetFetchResponseTopics {
  const flexible = true;
  const name = version <= 9 ? reader.string(flexible) : '';
  const topicId = version >= 10 ? reader.uuid() : ZERO_UUID;
  const partitions = reader.array(flexible, () => readOffsetFetchResponsePartitions(reader, version));
  reader.skipTaggedFields();
  return { name, topicId, partitions };
}

function writeOffsetFetchResponseTopics(writer: Writer, input: Draft<OffsetFetchResponseTopics>, version: number): void {
  const flexible = true;
  const { name = '', topicId = ZERO_UUID, partitions = [] } = input;
  if (version <= 9) writer.string(flexible, name);
  if (version >= 10) writer.uuid(topicId);
  writer.array(flexible, partitions, (item) => writeOffsetFetchResponsePartitions(writer, item, version));
  writer.noTaggedFields();
}

function readOffsetFetchResponsePartitions(reader: Reader, _version: number): OffsetFetchResponsePartitions {
  const flexible = true;
  const partitionIndex = reader.int32();
  const committedOffset = reader.int64();
  const committedLeaderEpoch = reader.int32();
  const metadata = reader.nullableString(flexible);
  const errorCode = reader.int16();
  reader.skipTaggedFields();
  return { partitionIndex, committedOffset, committedLeaderEpoch, metadata, errorCode };
}

function writeOffsetFetchResponsePartitions(writer: Writer, input: Draft<OffsetFetchResponsePartitions>, _version: number): void {
  const flexible = true;
  const { partitionIndex = 0, committedOffset = 0n, committedLeaderEpoch = -1, metadata = '', errorCode = 0 } = input;
  writer.int32(partitionIndex);
  writer.int64(committedOffset);
  writer.int32(committedLeaderEpoch);
  writer.nullableString(flexible, metadata);
  writer.int16(errorCode);
  writer.noTaggedFields();
}
