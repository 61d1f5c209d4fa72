// Generated from 60-describe-cluster.api by `npm run generate`; never edited.
//
// DescribeCluster: cluster id, controller and brokers (KIP-700).
//
// 1 asks for brokers or controllers (KIP-919). 2 can include fenced brokers (KIP-1073).

import { type Api, type Draft, requireDefault, requireReadable, requireWritable } from '../codec.ts';
import type { Reader } from '../reader.ts';
import type { Writer } from '../writer.ts';

export const DescribeCluster: Api<DescribeClusterRequest, DescribeClusterResponse> = {
  key: 60,
  name: 'DescribeCluster',
  minVersion: 0,
  maxVersion: 2,
  flexibleFrom: 0,
  request: { read: readDescribeClusterRequest, write: writeDescribeClusterRequest },
  response: { read: readDescribeClusterResponse, write: writeDescribeClusterResponse },
  requestHeaderVersion: (_version: number) => 2,
  responseHeaderVersion: (_version: number) => 1,
};

export interface DescribeClusterRequest {
  readonly includeClusterAuthorizedOperations: boolean;
  /** 1 brokers, 2 controllers */
  readonly endpointType: number;
  readonly includeFencedBrokers: boolean;
}

function readDescribeClusterRequest(reader: Reader, version: number): DescribeClusterRequest {
  requireReadable(version >= 0 && version <= 2, 'DescribeClusterRequest', version);
  const includeClusterAuthorizedOperations = reader.boolean();
  const endpointType = version >= 1 ? reader.int8() : 1;
  const includeFencedBrokers = version >= 2 ? reader.boolean() : false;
  reader.skipTaggedFields();
  return { includeClusterAuthorizedOperations, endpointType, includeFencedBrokers };
}

function writeDescribeClusterRequest(writer: Writer, input: Draft<DescribeClusterRequest>, version: number): void {
  requireWritable(version >= 0 && version <= 2, 'DescribeClusterRequest', version);
  const { includeClusterAuthorizedOperations = false, endpointType = 1, includeFencedBrokers = false } = input;
  writer.boolean(includeClusterAuthorizedOperations);
  if (version >= 1) writer.int8(endpointType);
  else requireDefault(endpointType === 1, 'DescribeClusterRequest.endpointType', version);
  if (version >= 2) writer.boolean(includeFencedBrokers);
  else requireDefault(includeFencedBrokers === false, 'DescribeClusterRequest.includeFencedBrokers', version);
  writer.noTaggedFields();
}

export interface DescribeClusterResponse {
  readonly throttleTimeMs: number;
  readonly errorCode: number;
  readonly errorMessage: string | null;
  readonly endpointType: number;
  readonly clusterId: string;
  readonly controllerId: number;
  readonly brokers: readonly DescribeClusterBroker[];
  readonly clusterAuthorizedOperations: number;
}

export interface DescribeClusterBroker {
  readonly brokerId: number;
  readonly host: string;
  readonly port: number;
  readonly rack: string | null;
  readonly isFenced: boolean;
}

function readDescribeClusterResponse(reader: Reader, version: number): DescribeClusterResponse {
  const flexible = true;
  requireReadable(version >= 0 && version <= 2, 'DescribeClusterResponse', version);
  const throttleTimeMs = reader.int32();
  const errorCode = reader.int16();
  const errorMessage = reader.nullableString(flexible);
  const endpointType = version >= 1 ? reader.int8() : 1;
  const clusterId = reader.string(flexible);
  const controllerId = reader.int32();
  const brokers = reader.array(flexible, () => readDescribeClusterBroker(reader, version));
  const clusterAuthorizedOperations = reader.int32();
  reader.skipTaggedFields();
  return { throttleTimeMs, errorCode, errorMessage, endpointType, clusterId, controllerId, brokers, clusterAuthorizedOperations };
}

function writeDescribeClusterResponse(writer: Writer, input: Draft<DescribeClusterResponse>, version: number): void {
  const flexible = true;
  requireWritable(version >= 0 && version <= 2, 'DescribeClusterResponse', version);
  const { throttleTimeMs = 0, errorCode = 0, errorMessage = null, endpointType = 1, clusterId = '', controllerId = -1, brokers = [], clusterAuthorizedOperations = -2147483648 } = input;
  writer.int32(throttleTimeMs);
  writer.int16(errorCode);
  writer.nullableString(flexible, errorMessage);
  if (version >= 1) writer.int8(endpointType);
  else requireDefault(endpointType === 1, 'DescribeClusterResponse.endpointType', version);
  writer.string(flexible, clusterId);
  writer.int32(controllerId);
  writer.array(flexible, brokers, (item) => writeDescribeClusterBroker(writer, item, version));
  writer.int32(clusterAuthorizedOperations);
  writer.noTaggedFields();
}

function readDescribeClusterBroker(reader: Reader, version: number): DescribeClusterBroker {
  const flexible = true;
  const brokerId = reader.int32();
  const host = reader.string(flexible);
  const port = reader.int32();
  const rack = reader.nullableString(flexible);
  const isFenced = version >= 2 ? reader.boolean() : false;
  reader.skipTaggedFields();
  return { brokerId, host, port, rack, isFenced };
}

function writeDescribeClusterBroker(writer: Writer, input: Draft<DescribeClusterBroker>, version: number): void {
  const flexible = true;
  const { brokerId = 0, host = '', port = 0, rack = null, isFenced = false } = input;
  writer.int32(brokerId);
  writer.string(flexible, host);
  writer.int32(port);
  writer.nullableString(flexible, rack);
  if (version >= 2) writer.boolean(isFenced);
  else requireDefault(isFenced === false, 'DescribeClusterBroker.isFenced', version);
  writer.noTaggedFields();
}
