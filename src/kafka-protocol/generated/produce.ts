// Generated from 00-produce.api by `npm run generate`; never edited.
//
// Produce: append record batches to partitions. With acks 0 there is no response.
//
// 3 is the oldest version Kafka 4 accepts: transactions and record format 2 (KIP-98). 4 may answer
// KAFKA_STORAGE_ERROR. 5 adds logStartOffset (KIP-207). 6: the client waits out throttleTimeMs
// itself. 7 allows zstd (KIP-110). 8 tells which records were refused and why (KIP-467). 9 is
// flexible. 10 names the new leader when this broker no longer is it (KIP-951). 11 may answer
// ABORTABLE_TRANSACTION. 12 adds the partition to the transaction by itself (KIP-890). 13 names
// topics by id alone (KIP-516).

import { type Api, type Draft, requireDefault, requireReadable, requireWritable, ZERO_UUID } from '../codec.ts';
import type { Reader } from '../reader.ts';
import type { Writer } from '../writer.ts';

export const Produce: Api<ProduceRequest, ProduceResponse> = {
  key: 0,
  name: 'Produce',
  minVersion: 3,
  maxVersion: 13,
  flexibleFrom: 9,
  request: { read: readProduceRequest, write: writeProduceRequest },
  response: { read: readProduceResponse, write: writeProduceResponse },
  requestHeaderVersion: (version: number) => (version >= 9 ? 2 : 1),
  responseHeaderVersion: (version: number) => (version >= 9 ? 1 : 0),
};

export interface ProduceRequest {
  readonly transactionalId: string | null;
  /** -1 all in-sync replicas, 0 no answer, 1 the leader alone */
  readonly acks: number;
  readonly timeoutMs: number;
  readonly topicData: readonly TopicProduceData[];
}

export interface TopicProduceData {
  readonly name: string;
  readonly topicId: string;
  readonly partitionData: readonly PartitionProduceData[];
}

export interface PartitionProduceData {
  readonly index: number;
  /** whole batches of format 2 */
  readonly records: Uint8Array | null;
}

function readProduceRequest(reader: Reader, version: number): ProduceRequest {
  const flexible = version >= 9;
  requireReadable(version >= 3 && version <= 13, 'ProduceRequest', version);
  const transactionalId = reader.nullableString(flexible);
  const acks = reader.int16();
  const timeoutMs = reader.int32();
  const topicData = reader.array(flexible, () => readTopicProduceData(reader, version));
  if (flexible) reader.skipTaggedFields();
  return { transactionalId, acks, timeoutMs, topicData };
}

function writeProduceRequest(writer: Writer, input: Draft<ProduceRequest>, version: number): void {
  const flexible = version >= 9;
  requireWritable(version >= 3 && version <= 13, 'ProduceRequest', version);
  const { transactionalId = null, acks = 0, timeoutMs = 0, topicData = [] } = input;
  writer.nullableString(flexible, transactionalId);
  writer.int16(acks);
  writer.int32(timeoutMs);
  writer.array(flexible, topicData, (item) => writeTopicProduceData(writer, item, version));
  if (flexible) writer.noTaggedFields();
}

function readTopicProduceData(reader: Reader, version: number): TopicProduceData {
  const flexible = version >= 9;
  const name = version <= 12 ? reader.string(flexible) : '';
  const topicId = version >= 13 ? reader.uuid() : ZERO_UUID;
  const partitionData = reader.array(flexible, () => readPartitionProduceData(reader, version));
  if (flexible) reader.skipTaggedFields();
  return { name, topicId, partitionData };
}

function writeTopicProduceData(writer: Writer, input: Draft<TopicProduceData>, version: number): void {
  const flexible = version >= 9;
  const { name = '', topicId = ZERO_UUID, partitionData = [] } = input;
  if (version <= 12) writer.string(flexible, name);
  if (version >= 13) writer.uuid(topicId);
  writer.array(flexible, partitionData, (item) => writePartitionProduceData(writer, item, version));
  if (flexible) writer.noTaggedFields();
}

function readPartitionProduceData(reader: Reader, version: number): PartitionProduceData {
  const flexible = version >= 9;
  const index = reader.int32();
  const records = reader.nullableBytes(flexible);
  if (flexible) reader.skipTaggedFields();
  return { index, records };
}

