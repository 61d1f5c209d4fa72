// Generated from 02-list-offsets.api by `npm run generate`; never edited.
//
// ListOffsets: find the offset for a timestamp, or for one of the special timestamps.
//
// Special timestamps: -1 latest, -2 earliest; from 7 -3 the record with the highest timestamp
// (KIP-734); from 8 -4 earliest on local disk (KIP-405); from 9 -5 latest in tiered storage
// (KIP-1005); from 11 -6 earliest not yet uploaded (KIP-1023). 1 answers one offset with its
// timestamp (KIP-79). 2 adds isolationLevel (KIP-98). 3: the client waits out throttleTimeMs itself.
// 4 adds leader epochs (KIP-320). 5 may answer OFFSET_NOT_AVAILABLE (KIP-207). 6 is flexible. 10
// adds timeoutMs for look-ups in tiered storage (KIP-1075).

import { type Api, type Draft, requireDefault, requireReadable, requireWritable } from '../codec.ts';
import type { Reader } from '../reader.ts';
import type { Writer } from '../writer.ts';

export const ListOffsets: Api<ListOffsetsRequest, ListOffsetsResponse> = {
  key: 2,
  name: 'ListOffsets',
  minVersion: 1,
  maxVersion: 11,
  flexibleFrom: 6,
  request: { read: readListOffsetsRequest, write: writeListOffsetsRequest },
  response: { read: readListOffsetsResponse, write: writeListOffsetsResponse },
  requestHeaderVersion: (version: number) => (version >= 6 ? 2 : 1),
  responseHeaderVersion: (version: number) => (version >= 6 ? 1 : 0),
};

export interface ListOffsetsRequest {
  /** -1 is a consumer */
  readonly replicaId: number;
  /** 0 read uncommitted, 1 read committed */
  readonly isolationLevel: number;
  readonly topics: readonly ListOffsetsTopic[];
  readonly timeoutMs: number;
}

export interface ListOffsetsTopic {
  readonly name: string;
  readonly partitions: readonly ListOffsetsPartition[];
}

export interface ListOffsetsPartition {
  readonly partitionIndex: number;
  readonly currentLeaderEpoch: number;
  /** negative: see above */
  readonly timestamp: bigint;
}

function readListOffsetsRequest(reader: Reader, version: number): ListOffsetsRequest {
  const flexible = version >= 6;
  requireReadable(version >= 1 && version <= 11, 'ListOffsetsRequest', version);
  const replicaId = reader.int32();
  const isolationLevel = version >= 2 ? reader.int8() : 0;
  const topics = reader.array(flexible, () => readListOffsetsTopic(reader, version));
  const timeoutMs = version >= 10 ? reader.int32() : 0;
  if (flexible) reader.skipTaggedFields();
  return { replicaId, isolationLevel, topics, timeoutMs };
}

function writeListOffsetsRequest(writer: Writer, input: Draft<ListOffsetsRequest>, version: number): void {
  const flexible = version >= 6;
  requireWritable(version >= 1 && version <= 11, 'ListOffsetsRequest', version);
  const { replicaId = 0, isolationLevel = 0, topics = [], timeoutMs = 0 } = input;
  writer.int32(replicaId);
  if (version >= 2) writer.int8(isolationLevel);
  else requireDefault(isolationLevel === 0, 'ListOffsetsRequest.isolationLevel', version);
  writer.array(flexible, topics, (item) => writeListOffsetsTopic(writer, item, version));
  if (version >= 10) writer.int32(timeoutMs);
  if (flexible) writer.noTaggedFields();
}

function readListOffsetsTopic(reader: Reader, version: number): ListOffsetsTopic {
  const flexible = version >= 6;
  const name = reader.string(flexible);
  const partitions = reader.array(flexible, () => readListOffsetsPartition(reader, version));
  if (flexible) reader.skipTaggedFields();
  return { name, partitions };
}

function writeListOffsetsTopic(writer: Writer, input: Draft<ListOffsetsTopic>, version: number): void {
  const flexible = version >= 6;
  const { name = '', partitions = [] } = input;
  writer.string(flexible, name);
  writer.array(flexible, partitions, (item) => writeListOffsetsPartition(writer, item, version));
  if (flexible) writer.noTaggedFields();
}

