// Generated from 01-fetch.api by `npm run generate`; never edited.
//
// Fetch: read record batches from partitions; consumers and followers alike.
//
// 4 is the oldest version Kafka 4 accepts: isolation levels and aborted transactions (KIP-98). 5
// adds logStartOffset (KIP-107). 6 may answer KAFKA_STORAGE_ERROR. 7 adds fetch sessions (KIP-227).
// 8: the client waits out throttleTimeMs itself. 9 adds currentLeaderEpoch (KIP-320). 10 allows zstd
// (KIP-110). 11 adds rackId and preferredReadReplica (KIP-392). 12 is flexible and detects
// divergence by epoch (KIP-595). 13 names topics by id (KIP-516). 14 may answer
// OFFSET_MOVED_TO_TIERED_STORAGE (KIP-405). 15 moves replicaId into replicaState (KIP-903). 16 names
// the new leader (KIP-951). 17 adds the follower's directory (KIP-853). 18 tells the high watermark
// a follower knows (KIP-1166).

import { type Api, type Draft, requireDefault, requireReadable, requireWritable, ZERO_UUID } from '../codec.ts';
import type { Reader } from '../reader.ts';
import type { Writer } from '../writer.ts';

export const Fetch: Api<FetchRequest, FetchResponse> = {
  key: 1,
  name: 'Fetch',
  minVersion: 4,
  maxVersion: 18,
  flexibleFrom: 12,
  request: { read: readFetchRequest, write: writeFetchRequest },
  response: { read: readFetchResponse, write: writeFetchResponse },
  requestHeaderVersion: (version: number) => (version >= 12 ? 2 : 1),
  responseHeaderVersion: (version: number) => (version >= 12 ? 1 : 0),
};

export interface FetchRequest {
  readonly clusterId: string | null;
  /** -1 is a consumer */
  readonly replicaId: number;
  readonly replicaState: ReplicaState;
  readonly maxWaitMs: number;
  /** fewer wait, up to maxWaitMs */
  readonly minBytes: number;
  readonly maxBytes: number;
  /** 0 read uncommitted, 1 read committed */
  readonly isolationLevel: number;
  readonly sessionId: number;
  /** -1 no session, 0 a new one */
  readonly sessionEpoch: number;
  readonly topics: readonly FetchTopic[];
  readonly forgottenTopicsData: readonly ForgottenTopic[];
  readonly rackId: string;
}

export interface ReplicaState {
  readonly replicaId: number;
  readonly replicaEpoch: bigint;
}

export interface FetchTopic {
  readonly topic: string;
  readonly topicId: string;
  readonly partitions: readonly FetchPartition[];
}

export interface FetchPartition {
  readonly partition: number;
  /** -1 does not know it */
  readonly currentLeaderEpoch: number;
  readonly fetchOffset: bigint;
  readonly lastFetchedEpoch: number;
  readonly logStartOffset: bigint;
  readonly partitionMaxBytes: number;
  readonly replicaDirectoryId: string;
  readonly highWatermark: bigint;
}

export interface ForgottenTopic {
  readonly topic: string;
  readonly topicId: string;
  readonly partitions: readonly number[];
}

function readFetchRequest(reader: Reader, version: number): FetchRequest {
  const flexible = version >= 12;
  requireReadable(version >= 4 && version <= 18, 'FetchRequest', version);
  const replicaId = version <= 14 ? reader.int32() : -1;
  const maxWaitMs = reader.int32();
  const minBytes = reader.int32();
  const maxBytes = reader.int32();
  const isolationLevel = reader.int8();
  const sessionId = version >= 7 ? reader.int32() : 0;
  const sessionEpoch = version >= 7 ? reader.int32() : -1;
  const topics = reader.array(flexible, () => readFetchTopic(reader, version));
  const forgottenTopicsData = version >= 7 ? reader.array(flexible, () => readForgottenTopic(reader, version)) : [];
  const rackId = version >= 11 ? reader.string(flexible) : '';
  let clusterId: string | null = null;
  let replicaState: ReplicaState = defaultReplicaState;
  if (flexible) reader.taggedFields((tag) => {
    switch (tag) {
      case 0:
        clusterId = reader.nullableString(flexible);
        return true;
      case 1:
        if (version < 15) return false;
        replicaState = readReplicaState(reader, version);
        return true;
      default:
        return false;
    }
  });
  return { clusterId, replicaId, replicaState, maxWaitMs, minBytes, maxBytes, isolationLevel, sessionId, sessionEpoch, topics, forgottenTopicsData, rackId };
}

