// Generated from 03-metadata.api by `npm run generate`; never edited.
//
// Metadata: the brokers, and where the partitions of topics are.
//
// In version 0 an empty list asks for all topics; from 1 null does, and empty asks for none. 1 adds
// racks, the controller and isInternal. 2 adds clusterId (KIP-78). 3 adds throttleTimeMs (KIP-124).
// 4 lets the client forbid auto-creation (KIP-204). 5 adds offlineReplicas (KIP-112). 6: the client
// waits out throttleTimeMs itself. 7 adds leaderEpoch (KIP-320). 8 adds authorized operations
// (KIP-430). 9 is flexible. 10 adds topic ids (KIP-516). 11 drops the cluster's authorized
// operations (KIP-700). 12 asks by id alone. 13 adds an error for the whole, to make a client
// bootstrap again (KIP-1102).

import { type Api, type Draft, notNull, requireDefault, requireReadable, requireWritable, ZERO_UUID } from '../codec.ts';
import type { Reader } from '../reader.ts';
import type { Writer } from '../writer.ts';

export const Metadata: Api<MetadataRequest, MetadataResponse> = {
  key: 3,
  name: 'Metadata',
  minVersion: 0,
  maxVersion: 13,
  flexibleFrom: 9,
  request: { read: readMetadataRequest, write: writeMetadataRequest },
  response: { read: readMetadataResponse, write: writeMetadataResponse },
  requestHeaderVersion: (version: number) => (version >= 9 ? 2 : 1),
  responseHeaderVersion: (version: number) => (version >= 9 ? 1 : 0),
};

export interface MetadataRequest {
  /** null asks for all */
  readonly topics: readonly MetadataRequestTopic[] | null;
  readonly allowAutoTopicCreation: boolean;
  readonly includeClusterAuthorizedOperations: boolean;
  readonly includeTopicAuthorizedOperations: boolean;
}

export interface MetadataRequestTopic {
  readonly topicId: string;
  readonly name: string | null;
}

function readMetadataRequest(reader: Reader, version: number): MetadataRequest {
  const flexible = version >= 9;
  requireReadable(version >= 0 && version <= 13, 'MetadataRequest', version);
  const topics = version >= 1 ? reader.nullableArray(flexible, () => readMetadataRequestTopic(reader, version)) : reader.array(flexible, () => readMetadataRequestTopic(reader, version));
  const allowAutoTopicCreation = version >= 4 ? reader.boolean() : true;
  const includeClusterAuthorizedOperations = version >= 8 && version <= 10 ? reader.boolean() : false;
  const includeTopicAuthorizedOperations = version >= 8 ? reader.boolean() : false;
  if (flexible) reader.skipTaggedFields();
  return { topics, allowAutoTopicCreation, includeClusterAuthorizedOperations, includeTopicAuthorizedOperations };
}

function writeMetadataRequest(writer: Writer, input: Draft<MetadataRequest>, version: number): void {
  const flexible = version >= 9;
  requireWritable(version >= 0 && version <= 13, 'MetadataRequest', version);
  const { topics = [], allowAutoTopicCreation = true, includeClusterAuthorizedOperations = false, includeTopicAuthorizedOperations = false } = input;
  writer.nullableArray(flexible, version >= 1 ? topics : notNull(topics, 'MetadataRequest.topics', version), (item) => writeMetadataRequestTopic(writer, item, version));
  if (version >= 4) writer.boolean(allowAutoTopicCreation);
  else requireDefault(allowAutoTopicCreation === true, 'MetadataRequest.allowAutoTopicCreation', version);
  if (version >= 8 && version <= 10) writer.boolean(includeClusterAuthorizedOperations);
  else requireDefault(includeClusterAuthorizedOperations === false, 'MetadataRequest.includeClusterAuthorizedOperations', version);
  if (version >= 8) writer.boolean(includeTopicAuthorizedOperations);
  else requireDefault(includeTopicAuthorizedOperations === false, 'MetadataRequest.includeTopicAuthorizedOperations', version);
  if (flexible) writer.noTaggedFields();
}

