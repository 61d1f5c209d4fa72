// Generated from 11-join-group.api by `npm run generate`; never edited.
//
// JoinGroup: become a member of a classic group, or stay one in its next generation.
//
// 1 has a timeout for rebalances apart from the session's (KIP-62). 2 adds throttleTimeMs (KIP-124).
// 3: the client waits it out itself. 4 sends a new member away once, with the id it shall have
// (KIP-394). 5 adds static members (KIP-345). 6 is flexible. 7 names the protocol's type and may
// answer without one (KIP-559). 8 adds the reason (KIP-800). 9 lets a static leader skip the
// assignment (KIP-814).

import { type Api, type Draft, EMPTY_BYTES, notNull, requireDefault, requireReadable, requireWritable } from '../codec.ts';
import type { Reader } from '../reader.ts';
import type { Writer } from '../writer.ts';

export const JoinGroup: Api<JoinGroupRequest, JoinGroupResponse> = {
  key: 11,
  name: 'JoinGroup',
  minVersion: 0,
  maxVersion: 9,
  flexibleFrom: 6,
  request: { read: readJoinGroupRequest, write: writeJoinGroupRequest },
  response: { read: readJoinGroupResponse, write: writeJoinGroupResponse },
  requestHeaderVersion: (version: number) => (version >= 6 ? 2 : 1),
  responseHeaderVersion: (version: number) => (version >= 6 ? 1 : 0),
};

export interface JoinGroupRequest {
  readonly groupId: string;
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
  /** empty from a new member */
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  readonly protocolType: string;
  /** in the order of preference */
  readonly protocols: readonly JoinGroupRequestProtocol[];
  readonly reason: string | null;
}

export interface JoinGroupRequestProtocol {
  readonly name: string;
  readonly metadata: Uint8Array;
}

function readJoinGroupRequest(reader: Reader, version: number): JoinGroupRequest {
  const flexible = version >= 6;
  requireReadable(version >= 0 && version <= 9, 'JoinGroupRequest', version);
  const groupId = reader.string(flexible);
  const sessionTimeoutMs = reader.int32();
  const rebalanceTimeoutMs = version >= 1 ? reader.int32() : -1;
  const memberId = reader.string(flexible);
  const groupInstanceId = version >= 5 ? reader.nullableString(flexible) : null;
  const protocolType = reader.string(flexible);
  const protocols = reader.array(flexible, () => readJoinGroupRequestProtocol(reader, version));
  const reason = version >= 8 ? reader.nullableString(flexible) : null;
  if (flexible) reader.skipTaggedFields();
  return { groupId, sessionTimeoutMs, rebalanceTimeoutMs, memberId, groupInstanceId, protocolType, protocols, reason };
}

function writeJoinGroupRequest(writer: Writer, input: Draft<JoinGroupRequest>, version: number): void {
  const flexible = version >= 6;
  requireWritable(version >= 0 && version <= 9, 'JoinGroupRequest', version);
  const { groupId = '', sessionTimeoutMs = 0, rebalanceTimeoutMs = -1, memberId = '', groupInstanceId = null, protocolType = '', protocols = [], reason = null } = input;
  writer.string(flexible, groupId);
  writer.int32(sessionTimeoutMs);
  if (version >= 1) writer.int32(rebalanceTimeoutMs);
  writer.string(flexible, memberId);
  if (version >= 5) writer.nullableString(flexible, groupInstanceId);
  else requireDefault(groupInstanceId === null, 'JoinGroupRequest.groupInstanceId', version);
  writer.string(flexible, protocolType);
  writer.array(flexible, protocols, (item) => writeJoinGroupRequestProtocol(writer, item, version));
  if (version >= 8) writer.nullableString(flexible, reason);
  if (flexible) writer.noTaggedFields();
}

