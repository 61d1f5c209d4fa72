// Generated from 15-describe-groups.api by `npm run generate`; never edited.
//
// DescribeGroups: state and members of classic groups.
//
// 1 adds throttleTimeMs (KIP-124). 2: the client waits it out itself. 3 adds authorized operations
// (KIP-430). 4 adds static members (KIP-345). 5 is flexible. 6 answers GROUP_ID_NOT_FOUND with a
// message (KIP-1043).

import { type Api, type Draft, EMPTY_BYTES, requireDefault, requireReadable, requireWritable } from '../codec.ts';
import type { Reader } from '../reader.ts';
import type { Writer } from '../writer.ts';

export const DescribeGroups: Api<DescribeGroupsRequest, DescribeGroupsResponse> = {
  key: 15,
  name: 'DescribeGroups',
  minVersion: 0,
  maxVersion: 6,
  flexibleFrom: 5,
  request: { read: readDescribeGroupsRequest, write: writeDescribeGroupsRequest },
  response: { read: readDescribeGroupsResponse, write: writeDescribeGroupsResponse },
  requestHeaderVersion: (version: number) => (version >= 5 ? 2 : 1),
  responseHeaderVersion: (version: number) => (version >= 5 ? 1 : 0),
};

export interface DescribeGroupsRequest {
  readonly groups: readonly string[];
  readonly includeAuthorizedOperations: boolean;
}

function readDescribeGroupsRequest(reader: Reader, version: number): DescribeGroupsRequest {
  const flexible = version >= 5;
  requireReadable(version >= 0 && version <= 6, 'DescribeGroupsRequest', version);
  const groups = reader.array(flexible, () => reader.string(flexible));
  const includeAuthorizedOperations = version >= 3 ? reader.boolean() : false;
  if (flexible) reader.skipTaggedFields();
  return { groups, includeAuthorizedOperations };
}

function writeDescribeGroupsRequest(writer: Writer, input: Draft<DescribeGroupsRequest>, version: number): void {
  const flexible = version >= 5;
  requireWritable(version >= 0 && version <= 6, 'DescribeGroupsRequest', version);
  const { groups = [], includeAuthorizedOperations = false } = input;
  writer.array(flexible, groups, (item) => writer.string(flexible, item));
  if (version >= 3) writer.boolean(includeAuthorizedOperations);
  else requireDefault(includeAuthorizedOperations === false, 'DescribeGroupsRequest.includeAuthorizedOperations', version);
  if (flexible) writer.noTaggedFields();
}

export interface DescribeGroupsResponse {
  readonly throttleTimeMs: number;
  readonly groups: readonly DescribedGroup[];
}

export interface DescribedGroup {
  readonly errorCode: number;
  readonly errorMessage: string | null;
  readonly groupId: string;
  readonly groupState: string;
  readonly protocolType: string;
  readonly protocolData: string;
  readonly members: readonly DescribedGroupMember[];
  readonly authorizedOperations: number;
}

export interface DescribedGroupMember {
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  readonly clientId: string;
  readonly clientHost: string;
  readonly memberMetadata: Uint8Array;
  readonly memberAssignment: Uint8Array;
}

function readDescribeGroupsResponse(reader: Reader, version: number): DescribeGroupsResponse {
  const flexible = version >= 5;
  requireReadable(version >= 0 && version <= 6, 'DescribeGroupsResponse', version);
  const throttleTimeMs = version >= 1 ? reader.int32() : 0;
  const groups = reader.array(flexible, () => readDescribedGroup(reader, version));
  if (flexible) reader.skipTaggedFields();
  return { throttleTimeMs, groups };
}

function writeDescribeGroupsResponse(writer: Writer, input: Draft<DescribeGroupsResponse>, version: number): void {
  const flexible = version >= 5;
  requireWritable(version >= 0 && version <= 6, 'DescribeGroupsResponse', version);
  const { throttleTimeMs = 0, groups = [] } = input;
  if (version >= 1) writer.int32(throttleTimeMs);
  writer.array(flexible, groups, (item) => writeDescribedGroup(writer, item, version));
  if (flexible) writer.noTaggedFields();
}

function readDescribedGroup(reader: Reader, version: number): DescribedGroup {
  const flexible = version >= 5;
  const errorCode = reader.int16();
  const errorMessage = version >= 6 ? reader.nullableString(flexible) : null;
  const groupId = reader.string(flexible);
  const groupState = reader.string(flexible);
  const protocolType = reader.string(flexible);
  const protocolData = reader.string(flexible);
  const members = reader.array(flexible, () => readDescribedGroupMember(reader, version));
  const authorizedOperations = version >= 3 ? reader.int32() : -2147483648;
  if (flexible) reader.skipTaggedFields();
  return { errorCode, errorMessage, groupId, groupState, protocolType, protocolData, members, authorizedOperations };
}

function writeDescribedGroup(writer: Writer, input: Draft<DescribedGroup>, version: number): void {
  const flexible = version >= 5;
  const { errorCode = 0, errorMessage = null, groupId = '', groupState = '', protocolType = '', protocolData = '', members = [], authorizedOperations = -2147483648 } = input;
  writer.int16(errorCode);
  if (version >= 6) writer.nullableString(flexible, errorMessage);
  else requireDefault(errorMessage === null, 'DescribedGroup.errorMessage', version);
  writer.string(flexible, groupId);
  writer.string(flexible, groupState);
  writer.string(flexible, protocolType);
  writer.string(flexible, protocolData);
  writer.array(flexible, members, (item) => writeDescribedGroupMember(writer, item, version));
  if (version >= 3) writer.int32(authorizedOperations);
  else requireDefault(authorizedOperations === -2147483648, 'DescribedGroup.authorizedOperations', version);
  if (flexible) writer.noTaggedFields();
}

function readDescribedGroupMember(reader: Reader, version: number): DescribedGroupMember {
  const flexible = version >= 5;
  const memberId = reader.string(flexible);
  const groupInstanceId = version >= 4 ? reader.nullableString(flexible) : null;
  const clientId = reader.string(flexible);
  const clientHost = reader.string(flexible);
  const memberMetadata = reader.bytes(flexible);
  const memberAssignment = reader.bytes(flexible);
  if (flexible) reader.skipTaggedFields();
  return { memberId, groupInstanceId, clientId, clientHost, memberMetadata, memberAssignment };
}

function writeDescribedGroupMember(writer: Writer, input: Draft<DescribedGroupMember>, version: number): void {
  const flexible = version >= 5;
  const { memberId = '', groupInstanceId = null, clientId = '', clientHost = '', memberMetadata = EMPTY_BYTES, memberAssignment = EMPTY_BYTES } = input;
  writer.string(flexible, memberId);
  if (version >= 4) writer.nullableString(flexible, groupInstanceId);
  writer.string(flexible, clientId);
  writer.string(flexible, clientHost);
  writer.bytes(flexible, memberMetadata);
  writer.bytes(flexible, memberAssignment);
  if (flexible) writer.noTaggedFields();
}
