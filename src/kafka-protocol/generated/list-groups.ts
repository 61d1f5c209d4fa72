// Generated from 16-list-groups.api by `npm run generate`; never edited.
//
// ListGroups: the groups that this broker coordinates.
//
// 1 adds throttleTimeMs (KIP-124). 2: the client waits it out itself. 3 is flexible. 4 filters by
// state (KIP-518). 5 filters by type (KIP-848).

import { type Api, type Draft, requireDefault, requireReadable, requireWritable } from '../codec.ts';
import type { Reader } from '../reader.ts';
import type { Writer } from '../writer.ts';

export const ListGroups: Api<ListGroupsRequest, ListGroupsResponse> = {
  key: 16,
  name: 'ListGroups',
  minVersion: 0,
  maxVersion: 5,
  flexibleFrom: 3,
  request: { read: readListGroupsRequest, write: writeListGroupsRequest },
  response: { read: readListGroupsResponse, write: writeListGroupsResponse },
  requestHeaderVersion: (version: number) => (version >= 3 ? 2 : 1),
  responseHeaderVersion: (version: number) => (version >= 3 ? 1 : 0),
};

export interface ListGroupsRequest {
  readonly statesFilter: readonly string[];
  readonly typesFilter: readonly string[];
}

function readListGroupsRequest(reader: Reader, version: number): ListGroupsRequest {
  const flexible = version >= 3;
  requireReadable(version >= 0 && version <= 5, 'ListGroupsRequest', version);
  const statesFilter = version >= 4 ? reader.array(flexible, () => reader.string(flexible)) : [];
  const typesFilter = version >= 5 ? reader.array(flexible, () => reader.string(flexible)) : [];
  if (flexible) reader.skipTaggedFields();
  return { statesFilter, typesFilter };
}

function writeListGroupsRequest(writer: Writer, input: Draft<ListGroupsRequest>, version: number): void {
  const flexible = version >= 3;
  requireWritable(version >= 0 && version <= 5, 'ListGroupsRequest', version);
  const { statesFilter = [], typesFilter = [] } = input;
  if (version >= 4) writer.array(flexible, statesFilter, (item) => writer.string(flexible, item));
  else requireDefault(statesFilter.length === 0, 'ListGroupsRequest.statesFilter', version);
  if (version >= 5) writer.array(flexible, typesFilter, (item) => writer.string(flexible, item));
  else requireDefault(typesFilter.length === 0, 'ListGroupsRequest.typesFilter', version);
  if (flexible) writer.noTaggedFields();
}

export interface ListGroupsResponse {
  readonly throttleTimeMs: number;
  readonly errorCode: number;
  readonly groups: readonly ListedGroup[];
}

export interface ListedGroup {
  readonly groupId: string;
  readonly protocolType: string;
  readonly groupState: string;
  readonly groupType: string;
}

function readListGroupsResponse(reader: Reader, version: number): ListGroupsResponse {
  const flexible = version >= 3;
  requireReadable(version >= 0 && version <= 5, 'ListGroupsResponse', version);
  const throttleTimeMs = version >= 1 ? reader.int32() : 0;
  const errorCode = reader.int16();
  const groups = reader.array(flexible, () => readListedGroup(reader, version));
  if (flexible) reader.skipTaggedFields();
  return { throttleTimeMs, errorCode, groups };
}

function writeListGroupsResponse(writer: Writer, input: Draft<ListGroupsResponse>, version: number): void {
  const flexible = version >= 3;
  requireWritable(version >= 0 && version <= 5, 'ListGroupsResponse', version);
  const { throttleTimeMs = 0, errorCode = 0, groups = [] } = input;
  if (version >= 1) writer.int32(throttleTimeMs);
  writer.int16(errorCode);
  writer.array(flexible, groups, (item) => writeListedGroup(writer, item, version));
  if (flexible) writer.noTaggedFields();
}

function readListedGroup(reader: Reader, version: number): ListedGroup {
  const flexible = version >= 3;
  const groupId = reader.string(flexible);
  const protocolType = reader.string(flexible);
  const groupState = version >= 4 ? reader.string(flexible) : '';
  const groupType = version >= 5 ? reader.string(flexible) : '';
  if (flexible) reader.skipTaggedFields();
  return { groupId, protocolType, groupState, groupType };
}

function writeListedGroup(writer: Writer, input: Draft<ListedGroup>, version: number): void {
  const flexible = version >= 3;
  const { groupId = '', protocolType = '', groupState = '', groupType = '' } = input;
  writer.string(flexible, groupId);
  writer.string(flexible, protocolType);
  if (version >= 4) writer.string(flexible, groupState);
  if (version >= 5) writer.string(flexible, groupType);
  if (flexible) writer.noTaggedFields();
}
