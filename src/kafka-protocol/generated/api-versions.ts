// Generated from 18-api-versions.api by `npm run generate`; never edited.
//
// ApiVersions: which APIs, versions and features the broker has. The first request of most clients.
//
// The response's header is always version 0: the client does not know yet what the broker can do. A
// version that the broker does not know is answered in version 0 with UNSUPPORTED_VERSION and this
// key alone (KIP-511). 1 adds throttleTimeMs (KIP-124). 2: the client waits it out itself. 3 is
// flexible, names the client's software (KIP-511) and the features (KIP-584). 4 can carry features
// whose lowest version is 0. 5 tells which broker the client means to talk to (KIP-1242).

import { type Api, type Draft, requireReadable, requireWritable } from '../codec.ts';
import type { Reader } from '../reader.ts';
import type { Writer } from '../writer.ts';

export const ApiVersions: Api<ApiVersionsRequest, ApiVersionsResponse> = {
  key: 18,
  name: 'ApiVersions',
  minVersion: 0,
  maxVersion: 5,
  flexibleFrom: 3,
  request: { read: readApiVersionsRequest, write: writeApiVersionsRequest },
  response: { read: readApiVersionsResponse, write: writeApiVersionsResponse },
  requestHeaderVersion: (version: number) => (version >= 3 ? 2 : 1),
  responseHeaderVersion: (_version: number) => 0,
};

export interface ApiVersionsRequest {
  readonly clientSoftwareName: string;
  readonly clientSoftwareVersion: string;
  readonly clusterId: string | null;
  /** -1 any */
  readonly nodeId: number;
}

function readApiVersionsRequest(reader: Reader, version: number): ApiVersionsRequest {
  const flexible = version >= 3;
  requireReadable(version >= 0 && version <= 5, 'ApiVersionsRequest', version);
  const clientSoftwareName = version >= 3 ? reader.string(flexible) : '';
  const clientSoftwareVersion = version >= 3 ? reader.string(flexible) : '';
  const clusterId = version >= 5 ? reader.nullableString(flexible) : null;
  const nodeId = version >= 5 ? reader.int32() : -1;
  if (flexible) reader.skipTaggedFields();
  return { clientSoftwareName, clientSoftwareVersion, clusterId, nodeId };
}

function writeApiVersionsRequest(writer: Writer, input: Draft<ApiVersionsRequest>, version: number): void {
  const flexible = version >= 3;
  requireWritable(version >= 0 && version <= 5, 'ApiVersionsRequest', version);
  const { clientSoftwareName = '', clientSoftwareVersion = '', clusterId = null, nodeId = -1 } = input;
  if (version >= 3) writer.string(flexible, clientSoftwareName);
  if (version >= 3) writer.string(flexible, clientSoftwareVersion);
  if (version >= 5) writer.nullableString(flexible, clusterId);
  if (version >= 5) writer.int32(nodeId);
  if (flexible) writer.noTaggedFields();
}

export interface ApiVersionsResponse {
  readonly errorCode: number;
  readonly apiKeys: readonly ApiVersion[];
  readonly throttleTimeMs: number;
  readonly supportedFeatures: readonly SupportedFeatureKey[];
  /** -1 unknown */
  readonly finalizedFeaturesEpoch: bigint;
  readonly finalizedFeatures: readonly FinalizedFeatureKey[];
  readonly zkMigrationReady: boolean;
}

export interface ApiVersion {
  readonly apiKey: number;
  readonly minVersion: number;
  readonly maxVersion: number;
}

export interface SupportedFeatureKey {
  readonly name: string;
  readonly minVersion: number;
  readonly maxVersion: number;
}

export interface FinalizedFeatureKey {
  readonly name: string;
  readonly maxVersionLevel: number;
  readonly minVersionLevel: number;
}