function writeFetchRequest(writer: Writer, input: Draft<FetchRequest>, version: number): void {
  const flexible = version >= 12;
  requireWritable(version >= 4 && version <= 18, 'FetchRequest', version);
  const { clusterId = null, replicaId = -1, replicaState = {}, maxWaitMs = 0, minBytes = 0, maxBytes = 2147483647, isolationLevel = 0, sessionId = 0, sessionEpoch = -1, topics = [], forgottenTopicsData = [], rackId = '' } = input;
  if (version <= 14) writer.int32(replicaId);
  else requireDefault(replicaId === -1, 'FetchRequest.replicaId', version);
  writer.int32(maxWaitMs);
  writer.int32(minBytes);
  writer.int32(maxBytes);
  writer.int8(isolationLevel);
  if (version >= 7) writer.int32(sessionId);
  if (version >= 7) writer.int32(sessionEpoch);
  writer.array(flexible, topics, (item) => writeFetchTopic(writer, item, version));
  if (version >= 7) writer.array(flexible, forgottenTopicsData, (item) => writeForgottenTopic(writer, item, version));
  else requireDefault(forgottenTopicsData.length === 0, 'FetchRequest.forgottenTopicsData', version);
  if (version >= 11) writer.string(flexible, rackId);
  if (version < 15) requireDefault(isDefaultReplicaState(replicaState), 'FetchRequest.replicaState', version);
  if (flexible) writer.taggedFields((add) => {
    if (clusterId !== null) add(0, () => writer.nullableString(flexible, clusterId));
    if (version >= 15 && !isDefaultReplicaState(replicaState)) add(1, () => writeReplicaState(writer, replicaState, version));
  });
}

function readReplicaState(reader: Reader, _version: number): ReplicaState {
  const replicaId = reader.int32();
  const replicaEpoch = reader.int64();
  reader.skipTaggedFields();
  return { replicaId, replicaEpoch };
}

function writeReplicaState(writer: Writer, input: Draft<ReplicaState>, _version: number): void {
  const { replicaId = -1, replicaEpoch = -1n } = input;
  writer.int32(replicaId);
  writer.int64(replicaEpoch);
  writer.noTaggedFields();
}

function readFetchTopic(reader: Reader, version: number): FetchTopic {
  const flexible = version >= 12;
  const topic = version <= 12 ? reader.string(flexible) : '';
  const topicId = version >= 13 ? reader.uuid() : ZERO_UUID;
  const partitions = reader.array(flexible, () => readFetchPartition(reader, version));
  if (flexible) reader.skipTaggedFields();
  return { topic, topicId, partitions };
}

function writeFetchTopic(writer: Writer, input: Draft<FetchTopic>, version: number): void {
  const flexible = version >= 12;
  const { topic = '', topicId = ZERO_UUID, partitions = [] } = input;
  if (version <= 12) writer.string(flexible, topic);
  if (version >= 13) writer.uuid(topicId);
  writer.array(flexible, partitions, (item) => writeFetchPartition(writer, item, version));
  if (flexible) writer.noTaggedFields();
}

function readFetchPartition(reader: Reader, version: number): FetchPartition {
  const flexible = version >= 12;
  const partition = reader.int32();
  const currentLeaderEpoch = version >= 9 ? reader.int32() : -1;
  const fetchOffset = reader.int64();
  const lastFetchedEpoch = version >= 12 ? reader.int32() : -1;
  const logStartOffset = version >= 5 ? reader.int64() : -1n;
  const partitionMaxBytes = reader.int32();
  let replicaDirectoryId: string = ZERO_UUID;
  let highWatermark: bigint = 9223372036854775807n;
  if (flexible) reader.taggedFields((tag) => {
    switch (tag) {
      case 0:
        if (version < 17) return false;
        replicaDirectoryId = reader.uuid();
        return true;
      case 1:
        if (version < 18) return false;
        highWatermark = reader.int64();
        return true;
      default:
        return false;
    }
  });
  return { partition, currentLeaderEpoch, fetchOffset, lastFetchedEpoch, logStartOffset, partitionMaxBytes, replicaDirectoryId, highWatermark };
}

