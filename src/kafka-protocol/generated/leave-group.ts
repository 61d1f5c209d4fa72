// Generated from 13-leave-group.api by `npm run generate`; never edited.
//
// LeaveGroup: members leave a classic group at once.
//
// 1 adds throttleTimeMs (KIP-124). 2: the client waits it out itself. 3 removes several members,
// static ones too (KIP-345). 4 is flexible. 5 adds the reason (KIP-800).

import { type Api, type Draft, requireDefault, requireReadable, requireWritable } from '../codec.ts';
import type { Reader } from '../reader.ts';
import type { Writer } from '../writer.ts';

export const LeaveGroup: Api<LeaveGroupRequest, LeaveGroupResponse> = {
  key: 13,
  name: 'LeaveGroup',
  minVersion: 0,
  maxVersion: 5,
  flexibleFrom: 4,
  request: { read: readLeaveGroupRequest, write: writeLeaveGroupRequest },
  response: { read: readLeaveGroupResponse, write: writeLeaveGroupResponse },
  requestHeaderVersion: (version: number) => (version >= 4 ? 2 : 1),
  responseHeaderVersion: (version: number) => (version >= 4 ? 1 : 0),
};

export interface LeaveGroupRequest {
  readonly groupId: string;
  readonly memberId: string;
  readonly members: readonly MemberIdentity[];
}

export interface MemberIdentity {
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  readonly reason: string | null;
}

function readLeaveGroupRequest(reader: Reader, version: number): LeaveGroupRequest {
  const flexible = version >= 4;
  requireReadable(version >= 0 && version <= 5, 'LeaveGroupRequest', version);
  const groupId = reader.string(flexible);
  const memberId = version <= 2 ? reader.string(flexible) : '';
  const members = version >= 3 ? reader.array(flexible, () => readMemberIdentity(reader, version)) : [];
  if (flexible) reader.skipTaggedFields();
  return { groupId, memberId, members };
}

function writeLeaveGroupRequest(writer: Writer, input: Draft<LeaveGroupRequest>, version: number): void {
  const flexible = version >= 4;
  requireWritable(version >= 0 && version <= 5, 'LeaveGroupRequest', version);
  const { groupId = '', memberId = '', members = [] } = input;
  writer.string(flexible, groupId);
  if (version <= 2) writer.string(flexible, memberId);
  else requireDefault(memberId === '', 'LeaveGroupRequest.memberId', version);
  if (version >= 3) writer.array(flexible, members, (item) => writeMemberIdentity(writer, item, version));
  else requireDefault(members.length === 0, 'LeaveGroupRequest.members', version);
  if (flexible) writer.noTaggedFields();
}

function readMemberIdentity(reader: Reader, version: number): MemberIdentity {
  const flexible = version >= 4;
  const memberId = reader.string(flexible);
  const groupInstanceId = reader.nullableString(flexible);
  const reason = version >= 5 ? reader.nullableString(flexible) : null;
  if (flexible) reader.skipTaggedFields();
  return { memberId, groupInstanceId, reason };
}

function writeMemberIdentity(writer: Writer, input: Draft<MemberIdentity>, version: number): void {
  const flexible = version >= 4;
  const { memberId = '', groupInstanceId = null, reason = null } = input;
  writer.string(flexible, memberId);
  writer.nullableString(flexible, groupInstanceId);
  if (version >= 5) writer.nullableString(flexible, reason);
  if (flexible) writer.noTaggedFields();
}

export interface LeaveGroupResponse {
  readonly throttleTimeMs: number;
  readonly errorCode: number;
  readonly members: readonly MemberResponse[];
}

export interface MemberResponse {
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  readonly errorCode: number;
}

function readLeaveGroupResponse(reader: Reader, version: number): LeaveGroupResponse {
  const flexible = version >= 4;
  requireReadable(version >= 0 && version <= 5, 'LeaveGroupResponse', version);
  const throttleTimeMs = version >= 1 ? reader.int32() : 0;
  const errorCode = reader.int16();
  const members = version >= 3 ? reader.array(flexible, () => readMemberResponse(reader, version)) : [];
  if (flexible) reader.skipTaggedFields();
  return { throttleTimeMs, errorCode, members };
}

function writeLeaveGroupResponse(writer: Writer, input: Draft<LeaveGroupResponse>, version: number): void {
  const flexible = version >= 4;
  requireWritable(version >= 0 && version <= 5, 'LeaveGroupResponse', version);
  const { throttleTimeMs = 0, errorCode = 0, members = [] } = input;
  if (version >= 1) writer.int32(throttleTimeMs);
  writer.int16(errorCode);
  if (version >= 3) writer.array(flexible, members, (item) => writeMemberResponse(writer, item, version));
  else requireDefault(members.length === 0, 'LeaveGroupResponse.members', version);
  if (flexible) writer.noTaggedFields();
}

function readMemberResponse(reader: Reader, version: number): MemberResponse {
  const flexible = version >= 4;
  const memberId = reader.string(flexible);
  const groupInstanceId = reader.nullableString(flexible);
  const errorCode = reader.int16();
  if (flexible) reader.skipTaggedFields();
  return { memberId, groupInstanceId, errorCode };
}

function writeMemberResponse(writer: Writer, input: Draft<MemberResponse>, version: number): void {
  const flexible = version >= 4;
  const { memberId = '', groupInstanceId = '', errorCode = 0 } = input;
  writer.string(flexible, memberId);
  writer.nullableString(flexible, groupInstanceId);
  writer.int16(errorCode);
  if (flexible) writer.noTaggedFields();
}
