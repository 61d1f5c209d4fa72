// Generated from 75-describe-topic-partitions.api by `npm run generate`; never edited.
//
// DescribeTopicPartitions: topics and their partitions page by page (KIP-966).
//
// A response that would be longer than responsePartitionLimit ends with a cursor, with which the
// next request goes on.

import { type Api, type Draft, requireReadable, requireWritable, ZERO_UUID } from '../codec.ts';
import type { Reader } from '../reader.ts';
import type { Writer } from '../writer.ts';

export const DescribeTopicPartitions: Api<DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse> = {
  key: 75,
  name: 'DescribeTopicPartitions',
  minVersion: 0,
  maxVersion: 0,
  flexibleFrom: 0,
  request: { read: readDescribeTopicPartitionsRequest, write: writeDescribeTopicPartitionsRequest },
  response: { read: readDescribeTopicPartitionsResponse, write: writeDescribeTopicPartitionsResponse },
  requestHeaderVersion: (_version: number) => 2,
  responseHeaderVersion: (_version: number) => 1,
};

export interface DescribeTopicPartitionsRequest {
  readonly topics: readonly TopicRequest[];
  readonly responsePartitionLimit: number;
  /** null from the first page on */
  readonly cursor: DescribeTopicPartitionsRequestCursor | null;
}

export interface TopicRequest {
  readonly name: string;
}

export interface DescribeTopicPartitionsRequestCursor {
  readonly topicName: string;
  readonly partitionIndex: number;
}

function readDescribeTopicPartitionsRequest(reader: Reader, version: number): DescribeTopicPartitionsRequest {
  const flexible = true;
  requireReadable(version >= 0 && version <= 0, 'DescribeTopicPartitionsRequest', version);
  const topics = reader.array(flexible, () => readTopicRequest(reader, version));
  const responsePartitionLimit = reader.int32();
  const cursor = reader.nullableStruct(() => readDescribeTopicPartitionsRequestCursor(reader, version));
  reader.skipTaggedFields();
  return { topics, responsePartitionLimit, cursor };
}

function writeDescribeTopicPartitionsRequest(writer: Writer, input: Draft<DescribeTopicPartitionsRequest>, version: number): void {
  const flexible = true;
  requireWritable(version >= 0 && version <= 0, 'DescribeTopicPartitionsRequest', version);
  const { topics = [], responsePartitionLimit = 2000, cursor = null } = input;
  writer.array(flexible, topics, (item) => writeTopicRequest(writer, item, version));
  writer.int32(responsePartitionLimit);
  writer.nullableStruct(cursor, (struct) => writeDescribeTopicPartitionsRequestCursor(writer, struct, version));
  writer.noTaggedFields();
}

function readTopicRequest(reader: Reader, _version: number): TopicRequest {
  const flexible = true;
  const name = reader.string(flexible);
  reader.skipTaggedFields();
  return { name };
}

function writeTopicRequest(writer: Writer, input: Draft<TopicRequest>, _version: number): void {
  const flexible = true;
  const { name = '' } = input;
  writer.string(flexible, name);
  writer.noTaggedFields();
}

function readDescribeTopicPartitionsRequestCursor(reader: Reader, _version: number): DescribeTopicPartitionsRequestCursor {
  const flexible = true;
  const topicName = reader.string(flexible);
  const partitionIndex = reader.int32();
  reader.skipTaggedFields();
  return { topicName, partitionIndex };
}

function writeDescribeTopicPartitionsRequestCursor(writer: Writer, input: Draft<DescribeTopicPartitionsRequestCursor>, _version: number): void {
  const flexible = true;
  const { topicName = '', partitionIndex = 0 } = input;
  writer.string(flexible, topicName);
  writer.int32(partitionIndex);
  writer.noTaggedFields();
}

export interface DescribeTopicPartitionsResponse {
  readonly throttleTimeMs: number;
  readonly topics: readonly DescribeTopicPartitionsResponseTopic[];
  readonly nextCursor: DescribeTopicPartitionsResponseCursor | null;
}

export interface DescribeTopicPartitionsResponseTopic {
  readonly errorCode: number;
  readonly name: string | null;
  readonly topicId: string;
  readonly isInternal: boolean;
  readonly partitions: readonly DescribeTopicPartitionsResponsePartition[];
  readonly topicAuthorizedOperations: number;
}

export interface DescribeTopicPartitionsResponsePartition {
  readonly errorCode: number;
  readonly partitionIndex: number;
  readonly leaderId: number;
  readonly leaderEpoch: number;
  readonly replicaNodes: readonly number[];
  readonly isrNodes: readonly number[];
  readonly eligibleLeaderReplicas: readonly number[] | null;
  readonly lastKnownElr: readonly number[] | null;
  readonly offlineReplicas: readonly number[];
}

export interface DescribeTopicPartitionsResponseCursor {
  readonly topicName: string;
  readonly partitionIndex: number;
}

