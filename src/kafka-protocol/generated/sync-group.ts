// Generated from 14-sync-group.api by `npm run generate`; never edited.
//
// SyncGroup: the leader of a classic group hands in the assignment, each member gets its part.
//
// 1 adds throttleTimeMs (KIP-124). 2: the client waits it out itself. 3 adds static members
// (KIP-345). 4 is flexible. 5 repeats the protocol's type and name, so that a mistaken member is
// noticed (KIP-559).

import { type Api, type Draft, EMPTY_BYTES, requireDefault, requireReadable, requireWritable } from '../codec.ts';
import type { Reader } from '../reader.ts';
import type { Writer } from '../writer.ts';

export const SyncGroup: Api<SyncGroupRequest, SyncGroupResponse> = {
  key: 14,
  name: 'SyncGroup',
  minVersion: 0,
  maxVersion: 5,
  flexibleFrom: 4,
  request: { read: readSyncGroupRequest, write: writeSyncGroupRequest },
  response: { read: readSyncGroupResponse, write: writeSyncGroupResponse },
  requestHeaderVersion: (version: number) => (version >= 4 ? 2 : 1),
  responseHeaderVersion: (version: number) => (version >= 4 ? 1 : 0),
};

export interface SyncGroupRequest {
  readonly groupId: string;
  readonly generationId: number;
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  readonly protocolType: string | null;
  readonly protocolName: string | null;
  readonly assignments: readonly SyncGroupRequestAssignment[];
}

export interface SyncGroupRequestAssignment {
  readonly memberId: string;
  readonly assignment: Uint8Array;
}

function readSyncGroupRequest(reader: Reader, version: number): SyncGroupRequest {
  const flexible = version >= 4;
  requireReadable(version >= 0 && version <= 5, 'SyncGroupRequest', version);
  const groupId = reader.string(flexible);
  const generationId = reader.int32();
  const memberId = reader.string(flexible);
  const groupInstanceId = version >= 3 ? reader.nullableString(flexible) : null;
  const protocolType = version >= 5 ? reader.nullableString(flexible) : null;
  const protocolName = version >= 5 ? reader.nullableString(flexible) : null;
  const assignments = reader.array(flexible, () => readSyncGroupRequestAssignment(reader, version));
  if (flexible) reader.skipTaggedFields();
  return { groupId, generationId, memberId, groupInstanceId, protocolType, protocolName, assignments };
}

function writeSyncGroupRequest(writer: Writer, input: Draft<SyncGroupRequest>, version: number): void {
  const flexible = version >= 4;
  requireWritable(version >= 0 && version <= 5, 'SyncGroupRequest', version);
  const { groupId = '', generationId = 0, memberId = '', groupInstanceId = null, protocolType = null, protocolName = null, assignments = [] } = input;
  writer.string(flexible, groupId);
  writer.int32(generationId);
  writer.string(flexible, memberId);
  if (version >= 3) writer.nullableString(flexible, groupInstanceId);
  else requireDefault(groupInstanceId === null, 'SyncGroupRequest.groupInstanceId', version);
  if (version >= 5) writer.nullableString(flexible, protocolType);
  if (version >= 5) writer.nullableString(flexible, protocolName);
  writer.array(flexible, assignments, (item) => writeSyncGroupRequestAssignment(writer, item, version));
  if (flexible) writer.noTaggedFields();
}

function readSyncGroupRequestAssignment(reader: Reader, version: number): SyncGroupRequestAssignment {
  const flexible = version >= 4;
  const memberId = reader.string(flexible);
  const assignment = reader.bytes(flexible);
  if (flexible) reader.skipTaggedFields();
  return { memberId, assignment };
}

function writeSyncGroupRequestAssignment(writer: Writer, input: Draft<SyncGroupRequestAssignment>, version: number): void {
  const flexible = version >= 4;
  const { memberId = '', assignment = EMPTY_BYTES } = input;
  writer.string(flexible, memberId);
  writer.bytes(flexible, assignment);
  if (flexible) writer.noTaggedFields();
}

export interface SyncGroupResponse {
  readonly throttleTimeMs: number;
  readonly errorCode: number;
  readonly protocolType: string | null;
  readonly protocolName: string | null;
  readonly assignment: Uint8Array;
}

function readSyncGroupResponse(reader: Reader, version: number): SyncGroupResponse {
  const flexible = version >= 4;
  requireReadable(version >= 0 && version <= 5, 'SyncGroupResponse', version);
  const throttleTimeMs = version >= 1 ? reader.int32() : 0;
  const errorCode = reader.int16();
  const protocolType = version >= 5 ? reader.nullableString(flexible) : null;
  const protocolName = version >= 5 ? reader.nullableString(flexible) : null;
  const assignment = reader.bytes(flexible);
  if (flexible) reader.skipTaggedFields();
  return { throttleTimeMs, errorCode, protocolType, protocolName, assignment };
}

function writeSyncGroupResponse(writer: Writer, input: Draft<SyncGroupResponse>, version: number): void {
  const flexible = version >= 4;
  requireWritable(version >= 0 && version <= 5, 'SyncGroupResponse', version);
  const { throttleTimeMs = 0, errorCode = 0, protocolType = null, protocolName = null, assignment = EMPTY_BYTES } = input;
  if (version >= 1) writer.int32(throttleTimeMs);
  writer.int16(errorCode);
  if (version >= 5) writer.nullableString(flexible, protocolType);
  if (version >= 5) writer.nullableString(flexible, protocolName);
  writer.bytes(flexible, assignment);
  if (flexible) writer.noTaggedFields();
}
