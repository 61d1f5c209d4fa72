// Generated from consumer-protocol.api by `npm run generate`; never edited.
//
// What consumers put into the metadata and assignment fields of classic groups, behind an int16
// version.
//
// The broker never depends on it; it is read to show who subscribes to what. 1 adds the partitions
// that a member still owns (KIP-429), 2 the generation in which it got them (KIP-792), 3 the rack
// (KIP-881).

import { type Draft, type RecordFormat, requireReadable, requireWritable } from '../codec.ts';
import type { Reader } from '../reader.ts';
import type { Writer } from '../writer.ts';

export const ConsumerProtocolSubscription: RecordFormat<ConsumerProtocolSubscription> = {
  name: 'ConsumerProtocolSubscription',
  type: -1,
  minVersion: 0,
  maxVersion: 3,
  flexibleFrom: Number.POSITIVE_INFINITY,
  read: readConsumerProtocolSubscription,
  write: writeConsumerProtocolSubscription,
};

export const ConsumerProtocolAssignment: RecordFormat<ConsumerProtocolAssignment> = {
  name: 'ConsumerProtocolAssignment',
  type: -1,
  minVersion: 0,
  maxVersion: 3,
  flexibleFrom: Number.POSITIVE_INFINITY,
  read: readConsumerProtocolAssignment,
  write: writeConsumerProtocolAssignment,
};

export interface ConsumerProtocolSubscription {
  readonly topics: readonly string[];
  readonly userData: Uint8Array | null;
  readonly ownedPartitions: readonly ConsumerProtocolSubscriptionTopicPartition[];
  readonly generationId: number;
  readonly rackId: string | null;
}

export interface ConsumerProtocolSubscriptionTopicPartition {
  readonly topic: string;
  readonly partitions: readonly number[];
}

function readConsumerProtocolSubscription(reader: Reader, version: number): ConsumerProtocolSubscription {
  const flexible = false;
  requireReadable(version >= 0 && version <= 3, 'ConsumerProtocolSubscription', version);
  const topics = reader.array(flexible, () => reader.string(flexible));
  const userData = reader.nullableBytes(flexible);
  const ownedPartitions = version >= 1 ? reader.array(flexible, () => readConsumerProtocolSubscriptionTopicPartition(reader, version)) : [];
  const generationId = version >= 2 ? reader.int32() : -1;
  const rackId = version >= 3 ? reader.nullableString(flexible) : null;
  return { topics, userData, ownedPartitions, generationId, rackId };
}

function writeConsumerProtocolSubscription(writer: Writer, input: Draft<ConsumerProtocolSubscription>, version: number): void {
  const flexible = false;
  requireWritable(version >= 0 && version <= 3, 'ConsumerProtocolSubscription', version);
  const { topics = [], userData = null, ownedPartitions = [], generationId = -1, rackId = null } = input;
  writer.array(flexible, topics, (item) => writer.string(flexible, item));
  writer.nullableBytes(flexible, userData);
  if (version >= 1) writer.array(flexible, ownedPartitions, (item) => writeConsumerProtocolSubscriptionTopicPartition(writer, item, version));
  if (version >= 2) writer.int32(generationId);
  if (version >= 3) writer.nullableString(flexible, rackId);
}

function readConsumerProtocolSubscriptionTopicPartition(reader: Reader, _version: number): ConsumerProtocolSubscriptionTopicPartition {
  const flexible = false;
  const topic = reader.string(flexible);
  const partitions = reader.array(flexible, () => reader.int32());
  return { topic, partitions };
}

function writeConsumerProtocolSubscriptionTopicPartition(writer: Writer, input: Draft<ConsumerProtocolSubscriptionTopicPartition>, _version: number): void {
  const flexible = false;
  const { topic = '', partitions = [] } = input;
  writer.string(flexible, topic);
  writer.array(flexible, partitions, (item) => writer.int32(item));
}

export interface ConsumerProtocolAssignment {
  readonly assignedPartitions: readonly ConsumerProtocolAssignmentTopicPartition[];
  readonly userData: Uint8Array | null;
}

export interface ConsumerProtocolAssignmentTopicPartition {
  readonly topic: string;
  readonly partitions: readonly number[];
}

function readConsumerProtocolAssignment(reader: Reader, version: number): ConsumerProtocolAssignment {
  const flexible = false;
  requireReadable(version >= 0 && version <= 3, 'ConsumerProtocolAssignment', version);
  const assignedPartitions = reader.array(flexible, () => readConsumerProtocolAssignmentTopicPartition(reader, version));
  const userData = reader.nullableBytes(flexible);
  return { assignedPartitions, userData };
}

function writeConsumerProtocolAssignment(writer: Writer, input: Draft<ConsumerProtocolAssignment>, version: number): void {
  const flexible = false;
  requireWritable(version >= 0 && version <= 3, 'ConsumerProtocolAssignment', version);
  const { assignedPartitions = [], userData = null } = input;
  writer.array(flexible, assignedPartitions, (item) => writeConsumerProtocolAssignmentTopicPartition(writer, item, version));
  writer.nullableBytes(flexible, userData);
}

function readConsumerProtocolAssignmentTopicPartition(reader: Reader, _version: number): ConsumerProtocolAssignmentTopicPartition {
  const flexible = false;
  const topic = reader.string(flexible);
  const partitions = reader.array(flexible, () => reader.int32());
  return { topic, partitions };
}

function writeConsumerProtocolAssignmentTopicPartition(writer: Writer, input: Draft<ConsumerProtocolAssignmentTopicPartition>, _version: number): void {
  const flexible = false;
  const { topic = '', partitions = [] } = input;
  writer.string(flexible, topic);
  writer.array(flexible, partitions, (item) => writer.int32(item));
}