function writeFetchPartition(writer: Writer, input: Draft<FetchPartition>, version: number): void {
  const flexible = version >= 12;
  const { partition = 0, currentLeaderEpoch = -1, fetchOffset = 0n, lastFetchedEpoch = -1, logStartOffset = -1n, partitionMaxBytes = 0, replicaDirectoryId = ZERO_UUID, highWatermark = 9223372036854775807n } = input;
  writer.int32(partition);
  if (version >= 9) writer.int32(currentLeaderEpoch);
  writer.int64(fetchOffset);
  if (version >= 12) writer.int32(lastFetchedEpoch);
  else requireDefault(lastFetchedEpoch === -1, 'FetchPartition.lastFetchedEpoch', version);
  if (version >= 5) writer.int64(logStartOffset);
  writer.int32(partitionMaxBytes);
  if (flexible) writer.taggedFields((add) => {
    if (version >= 17 && replicaDirectoryId !== ZERO_UUID) add(0, () => writer.uuid(replicaDirectoryId));
    if (version >= 18 && highWatermark !== 9223372036854775807n) add(1, () => writer.int64(highWatermark));
  });
}

function readForgottenTopic(reader: Reader, version: number): ForgottenTopic {
  const flexible = version >= 12;
  const topic = version <= 12 ? reader.string(flexible) : '';
  const topicId = version >= 13 ? reader.uuid() : ZERO_UUID;
  const partitions = reader.array(flexible, () => reader.int32());
  if (flexible) reader.skipTaggedFields();
  return { topic, topicId, partitions };
}

function writeForgottenTopic(writer: Writer, input: Draft<ForgottenTopic>, version: number): void {
  const flexible = version >= 12;
  const { topic = '', topicId = ZERO_UUID, partitions = [] } = input;
  if (version <= 12) writer.string(flexible, topic);
  if (version >= 13) writer.uuid(topicId);
  writer.array(flexible, partitions, (item) => writer.int32(item));
  if (flexible) writer.noTaggedFields();
}

export interface FetchResponse {
  readonly throttleTimeMs: number;
  readonly errorCode: number;
  readonly sessionId: number;
  readonly responses: readonly FetchableTopicResponse[];
  readonly nodeEndpoints: readonly FetchResponseNodeEndpoint[];
}

export interface FetchableTopicResponse {
  readonly topic: string;
  readonly topicId: string;
  readonly partitions: readonly PartitionData[];
}

export interface PartitionData {
  readonly partitionIndex: number;
  readonly errorCode: number;
  readonly highWatermark: bigint;
  readonly lastStableOffset: bigint;
  readonly logStartOffset: bigint;
  readonly divergingEpoch: FetchResponseEpochEndOffset;
  readonly currentLeader: FetchResponseLeaderIdAndEpoch;
  readonly snapshotId: SnapshotId;
  /** null for read uncommitted */
  readonly abortedTransactions: readonly AbortedTransaction[] | null;
  /** -1 this broker */
  readonly preferredReadReplica: number;
  /** the last batch may be cut */
  readonly records: Uint8Array | null;
}

export interface FetchResponseEpochEndOffset {
  readonly epoch: number;
  readonly endOffset: bigint;
}

export interface FetchResponseLeaderIdAndEpoch {
  readonly leaderId: number;
  readonly leaderEpoch: number;
}

export interface SnapshotId {
  readonly endOffset: bigint;
  readonly epoch: number;
}

export interface AbortedTransaction {
  readonly producerId: bigint;
  readonly firstOffset: bigint;
}

export interface FetchResponseNodeEndpoint {
  readonly nodeId: number;
  readonly host: string;
  readonly port: number;
  readonly rack: string | null;
}

function readFetchResponse(reader: Reader, version: number): FetchResponse {
  const flexible = version >= 12;
  requireReadable(version >= 4 && version <= 18, 'FetchResponse', version);
  const throttleTimeMs = reader.int32();
  const errorCode = version >= 7 ? reader.int16() : 0;
  const sessionId = version >= 7 ? reader.int32() : 0;
  const responses = reader.array(flexible, () => readFetchableTopicResponse(reader, version));
  let nodeEndpoints: readonly FetchResponseNodeEndpoint[] = [];
  if (flexible) reader.taggedFields((tag) => {
    switch (tag) {
      case 0:
        if (version < 16) return false;
        nodeEndpoints = reader.array(flexible, () => readFetchResponseNodeEndpoint(reader, version));
        return true;
      default:
        return false;
    }
  });
  return { throttleTimeMs, errorCode, sessionId, responses, nodeEndpoints };
}

function writeFetchResponse(writer: Writer, input: Draft<FetchResponse>, version: number): void {
  const flexible = version >= 12;
  requireWritable(version >= 4 && version <= 18, 'FetchResponse', version);
  const { throttleTimeMs = 0, errorCode = 0, sessionId = 0, responses = [], nodeEndpoints = [] } = input;
  writer.int32(throttleTimeMs);
  if (version >= 7) writer.int16(errorCode);
  if (version >= 7) writer.int32(sessionId);
  else requireDefault(sessionId === 0, 'FetchResponse.sessionId', version);
  writer.array(flexible, responses, (item) => writeFetchableTopicResponse(writer, item, version));
  if (version < 16) requireDefault(nodeEndpoints.length === 0, 'FetchResponse.nodeEndpoints', version);
  if (flexible) writer.taggedFields((add) => {
    if (version >= 16 && nodeEndpoints.length !== 0) add(0, () => writer.array(flexible, nodeEndpoints, (item) => writeFetchResponseNodeEndpoint(writer, item, version)));
  });
}