function readDescribeTopicPartitionsResponse(reader: Reader, version: number): DescribeTopicPartitionsResponse {
  const flexible = true;
  requireReadable(version >= 0 && version <= 0, 'DescribeTopicPartitionsResponse', version);
  const throttleTimeMs = reader.int32();
  const topics = reader.array(flexible, () => readDescribeTopicPartitionsResponseTopic(reader, version));
  const nextCursor = reader.nullableStruct(() => readDescribeTopicPartitionsResponseCursor(reader, version));
  reader.skipTaggedFields();
  return { throttleTimeMs, topics, nextCursor };
}

function writeDescribeTopicPartitionsResponse(writer: Writer, input: Draft<DescribeTopicPartitionsResponse>, version: number): void {
  const flexible = true;
  requireWritable(version >= 0 && version <= 0, 'DescribeTopicPartitionsResponse', version);
  const { throttleTimeMs = 0, topics = [], nextCursor = null } = input;
  writer.int32(throttleTimeMs);
  writer.array(flexible, topics, (item) => writeDescribeTopicPartitionsResponseTopic(writer, item, version));
  writer.nullableStruct(nextCursor, (struct) => writeDescribeTopicPartitionsResponseCursor(writer, struct, version));
  writer.noTaggedFields();
}

function readDescribeTopicPartitionsResponseTopic(reader: Reader, version: number): DescribeTopicPartitionsResponseTopic {
  const flexible = true;
  const errorCode = reader.int16();
  const name = reader.nullableString(flexible);
  const topicId = reader.uuid();
  const isInternal = reader.boolean();
  const partitions = reader.array(flexible, () => readDescribeTopicPartitionsResponsePartition(reader, version));
  const topicAuthorizedOperations = reader.int32();
  reader.skipTaggedFields();
  return { errorCode, name, topicId, isInternal, partitions, topicAuthorizedOperations };
}

function writeDescribeTopicPartitionsResponseTopic(writer: Writer, input: Draft<DescribeTopicPartitionsResponseTopic>, version: number): void {
  const flexible = true;
  const { errorCode = 0, name = '', topicId = ZERO_UUID, isInternal = false, partitions = [], topicAuthorizedOperations = -2147483648 } = input;
  writer.int16(errorCode);
  writer.nullableString(flexible, name);
  writer.uuid(topicId);
  writer.boolean(isInternal);
  writer.array(flexible, partitions, (item) => writeDescribeTopicPartitionsResponsePartition(writer, item, version));
  writer.int32(topicAuthorizedOperations);
  writer.noTaggedFields();
}

function readDescribeTopicPartitionsResponsePartition(reader: Reader, _version: number): DescribeTopicPartitionsResponsePartition {
  const flexible = true;
  const errorCode = reader.int16();
  const partitionIndex = reader.int32();
  const leaderId = reader.int32();
  const leaderEpoch = reader.int32();
  const replicaNodes = reader.array(flexible, () => reader.int32());
  const isrNodes = reader.array(flexible, () => reader.int32());
  const eligibleLeaderReplicas = reader.nullableArray(flexible, () => reader.int32());
  const lastKnownElr = reader.nullableArray(flexible, () => reader.int32());
  const offlineReplicas = reader.array(flexible, () => reader.int32());
  reader.skipTaggedFields();
  return { errorCode, partitionIndex, leaderId, leaderEpoch, replicaNodes, isrNodes, eligibleLeaderReplicas, lastKnownElr, offlineReplicas };
}

function writeDescribeTopicPartitionsResponsePartition(writer: Writer, input: Draft<DescribeTopicPartitionsResponsePartition>, _version: number): void {
  const flexible = true;
  const { errorCode = 0, partitionIndex = 0, leaderId = 0, leaderEpoch = -1, replicaNodes = [], isrNodes = [], eligibleLeaderReplicas = null, lastKnownElr = null, offlineReplicas = [] } = input;
  writer.int16(errorCode);
  writer.int32(partitionIndex);
  writer.int32(leaderId);
  writer.int32(leaderEpoch);
  writer.array(flexible, replicaNodes, (item) => writer.int32(item));
  writer.array(flexible, isrNodes, (item) => writer.int32(item));
  writer.nullableArray(flexible, eligibleLeaderReplicas, (item) => writer.int32(item));
  writer.nullableArray(flexible, lastKnownElr, (item) => writer.int32(item));
  writer.array(flexible, offlineReplicas, (item) => writer.int32(item));
  writer.noTaggedFields();
}

function readDescribeTopicPartitionsResponseCursor(reader: Reader, _version: number): DescribeTopicPartitionsResponseCursor {
  const flexible = true;
  const topicName = reader.string(flexible);
  const partitionIndex = reader.int32();
  reader.skipTaggedFields();
  return { topicName, partitionIndex };
}

function writeDescribeTopicPartitionsResponseCursor(writer: Writer, input: Draft<DescribeTopicPartitionsResponseCursor>, _version: number): void {
  const flexible = true;
  const { topicName = '', partitionIndex = 0 } = input;
  writer.string(flexible, topicName);
  writer.int32(partitionIndex);
  writer.noTaggedFields();
}