function writePartitionProduceData(writer: Writer, input: Draft<PartitionProduceData>, version: number): void {
  const flexible = version >= 9;
  const { index = 0, records = null } = input;
  writer.int32(index);
  writer.nullableBytes(flexible, records);
  if (flexible) writer.noTaggedFields();
}

export interface ProduceResponse {
  readonly responses: readonly TopicProduceResponse[];
  readonly throttleTimeMs: number;
  readonly nodeEndpoints: readonly ProduceResponseNodeEndpoint[];
}

export interface TopicProduceResponse {
  readonly name: string;
  readonly topicId: string;
  readonly partitionResponses: readonly PartitionProduceResponse[];
}

export interface PartitionProduceResponse {
  readonly index: number;
  readonly errorCode: number;
  readonly baseOffset: bigint;
  /** -1 with CreateTime */
  readonly logAppendTimeMs: bigint;
  readonly logStartOffset: bigint;
  readonly recordErrors: readonly BatchIndexAndErrorMessage[];
  readonly errorMessage: string | null;
  readonly currentLeader: ProduceResponseLeaderIdAndEpoch;
}

export interface BatchIndexAndErrorMessage {
  /** the record within the batch */
  readonly batchIndex: number;
  readonly batchIndexErrorMessage: string | null;
}

export interface ProduceResponseLeaderIdAndEpoch {
  readonly leaderId: number;
  readonly leaderEpoch: number;
}

export interface ProduceResponseNodeEndpoint {
  readonly nodeId: number;
  readonly host: string;
  readonly port: number;
  readonly rack: string | null;
}

function readProduceResponse(reader: Reader, version: number): ProduceResponse {
  const flexible = version >= 9;
  requireReadable(version >= 3 && version <= 13, 'ProduceResponse', version);
  const responses = reader.array(flexible, () => readTopicProduceResponse(reader, version));
  const throttleTimeMs = reader.int32();
  let nodeEndpoints: readonly ProduceResponseNodeEndpoint[] = [];
  if (flexible) reader.taggedFields((tag) => {
    switch (tag) {
      case 0:
        if (version < 10) return false;
        nodeEndpoints = reader.array(flexible, () => readProduceResponseNodeEndpoint(reader, version));
        return true;
      default:
        return false;
    }
  });
  return { responses, throttleTimeMs, nodeEndpoints };
}

function writeProduceResponse(writer: Writer, input: Draft<ProduceResponse>, version: number): void {
  const flexible = version >= 9;
  requireWritable(version >= 3 && version <= 13, 'ProduceResponse', version);
  const { responses = [], throttleTimeMs = 0, nodeEndpoints = [] } = input;
  writer.array(flexible, responses, (item) => writeTopicProduceResponse(writer, item, version));
  writer.int32(throttleTimeMs);
  if (version < 10) requireDefault(nodeEndpoints.length === 0, 'ProduceResponse.nodeEndpoints', version);
  if (flexible) writer.taggedFields((add) => {
    if (version >= 10 && nodeEndpoints.length !== 0) add(0, () => writer.array(flexible, nodeEndpoints, (item) => writeProduceResponseNodeEndpoint(writer, item, version)));
  });
}

function readTopicProduceResponse(reader: Reader, version: number): TopicProduceResponse {
  const flexible = version >= 9;
  const name = version <= 12 ? reader.string(flexible) : '';
  const topicId = version >= 13 ? reader.uuid() : ZERO_UUID;
  const partitionResponses = reader.array(flexible, () => readPartitionProduceResponse(reader, version));
  if (flexible) reader.skipTaggedFields();
  return { name, topicId, partitionResponses };
}

function writeTopicProduceResponse(writer: Writer, input: Draft<TopicProduceResponse>, version: number): void {
  const flexible = version >= 9;
  const { name = '', topicId = ZERO_UUID, partitionResponses = [] } = input;
  if (version <= 12) writer.string(flexible, name);
  if (version >= 13) writer.uuid(topicId);
  writer.array(flexible, partitionResponses, (item) => writePartitionProduceResponse(writer, item, version));
  if (flexible) writer.noTaggedFields();
}

