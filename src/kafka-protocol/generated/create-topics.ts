// Generated from 19-create-topics.api by `npm run generate`; never edited.
//
// CreateTopics: create topics with partitions, placement and configuration.
//
// 2 is the oldest version Kafka 4 accepts. 3: the client waits out throttleTimeMs itself. 4 takes -1
// for the broker's default of partitions and replicas (KIP-464). 5 is flexible and answers with the
// resulting configuration (KIP-525). 6 may answer THROTTLING_QUOTA_EXCEEDED (KIP-599). 7 answers
// with the topic's id (KIP-516).

import { type Api, type Draft, requireReadable, requireWritable, ZERO_UUID } from '../codec.ts';
import type { Reader } from '../reader.ts';
import type { Writer } from '../writer.ts';

export const CreateTopics: Api<CreateTopicsRequest, CreateTopicsResponse> = {
  key: 19,
  name: 'CreateTopics',
  minVersion: 2,
  maxVersion: 7,
  flexibleFrom: 5,
  request: { read: readCreateTopicsRequest, write: writeCreateTopicsRequest },
  response: { read: readCreateTopicsResponse, write: writeCreateTopicsResponse },
  requestHeaderVersion: (version: number) => (version >= 5 ? 2 : 1),
  responseHeaderVersion: (version: number) => (version >= 5 ? 1 : 0),
};

export interface CreateTopicsRequest {
  readonly topics: readonly CreatableTopic[];
  readonly timeoutMs: number;
  readonly validateOnly: boolean;
}

export interface CreatableTopic {
  readonly name: string;
  /** -1 the broker's default, or assignments say */
  readonly numPartitions: number;
  /** -1 the broker's default, or assignments say */
  readonly replicationFactor: number;
  readonly assignments: readonly CreatableReplicaAssignment[];
  readonly configs: readonly CreatableTopicConfig[];
}

export interface CreatableReplicaAssignment {
  readonly partitionIndex: number;
  readonly brokerIds: readonly number[];
}

export interface CreatableTopicConfig {
  readonly name: string;
  readonly value: string | null;
}

function readCreateTopicsRequest(reader: Reader, version: number): CreateTopicsRequest {
  const flexible = version >= 5;
  requireReadable(version >= 2 && version <= 7, 'CreateTopicsRequest', version);
  const topics = reader.array(flexible, () => readCreatableTopic(reader, version));
  const timeoutMs = reader.int32();
  const validateOnly = reader.boolean();
  if (flexible) reader.skipTaggedFields();
  return { topics, timeoutMs, validateOnly };
}

function writeCreateTopicsRequest(writer: Writer, input: Draft<CreateTopicsRequest>, version: number): void {
  const flexible = version >= 5;
  requireWritable(version >= 2 && version <= 7, 'CreateTopicsRequest', version);
  const { topics = [], timeoutMs = 60000, validateOnly = false } = input;
  writer.array(flexible, topics, (item) => writeCreatableTopic(writer, item, version));
  writer.int32(timeoutMs);
  writer.boolean(validateOnly);
  if (flexible) writer.noTaggedFields();
}

function readCreatableTopic(reader: Reader, version: number): CreatableTopic {
  const flexible = version >= 5;
  const name = reader.string(flexible);
  const numPartitions = reader.int32();
  const replicationFactor = reader.int16();
  const assignments = reader.array(flexible, () => readCreatableReplicaAssignment(reader, version));
  const configs = reader.array(flexible, () => readCreatableTopicConfig(reader, version));
  if (flexible) reader.skipTaggedFields();
  return { name, numPartitions, replicationFactor, assignments, configs };
}

function writeCreatableTopic(writer: Writer, input: Draft<CreatableTopic>, version: number): void {
  const flexible = version >= 5;
  const { name = '', numPartitions = 0, replicationFactor = 0, assignments = [], configs = [] } = input;
  writer.string(flexible, name);
  writer.int32(numPartitions);
  writer.int16(replicationFactor);
  writer.array(flexible, assignments, (item) => writeCreatableReplicaAssignment(writer, item, version));
  writer.array(flexible, configs, (item) => writeCreatableTopicConfig(writer, item, version));
  if (flexible) writer.noTaggedFields();
}

function readCreatableReplicaAssignment(reader: Reader, version: number): CreatableReplicaAssignment {
  const flexible = version >= 5;
  const partitionIndex = reader.int32();
  const brokerIds = reader.array(flexible, () => reader.int32());
  if (flexible) reader.skipTaggedFields();
  return { partitionIndex, brokerIds };
}

function writeCreatableReplicaAssignment(writer: Writer, input: Draft<CreatableReplicaAssignment>, version: number): void {
  const flexible = version >= 5;
  const { partitionIndex = 0, brokerIds = [] } = input;
  writer.int32(partitionIndex);
  writer.array(flexible, brokerIds, (item) => writer.int32(item));
  if (flexible) writer.noTaggedFields();
}

