// Generated from 23-offset-for-leader-epoch.api by `npm run generate`; never edited.
//
// OffsetForLeaderEpoch: where a leader epoch ends, so that a reader notices that its log was cut
// (KIP-320).
//
// 2 is the oldest version Kafka 4 accepts; it has the epoch that the client believes current. 3 adds
// replicaId. 4 is flexible.

import { type Api, type Draft, requireReadable, requireWritable } from '../codec.ts';
import type { Reader } from '../reader.ts';
import type { Writer } from '../writer.ts';

export const OffsetForLeaderEpoch: Api<OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse> = {
  key: 23,
  name: 'OffsetForLeaderEpoch',
  minVersion: 2,
  maxVersion: 4,
  flexibleFrom: 4,
  request: { read: readOffsetForLeaderEpochRequest, write: writeOffsetForLeaderEpochRequest },
  response: { read: readOffsetForLeaderEpochResponse, write: writeOffsetForLeaderEpochResponse },
  requestHeaderVersion: (version: number) => (version >= 4 ? 2 : 1),
  responseHeaderVersion: (version: number) => (version >= 4 ? 1 : 0),
};

export interface OffsetForLeaderEpochRequest {
  /** -1 consumer, -2 tool */
  readonly replicaId: number;
  readonly topics: readonly OffsetForLeaderTopic[];
}

export interface OffsetForLeaderTopic {
  readonly topic: string;
  readonly partitions: readonly OffsetForLeaderPartition[];
}

export interface OffsetForLeaderPartition {
  readonly partition: number;
  readonly currentLeaderEpoch: number;
  readonly leaderEpoch: number;
}

function readOffsetForLeaderEpochRequest(reader: Reader, version: number): OffsetForLeaderEpochRequest {
  const flexible = version >= 4;
  requireReadable(version >= 2 && version <= 4, 'OffsetForLeaderEpochRequest', version);
  const replicaId = version >= 3 ? reader.int32() : -2;
  const topics = reader.array(flexible, () => readOffsetForLeaderTopic(reader, version));
  if (flexible) reader.skipTaggedFields();
  return { replicaId, topics };
}

function writeOffsetForLeaderEpochRequest(writer: Writer, input: Draft<OffsetForLeaderEpochRequest>, version: number): void {
  const flexible = version >= 4;
  requireWritable(version >= 2 && version <= 4, 'OffsetForLeaderEpochRequest', version);
  const { replicaId = -2, topics = [] } = input;
  if (version >= 3) writer.int32(replicaId);
  writer.array(flexible, topics, (item) => writeOffsetForLeaderTopic(writer, item, version));
  if (flexible) writer.noTaggedFields();
}

function readOffsetForLeaderTopic(reader: Reader, version: number): OffsetForLeaderTopic {
  const flexible = version >= 4;
  const topic = reader.string(flexible);
  const partitions = reader.array(flexible, () => readOffsetForLeaderPartition(reader, version));
  if (flexible) reader.skipTaggedFields();
  return { topic, partitions };
}

function writeOffsetForLeaderTopic(writer: Writer, input: Draft<OffsetForLeaderTopic>, version: number): void {
  const flexible = version >= 4;
  const { topic = '', partitions = [] } = input;
  writer.string(flexible, topic);
  writer.array(flexible, partitions, (item) => writeOffsetForLeaderPartition(writer, item, version));
  if (flexible) writer.noTaggedFields();
}

function readOffsetForLeaderPartition(reader: Reader, version: number): OffsetForLeaderPartition {
  const flexible = version >= 4;
  const partition = reader.int32();
  const currentLeaderEpoch = reader.int32();
  const leaderEpoch = reader.int32();
  if (flexible) reader.skipTaggedFields();
  return { partition, currentLeaderEpoch, leaderEpoch };
}

function writeOffsetForLeaderPartition(writer: Writer, input: Draft<OffsetForLeaderPartition>, version: number): void {
  const flexible = version >= 4;
  const { partition = 0, currentLeaderEpoch = -1, leaderEpoch = 0 } = input;
  writer.int32(partition);
  writer.int32(currentLeaderEpoch);
  writer.int32(leaderEpoch);
  if (flexible) writer.noTaggedFields();
}

export interface OffsetForLeaderEpochResponse {
  readonly throttleTimeMs: number;
  readonly topics: readonly OffsetForLeaderTopicResult[];
}

export interface OffsetForLeaderTopicResult {
  readonly topic: string;
  readonly partitions: readonly OffsetForLeaderEpochResponseEpochEndOffset[];
}

export interface OffsetForLeaderEpochResponseEpochEndOffset {
  readonly errorCode: number;
  readonly partition: number;
  readonly leaderEpoch: number;
  readonly endOffset: bigint;
}

function readOffsetForLeaderEpochResponse(reader: Reader, version: number): OffsetForLeaderEpochResponse {
  const flexible = version >= 4;
  requireReadable(version >= 2 && version <= 4, 'OffsetForLeaderEpochResponse', version);
  const throttleTimeMs = reader.int32();
  const topics = reader.array(flexible, () => readOffsetForLeaderTopicResult(reader, version));
  if (flexible) reader.skipTaggedFields();
  return { throttleTimeMs, topics };
}

function writeOffsetForLeaderEpochResponse(writer: Writer, input: Draft<OffsetForLeaderEpochResponse>, version: number): void {
  const flexible = version >= 4;
  requireWritable(version >= 2 && version <= 4, 'OffsetForLeaderEpochResponse', version);
  const { throttleTimeMs = 0, topics = [] } = input;
  writer.int32(throttleTimeMs);
  writer.array(flexible, topics, (item) => writeOffsetForLeaderTopicResult(writer, item, version));
  if (flexible) writer.noTaggedFields();
}

function readOffsetForLeaderTopicResult(reader: Reader, version: number): OffsetForLeaderTopicResult {
  const flexible = version >= 4;
  const topic = reader.string(flexible);
  const partitions = reader.array(flexible, () => readOffsetForLeaderEpochResponseEpochEndOffset(reader, version));
  if (flexible) reader.skipTaggedFields();
  return { topic, partitions };
}

function writeOffsetForLeaderTopicResult(writer: Writer, input: Draft<OffsetForLeaderTopicResult>, version: number): void {
  const flexible = version >= 4;
  const { topic = '', partitions = [] } = input;
  writer.string(flexible, topic);
  writer.array(flexible, partitions, (item) => writeOffsetForLeaderEpochResponseEpochEndOffset(writer, item, version));
  if (flexible) writer.noTaggedFields();
}

function readOffsetForLeaderEpochResponseEpochEndOffset(reader: Reader, version: number): OffsetForLeaderEpochResponseEpochEndOffset {
  const flexible = version >= 4;
  const errorCode = reader.int16();
  const partition = reader.int32();
  const leaderEpoch = reader.int32();
  const endOffset = reader.int64();
  if (flexible) reader.skipTaggedFields();
  return { errorCode, partition, leaderEpoch, endOffset };
}

function writeOffsetForLeaderEpochResponseEpochEndOffset(writer: Writer, input: Draft<OffsetForLeaderEpochResponseEpochEndOffset>, version: number): void {
  const flexible = version >= 4;
  const { errorCode = 0, partition = 0, leaderEpoch = -1, endOffset = -1n } = input;
  writer.int16(errorCode);
  writer.int32(partition);
  writer.int32(leaderEpoch);
  writer.int64(endOffset);
  if (flexible) writer.noTaggedFields();
}