function readMetadataRequestTopic(reader: Reader, version: number): MetadataRequestTopic {
  const flexible = version >= 9;
  const topicId = version >= 10 ? reader.uuid() : ZERO_UUID;
  const name = version >= 10 ? reader.nullableString(flexible) : reader.string(flexible);
  if (flexible) reader.skipTaggedFields();
  return { topicId, name };
}

function writeMetadataRequestTopic(writer: Writer, input: Draft<MetadataRequestTopic>, version: number): void {
  const flexible = version >= 9;
  const { topicId = ZERO_UUID, name = '' } = input;
  if (version >= 10) writer.uuid(topicId);
  writer.nullableString(flexible, version >= 10 ? name : notNull(name, 'MetadataRequestTopic.name', version));
  if (flexible) writer.noTaggedFields();
}

export interface MetadataResponse {
  readonly throttleTimeMs: number;
  readonly brokers: readonly MetadataResponseBroker[];
  readonly clusterId: string | null;
  /** -1 none is known */
  readonly controllerId: number;
  readonly topics: readonly MetadataResponseTopic[];
  readonly clusterAuthorizedOperations: number;
  readonly errorCode: number;
}

export interface MetadataResponseBroker {
  readonly nodeId: number;
  readonly host: string;
  readonly port: number;
  readonly rack: string | null;
}

export interface MetadataResponseTopic {
  readonly errorCode: number;
  readonly name: string | null;
  readonly topicId: string;
  readonly isInternal: boolean;
  readonly partitions: readonly MetadataResponsePartition[];
  /** one bit each */
  readonly topicAuthorizedOperations: number;
}

export interface MetadataResponsePartition {
  readonly errorCode: number;
  readonly partitionIndex: number;
  /** -1 there is none */
  readonly leaderId: number;
  readonly leaderEpoch: number;
  readonly replicaNodes: readonly number[];
  readonly isrNodes: readonly number[];
  readonly offlineReplicas: readonly number[];
}

function readMetadataResponse(reader: Reader, version: number): MetadataResponse {
  const flexible = version >= 9;
  requireReadable(version >= 0 && version <= 13, 'MetadataResponse', version);
  const throttleTimeMs = version >= 3 ? reader.int32() : 0;
  const brokers = reader.array(flexible, () => readMetadataResponseBroker(reader, version));
  const clusterId = version >= 2 ? reader.nullableString(flexible) : null;
  const controllerId = version >= 1 ? reader.int32() : -1;
  const topics = reader.array(flexible, () => readMetadataResponseTopic(reader, version));
  const clusterAuthorizedOperations = version >= 8 && version <= 10 ? reader.int32() : -2147483648;
  const errorCode = version >= 13 ? reader.int16() : 0;
  if (flexible) reader.skipTaggedFields();
  return { throttleTimeMs, brokers, clusterId, controllerId, topics, clusterAuthorizedOperations, errorCode };
}

function writeMetadataResponse(writer: Writer, input: Draft<MetadataResponse>, version: number): void {
  const flexible = version >= 9;
  requireWritable(version >= 0 && version <= 13, 'MetadataResponse', version);
  const { throttleTimeMs = 0, brokers = [], clusterId = null, controllerId = -1, topics = [], clusterAuthorizedOperations = -2147483648, errorCode = 0 } = input;
  if (version >= 3) writer.int32(throttleTimeMs);
  writer.array(flexible, brokers, (item) => writeMetadataResponseBroker(writer, item, version));
  if (version >= 2) writer.nullableString(flexible, clusterId);
  if (version >= 1) writer.int32(controllerId);
  writer.array(flexible, topics, (item) => writeMetadataResponseTopic(writer, item, version));
  if (version >= 8 && version <= 10) writer.int32(clusterAuthorizedOperations);
  else requireDefault(clusterAuthorizedOperations === -2147483648, 'MetadataResponse.clusterAuthorizedOperations', version);
  if (version >= 13) writer.int16(errorCode);
  if (flexible) writer.noTaggedFields();
}