function readFetchableTopicResponse(reader: Reader, version: number): FetchableTopicResponse {
  const flexible = version >= 12;
  const topic = version <= 12 ? reader.string(flexible) : '';
  const topicId = version >= 13 ? reader.uuid() : ZERO_UUID;
  const partitions = reader.array(flexible, () => readPartitionData(reader, version));
  if (flexible) reader.skipTaggedFields();
  return { topic, topicId, partitions };
}

function writeFetchableTopicResponse(writer: Writer, input: Draft<FetchableTopicResponse>, version: number): void {
  const flexible = version >= 12;
  const { topic = '', topicId = ZERO_UUID, partitions = [] } = input;
  if (version <= 12) writer.string(flexible, topic);
  if (version >= 13) writer.uuid(topicId);
  writer.array(flexible, partitions, (item) => writePartitionData(writer, item, version));
  if (flexible) writer.noTaggedFields();
}

function readPartitionData(reader: Reader, version: number): PartitionData {
  const flexible = version >= 12;
  const partitionIndex = reader.int32();
  const errorCode = reader.int16();
  const highWatermark = reader.int64();
  const lastStableOffset = reader.int64();
  const logStartOffset = version >= 5 ? reader.int64() : -1n;
  const abortedTransactions = reader.nullableArray(flexible, () => readAbortedTransaction(reader, version));
  const preferredReadReplica = version >= 11 ? reader.int32() : -1;
  const records = reader.nullableBytes(flexible);
  let divergingEpoch: FetchResponseEpochEndOffset = defaultFetchResponseEpochEndOffset;
  let currentLeader: FetchResponseLeaderIdAndEpoch = defaultFetchResponseLeaderIdAndEpoch;
  let snapshotId: SnapshotId = defaultSnapshotId;
  if (flexible) reader.taggedFields((tag) => {
    switch (tag) {
      case 0:
        divergingEpoch = readFetchResponseEpochEndOffset(reader, version);
        return true;
      case 1:
        currentLeader = readFetchResponseLeaderIdAndEpoch(reader, version);
        return true;
      case 2:
        snapshotId = readSnapshotId(reader, version);
        return true;
      default:
        return false;
    }
  });
  return { partitionIndex, errorCode, highWatermark, lastStableOffset, logStartOffset, divergingEpoch, currentLeader, snapshotId, abortedTransactions, preferredReadReplica, records };
}

function writePartitionData(writer: Writer, input: Draft<PartitionData>, version: number): void {
  const flexible = version >= 12;
  const { partitionIndex = 0, errorCode = 0, highWatermark = 0n, lastStableOffset = -1n, logStartOffset = -1n, divergingEpoch = {}, currentLeader = {}, snapshotId = {}, abortedTransactions = [], preferredReadReplica = -1, records = null } = input;
  writer.int32(partitionIndex);
  writer.int16(errorCode);
  writer.int64(highWatermark);
  writer.int64(lastStableOffset);
  if (version >= 5) writer.int64(logStartOffset);
  writer.nullableArray(flexible, abortedTransactions, (item) => writeAbortedTransaction(writer, item, version));
  if (version >= 11) writer.int32(preferredReadReplica);
  else requireDefault(preferredReadReplica === -1, 'PartitionData.preferredReadReplica', version);
  writer.nullableBytes(flexible, records);
  if (version < 12) requireDefault(isDefaultFetchResponseEpochEndOffset(divergingEpoch), 'PartitionData.divergingEpoch', version);
  if (version < 12) requireDefault(isDefaultFetchResponseLeaderIdAndEpoch(currentLeader), 'PartitionData.currentLeader', version);
  if (version < 12) requireDefault(isDefaultSnapshotId(snapshotId), 'PartitionData.snapshotId', version);
  if (flexible) writer.taggedFields((add) => {
    if (!isDefaultFetchResponseEpochEndOffset(divergingEpoch)) add(0, () => writeFetchResponseEpochEndOffset(writer, divergingEpoch, version));
    if (!isDefaultFetchResponseLeaderIdAndEpoch(currentLeader)) add(1, () => writeFetchResponseLeaderIdAndEpoch(writer, currentLeader, version));
    if (!isDefaultSnapshotId(snapshotId)) add(2, () => writeSnapshotId(writer, snapshotId, version));
  });
}

