// Generated from 22-init-producer-id.api by `npm run generate`; never edited.
//
// InitProducerId: a producer id and epoch for an idempotent or transactional producer.
//
// 1: the client waits out throttleTimeMs itself. 2 is flexible. 3 lets a producer raise its own
// epoch (KIP-360). 4 may answer PRODUCER_FENCED (KIP-588). 5 may answer ABORTABLE_TRANSACTION
// (KIP-890).

import { type Api, type Draft, requireDefault, requireReadable, requireWritable } from '../codec.ts';
import type { Reader } from '../reader.ts';
import type { Writer } from '../writer.ts';

export const InitProducerId: Api<InitProducerIdRequest, InitProducerIdResponse> = {
  key: 22,
  name: 'InitProducerId',
  minVersion: 0,
  maxVersion: 5,
  flexibleFrom: 2,
  request: { read: readInitProducerIdRequest, write: writeInitProducerIdRequest },
  response: { read: readInitProducerIdResponse, write: writeInitProducerIdResponse },
  requestHeaderVersion: (version: number) => (version >= 2 ? 2 : 1),
  responseHeaderVersion: (version: number) => (version >= 2 ? 1 : 0),
};

export interface InitProducerIdRequest {
  /** null for a producer that is only idempotent */
  readonly transactionalId: string | null;
  readonly transactionTimeoutMs: number;
  readonly producerId: bigint;
  readonly producerEpoch: number;
}

function readInitProducerIdRequest(reader: Reader, version: number): InitProducerIdRequest {
  const flexible = version >= 2;
  requireReadable(version >= 0 && version <= 5, 'InitProducerIdRequest', version);
  const transactionalId = reader.nullableString(flexible);
  const transactionTimeoutMs = reader.int32();
  const producerId = version >= 3 ? reader.int64() : -1n;
  const producerEpoch = version >= 3 ? reader.int16() : -1;
  if (flexible) reader.skipTaggedFields();
  return { transactionalId, transactionTimeoutMs, producerId, producerEpoch };
}

function writeInitProducerIdRequest(writer: Writer, input: Draft<InitProducerIdRequest>, version: number): void {
  const flexible = version >= 2;
  requireWritable(version >= 0 && version <= 5, 'InitProducerIdRequest', version);
  const { transactionalId = '', transactionTimeoutMs = 0, producerId = -1n, producerEpoch = -1 } = input;
  writer.nullableString(flexible, transactionalId);
  writer.int32(transactionTimeoutMs);
  if (version >= 3) writer.int64(producerId);
  else requireDefault(producerId === -1n, 'InitProducerIdRequest.producerId', version);
  if (version >= 3) writer.int16(producerEpoch);
  else requireDefault(producerEpoch === -1, 'InitProducerIdRequest.producerEpoch', version);
  if (flexible) writer.noTaggedFields();
}

export interface InitProducerIdResponse {
  readonly throttleTimeMs: number;
  readonly errorCode: number;
  readonly producerId: bigint;
  readonly producerEpoch: number;
}

function readInitProducerIdResponse(reader: Reader, version: number): InitProducerIdResponse {
  const flexible = version >= 2;
  requireReadable(version >= 0 && version <= 5, 'InitProducerIdResponse', version);
  const throttleTimeMs = reader.int32();
  const errorCode = reader.int16();
  const producerId = reader.int64();
  const producerEpoch = reader.int16();
  if (flexible) reader.skipTaggedFields();
  return { throttleTimeMs, errorCode, producerId, producerEpoch };
}

function writeInitProducerIdResponse(writer: Writer, input: Draft<InitProducerIdResponse>, version: number): void {
  const flexible = version >= 2;
  requireWritable(version >= 0 && version <= 5, 'InitProducerIdResponse', version);
  const { throttleTimeMs = 0, errorCode = 0, producerId = -1n, producerEpoch = 0 } = input;
  writer.int32(throttleTimeMs);
  writer.int16(errorCode);
  writer.int64(producerId);
  writer.int16(producerEpoch);
  if (flexible) writer.noTaggedFields();
}