function readMetadataResponseBroker(reader: Reader, version: number): MetadataResponseBroker {
  const flexible = version >= 9;
  const nodeId = reader.int32();
  const host = reader.string(flexible);
  const port = reader.int32();
  const rack = version >= 1 ? reader.nullableString(flexible) : null;
  if (flexible) reader.skipTaggedFields();
  return { nodeId, host, port, rack };
}

function writeMetadataResponseBroker(writer: Writer, input: Draft<MetadataResponseBroker>, version: number): void {
  const flexible = version >= 9;
  const { nodeId = 0, host = '', port = 0, rack = null } = input;
  writer.int32(nodeId);
  writer.string(flexible, host);
  writer.int32(port);
  if (version >= 1) writer.nullableString(flexible, rack);
  if (flexible) writer.noTaggedFields();
}

function readMetadataResponseTopic(reader: Reader, version: number): MetadataResponseTopic {
  const flexible = version >= 9;
  const errorCode = reader.int16();
  const name = version >= 12 ? reader.nullableString(flexible) : reader.string(flexible);
  const topicId = version >= 10 ? reader.uuid() : ZERO_UUID;
  const isInternal = version >= 1 ? reader.boolean() : false;
  const partitions = reader.array(flexible, () => readMetadataResponsePartition(reader, version));
  const topicAuthorizedOperations = version >= 8 ? reader.int32() : -2147483648;
  if (flexible) reader.skipTaggedFields();
  return { errorCode, name, topicId, isInternal, partitions, topicAuthorizedOperations };
}

function writeMetadataResponseTopic(writer: Writer, input: Draft<MetadataResponseTopic>, version: number): void {
  const flexible = version >= 9;
  const { errorCode = 0, name = '', topicId = ZERO_UUID, isInternal = false, partitions = [], topicAuthorizedOperations = -2147483648 } = input;
  writer.int16(errorCode);
  writer.nullableString(flexible, version >= 12 ? name : notNull(name, 'MetadataResponseTopic.name', version));
  if (version >= 10) writer.uuid(topicId);
  if (version >= 1) writer.boolean(isInternal);
  writer.array(flexible, partitions, (item) => writeMetadataResponsePartition(writer, item, version));
  if (version >= 8) writer.int32(topicAuthorizedOperations);
  else requireDefault(topicAuthorizedOperations === -2147483648, 'MetadataResponseTopic.topicAuthorizedOperations', version);
  if (flexible) writer.noTaggedFields();
}

function readMetadataResponsePartition(reader: Reader, version: number): MetadataResponsePartition {
  const flexible = version >= 9;
  const errorCode = reader.int16();
  const partitionIndex = reader.int32();
  const leaderId = reader.int32();
  const leaderEpoch = version >= 7 ? reader.int32() : -1;
  const replicaNodes = reader.array(flexible, () => reader.int32());
  const isrNodes = reader.array(flexible, () => reader.int32());
  const offlineReplicas = version >= 5 ? reader.array(flexible, () => reader.int32()) : [];
  if (flexible) reader.skipTaggedFields();
  return { errorCode, partitionIndex, leaderId, leaderEpoch, replicaNodes, isrNodes, offlineReplicas };
}

function writeMetadataResponsePartition(writer: Writer, input: Draft<MetadataResponsePartition>, version: number): void {
  const flexible = version >= 9;
  const { errorCode = 0, partitionIndex = 0, leaderId = 0, leaderEpoch = -1, replicaNodes = [], isrNodes = [], offlineReplicas = [] } = input;
  writer.int16(errorCode);
  writer.int32(partitionIndex);
  writer.int32(leaderId);
  if (version >= 7) writer.int32(leaderEpoch);
  writer.array(flexible, replicaNodes, (item) => writer.int32(item));
  writer.array(flexible, isrNodes, (item) => writer.int32(item));
  if (version >= 5) writer.array(flexible, offlineReplicas, (item) => writer.int32(item));
  if (flexible) writer.noTaggedFields();
}