function readPartitionProduceResponse(reader: Reader, version: number): PartitionProduceResponse {
  const flexible = version >= 9;
  const index = reader.int32();
  const errorCode = reader.int16();
  const baseOffset = reader.int64();
  const logAppendTimeMs = reader.int64();
  const logStartOffset = version >= 5 ? reader.int64() : -1n;
  const recordErrors = version >= 8 ? reader.array(flexible, () => readBatchIndexAndErrorMessage(reader, version)) : [];
  const errorMessage = version >= 8 ? reader.nullableString(flexible) : null;
  let currentLeader: ProduceResponseLeaderIdAndEpoch = defaultProduceResponseLeaderIdAndEpoch;
  if (flexible) reader.taggedFields((tag) => {
    switch (tag) {
      case 0:
        if (version < 10) return false;
        currentLeader = readProduceResponseLeaderIdAndEpoch(reader, version);
        return true;
      default:
        return false;
    }
  });
  return { index, errorCode, baseOffset, logAppendTimeMs, logStartOffset, recordErrors, errorMessage, currentLeader };
}

function writePartitionProduceResponse(writer: Writer, input: Draft<PartitionProduceResponse>, version: number): void {
  const flexible = version >= 9;
  const { index = 0, errorCode = 0, baseOffset = 0n, logAppendTimeMs = -1n, logStartOffset = -1n, recordErrors = [], errorMessage = null, currentLeader = {} } = input;
  writer.int32(index);
  writer.int16(errorCode);
  writer.int64(baseOffset);
  writer.int64(logAppendTimeMs);
  if (version >= 5) writer.int64(logStartOffset);
  if (version >= 8) writer.array(flexible, recordErrors, (item) => writeBatchIndexAndErrorMessage(writer, item, version));
  if (version >= 8) writer.nullableString(flexible, errorMessage);
  if (version < 10) requireDefault(isDefaultProduceResponseLeaderIdAndEpoch(currentLeader), 'PartitionProduceResponse.currentLeader', version);
  if (flexible) writer.taggedFields((add) => {
    if (version >= 10 && !isDefaultProduceResponseLeaderIdAndEpoch(currentLeader)) add(0, () => writeProduceResponseLeaderIdAndEpoch(writer, currentLeader, version));
  });
}

function readBatchIndexAndErrorMessage(reader: Reader, version: number): BatchIndexAndErrorMessage {
  const flexible = version >= 9;
  const batchIndex = reader.int32();
  const batchIndexErrorMessage = reader.nullableString(flexible);
  if (flexible) reader.skipTaggedFields();
  return { batchIndex, batchIndexErrorMessage };
}

function writeBatchIndexAndErrorMessage(writer: Writer, input: Draft<BatchIndexAndErrorMessage>, version: number): void {
  const flexible = version >= 9;
  const { batchIndex = 0, batchIndexErrorMessage = null } = input;
  writer.int32(batchIndex);
  writer.nullableString(flexible, batchIndexErrorMessage);
  if (flexible) writer.noTaggedFields();
}

function readProduceResponseLeaderIdAndEpoch(reader: Reader, _version: number): ProduceResponseLeaderIdAndEpoch {
  const leaderId = reader.int32();
  const leaderEpoch = reader.int32();
  reader.skipTaggedFields();
  return { leaderId, leaderEpoch };
}

function writeProduceResponseLeaderIdAndEpoch(writer: Writer, input: Draft<ProduceResponseLeaderIdAndEpoch>, _version: number): void {
  const { leaderId = -1, leaderEpoch = -1 } = input;
  writer.int32(leaderId);
  writer.int32(leaderEpoch);
  writer.noTaggedFields();
}

function readProduceResponseNodeEndpoint(reader: Reader, _version: number): ProduceResponseNodeEndpoint {
  const flexible = true;
  const nodeId = reader.int32();
  const host = reader.string(flexible);
  const port = reader.int32();
  const rack = reader.nullableString(flexible);
  reader.skipTaggedFields();
  return { nodeId, host, port, rack };
}

function writeProduceResponseNodeEndpoint(writer: Writer, input: Draft<ProduceResponseNodeEndpoint>, _version: number): void {
  const flexible = true;
  const { nodeId = 0, host = '', port = 0, rack = null } = input;
  writer.int32(nodeId);
  writer.string(flexible, host);
  writer.int32(port);
  writer.nullableString(flexible, rack);
  writer.noTaggedFields();
}

const defaultProduceResponseLeaderIdAndEpoch: ProduceResponseLeaderIdAndEpoch = {
  leaderId: -1,
  leaderEpoch: -1,
};

function isDefaultProduceResponseLeaderIdAndEpoch(input: Draft<ProduceResponseLeaderIdAndEpoch>): boolean {
  const { leaderId = -1, leaderEpoch = -1 } = input;
  return (leaderId === -1) && (leaderEpoch === -1);
}
