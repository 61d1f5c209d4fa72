// Generated from 17-sasl-handshake.api by `npm run generate`; never edited.
//
// SaslHandshake: which mechanism a client wants to authenticate with.
//
// After 0 the tokens come without Kafka's framing, after 1 in SaslAuthenticate (KIP-152). It never becomes flexible.

import { type Api, type Draft, requireReadable, requireWritable } from '../codec.ts';
import type { Reader } from '../reader.ts';
import type { Writer } from '../writer.ts';

export const SaslHandshake: Api<SaslHandshakeRequest, SaslHandshakeResponse> = {
  key: 17,
  name: 'SaslHandshake',
  minVersion: 0,
  maxVersion: 1,
  flexibleFrom: Number.POSITIVE_INFINITY,
  request: { read: readSaslHandshakeRequest, write: writeSaslHandshakeRequest },
  response: { read: readSaslHandshakeResponse, write: writeSaslHandshakeResponse },
  requestHeaderVersion: (_version: number) => 1,
  responseHeaderVersion: (_version: number) => 0,
};

export interface SaslHandshakeRequest {
  readonly mechanism: string;
}

function readSaslHandshakeRequest(reader: Reader, version: number): SaslHandshakeRequest {
  const flexible = false;
  requireReadable(version >= 0 && version <= 1, 'SaslHandshakeRequest', version);
  const mechanism = reader.string(flexible);
  return { mechanism };
}

function writeSaslHandshakeRequest(writer: Writer, input: Draft<SaslHandshakeRequest>, version: number): void {
  const flexible = false;
  requireWritable(version >= 0 && version <= 1, 'SaslHandshakeRequest', version);
  const { mechanism = '' } = input;
  writer.string(flexible, mechanism);
}

export interface SaslHandshakeResponse {
  readonly errorCode: number;
  /** those that the listener has */
  readonly mechanisms: readonly string[];
}

function readSaslHandshakeResponse(reader: Reader, version: number): SaslHandshakeResponse {
  const flexible = false;
  requireReadable(version >= 0 && version <= 1, 'SaslHandshakeResponse', version);
  const errorCode = reader.int16();
  const mechanisms = reader.array(flexible, () => reader.string(flexible));
  return { errorCode, mechanisms };
}

function writeSaslHandshakeResponse(writer: Writer, input: Draft<SaslHandshakeResponse>, version: number): void {
  const flexible = false;
  requireWritable(version >= 0 && version <= 1, 'SaslHandshakeResponse', version);
  const { errorCode = 0, mechanisms = [] } = input;
  writer.int16(errorCode);
  writer.array(flexible, mechanisms, (item) => writer.string(flexible, item));
}