function readCreatableTopicConfig(reader: Reader, version: number): CreatableTopicConfig {
  const flexible = version >= 5;
  const name = reader.string(flexible);
  const value = reader.nullableString(flexible);
  if (flexible) reader.skipTaggedFields();
  return { name, value };
}

function writeCreatableTopicConfig(writer: Writer, input: Draft<CreatableTopicConfig>, version: number): void {
  const flexible = version >= 5;
  const { name = '', value = '' } = input;
  writer.string(flexible, name);
  writer.nullableString(flexible, value);
  if (flexible) writer.noTaggedFields();
}

export interface CreateTopicsResponse {
  readonly throttleTimeMs: number;
  readonly topics: readonly CreatableTopicResult[];
}

export interface CreatableTopicResult {
  readonly name: string;
  readonly topicId: string;
  readonly errorCode: number;
  readonly errorMessage: string | null;
  readonly topicConfigErrorCode: number;
  readonly numPartitions: number;
  readonly replicationFactor: number;
  readonly configs: readonly CreatableTopicConfigs[] | null;
}

export interface CreatableTopicConfigs {
  readonly name: string;
  readonly value: string | null;
  readonly readOnly: boolean;
  readonly configSource: number;
  readonly isSensitive: boolean;
}

function readCreateTopicsResponse(reader: Reader, version: number): CreateTopicsResponse {
  const flexible = version >= 5;
  requireReadable(version >= 2 && version <= 7, 'CreateTopicsResponse', version);
  const throttleTimeMs = reader.int32();
  const topics = reader.array(flexible, () => readCreatableTopicResult(reader, version));
  if (flexible) reader.skipTaggedFields();
  return { throttleTimeMs, topics };
}

function writeCreateTopicsResponse(writer: Writer, input: Draft<CreateTopicsResponse>, version: number): void {
  const flexible = version >= 5;
  requireWritable(version >= 2 && version <= 7, 'CreateTopicsResponse', version);
  const { throttleTimeMs = 0, topics = [] } = input;
  writer.int32(throttleTimeMs);
  writer.array(flexible, topics, (item) => writeCreatableTopicResult(writer, item, version));
  if (flexible) writer.noTaggedFields();
}

function readCreatableTopicResult(reader: Reader, version: number): CreatableTopicResult {
  const flexible = version >= 5;
  const name = reader.string(flexible);
  const topicId = version >= 7 ? reader.uuid() : ZERO_UUID;
  const errorCode = reader.int16();
  const errorMessage = reader.nullableString(flexible);
  const numPartitions = version >= 5 ? reader.int32() : -1;
  const replicationFactor = version >= 5 ? reader.int16() : -1;
  const configs = version >= 5 ? reader.nullableArray(flexible, () => readCreatableTopicConfigs(reader, version)) : [];
  let topicConfigErrorCode: number = 0;
  if (flexible) reader.taggedFields((tag) => {
    switch (tag) {
      case 0:
        topicConfigErrorCode = reader.int16();
        return true;
      default:
        return false;
    }
  });
  return { name, topicId, errorCode, errorMessage, topicConfigErrorCode, numPartitions, replicationFactor, configs };
}

function writeCreatableTopicResult(writer: Writer, input: Draft<CreatableTopicResult>, version: number): void {
  const flexible = version >= 5;
  const { name = '', topicId = ZERO_UUID, errorCode = 0, errorMessage = '', topicConfigErrorCode = 0, numPartitions = -1, replicationFactor = -1, configs = [] } = input;
  writer.string(flexible, name);
  if (version >= 7) writer.uuid(topicId);
  writer.int16(errorCode);
  writer.nullableString(flexible, errorMessage);
  if (version >= 5) writer.int32(numPartitions);
  if (version >= 5) writer.int16(replicationFactor);
  if (version >= 5) writer.nullableArray(flexible, configs, (item) => writeCreatableTopicConfigs(writer, item, version));
  if (flexible) writer.taggedFields((add) => {
    if (topicConfigErrorCode !== 0) add(0, () => writer.int16(topicConfigErrorCode));
  });
}

function readCreatableTopicConfigs(reader: Reader, _version: number): CreatableTopicConfigs {
  const flexible = true;
  const name = reader.string(flexible);
  const value = reader.nullableString(flexible);
  const readOnly = reader.boolean();
  const configSource = reader.int8();
  const isSensitive = reader.boolean();
  reader.skipTaggedFields();
  return { name, value, readOnly, configSource, isSensitive };
}

function writeCreatableTopicConfigs(writer: Writer, input: Draft<CreatableTopicConfigs>, _version: number): void {
  const flexible = true;
  const { name = '', value = '', readOnly = false, configSource = -1, isSensitive = false } = input;
  writer.string(flexible, name);
  writer.nullableString(flexible, value);
  writer.boolean(readOnly);
  writer.int8(configSource);
  writer.boolean(isSensitive);
  writer.noTaggedFields();
}
