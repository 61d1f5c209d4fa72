import { crc32c } from '@node-rs/crc32';
import { assert } from '../base/index.ts';
import type { EncodedRecord, RecordSink } from './machine.ts';

const HEADER_BYTES = 61;
const ATTRIBUTES_OFFSET = 21;
/** Upper bound of what a record needs beside its key and value: seven varints of at most 5 bytes. */
const RECORD_OVERHEAD_BYTES = 35;
const CONTROL_BATCH = 0x20;
const COMPRESSION = 0x07;

/** Packs the records of a turn into one uncompressed v2 batch. One buffer, grown by doubling. */
export class BatchBuilder implements RecordSink {
  #place: WritablePlace;
  #size = HEADER_BYTES;
  #count = 0;

  constructor(initialBytes = 1024) {
    this.#place = placeIn(new Uint8Array(Math.max(initialBytes, HEADER_BYTES)));
  }

  get count(): number {
    return this.#count;
  }

  get sizeBytes(): number {
    return this.#size;
  }

  add({ key, value }: EncodedRecord): void {
    const { bytes, keyStart, valueStart } = this.reserve(key?.length ?? -1, value?.length ?? -1);
    if (key !== null) bytes.set(key, keyStart);
    if (value !== null) bytes.set(value, valueStart);
  }

  /** Adds a record whose key and value are to be written into the place; a length of -1 is null. No allocation. */
  reserve(keyBytes: number, valueBytes: number): RecordPlace {
    this.#grow(Math.max(0, keyBytes) + Math.max(0, valueBytes) + RECORD_OVERHEAD_BYTES);
    const place = this.#place;
    const body =
      2 + // Attributes and the timestamp delta of 0.
      varintBytes(this.#count) +
      nullableBytes(keyBytes) +
      nullableBytes(valueBytes) +
      1; // No headers.
    this.#varint(body);
    place.bytes[this.#size++] = 0;
    place.bytes[this.#size++] = 0;
    this.#varint(this.#count);
    this.#varint(keyBytes);
    place.keyStart = this.#size;
    place.keyEnd = this.#size += Math.max(0, keyBytes);
    this.#varint(valueBytes);
    place.valueStart = this.#size;
    place.valueEnd = this.#size += Math.max(0, valueBytes);
    place.bytes[this.#size++] = 0;
    this.#count += 1;
    return place;
  }

  /** Takes back what was added since it had this size and count. */
  cutTo(sizeBytes: number, count: number): void {
    assert(sizeBytes <= this.#size && count <= this.#count, 'a batch is cut to what it was');
    this.#size = sizeBytes;
    this.#count = count;
  }

  /** The whole batch with base offset 0 and no leader epoch; the log stamps both. */
  finish(nowMs: number): Uint8Array {
    const batch = this.#place.bytes.subarray(0, this.#size);
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

  #grow(more: number): void {
    const { bytes } = this.#place;
    const needed = this.#size + more;
    if (needed <= bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, bytes.length * 2));
    grown.set(bytes.subarray(0, this.#size));
    this.#place = placeIn(grown);
  }

  #varint(value: number): void {
    const { bytes } = this.#place;
    let rest = zigzag(value);
    while (rest > 0x7f) {
      bytes[this.#size++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    bytes[this.#size++] = rest;
  }
}

/** What a record adds to a batch, at most. */
export function recordBytesMax(record: EncodedRecord): number {
  return (record.key?.length ?? 0) + (record.value?.length ?? 0) + RECORD_OVERHEAD_BYTES;
}

/** What an empty batch takes. */
export const BATCH_OVERHEAD_BYTES = HEADER_BYTES;

/** Where the key and the value of a record lie in `bytes`, which `view` shows too; a start of -1 is null. */
export interface RecordPlace {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly keyStart: number;
  readonly keyEnd: number;
  readonly valueStart: number;
  readonly valueEnd: number;
}

type WritablePlace = { -readonly [Field in keyof RecordPlace]: RecordPlace[Field] };

function placeIn(bytes: Uint8Array): WritablePlace {
  const view = new DataView(bytes.buffer);
  return { bytes, view, keyStart: -1, keyEnd: -1, valueStart: -1, valueEnd: -1 };
}

/** The key, as a view. */
export const keyAt = ({ bytes, keyStart, keyEnd }: RecordPlace): Uint8Array | null =>
  keyStart < 0 ? null : bytes.subarray(keyStart, keyEnd);

/** The value, as a view. */
export const valueAt = ({ bytes, valueStart, valueEnd }: RecordPlace): Uint8Array | null =>
  valueStart < 0 ? null : bytes.subarray(valueStart, valueEnd);

/**
 * Visits the records of whole v2 batches from an offset on, in order; the place is the same object every time.
 * Control batches are skipped. The bytes come from this broker's own log, which has checked their CRC; a length that
 * does not fit is still refused before anything is read. No allocation for a record.
 */
export function readBatches(
  bytes: Uint8Array,
  fromOffset: bigint,
  visit: (place: RecordPlace) => void,
): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const cursor = new Cursor(bytes, view);
  let at = 0;
  while (at < bytes.length) {
    assert(bytes.length - at >= HEADER_BYTES, 'a batch header in whole');
    const end = at + 12 + view.getInt32(at + 8);
    assert(end >= at + HEADER_BYTES && end <= bytes.length, 'a batch in whole');
    const attributes = view.getInt16(at + ATTRIBUTES_OFFSET);
    if ((attributes & CONTROL_BATCH) === 0) {
      assert((attributes & COMPRESSION) === 0, 'an internal topic without compression');
      const skipped = Number(fromOffset - view.getBigInt64(at));
      cursor.at = at + HEADER_BYTES;
      for (let left = view.getInt32(at + 57); left > 0; left -= 1) {
        if (cursor.next(end) >= skipped) visit(cursor);
      }
    }
    at = end;
  }
}

class Cursor implements RecordPlace {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  at = 0;
  keyStart = -1;
  keyEnd = -1;
  valueStart = -1;
  valueEnd = -1;

  constructor(bytes: Uint8Array, view: DataView) {
    this.bytes = bytes;
    this.view = view;
  }

  /** Goes to the next record of a batch that ends at `batchEnd`, and gives the delta of its offset. */
  next(batchEnd: number): number {
    const bodyBytes = this.#varint();
    const end = this.at + bodyBytes;
    assert(bodyBytes >= 0 && end <= batchEnd, 'a record in whole');
    this.at += 1; // Attributes.
    this.#skipVarint(); // The timestamp delta may be a varint of 64 bits.
    const offsetDelta = this.#varint();
    const keyBytes = this.#varint();
    this.keyStart = keyBytes < 0 ? -1 : this.at;
    this.keyEnd = this.at += Math.max(0, keyBytes);
    assert(this.keyEnd <= end, 'a key in whole');
    const valueBytes = this.#varint();
    this.valueStart = valueBytes < 0 ? -1 : this.at;
    this.valueEnd = this.at + Math.max(0, valueBytes);
    assert(this.valueEnd <= end, 'a value in whole');
    this.at = end;
    return offsetDelta;
  }

  #varint(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.bytes[this.at++];
      assert(byte !== undefined, 'a varint in whole');
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return (value >>> 1) ^ -(value & 1);
    }
    throw new RangeError('a varint is longer than five bytes');
  }

  #skipVarint(): void {
    while ((this.bytes[this.at++] ?? 0) >= 0x80) {
      // Each byte but the last has its high bit set.
    }
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

/** What a key or a value takes with its length; one of -1 is null. */
const nullableBytes = (length: number): number => varintBytes(length) + Math.max(0, length);
