// Generated from metadata-log.api by `npm run generate`; never edited.
//
// The records of the metadata log, a format of our own. A record of the log has no key; its value is the type number
// and the version, two bytes each, and then one of these. Version 0 is all there is.

import { type Draft, type RecordFormat, requireReadable, requireWritable, ZERO_UUID } from '../codec.ts';
import type { Reader } from '../reader.ts';
import type { Writer } from '../writer.ts';

export const FeatureLevelRecord: RecordFormat<FeatureLevelRecord> = {
  name: 'FeatureLevelRecord',
  type: 1,
  minVersion: 0,
  maxVersion: 0,
  flexibleFrom: 0,
  read: readFeatureLevelRecord,
  write: writeFeatureLevelRecord,
};

export const BrokerRegistrationRecord: RecordFormat<BrokerRegistrationRecord> = {
  name: 'BrokerRegistrationRecord',
  type: 2,
  minVersion: 0,
  maxVersion: 0,
  flexibleFrom: 0,
  read: readBrokerRegistrationRecord,
  write: writeBrokerRegistrationRecord,
};

export const TopicCreatedRecord: RecordFormat<TopicCreatedRecord> = {
  name: 'TopicCreatedRecord',
  type: 3,
  minVersion: 0,
  maxVersion: 0,
  flexibleFrom: 0,
  read: readTopicCreatedRecord,
  write: writeTopicCreatedRecord,
};

export const PartitionCreatedRecord: RecordFormat<PartitionCreatedRecord> = {
  name: 'PartitionCreatedRecord',
  type: 4,
  minVersion: 0,
  maxVersion: 0,
  flexibleFrom: 0,
  read: readPartitionCreatedRecord,
  write: writePartitionCreatedRecord,
};

export const TopicOverrideRecord: RecordFormat<TopicOverrideRecord> = {
  name: 'TopicOverrideRecord',
  type: 5,
  minVersion: 0,
  maxVersion: 0,
  flexibleFrom: 0,
  read: readTopicOverrideRecord,
  write: writeTopicOverrideRecord,
};

export const TopicRemovedRecord: RecordFormat<TopicRemovedRecord> = {
  name: 'TopicRemovedRecord',
  type: 6,
  minVersion: 0,
  maxVersion: 0,
  flexibleFrom: 0,
  read: readTopicRemovedRecord,
  write: writeTopicRemovedRecord,
};

export const ProducerIdsRecord: RecordFormat<ProducerIdsRecord> = {
  name: 'ProducerIdsRecord',
  type: 7,
  minVersion: 0,
  maxVersion: 0,
  flexibleFrom: 0,
  read: readProducerIdsRecord,
  write: writeProducerIdsRecord,
};

export const GroupIdsRecord: RecordFormat<GroupIdsRecord> = {
  name: 'GroupIdsRecord',
  type: 8,
  minVersion: 0,
  maxVersion: 0,
  flexibleFrom: 0,
  read: readGroupIdsRecord,
  write: writeGroupIdsRecord,
};

export interface FeatureLevelRecord {
  readonly name: string;
  readonly level: number;
}

function readFeatureLevelRecord(reader: Reader, version: number): FeatureLevelRecord {
  const flexible = true;
  requireReadable(version >= 0 && version <= 0, 'FeatureLevelRecord', version);
  const name = reader.string(flexible);
  const level = reader.int16();
  reader.skipTaggedFields();
  return { name, level };
}

function writeFeatureLevelRecord(writer: Writer, input: Draft<FeatureLevelRecord>, version: number): void {
  const flexible = true;
  requireWritable(version >= 0 && version <= 0, 'FeatureLevelRecord', version);
  const { name = '', level = 0 } = input;
  writer.string(flexible, name);
  writer.int16(level);
  writer.noTaggedFields();
}

export interface BrokerRegistrationRecord {
  readonly nodeId: number;
  readonly incarnationId: string;
  readonly directoryId: string;
  readonly rack: string | null;
  readonly endpoints: readonly BrokerRegistrationEndpoint[];
}

export interface BrokerRegistrationEndpoint {
  readonly name: string;
  readonly host: string;
  readonly port: number;
}

function readBrokerRegistrationRecord(reader: Reader, version: number): BrokerRegistrationRecord {
  const flexible = true;
  requireReadable(version >= 0 && version <= 0, 'BrokerRegistrationRecord', version);
  const nodeId = reader.int32();
  const incarnationId = reader.uuid();
  const directoryId = reader.uuid();
  const rack = reader.nullableString(flexible);
  const endpoints = reader.array(flexible, () => readBrokerRegistrationEndpoint(reader, version));
  reader.skipTaggedFields();
  return { nodeId, incarnationId, directoryId, rack, endpoints };
}

function writeBrokerRegistrationRecord(writer: Writer, input: Draft<BrokerRegistrationRecord>, version: number): void {
  const flexible = true;
  requireWritable(version >= 0 && version <= 0, 'BrokerRegistrationRecord', version);
  const { nodeId = 0, incarnationId = ZERO_UUID, directoryId = ZERO_UUID, rack = '', endpoints = [] } = input;
  writer.int32(nodeId);
  writer.uuid(incarnationId);
  writer.uuid(directoryId);
  writer.nullableString(flexible, rack);
  writer.array(flexible, endpoints, (item) => writeBrokerRegistrationEndpoint(writer, item, version));
  writer.noTaggedFields();
}

