// Generated from 32-describe-configs.api by `npm run generate`; never edited.
//
// DescribeConfigs: the configuration of topics, brokers and other resources.
//
// 1 adds synonyms and where a value comes from (KIP-226). 2: the client waits out throttleTimeMs
// itself. 3 adds types and documentation (KIP-569). 4 is flexible.

import { type Api, type Draft, requireDefault, requireReadable, requireWritable } from '../codec.ts';
import type { Reader } from '../reader.ts';
import type { Writer } from '../writer.ts';

export const DescribeConfigs: Api<DescribeConfigsRequest, DescribeConfigsResponse> = {
  key: 32,
  name: 'DescribeConfigs',
  minVersion: 1,
  maxVersion: 4,
  flexibleFrom: 4,
  request: { read: readDescribeConfigsRequest, write: writeDescribeConfigsRequest },
  response: { read: readDescribeConfigsResponse, write: writeDescribeConfigsResponse },
  requestHeaderVersion: (version: number) => (version >= 4 ? 2 : 1),
  responseHeaderVersion: (version: number) => (version >= 4 ? 1 : 0),
};

export interface DescribeConfigsRequest {
  readonly resources: readonly DescribeConfigsResource[];
  readonly includeSynonyms: boolean;
  readonly includeDocumentation: boolean;
}

export interface DescribeConfigsResource {
  readonly resourceType: number;
  readonly resourceName: string;
  /** null asks for all */
  readonly configurationKeys: readonly string[] | null;
}

function readDescribeConfigsRequest(reader: Reader, version: number): DescribeConfigsRequest {
  const flexible = version >= 4;
  requireReadable(version >= 1 && version <= 4, 'DescribeConfigsRequest', version);
  const resources = reader.array(flexible, () => readDescribeConfigsResource(reader, version));
  const includeSynonyms = reader.boolean();
  const includeDocumentation = version >= 3 ? reader.boolean() : false;
  if (flexible) reader.skipTaggedFields();
  return { resources, includeSynonyms, includeDocumentation };
}

function writeDescribeConfigsRequest(writer: Writer, input: Draft<DescribeConfigsRequest>, version: number): void {
  const flexible = version >= 4;
  requireWritable(version >= 1 && version <= 4, 'DescribeConfigsRequest', version);
  const { resources = [], includeSynonyms = false, includeDocumentation = false } = input;
  writer.array(flexible, resources, (item) => writeDescribeConfigsResource(writer, item, version));
  writer.boolean(includeSynonyms);
  if (version >= 3) writer.boolean(includeDocumentation);
  else requireDefault(includeDocumentation === false, 'DescribeConfigsRequest.includeDocumentation', version);
  if (flexible) writer.noTaggedFields();
}

function readDescribeConfigsResource(reader: Reader, version: number): DescribeConfigsResource {
  const flexible = version >= 4;
  const resourceType = reader.int8();
  const resourceName = reader.string(flexible);
  const configurationKeys = reader.nullableArray(flexible, () => reader.string(flexible));
  if (flexible) reader.skipTaggedFields();
  return { resourceType, resourceName, configurationKeys };
}

function writeDescribeConfigsResource(writer: Writer, input: Draft<DescribeConfigsResource>, version: number): void {
  const flexible = version >= 4;
  const { resourceType = 0, resourceName = '', configurationKeys = [] } = input;
  writer.int8(resourceType);
  writer.string(flexible, resourceName);
  writer.nullableArray(flexible, configurationKeys, (item) => writer.string(flexible, item));
  if (flexible) writer.noTaggedFields();
}

export interface DescribeConfigsResponse {
  readonly throttleTimeMs: number;
  readonly results: readonly DescribeConfigsResult[];
}

export interface DescribeConfigsResult {
  readonly errorCode: number;
  readonly errorMessage: string | null;
  readonly resourceType: number;
  readonly resourceName: string;
  readonly configs: readonly DescribeConfigsResourceResult[];
}

export interface DescribeConfigsResourceResult {
  readonly name: string;
  readonly value: string | null;
  readonly readOnly: boolean;
  readonly configSource: number;
  readonly isSensitive: boolean;
  readonly synonyms: readonly DescribeConfigsSynonym[];
  readonly configType: number;
  readonly documentation: string | null;
}