function readJoinGroupRequestProtocol(reader: Reader, version: number): JoinGroupRequestProtocol {
  const flexible = version >= 6;
  const name = reader.string(flexible);
  const metadata = reader.bytes(flexible);
  if (flexible) reader.skipTaggedFields();
  return { name, metadata };
}

function writeJoinGroupRequestProtocol(writer: Writer, input: Draft<JoinGroupRequestProtocol>, version: number): void {
  const flexible = version >= 6;
  const { name = '', metadata = EMPTY_BYTES } = input;
  writer.string(flexible, name);
  writer.bytes(flexible, metadata);
  if (flexible) writer.noTaggedFields();
}

export interface JoinGroupResponse {
  readonly throttleTimeMs: number;
  readonly errorCode: number;
  readonly generationId: number;
  readonly protocolType: string | null;
  readonly protocolName: string | null;
  readonly leader: string;
  readonly skipAssignment: boolean;
  readonly memberId: string;
  /** for the leader only */
  readonly members: readonly JoinGroupResponseMember[];
}

export interface JoinGroupResponseMember {
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  readonly metadata: Uint8Array;
}

function readJoinGroupResponse(reader: Reader, version: number): JoinGroupResponse {
  const flexible = version >= 6;
  requireReadable(version >= 0 && version <= 9, 'JoinGroupResponse', version);
  const throttleTimeMs = version >= 2 ? reader.int32() : 0;
  const errorCode = reader.int16();
  const generationId = reader.int32();
  const protocolType = version >= 7 ? reader.nullableString(flexible) : null;
  const protocolName = version >= 7 ? reader.nullableString(flexible) : reader.string(flexible);
  const leader = reader.string(flexible);
  const skipAssignment = version >= 9 ? reader.boolean() : false;
  const memberId = reader.string(flexible);
  const members = reader.array(flexible, () => readJoinGroupResponseMember(reader, version));
  if (flexible) reader.skipTaggedFields();
  return { throttleTimeMs, errorCode, generationId, protocolType, protocolName, leader, skipAssignment, memberId, members };
}

function writeJoinGroupResponse(writer: Writer, input: Draft<JoinGroupResponse>, version: number): void {
  const flexible = version >= 6;
  requireWritable(version >= 0 && version <= 9, 'JoinGroupResponse', version);
  const { throttleTimeMs = 0, errorCode = 0, generationId = -1, protocolType = null, protocolName = '', leader = '', skipAssignment = false, memberId = '', members = [] } = input;
  if (version >= 2) writer.int32(throttleTimeMs);
  writer.int16(errorCode);
  writer.int32(generationId);
  if (version >= 7) writer.nullableString(flexible, protocolType);
  writer.nullableString(flexible, version >= 7 ? protocolName : notNull(protocolName, 'JoinGroupResponse.protocolName', version));
  writer.string(flexible, leader);
  if (version >= 9) writer.boolean(skipAssignment);
  else requireDefault(skipAssignment === false, 'JoinGroupResponse.skipAssignment', version);
  writer.string(flexible, memberId);
  writer.array(flexible, members, (item) => writeJoinGroupResponseMember(writer, item, version));
  if (flexible) writer.noTaggedFields();
}

function readJoinGroupResponseMember(reader: Reader, version: number): JoinGroupResponseMember {
  const flexible = version >= 6;
  const memberId = reader.string(flexible);
  const groupInstanceId = version >= 5 ? reader.nullableString(flexible) : null;
  const metadata = reader.bytes(flexible);
  if (flexible) reader.skipTaggedFields();
  return { memberId, groupInstanceId, metadata };
}

function writeJoinGroupResponseMember(writer: Writer, input: Draft<JoinGroupResponseMember>, version: number): void {
  const flexible = version >= 6;
  const { memberId = '', groupInstanceId = null, metadata = EMPTY_BYTES } = input;
  writer.string(flexible, memberId);
  if (version >= 5) writer.nullableString(flexible, groupInstanceId);
  writer.bytes(flexible, metadata);
  if (flexible) writer.noTaggedFields();
}