function readApiVersionsResponse(reader: Reader, version: number): ApiVersionsResponse {
  const flexible = version >= 3;
  requireReadable(version >= 0 && version <= 5, 'ApiVersionsResponse', version);
  const errorCode = reader.int16();
  const apiKeys = reader.array(flexible, () => readApiVersion(reader, version));
  const throttleTimeMs = version >= 1 ? reader.int32() : 0;
  let supportedFeatures: readonly SupportedFeatureKey[] = [];
  let finalizedFeaturesEpoch: bigint = -1n;
  let finalizedFeatures: readonly FinalizedFeatureKey[] = [];
  let zkMigrationReady: boolean = false;
  if (flexible) reader.taggedFields((tag) => {
    switch (tag) {
      case 0:
        supportedFeatures = reader.array(flexible, () => readSupportedFeatureKey(reader, version));
        return true;
      case 1:
        finalizedFeaturesEpoch = reader.int64();
        return true;
      case 2:
        finalizedFeatures = reader.array(flexible, () => readFinalizedFeatureKey(reader, version));
        return true;
      case 3:
        zkMigrationReady = reader.boolean();
        return true;
      default:
        return false;
    }
  });
  return { errorCode, apiKeys, throttleTimeMs, supportedFeatures, finalizedFeaturesEpoch, finalizedFeatures, zkMigrationReady };
}

function writeApiVersionsResponse(writer: Writer, input: Draft<ApiVersionsResponse>, version: number): void {
  const flexible = version >= 3;
  requireWritable(version >= 0 && version <= 5, 'ApiVersionsResponse', version);
  const { errorCode = 0, apiKeys = [], throttleTimeMs = 0, supportedFeatures = [], finalizedFeaturesEpoch = -1n, finalizedFeatures = [], zkMigrationReady = false } = input;
  writer.int16(errorCode);
  writer.array(flexible, apiKeys, (item) => writeApiVersion(writer, item, version));
  if (version >= 1) writer.int32(throttleTimeMs);
  if (flexible) writer.taggedFields((add) => {
    if (supportedFeatures.length !== 0) add(0, () => writer.array(flexible, supportedFeatures, (item) => writeSupportedFeatureKey(writer, item, version)));
    if (finalizedFeaturesEpoch !== -1n) add(1, () => writer.int64(finalizedFeaturesEpoch));
    if (finalizedFeatures.length !== 0) add(2, () => writer.array(flexible, finalizedFeatures, (item) => writeFinalizedFeatureKey(writer, item, version)));
    if (zkMigrationReady !== false) add(3, () => writer.boolean(zkMigrationReady));
  });
}

function readApiVersion(reader: Reader, version: number): ApiVersion {
  const flexible = version >= 3;
  const apiKey = reader.int16();
  const minVersion = reader.int16();
  const maxVersion = reader.int16();
  if (flexible) reader.skipTaggedFields();
  return { apiKey, minVersion, maxVersion };
}

function writeApiVersion(writer: Writer, input: Draft<ApiVersion>, version: number): void {
  const flexible = version >= 3;
  const { apiKey = 0, minVersion = 0, maxVersion = 0 } = input;
  writer.int16(apiKey);
  writer.int16(minVersion);
  writer.int16(maxVersion);
  if (flexible) writer.noTaggedFields();
}

function readSupportedFeatureKey(reader: Reader, _version: number): SupportedFeatureKey {
  const flexible = true;
  const name = reader.string(flexible);
  const minVersion = reader.int16();
  const maxVersion = reader.int16();
  reader.skipTaggedFields();
  return { name, minVersion, maxVersion };
}

function writeSupportedFeatureKey(writer: Writer, input: Draft<SupportedFeatureKey>, _version: number): void {
  const flexible = true;
  const { name = '', minVersion = 0, maxVersion = 0 } = input;
  writer.string(flexible, name);
  writer.int16(minVersion);
  writer.int16(maxVersion);
  writer.noTaggedFields();
}

function readFinalizedFeatureKey(reader: Reader, _version: number): FinalizedFeatureKey {
  const flexible = true;
  const name = reader.string(flexible);
  const maxVersionLevel = reader.int16();
  const minVersionLevel = reader.int16();
  reader.skipTaggedFields();
  return { name, maxVersionLevel, minVersionLevel };
}

function writeFinalizedFeatureKey(writer: Writer, input: Draft<FinalizedFeatureKey>, _version: number): void {
  const flexible = true;
  const { name = '', maxVersionLevel = 0, minVersionLevel = 0 } = input;
  writer.string(flexible, name);
  writer.int16(maxVersionLevel);
  writer.int16(minVersionLevel);
  writer.noTaggedFields();
}
