import { crc32c } from '@node-rs/crc32';
import { assert } from '../base/index.ts';
import type { EncodedRecord } from './machine.ts';

const HEADER_BYTES = 61;
const ATTRIBUTES_OFFSET = 21;
/** Upper bound of what a record needs beside its key and value: seven varints of at most 5 bytes. */
const RECORD_OVERHEAD_BYTES = 35;
const CONTROL_BATCH = 0x20;
const COMPRESSION = 0x07;

/** Packs the records of a turn into one uncompressed v2 batch. One buffer, grown by doubling. */
export class BatchBuilder {
  #bytes: Uint8Array;
  #size = HEADER_BYTES;
  #count = 0;

  constructor(initialBytes = 1024) {
    this.#bytes = new Uint8Array(Math.max(initialBytes, HEADER_BYTES));
  }

  get count(): number {
    return this.#count;
  }

  get sizeBytes(): number {
    return this.#size;
  }

  add(record: EncodedRecord): void {
    const keyBytes = record.key?.length ?? 0;
    const valueBytes = record.value?.length ?? 0;
    this.#reserve(keyBytes + valueBytes + RECORD_OVERHEAD_BYTES);
    const body =
      2 + // Attributes and the timestamp delta of 0.
      varintBytes(this.#count) +
      nullableBytes(record.key) +
      nullableBytes(record.value) +
      1; // No headers.
    this.#varint(body);
    this.#bytes[this.#size++] = 0;
    this.#bytes[this.#size++] = 0;
    this.#varint(this.#count);
    this.#nullable(record.key);
    this.#nullable(record.value);
    this.#bytes[this.#size++] = 0;
    this.#count += 1;
  }

  /** The whole batch with base offset 0 and no leader epoch; the log stamps both. */
  finish(nowMs: number): Uint8Array {
    const batch = this.#bytes.subarray(0, this.#size);
    const view = new DataView(batch.buffer, batch.byteOffset, batch.length);
    view.setInt32(8, this.#size - 12);
    view.setInt32(12, -1);
    view.setInt8(16, 2);
    view.setInt16(ATTRIBUTES_OFFSET, 0);
    view.setInt32(23, this.#count - 1);
    view.setBigInt64(27, BigInt(nowMs));
    view.setBigInt64(35, BigInt(nowMs));
    view.setBigInt64(43, -1n);
    view.setInt16(51, -1);
    view.setInt32(53, -1);
    view.setInt32(57, this.#count);
    view.setUint32(17, crc32c(batch.subarray(ATTRIBUTES_OFFSET)));
    return batch;
  }

  #reserve(more: number): void {
    const needed = this.#size + more;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.#size));
    this.#bytes = grown;
  }

  #nullable(bytes: Uint8Array | null): void {
    this.#varint(bytes === null ? -1 : bytes.length);
    if (bytes === null) return;
    this.#bytes.set(bytes, this.#size);
    this.#size += bytes.length;
  }

  #varint(value: number): void {
    let rest = zigzag(value);
    while (rest > 0x7f) {
      this.#bytes[this.#size++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.#bytes[this.#size++] = rest;
  }
}

/** What a record adds to a batch, at most. */
export function recordBytesMax(record: EncodedRecord): number {
  return (record.key?.length ?? 0) + (record.value?.length ?? 0) + RECORD_OVERHEAD_BYTES;
}

/** What an empty batch takes. */
export const BATCH_OVERHEAD_BYTES = HEADER_BYTES;

/**
 * Visits every record of whole v2 batches in order. Keys and values are views into `bytes`. Control
 * batches are skipped. The bytes come from this broker's own log, which has checked their CRC; a
 * length that does not fit is still refused before anything is read.
 */
export function readBatches(
  bytes: Uint8Array,
  visit: (key: Uint8Array | null, value: Uint8Array | null, offset: bigint) => void,
): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = 0;
  while (at < bytes.length) {
    assert(bytes.length - at >= HEADER_BYTES, 'a batch header in whole');
    const end = at + 12 + view.getInt32(at + 8);
    assert(end >= at + HEADER_BYTES && end <= bytes.length, 'a batch in whole');
    const attributes = view.getInt16(at + ATTRIBUTES_OFFSET);
    if ((attributes & CONTROL_BATCH) === 0) {
      assert((attributes & COMPRESSION) === 0, 'an internal topic without compression');
      const baseOffset = view.getBigInt64(at);
      readRecords(
        bytes.subarray(at + HEADER_BYTES, end),
        view.getInt32(at + 57),
        baseOffset,
        visit,
      );
    }
    at = end;
  }
}

function readRecords(
  bytes: Uint8Array,
  count: number,
  baseOffset: bigint,
  visit: (key: Uint8Array | null, value: Uint8Array | null, offset: bigint) => void,
): void {
  const cursor = { bytes, at: 0 };
  for (let read = 0; read < count; read += 1) {
    const bodyBytes = readVarint(cursor);
    const end = cursor.at + bodyBytes;
    assert(bodyBytes >= 0 && end <= bytes.length, 'a record in whole');
    cursor.at += 1; // Attributes.
    skipVarint(cursor); // The timestamp delta may be a varint of 64 bits.
    const offsetDelta = readVarint(cursor);
    const key = readNullable(cursor, end);
    const value = readNullable(cursor, end);
    visit(key, value, baseOffset + BigInt(offsetDelta));
    cursor.at = end;
  }
}

interface Cursor {
  readonly bytes: Uint8Array;
  at: number;
}

function readNullable(cursor: Cursor, end: number): Uint8Array | null {
  const length = readVarint(cursor);
  if (length < 0) return null;
  const start = cursor.at;
  assert(start + length <= end, 'a key or value in whole');
  cursor.at += length;
  return cursor.bytes.subarray(start, start + length);
}

function readVarint(cursor: Cursor): number {
  let value = 0;
  for (let shift = 0; shift < 35; shift += 7) {
    const byte = cursor.bytes[cursor.at++];
    assert(byte !== undefined, 'a varint in whole');
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return (value >>> 1) ^ -(value & 1);
  }
  throw new RangeError('a varint is longer than five bytes');
}

function skipVarint(cursor: Cursor): void {
  while ((cursor.bytes[cursor.at++] ?? 0) >= 0x80) {
    // Each byte but the last has its high bit set.
  }
}

const zigzag = (value: number): number => ((value << 1) ^ (value >> 31)) >>> 0;

function varintBytes(value: number): number {
  const bits = zigzag(value);
  if (bits < 0x80) return 1;
  if (bits < 0x4000) return 2;
  if (bits < 0x200000) return 3;
  return bits < 0x10000000 ? 4 : 5;
}

function nullableBytes(bytes: Uint8Array | null): number {
  return bytes === null ? 1 : varintBytes(bytes.length) + bytes.length;
}
