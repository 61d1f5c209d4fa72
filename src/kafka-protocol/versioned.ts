import type { Codec, Draft, RecordFormat } from './codec.ts';
import { Reader } from './reader.ts';
import { Writer } from './writer.ts';

/** The bytes of one message body, without a header. @throws UnencodableError */
export function encode<T>(codec: Codec<T>, value: Draft<T>, version: number): Uint8Array {
  const writer = new Writer();
  codec.write(writer, value, version);
  return writer.finish();
}

/** Reads one message body; bytes left over are ignored, as Kafka does. @throws MalformedError */
export function decode<T>(codec: Codec<T>, bytes: Uint8Array, version: number): T {
  return codec.read(new Reader(bytes), version);
}

/**
 * A value with its version in front as an int16: record values of internal topics and embedded consumer protocols.
 * Keys of internal topics have the record's type number in that place: see `encodeKey`.
 */
export function encodeVersioned<T>(
  format: RecordFormat<T>,
  value: Draft<T>,
  version: number,
): Uint8Array {
  return encodePrefixed(format, value, version, version);
}

/** @throws MalformedError, also for a version that is not known. */
export function decodeVersioned<T>(format: RecordFormat<T>, bytes: Uint8Array): T {
  const reader = new Reader(bytes);
  return format.read(reader, reader.int16());
}

/** A record key: the type number as an int16, then version 0 of the key. */
export function encodeKey<T>(format: RecordFormat<T>, value: Draft<T>): Uint8Array {
  return encodePrefixed(format, value, 0, format.type);
}

/** The type number in front of a record key; says which format reads the rest. @throws MalformedError */
export function keyType(bytes: Uint8Array): number {
  return new Reader(bytes).int16();
}

/** Reads a key whose `keyType` is the format's. @throws MalformedError */
export function decodeKey<T>(format: RecordFormat<T>, bytes: Uint8Array): T {
  const reader = new Reader(bytes);
  reader.int16();
  return format.read(reader, 0);
}

function encodePrefixed<T>(
  format: RecordFormat<T>,
  value: Draft<T>,
  version: number,
  prefix: number,
): Uint8Array {
  const writer = new Writer();
  writer.int16(prefix);
  format.write(writer, value, version);
  return writer.finish();
}