function readBrokerRegistrationEndpoint(reader: Reader, _version: number): BrokerRegistrationEndpoint {
  const flexible = true;
  const name = reader.string(flexible);
  const host = reader.string(flexible);
  const port = reader.int32();
  reader.skipTaggedFields();
  return { name, host, port };
}

function writeBrokerRegistrationEndpoint(writer: Writer, input: Draft<BrokerRegistrationEndpoint>, _version: number): void {
  const flexible = true;
  const { name = '', host = '', port = 0 } = input;
  writer.string(flexible, name);
  writer.string(flexible, host);
  writer.int32(port);
  writer.noTaggedFields();
}

export interface TopicCreatedRecord {
  readonly topicId: string;
  readonly name: string;
}

function readTopicCreatedRecord(reader: Reader, version: number): TopicCreatedRecord {
  const flexible = true;
  requireReadable(version >= 0 && version <= 0, 'TopicCreatedRecord', version);
  const topicId = reader.uuid();
  const name = reader.string(flexible);
  reader.skipTaggedFields();
  return { topicId, name };
}

function writeTopicCreatedRecord(writer: Writer, input: Draft<TopicCreatedRecord>, version: number): void {
  const flexible = true;
  requireWritable(version >= 0 && version <= 0, 'TopicCreatedRecord', version);
  const { topicId = ZERO_UUID, name = '' } = input;
  writer.uuid(topicId);
  writer.string(flexible, name);
  writer.noTaggedFields();
}

export interface PartitionCreatedRecord {
  readonly topicId: string;
  readonly partitionIndex: number;
  readonly groupId: bigint;
  readonly replicas: readonly number[];
}

function readPartitionCreatedRecord(reader: Reader, version: number): PartitionCreatedRecord {
  const flexible = true;
  requireReadable(version >= 0 && version <= 0, 'PartitionCreatedRecord', version);
  const topicId = reader.uuid();
  const partitionIndex = reader.int32();
  const groupId = reader.int64();
  const replicas = reader.array(flexible, () => reader.int32());
  reader.skipTaggedFields();
  return { topicId, partitionIndex, groupId, replicas };
}

function writePartitionCreatedRecord(writer: Writer, input: Draft<PartitionCreatedRecord>, version: number): void {
  const flexible = true;
  requireWritable(version >= 0 && version <= 0, 'PartitionCreatedRecord', version);
  const { topicId = ZERO_UUID, partitionIndex = 0, groupId = 0n, replicas = [] } = input;
  writer.uuid(topicId);
  writer.int32(partitionIndex);
  writer.int64(groupId);
  writer.array(flexible, replicas, (item) => writer.int32(item));
  writer.noTaggedFields();
}

export interface TopicOverrideRecord {
  readonly topicId: string;
  readonly name: string;
  readonly value: string | null;
}

function readTopicOverrideRecord(reader: Reader, version: number): TopicOverrideRecord {
  const flexible = true;
  requireReadable(version >= 0 && version <= 0, 'TopicOverrideRecord', version);
  const topicId = reader.uuid();
  const name = reader.string(flexible);
  const value = reader.nullableString(flexible);
  reader.skipTaggedFields();
  return { topicId, name, value };
}

function writeTopicOverrideRecord(writer: Writer, input: Draft<TopicOverrideRecord>, version: number): void {
  const flexible = true;
  requireWritable(version >= 0 && version <= 0, 'TopicOverrideRecord', version);
  const { topicId = ZERO_UUID, name = '', value = '' } = input;
  writer.uuid(topicId);
  writer.string(flexible, name);
  writer.nullableString(flexible, value);
  writer.noTaggedFields();
}

export interface TopicRemovedRecord {
  readonly topicId: string;
}

function readTopicRemovedRecord(reader: Reader, version: number): TopicRemovedRecord {
  requireReadable(version >= 0 && version <= 0, 'TopicRemovedRecord', version);
  const topicId = reader.uuid();
  reader.skipTaggedFields();
  return { topicId };
}

function writeTopicRemovedRecord(writer: Writer, input: Draft<TopicRemovedRecord>, version: number): void {
  requireWritable(version >= 0 && version <= 0, 'TopicRemovedRecord', version);
  const { topicId = ZERO_UUID } = input;
  writer.uuid(topicId);
  writer.noTaggedFields();
}

export interface ProducerIdsRecord {
  readonly nextProducerId: bigint;
}

function readProducerIdsRecord(reader: Reader, version: number): ProducerIdsRecord {
  requireReadable(version >= 0 && version <= 0, 'ProducerIdsRecord', version);
  const nextProducerId = reader.int64();
  reader.skipTaggedFields();
  return { nextProducerId };
}

function writeProducerIdsRecord(writer: Writer, input: Draft<ProducerIdsRecord>, version: number): void {
  requireWritable(version >= 0 && version <= 0, 'ProducerIdsRecord', version);
  const { nextProducerId = 0n } = input;
  writer.int64(nextProducerId);
  writer.noTaggedFields();
}

export interface GroupIdsRecord {
  readonly nextGroupId: bigint;
}

function readGroupIdsRecord(reader: Reader, version: number): GroupIdsRecord {
  requireReadable(version >= 0 && version <= 0, 'GroupIdsRecord', version);
  const nextGroupId = reader.int64();
  reader.skipTaggedFields();
  return { nextGroupId };
}

function writeGroupIdsRecord(writer: Writer, input: Draft<GroupIdsRecord>, version: number): void {
  requireWritable(version >= 0 && version <= 0, 'GroupIdsRecord', version);
  const { nextGroupId = 0n } = input;
  writer.int64(nextGroupId);
  writer.noTaggedFields();
}
