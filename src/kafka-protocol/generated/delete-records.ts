// Generated from 21-delete-records.api by `npm run generate`; never edited.
//
// DeleteRecords: move the log start offset of partitions forward.
//
// 1: the client waits out throttleTimeMs itself. 2 is flexible.

import { type Api, type Draft, requireReadable, requireWritable } from '../codec.ts';
import type { Reader } from '../reader.ts';
import type { Writer } from '../writer.ts';

export const DeleteRecords: Api<DeleteRecordsRequest, DeleteRecordsResponse> = {
  key: 21,
  name: 'DeleteRecords',
  minVersion: 0,
  maxVersion: 2,
  flexibleFrom: 2,
  request: { read: readDeleteRecordsRequest, write: writeDeleteRecordsRequest },
  response: { read: readDeleteRecordsResponse, write: writeDeleteRecordsResponse },
  requestHeaderVersion: (version: number) => (version >= 2 ? 2 : 1),
  responseHeaderVersion: (version: number) => (version >= 2 ? 1 : 0),
};

export interface DeleteRecordsRequest {
  readonly topics: readonly DeleteRecordsTopic[];
  readonly timeoutMs: number;
}

export interface DeleteRecordsTopic {
  readonly name: string;
  readonly partitions: readonly DeleteRecordsPartition[];
}

export interface DeleteRecordsPartition {
  readonly partitionIndex: number;
  /** -1 means the high watermark */
  readonly offset: bigint;
}

function readDeleteRecordsRequest(reader: Reader, version: number): DeleteRecordsRequest {
  const flexible = version >= 2;
  requireReadable(version >= 0 && version <= 2, 'DeleteRecordsRequest', version);
  const topics = reader.array(flexible, () => readDeleteRecordsTopic(reader, version));
  const timeoutMs = reader.int32();
  if (flexible) reader.skipTaggedFields();
  return { topics, timeoutMs };
}

function writeDeleteRecordsRequest(writer: Writer, input: Draft<DeleteRecordsRequest>, version: number): void {
  const flexible = version >= 2;
  requireWritable(version >= 0 && version <= 2, 'DeleteRecordsRequest', version);
  const { topics = [], timeoutMs = 0 } = input;
  writer.array(flexible, topics, (item) => writeDeleteRecordsTopic(writer, item, version));
  writer.int32(timeoutMs);
  if (flexible) writer.noTaggedFields();
}

function readDeleteRecordsTopic(reader: Reader, version: number): DeleteRecordsTopic {
  const flexible = version >= 2;
  const name = reader.string(flexible);
  const partitions = reader.array(flexible, () => readDeleteRecordsPartition(reader, version));
  if (flexible) reader.skipTaggedFields();
  return { name, partitions };
}

function writeDeleteRecordsTopic(writer: Writer, input: Draft<DeleteRecordsTopic>, version: number): void {
  const flexible = version >= 2;
  const { name = '', partitions = [] } = input;
  writer.string(flexible, name);
  writer.array(flexible, partitions, (item) => writeDeleteRecordsPartition(writer, item, version));
  if (flexible) writer.noTaggedFields();
}

function readDeleteRecordsPartition(reader: Reader, version: number): DeleteRecordsPartition {
  const flexible = version >= 2;
  const partitionIndex = reader.int32();
  const offset = reader.int64();
  if (flexible) reader.skipTaggedFields();
  return { partitionIndex, offset };
}

function writeDeleteRecordsPartition(writer: Writer, input: Draft<DeleteRecordsPartition>, version: number): void {
  const flexible = version >= 2;
  const { partitionIndex = 0, offset = 0n } = input;
  writer.int32(partitionIndex);
  writer.int64(offset);
  if (flexible) writer.noTaggedFields();
}

export interface DeleteRecordsResponse {
  readonly throttleTimeMs: number;
  readonly topics: readonly DeleteRecordsTopicResult[];
}

export interface DeleteRecordsTopicResult {
  readonly name: string;
  readonly partitions: readonly DeleteRecordsPartitionResult[];
}

export interface DeleteRecordsPartitionResult {
  readonly partitionIndex: number;
  /** the log start offset afterwards */
  readonly lowWatermark: bigint;
  readonly errorCode: number;
}

function readDeleteRecordsResponse(reader: Reader, version: number): DeleteRecordsResponse {
  const flexible = version >= 2;
  requireReadable(version >= 0 && version <= 2, 'DeleteRecordsResponse', version);
  const throttleTimeMs = reader.int32();
  const topics = reader.array(flexible, () => readDeleteRecordsTopicResult(reader, version));
  if (flexible) reader.skipTaggedFields();
  return { throttleTimeMs, topics };
}

function writeDeleteRecordsResponse(writer: Writer, input: Draft<DeleteRecordsResponse>, version: number): void {
  const flexible = version >= 2;
  requireWritable(version >= 0 && version <= 2, 'DeleteRecordsResponse', version);
  const { throttleTimeMs = 0, topics = [] } = input;
  writer.int32(throttleTimeMs);
  writer.array(flexible, topics, (item) => writeDeleteRecordsTopicResult(writer, item, version));
  if (flexible) writer.noTaggedFields();
}

function readDeleteRecordsTopicResult(reader: Reader, version: number): DeleteRecordsTopicResult {
  const flexible = version >= 2;
  const name = reader.string(flexible);
  const partitions = reader.array(flexible, () => readDeleteRecordsPartitionResult(reader, version));
  if (flexible) reader.skipTaggedFields();
  return { name, partitions };
}

function writeDeleteRecordsTopicResult(writer: Writer, input: Draft<DeleteRecordsTopicResult>, version: number): void {
  const flexible = version >= 2;
  const { name = '', partitions = [] } = input;
  writer.string(flexible, name);
  writer.array(flexible, partitions, (item) => writeDeleteRecordsPartitionResult(writer, item, version));
  if (flexible) writer.noTaggedFields();
}

function readDeleteRecordsPartitionResult(reader: Reader, version: number): DeleteRecordsPartitionResult {
  const flexible = version >= 2;
  const partitionIndex = reader.int32();
  const lowWatermark = reader.int64();
  const errorCode = reader.int16();
  if (flexible) reader.skipTaggedFields();
  return { partitionIndex, lowWatermark, errorCode };
}

function writeDeleteRecordsPartitionResult(writer: Writer, input: Draft<DeleteRecordsPartitionResult>, version: number): void {
  const flexible = version >= 2;
  const { partitionIndex = 0, lowWatermark = 0n, errorCode = 0 } = input;
  writer.int32(partitionIndex);
  writer.int64(lowWatermark);
  writer.int16(errorCode);
  if (flexible) writer.noTaggedFields();
}
