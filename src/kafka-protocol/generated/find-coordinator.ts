// Generated from 10-find-coordinator.api by `npm run generate`; never edited.
//
// FindCoordinator: which broker coordinates a group, a transactional id or a share partition.
//
// keyType is 0 for groups, 1 for transactional ids, and from 6 2 for share partitions (KIP-932). 1
// adds keyType and errorMessage (KIP-98). 2: the client waits out throttleTimeMs itself. 3 is
// flexible. 4 asks for several keys at once (KIP-699). 5 may answer ABORTABLE_TRANSACTION (KIP-890).

import { type Api, type Draft, requireDefault, requireReadable, requireWritable } from '../codec.ts';
import type { Reader } from '../reader.ts';
import type { Writer } from '../writer.ts';

export const FindCoordinator: Api<FindCoordinatorRequest, FindCoordinatorResponse> = {
  key: 10,
  name: 'FindCoordinator',
  minVersion: 0,
  maxVersion: 6,
  flexibleFrom: 3,
  request: { read: readFindCoordinatorRequest, write: writeFindCoordinatorRequest },
  response: { read: readFindCoordinatorResponse, write: writeFindCoordinatorResponse },
  requestHeaderVersion: (version: number) => (version >= 3 ? 2 : 1),
  responseHeaderVersion: (version: number) => (version >= 3 ? 1 : 0),
};

export interface FindCoordinatorRequest {
  readonly key: string;
  readonly keyType: number;
  readonly coordinatorKeys: readonly string[];
}

function readFindCoordinatorRequest(reader: Reader, version: number): FindCoordinatorRequest {
  const flexible = version >= 3;
  requireReadable(version >= 0 && version <= 6, 'FindCoordinatorRequest', version);
  const key = version <= 3 ? reader.string(flexible) : '';
  const keyType = version >= 1 ? reader.int8() : 0;
  const coordinatorKeys = version >= 4 ? reader.array(flexible, () => reader.string(flexible)) : [];
  if (flexible) reader.skipTaggedFields();
  return { key, keyType, coordinatorKeys };
}

function writeFindCoordinatorRequest(writer: Writer, input: Draft<FindCoordinatorRequest>, version: number): void {
  const flexible = version >= 3;
  requireWritable(version >= 0 && version <= 6, 'FindCoordinatorRequest', version);
  const { key = '', keyType = 0, coordinatorKeys = [] } = input;
  if (version <= 3) writer.string(flexible, key);
  else requireDefault(key === '', 'FindCoordinatorRequest.key', version);
  if (version >= 1) writer.int8(keyType);
  else requireDefault(keyType === 0, 'FindCoordinatorRequest.keyType', version);
  if (version >= 4) writer.array(flexible, coordinatorKeys, (item) => writer.string(flexible, item));
  else requireDefault(coordinatorKeys.length === 0, 'FindCoordinatorRequest.coordinatorKeys', version);
  if (flexible) writer.noTaggedFields();
}

export interface FindCoordinatorResponse {
  readonly throttleTimeMs: number;
  readonly errorCode: number;
  readonly errorMessage: string | null;
  readonly nodeId: number;
  readonly host: string;
  readonly port: number;
  readonly coordinators: readonly Coordinator[];
}

export interface Coordinator {
  readonly key: string;
  readonly nodeId: number;
  readonly host: string;
  readonly port: number;
  readonly errorCode: number;
  readonly errorMessage: string | null;
}

function readFindCoordinatorResponse(reader: Reader, version: number): FindCoordinatorResponse {
  const flexible = version >= 3;
  requireReadable(version >= 0 && version <= 6, 'FindCoordinatorResponse', version);
  const throttleTimeMs = version >= 1 ? reader.int32() : 0;
  const errorCode = version <= 3 ? reader.int16() : 0;
  const errorMessage = version >= 1 && version <= 3 ? reader.nullableString(flexible) : '';
  const nodeId = version <= 3 ? reader.int32() : 0;
  const host = version <= 3 ? reader.string(flexible) : '';
  const port = version <= 3 ? reader.int32() : 0;
  const coordinators = version >= 4 ? reader.array(flexible, () => readCoordinator(reader, version)) : [];
  if (flexible) reader.skipTaggedFields();
  return { throttleTimeMs, errorCode, errorMessage, nodeId, host, port, coordinators };
}

function writeFindCoordinatorResponse(writer: Writer, input: Draft<FindCoordinatorResponse>, version: number): void {
  const flexible = version >= 3;
  requireWritable(version >= 0 && version <= 6, 'FindCoordinatorResponse', version);
  const { throttleTimeMs = 0, errorCode = 0, errorMessage = '', nodeId = 0, host = '', port = 0, coordinators = [] } = input;
  if (version >= 1) writer.int32(throttleTimeMs);
  if (version <= 3) writer.int16(errorCode);
  else requireDefault(errorCode === 0, 'FindCoordinatorResponse.errorCode', version);
  if (version >= 1 && version <= 3) writer.nullableString(flexible, errorMessage);
  if (version <= 3) writer.int32(nodeId);
  else requireDefault(nodeId === 0, 'FindCoordinatorResponse.nodeId', version);
  if (version <= 3) writer.string(flexible, host);
  else requireDefault(host === '', 'FindCoordinatorResponse.host', version);
  if (version <= 3) writer.int32(port);
  else requireDefault(port === 0, 'FindCoordinatorResponse.port', version);
  if (version >= 4) writer.array(flexible, coordinators, (item) => writeCoordinator(writer, item, version));
  else requireDefault(coordinators.length === 0, 'FindCoordinatorResponse.coordinators', version);
  if (flexible) writer.noTaggedFields();
}

function readCoordinator(reader: Reader, _version: number): Coordinator {
  const flexible = true;
  const key = reader.string(flexible);
  const nodeId = reader.int32();
  const host = reader.string(flexible);
  const port = reader.int32();
  const errorCode = reader.int16();
  const errorMessage = reader.nullableString(flexible);
  reader.skipTaggedFields();
  return { key, nodeId, host, port, errorCode, errorMessage };
}

function writeCoordinator(writer: Writer, input: Draft<Coordinator>, _version: number): void {
  const flexible = true;
  const { key = '', nodeId = 0, host = '', port = 0, errorCode = 0, errorMessage = '' } = input;
  writer.string(flexible, key);
  writer.int32(nodeId);
  writer.string(flexible, host);
  writer.int32(port);
  writer.int16(errorCode);
  writer.nullableString(flexible, errorMessage);
  writer.noTaggedFields();
}