export interface DescribeConfigsSynonym {
  readonly name: string;
  readonly value: string | null;
  readonly source: number;
}

function readDescribeConfigsResponse(reader: Reader, version: number): DescribeConfigsResponse {
  const flexible = version >= 4;
  requireReadable(version >= 1 && version <= 4, 'DescribeConfigsResponse', version);
  const throttleTimeMs = reader.int32();
  const results = reader.array(flexible, () => readDescribeConfigsResult(reader, version));
  if (flexible) reader.skipTaggedFields();
  return { throttleTimeMs, results };
}

function writeDescribeConfigsResponse(writer: Writer, input: Draft<DescribeConfigsResponse>, version: number): void {
  const flexible = version >= 4;
  requireWritable(version >= 1 && version <= 4, 'DescribeConfigsResponse', version);
  const { throttleTimeMs = 0, results = [] } = input;
  writer.int32(throttleTimeMs);
  writer.array(flexible, results, (item) => writeDescribeConfigsResult(writer, item, version));
  if (flexible) writer.noTaggedFields();
}

function readDescribeConfigsResult(reader: Reader, version: number): DescribeConfigsResult {
  const flexible = version >= 4;
  const errorCode = reader.int16();
  const errorMessage = reader.nullableString(flexible);
  const resourceType = reader.int8();
  const resourceName = reader.string(flexible);
  const configs = reader.array(flexible, () => readDescribeConfigsResourceResult(reader, version));
  if (flexible) reader.skipTaggedFields();
  return { errorCode, errorMessage, resourceType, resourceName, configs };
}

function writeDescribeConfigsResult(writer: Writer, input: Draft<DescribeConfigsResult>, version: number): void {
  const flexible = version >= 4;
  const { errorCode = 0, errorMessage = '', resourceType = 0, resourceName = '', configs = [] } = input;
  writer.int16(errorCode);
  writer.nullableString(flexible, errorMessage);
  writer.int8(resourceType);
  writer.string(flexible, resourceName);
  writer.array(flexible, configs, (item) => writeDescribeConfigsResourceResult(writer, item, version));
  if (flexible) writer.noTaggedFields();
}

function readDescribeConfigsResourceResult(reader: Reader, version: number): DescribeConfigsResourceResult {
  const flexible = version >= 4;
  const name = reader.string(flexible);
  const value = reader.nullableString(flexible);
  const readOnly = reader.boolean();
  const configSource = reader.int8();
  const isSensitive = reader.boolean();
  const synonyms = reader.array(flexible, () => readDescribeConfigsSynonym(reader, version));
  const configType = version >= 3 ? reader.int8() : 0;
  const documentation = version >= 3 ? reader.nullableString(flexible) : '';
  if (flexible) reader.skipTaggedFields();
  return { name, value, readOnly, configSource, isSensitive, synonyms, configType, documentation };
}

function writeDescribeConfigsResourceResult(writer: Writer, input: Draft<DescribeConfigsResourceResult>, version: number): void {
  const flexible = version >= 4;
  const { name = '', value = '', readOnly = false, configSource = -1, isSensitive = false, synonyms = [], configType = 0, documentation = '' } = input;
  writer.string(flexible, name);
  writer.nullableString(flexible, value);
  writer.boolean(readOnly);
  writer.int8(configSource);
  writer.boolean(isSensitive);
  writer.array(flexible, synonyms, (item) => writeDescribeConfigsSynonym(writer, item, version));
  if (version >= 3) writer.int8(configType);
  if (version >= 3) writer.nullableString(flexible, documentation);
  if (flexible) writer.noTaggedFields();
}

function readDescribeConfigsSynonym(reader: Reader, version: number): DescribeConfigsSynonym {
  const flexible = version >= 4;
  const name = reader.string(flexible);
  const value = reader.nullableString(flexible);
  const source = reader.int8();
  if (flexible) reader.skipTaggedFields();
  return { name, value, source };
}

function writeDescribeConfigsSynonym(writer: Writer, input: Draft<DescribeConfigsSynonym>, version: number): void {
  const flexible = version >= 4;
  const { name = '', value = '', source = 0 } = input;
  writer.string(flexible, name);
  writer.nullableString(flexible, value);
  writer.int8(source);
  if (flexible) writer.noTaggedFields();
}
