// Generated from 36-sasl-authenticate.api by `npm run generate`; never edited.
//
// SaslAuthenticate: a token of the mechanism, and the one that answers it (KIP-152).
//
// 1 tells how long the session lasts (KIP-368). 2 is flexible.

import { type Api, type Draft, EMPTY_BYTES, requireReadable, requireWritable } from '../codec.ts';
import type { Reader } from '../reader.ts';
import type { Writer } from '../writer.ts';

export const SaslAuthenticate: Api<SaslAuthenticateRequest, SaslAuthenticateResponse> = {
  key: 36,
  name: 'SaslAuthenticate',
  minVersion: 0,
  maxVersion: 2,
  flexibleFrom: 2,
  request: { read: readSaslAuthenticateRequest, write: writeSaslAuthenticateRequest },
  response: { read: readSaslAuthenticateResponse, write: writeSaslAuthenticateResponse },
  requestHeaderVersion: (version: number) => (version >= 2 ? 2 : 1),
  responseHeaderVersion: (version: number) => (version >= 2 ? 1 : 0),
};

export interface SaslAuthenticateRequest {
  readonly authBytes: Uint8Array;
}

function readSaslAuthenticateRequest(reader: Reader, version: number): SaslAuthenticateRequest {
  const flexible = version >= 2;
  requireReadable(version >= 0 && version <= 2, 'SaslAuthenticateRequest', version);
  const authBytes = reader.bytes(flexible);
  if (flexible) reader.skipTaggedFields();
  return { authBytes };
}

function writeSaslAuthenticateRequest(writer: Writer, input: Draft<SaslAuthenticateRequest>, version: number): void {
  const flexible = version >= 2;
  requireWritable(version >= 0 && version <= 2, 'SaslAuthenticateRequest', version);
  const { authBytes = EMPTY_BYTES } = input;
  writer.bytes(flexible, authBytes);
  if (flexible) writer.noTaggedFields();
}

export interface SaslAuthenticateResponse {
  readonly errorCode: number;
  readonly errorMessage: string | null;
  readonly authBytes: Uint8Array;
  readonly sessionLifetimeMs: bigint;
}

function readSaslAuthenticateResponse(reader: Reader, version: number): SaslAuthenticateResponse {
  const flexible = version >= 2;
  requireReadable(version >= 0 && version <= 2, 'SaslAuthenticateResponse', version);
  const errorCode = reader.int16();
  const errorMessage = reader.nullableString(flexible);
  const authBytes = reader.bytes(flexible);
  const sessionLifetimeMs = version >= 1 ? reader.int64() : 0n;
  if (flexible) reader.skipTaggedFields();
  return { errorCode, errorMessage, authBytes, sessionLifetimeMs };
}

function writeSaslAuthenticateResponse(writer: Writer, input: Draft<SaslAuthenticateResponse>, version: number): void {
  const flexible = version >= 2;
  requireWritable(version >= 0 && version <= 2, 'SaslAuthenticateResponse', version);
  const { errorCode = 0, errorMessage = '', authBytes = EMPTY_BYTES, sessionLifetimeMs = 0n } = input;
  writer.int16(errorCode);
  writer.nullableString(flexible, errorMessage);
  writer.bytes(flexible, authBytes);
  if (version >= 1) writer.int64(sessionLifetimeMs);
  if (flexible) writer.noTaggedFields();
}
