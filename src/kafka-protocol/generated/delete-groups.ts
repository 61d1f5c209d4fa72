// Generated from 42-delete-groups.api by `npm run generate`; never edited.
//
// DeleteGroups: delete groups without members, with their offsets (KIP-229).
//
// 1: the client waits out throttleTimeMs itself. 2 is flexible. 3 adds errorMessage.

import { type Api, type Draft, requireReadable, requireWritable } from '../codec.ts';
import type { Reader } from '../reader.ts';
import type { Writer } from '../writer.ts';

export const DeleteGroups: Api<DeleteGroupsRequest, DeleteGroupsResponse> = {
  key: 42,
  name: 'DeleteGroups',
  minVersion: 0,
  maxVersion: 3,
  flexibleFrom: 2,
  request: { read: readDeleteGroupsRequest, write: writeDeleteGroupsRequest },
  response: { read: readDeleteGroupsResponse, write: writeDeleteGroupsResponse },
  requestHeaderVersion: (version: number) => (version >= 2 ? 2 : 1),
  responseHeaderVersion: (version: number) => (version >= 2 ? 1 : 0),
};

export interface DeleteGroupsRequest {
  readonly groupsNames: readonly string[];
}

function readDeleteGroupsRequest(reader: Reader, version: number): DeleteGroupsRequest {
  const flexible = version >= 2;
  requireReadable(version >= 0 && version <= 3, 'DeleteGroupsRequest', version);
  const groupsNames = reader.array(flexible, () => reader.string(flexible));
  if (flexible) reader.skipTaggedFields();
  return { groupsNames };
}

function writeDeleteGroupsRequest(writer: Writer, input: Draft<DeleteGroupsRequest>, version: number): void {
  const flexible = version >= 2;
  requireWritable(version >= 0 && version <= 3, 'DeleteGroupsRequest', version);
  const { groupsNames = [] } = input;
  writer.array(flexible, groupsNames, (item) => writer.string(flexible, item));
  if (flexible) writer.noTaggedFields();
}

export interface DeleteGroupsResponse {
  readonly throttleTimeMs: number;
  readonly results: readonly DeletableGroupResult[];
}

export interface DeletableGroupResult {
  readonly groupId: string;
  readonly errorCode: number;
  readonly errorMessage: string | null;
}

function readDeleteGroupsResponse(reader: Reader, version: number): DeleteGroupsResponse {
  const flexible = version >= 2;
  requireReadable(version >= 0 && version <= 3, 'DeleteGroupsResponse', version);
  const throttleTimeMs = reader.int32();
  const results = reader.array(flexible, () => readDeletableGroupResult(reader, version));
  if (flexible) reader.skipTaggedFields();
  return { throttleTimeMs, results };
}

function writeDeleteGroupsResponse(writer: Writer, input: Draft<DeleteGroupsResponse>, version: number): void {
  const flexible = version >= 2;
  requireWritable(version >= 0 && version <= 3, 'DeleteGroupsResponse', version);
  const { throttleTimeMs = 0, results = [] } = input;
  writer.int32(throttleTimeMs);
  writer.array(flexible, results, (item) => writeDeletableGroupResult(writer, item, version));
  if (flexible) writer.noTaggedFields();
}

function readDeletableGroupResult(reader: Reader, version: number): DeletableGroupResult {
  const flexible = version >= 2;
  const groupId = reader.string(flexible);
  const errorCode = reader.int16();
  const errorMessage = version >= 3 ? reader.nullableString(flexible) : null;
  if (flexible) reader.skipTaggedFields();
  return { groupId, errorCode, errorMessage };
}

function writeDeletableGroupResult(writer: Writer, input: Draft<DeletableGroupResult>, version: number): void {
  const flexible = version >= 2;
  const { groupId = '', errorCode = 0, errorMessage = null } = input;
  writer.string(flexible, groupId);
  writer.int16(errorCode);
  if (version >= 3) writer.nullableString(flexible, errorMessage);
  if (flexible) writer.noTaggedFields();
}
