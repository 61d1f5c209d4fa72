// Generated from 12-heartbeat.api by `npm run generate`; never edited.
//
// Heartbeat: a member of a classic group is alive.
//
// 1 adds throttleTimeMs (KIP-124). 2: the client waits it out itself. 3 adds static members
// (KIP-345). 4 is flexible.

import { type Api, type Draft, requireDefault, requireReadable, requireWritable } from '../codec.ts';
import type { Reader } from '../reader.ts';
import type { Writer } from '../writer.ts';

export const Heartbeat: Api<HeartbeatRequest, HeartbeatResponse> = {
  key: 12,
  name: 'Heartbeat',
  minVersion: 0,
  maxVersion: 4,
  flexibleFrom: 4,
  request: { read: readHeartbeatRequest, write: writeHeartbeatRequest },
  response: { read: readHeartbeatResponse, write: writeHeartbeatResponse },
  requestHeaderVersion: (version: number) => (version >= 4 ? 2 : 1),
  responseHeaderVersion: (version: number) => (version >= 4 ? 1 : 0),
};

export interface HeartbeatRequest {
  readonly groupId: string;
  readonly generationId: number;
  readonly memberId: string;
  readonly groupInstanceId: string | null;
}

function readHeartbeatRequest(reader: Reader, version: number): HeartbeatRequest {
  const flexible = version >= 4;
  requireReadable(version >= 0 && version <= 4, 'HeartbeatRequest', version);
  const groupId = reader.string(flexible);
  const generationId = reader.int32();
  const memberId = reader.string(flexible);
  const groupInstanceId = version >= 3 ? reader.nullableString(flexible) : null;
  if (flexible) reader.skipTaggedFields();
  return { groupId, generationId, memberId, groupInstanceId };
}

function writeHeartbeatRequest(writer: Writer, input: Draft<HeartbeatRequest>, version: number): void {
  const flexible = version >= 4;
  requireWritable(version >= 0 && version <= 4, 'HeartbeatRequest', version);
  const { groupId = '', generationId = 0, memberId = '', groupInstanceId = null } = input;
  writer.string(flexible, groupId);
  writer.int32(generationId);
  writer.string(flexible, memberId);
  if (version >= 3) writer.nullableString(flexible, groupInstanceId);
  else requireDefault(groupInstanceId === null, 'HeartbeatRequest.groupInstanceId', version);
  if (flexible) writer.noTaggedFields();
}

export interface HeartbeatResponse {
  readonly throttleTimeMs: number;
  readonly errorCode: number;
}

function readHeartbeatResponse(reader: Reader, version: number): HeartbeatResponse {
  const flexible = version >= 4;
  requireReadable(version >= 0 && version <= 4, 'HeartbeatResponse', version);
  const throttleTimeMs = version >= 1 ? reader.int32() : 0;
  const errorCode = reader.int16();
  if (flexible) reader.skipTaggedFields();
  return { throttleTimeMs, errorCode };
}

function writeHeartbeatResponse(writer: Writer, input: Draft<HeartbeatResponse>, version: number): void {
  const flexible = version >= 4;
  requireWritable(version >= 0 && version <= 4, 'HeartbeatResponse', version);
  const { throttleTimeMs = 0, errorCode = 0 } = input;
  if (version >= 1) writer.int32(throttleTimeMs);
  writer.int16(errorCode);
  if (flexible) writer.noTaggedFields();
}
