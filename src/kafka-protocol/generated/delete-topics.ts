// Generated from 20-delete-topics.api by `npm run generate`; never edited.
//
// DeleteTopics: delete topics by name, from version 6 also by id.
//
// 1 is the oldest version Kafka 4 accepts. 2: the client waits out throttleTimeMs itself. 3 may
// answer TOPIC_DELETION_DISABLED (KIP-322). 4 is flexible. 5 adds errorMessage and may answer
// THROTTLING_QUOTA_EXCEEDED (KIP-599). 6 names topics by name or id (KIP-516).

import { type Api, type Draft, notNull, requireDefault, requireReadable, requireWritable, ZERO_UUID } from '../codec.ts';
import type { Reader } from '../reader.ts';
import type { Writer } from '../writer.ts';

export const DeleteTopics: Api<DeleteTopicsRequest, DeleteTopicsResponse> = {
  key: 20,
  name: 'DeleteTopics',
  minVersion: 1,
  maxVersion: 6,
  flexibleFrom: 4,
  request: { read: readDeleteTopicsRequest, write: writeDeleteTopicsRequest },
  response: { read: readDeleteTopicsResponse, write: writeDeleteTopicsResponse },
  requestHeaderVersion: (version: number) => (version >= 4 ? 2 : 1),
  responseHeaderVersion: (version: number) => (version >= 4 ? 1 : 0),
};

export interface DeleteTopicsRequest {
  readonly topics: readonly DeleteTopicState[];
  readonly topicNames: readonly string[];
  readonly timeoutMs: number;
}

export interface DeleteTopicState {
  readonly name: string | null;
  readonly topicId: string;
}

function readDeleteTopicsRequest(reader: Reader, version: number): DeleteTopicsRequest {
  const flexible = version >= 4;
  requireReadable(version >= 1 && version <= 6, 'DeleteTopicsRequest', version);
  const topics = version >= 6 ? reader.array(flexible, () => readDeleteTopicState(reader, version)) : [];
  const topicNames = version <= 5 ? reader.array(flexible, () => reader.string(flexible)) : [];
  const timeoutMs = reader.int32();
  if (flexible) reader.skipTaggedFields();
  return { topics, topicNames, timeoutMs };
}

function writeDeleteTopicsRequest(writer: Writer, input: Draft<DeleteTopicsRequest>, version: number): void {
  const flexible = version >= 4;
  requireWritable(version >= 1 && version <= 6, 'DeleteTopicsRequest', version);
  const { topics = [], topicNames = [], timeoutMs = 0 } = input;
  if (version >= 6) writer.array(flexible, topics, (item) => writeDeleteTopicState(writer, item, version));
  else requireDefault(topics.length === 0, 'DeleteTopicsRequest.topics', version);
  if (version <= 5) writer.array(flexible, topicNames, (item) => writer.string(flexible, item));
  writer.int32(timeoutMs);
  if (flexible) writer.noTaggedFields();
}

function readDeleteTopicState(reader: Reader, _version: number): DeleteTopicState {
  const flexible = true;
  const name = reader.nullableString(flexible);
  const topicId = reader.uuid();
  reader.skipTaggedFields();
  return { name, topicId };
}

function writeDeleteTopicState(writer: Writer, input: Draft<DeleteTopicState>, _version: number): void {
  const flexible = true;
  const { name = null, topicId = ZERO_UUID } = input;
  writer.nullableString(flexible, name);
  writer.uuid(topicId);
  writer.noTaggedFields();
}

export interface DeleteTopicsResponse {
  readonly throttleTimeMs: number;
  readonly responses: readonly DeletableTopicResult[];
}

export interface DeletableTopicResult {
  readonly name: string | null;
  readonly topicId: string;
  readonly errorCode: number;
  readonly errorMessage: string | null;
}

function readDeleteTopicsResponse(reader: Reader, version: number): DeleteTopicsResponse {
  const flexible = version >= 4;
  requireReadable(version >= 1 && version <= 6, 'DeleteTopicsResponse', version);
  const throttleTimeMs = reader.int32();
  const responses = reader.array(flexible, () => readDeletableTopicResult(reader, version));
  if (flexible) reader.skipTaggedFields();
  return { throttleTimeMs, responses };
}

function writeDeleteTopicsResponse(writer: Writer, input: Draft<DeleteTopicsResponse>, version: number): void {
  const flexible = version >= 4;
  requireWritable(version >= 1 && version <= 6, 'DeleteTopicsResponse', version);
  const { throttleTimeMs = 0, responses = [] } = input;
  writer.int32(throttleTimeMs);
  writer.array(flexible, responses, (item) => writeDeletableTopicResult(writer, item, version));
  if (flexible) writer.noTaggedFields();
}

function readDeletableTopicResult(reader: Reader, version: number): DeletableTopicResult {
  const flexible = version >= 4;
  const name = version >= 6 ? reader.nullableString(flexible) : reader.string(flexible);
  const topicId = version >= 6 ? reader.uuid() : ZERO_UUID;
  const errorCode = reader.int16();
  const errorMessage = version >= 5 ? reader.nullableString(flexible) : null;
  if (flexible) reader.skipTaggedFields();
  return { name, topicId, errorCode, errorMessage };
}

function writeDeletableTopicResult(writer: Writer, input: Draft<DeletableTopicResult>, version: number): void {
  const flexible = version >= 4;
  const { name = '', topicId = ZERO_UUID, errorCode = 0, errorMessage = null } = input;
  writer.nullableString(flexible, version >= 6 ? name : notNull(name, 'DeletableTopicResult.name', version));
  if (version >= 6) writer.uuid(topicId);
  writer.int16(errorCode);
  if (version >= 5) writer.nullableString(flexible, errorMessage);
  if (flexible) writer.noTaggedFields();
}