function readFetchResponseEpochEndOffset(reader: Reader, _version: number): FetchResponseEpochEndOffset {
  const epoch = reader.int32();
  const endOffset = reader.int64();
  reader.skipTaggedFields();
  return { epoch, endOffset };
}

function writeFetchResponseEpochEndOffset(writer: Writer, input: Draft<FetchResponseEpochEndOffset>, _version: number): void {
  const { epoch = -1, endOffset = -1n } = input;
  writer.int32(epoch);
  writer.int64(endOffset);
  writer.noTaggedFields();
}

function readFetchResponseLeaderIdAndEpoch(reader: Reader, _version: number): FetchResponseLeaderIdAndEpoch {
  const leaderId = reader.int32();
  const leaderEpoch = reader.int32();
  reader.skipTaggedFields();
  return { leaderId, leaderEpoch };
}

function writeFetchResponseLeaderIdAndEpoch(writer: Writer, input: Draft<FetchResponseLeaderIdAndEpoch>, _version: number): void {
  const { leaderId = -1, leaderEpoch = -1 } = input;
  writer.int32(leaderId);
  writer.int32(leaderEpoch);
  writer.noTaggedFields();
}

function readSnapshotId(reader: Reader, _version: number): SnapshotId {
  const endOffset = reader.int64();
  const epoch = reader.int32();
  reader.skipTaggedFields();
  return { endOffset, epoch };
}

function writeSnapshotId(writer: Writer, input: Draft<SnapshotId>, _version: number): void {
  const { endOffset = -1n, epoch = -1 } = input;
  writer.int64(endOffset);
  writer.int32(epoch);
  writer.noTaggedFields();
}

function readAbortedTransaction(reader: Reader, version: number): AbortedTransaction {
  const flexible = version >= 12;
  const producerId = reader.int64();
  const firstOffset = reader.int64();
  if (flexible) reader.skipTaggedFields();
  return { producerId, firstOffset };
}

function writeAbortedTransaction(writer: Writer, input: Draft<AbortedTransaction>, version: number): void {
  const flexible = version >= 12;
  const { producerId = 0n, firstOffset = 0n } = input;
  writer.int64(producerId);
  writer.int64(firstOffset);
  if (flexible) writer.noTaggedFields();
}

function readFetchResponseNodeEndpoint(reader: Reader, _version: number): FetchResponseNodeEndpoint {
  const flexible = true;
  const nodeId = reader.int32();
  const host = reader.string(flexible);
  const port = reader.int32();
  const rack = reader.nullableString(flexible);
  reader.skipTaggedFields();
  return { nodeId, host, port, rack };
}

function writeFetchResponseNodeEndpoint(writer: Writer, input: Draft<FetchResponseNodeEndpoint>, _version: number): void {
  const flexible = true;
  const { nodeId = 0, host = '', port = 0, rack = null } = input;
  writer.int32(nodeId);
  writer.string(flexible, host);
  writer.int32(port);
  writer.nullableString(flexible, rack);
  writer.noTaggedFields();
}

const defaultFetchResponseEpochEndOffset: FetchResponseEpochEndOffset = {
  epoch: -1,
  endOffset: -1n,
};

const defaultFetchResponseLeaderIdAndEpoch: FetchResponseLeaderIdAndEpoch = {
  leaderId: -1,
  leaderEpoch: -1,
};

const defaultSnapshotId: SnapshotId = {
  endOffset: -1n,
  epoch: -1,
};

const defaultReplicaState: ReplicaState = {
  replicaId: -1,
  replicaEpoch: -1n,
};

function isDefaultReplicaState(input: Draft<ReplicaState>): boolean {
  const { replicaId = -1, replicaEpoch = -1n } = input;
  return (replicaId === -1) && (replicaEpoch === -1n);
}

function isDefaultSnapshotId(input: Draft<SnapshotId>): boolean {
  const { endOffset = -1n, epoch = -1 } = input;
  return (endOffset === -1n) && (epoch === -1);
}

function isDefaultFetchResponseLeaderIdAndEpoch(input: Draft<FetchResponseLeaderIdAndEpoch>): boolean {
  const { leaderId = -1, leaderEpoch = -1 } = input;
  return (leaderId === -1) && (leaderEpoch === -1);
}

function isDefaultFetchResponseEpochEndOffset(input: Draft<FetchResponseEpochEndOffset>): boolean {
  const { epoch = -1, endOffset = -1n } = input;
  return (epoch === -1) && (endOffset === -1n);
}
