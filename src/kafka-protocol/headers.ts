import type { Reader } from './reader.ts';
import type { Writer } from './writer.ts';

/** What stands in front of every request. */
export interface RequestHeader {
  readonly apiKey: number;
  readonly apiVersion: number;
  readonly correlationId: number;
  readonly clientId: string | null;
}

/**
 * Reads a request header of version 1 or 2. Which one it is depends on key and version, which come first: the caller
 * passes its API's `requestHeaderVersion`. The client id is never compact, not even in version 2 (KIP-482).
 */
export function readRequestHeader(
  reader: Reader,
  headerVersion: (apiKey: number, apiVersion: number) => number,
): RequestHeader {
  const apiKey = reader.int16();
  const apiVersion = reader.int16();
  const correlationId = reader.int32();
  const clientId = reader.nullableString(false);
  if (headerVersion(apiKey, apiVersion) >= 2) reader.skipTaggedFields();
  return { apiKey, apiVersion, correlationId, clientId };
}

export function writeRequestHeader(
  writer: Writer,
  header: RequestHeader,
  headerVersion: number,
): void {
  writer.int16(header.apiKey);
  writer.int16(header.apiVersion);
  writer.int32(header.correlationId);
  writer.nullableString(false, header.clientId);
  if (headerVersion >= 2) writer.noTaggedFields();
}

/** Returns the correlation id. */
export function readResponseHeader(reader: Reader, headerVersion: number): number {
  const correlationId = reader.int32();
  if (headerVersion >= 1) reader.skipTaggedFields();
  return correlationId;
}

export function writeResponseHeader(
  writer: Writer,
  correlationId: number,
  headerVersion: number,
): void {
  writer.int32(correlationId);
  if (headerVersion >= 1) writer.noTaggedFields();
}