function readListOffsetsPartition(reader: Reader, version: number): ListOffsetsPartition {
  const flexible = version >= 6;
  const partitionIndex = reader.int32();
  const currentLeaderEpoch = version >= 4 ? reader.int32() : -1;
  const timestamp = reader.int64();
  if (flexible) reader.skipTaggedFields();
  return { partitionIndex, currentLeaderEpoch, timestamp };
}

function writeListOffsetsPartition(writer: Writer, input: Draft<ListOffsetsPartition>, version: number): void {
  const flexible = version >= 6;
  const { partitionIndex = 0, currentLeaderEpoch = -1, timestamp = 0n } = input;
  writer.int32(partitionIndex);
  if (version >= 4) writer.int32(currentLeaderEpoch);
  writer.int64(timestamp);
  if (flexible) writer.noTaggedFields();
}

export interface ListOffsetsResponse {
  readonly throttleTimeMs: number;
  readonly topics: readonly ListOffsetsTopicResponse[];
}

export interface ListOffsetsTopicResponse {
  readonly name: string;
  readonly partitions: readonly ListOffsetsPartitionResponse[];
}

export interface ListOffsetsPartitionResponse {
  readonly partitionIndex: number;
  readonly errorCode: number;
  readonly timestamp: bigint;
  readonly offset: bigint;
  readonly leaderEpoch: number;
}

function readListOffsetsResponse(reader: Reader, version: number): ListOffsetsResponse {
  const flexible = version >= 6;
  requireReadable(version >= 1 && version <= 11, 'ListOffsetsResponse', version);
  const throttleTimeMs = version >= 2 ? reader.int32() : 0;
  const topics = reader.array(flexible, () => readListOffsetsTopicResponse(reader, version));
  if (flexible) reader.skipTaggedFields();
  return { throttleTimeMs, topics };
}

function writeListOffsetsResponse(writer: Writer, input: Draft<ListOffsetsResponse>, version: number): void {
  const flexible = version >= 6;
  requireWritable(version >= 1 && version <= 11, 'ListOffsetsResponse', version);
  const { throttleTimeMs = 0, topics = [] } = input;
  if (version >= 2) writer.int32(throttleTimeMs);
  writer.array(flexible, topics, (item) => writeListOffsetsTopicResponse(writer, item, version));
  if (flexible) writer.noTaggedFields();
}

function readListOffsetsTopicResponse(reader: Reader, version: number): ListOffsetsTopicResponse {
  const flexible = version >= 6;
  const name = reader.string(flexible);
  const partitions = reader.array(flexible, () => readListOffsetsPartitionResponse(reader, version));
  if (flexible) reader.skipTaggedFields();
  return { name, partitions };
}

function writeListOffsetsTopicResponse(writer: Writer, input: Draft<ListOffsetsTopicResponse>, version: number): void {
  const flexible = version >= 6;
  const { name = '', partitions = [] } = input;
  writer.string(flexible, name);
  writer.array(flexible, partitions, (item) => writeListOffsetsPartitionResponse(writer, item, version));
  if (flexible) writer.noTaggedFields();
}

function readListOffsetsPartitionResponse(reader: Reader, version: number): ListOffsetsPartitionResponse {
  const flexible = version >= 6;
  const partitionIndex = reader.int32();
  const errorCode = reader.int16();
  const timestamp = reader.int64();
  const offset = reader.int64();
  const leaderEpoch = version >= 4 ? reader.int32() : -1;
  if (flexible) reader.skipTaggedFields();
  return { partitionIndex, errorCode, timestamp, offset, leaderEpoch };
}

function writeListOffsetsPartitionResponse(writer: Writer, input: Draft<ListOffsetsPartitionResponse>, version: number): void {
  const flexible = version >= 6;
  const { partitionIndex = 0, errorCode = 0, timestamp = -1n, offset = -1n, leaderEpoch = -1 } = input;
  writer.int32(partitionIndex);
  writer.int16(errorCode);
  writer.int64(timestamp);
  writer.int64(offset);
  if (version >= 4) writer.int32(leaderEpoch);
  else requireDefault(leaderEpoch === -1, 'ListOffsetsPartitionResponse.leaderEpoch', version);
  if (flexible) writer.noTaggedFields();
}
