import { type Items, LateItems, stepsOf } from './late-items.ts';

/** A value that the chosen version of a message cannot carry. Always a mistake of the caller, never of a peer. */
export class UnencodableError extends Error {
  override readonly name = 'UnencodableError';
}

const MAX_STRING_BYTES = 0x7fff;
const FIRST_CAPACITY_BYTES = 256;

/** So many bytes are worth being handed over. */
const PART_BYTES = 64 * 1024;

/** An array that is written later. */
interface LongArray {
  /** Where its items belong. */
  readonly at: number;
  readonly items: Items<unknown>;
  readonly writeItem: (item: unknown) => void;
}

/** What is done with arrays of many items. */
export interface LongArrays {
  /** Arrays of so many items are left out until `rest` is called. */
  readonly from: number;
  /** Takes what `rest` has written, part by part; a part is valid during the call. Without it `finish` returns all. */
  readonly take?: (part: Uint8Array) => void;
}

/** A growing buffer. `flexible` chooses the compact encodings (KIP-482). */
export class Writer {
  #bytes: Buffer;
  #position = 0;
  readonly #longFrom: number;
  readonly #take: ((part: Uint8Array) => void) | undefined;
  /** What was left out of what is in the buffer. */
  #left: LongArray[] = [];
  #isSized = false;

  constructor(capacityBytes = FIRST_CAPACITY_BYTES, long?: LongArrays) {
    this.#bytes = Buffer.allocUnsafe(Math.max(capacityBytes, 16));
    this.#longFrom = long?.from ?? Number.POSITIVE_INFINITY;
    this.#take = long?.take;
  }

  /** A view of what has been written and not been handed over; valid until the next write. */
  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#position);
  }

  /** Whether arrays were left out. */
  get hasRest(): boolean {
    return this.#left.length > 0;
  }

  /**
   * Writes what was left out, a step an item, so that whoever goes through it can pause. A step that is a promise
   * must be waited for.
   */
  *rest(): Iterable<unknown> {
    if (this.hasRest) yield* this.#fillIn(0);
  }

  /** Writes what begins at `start` again, with what was left out of it, so that all of it is in its order. */
  *#fillIn(start: number): Iterable<unknown> {
    const left = this.#left;
    this.#left = [];
    const around = Buffer.from(this.#bytes.subarray(start, this.#position));
    this.#position = start;
    let from = 0;
    for (const { at, items, writeItem } of left) {
      this.raw(around.subarray(from, at - start));
      from = at - start;
      let missing = items.length;
      for (const step of stepsOf(items)) {
        if (step instanceof Promise) {
          yield step;
          continue;
        }
        const itemStart = this.#position;
        writeItem(step);
        if (this.hasRest) yield* this.#fillIn(itemStart);
        this.#handOver();
        missing -= 1;
        yield;
      }
      if (missing !== 0) throw new UnencodableError(`${missing} items fewer than were announced`);
    }
    this.raw(around.subarray(from));
  }

  #handOver(): void {
    if (this.#take === undefined || this.#position < PART_BYTES) return;
    this.#take(this.finish());
    this.#position = 0;
  }

  /** Starts again in the same memory. */
  rewind(): void {
    this.#position = 0;
  }

  /** Makes room for `count` bytes and returns where they begin. */
  #claim(count: number): number {
    const start = this.#position;
    const needed = start + count;
    if (needed > this.#bytes.length) {
      const grown = Buffer.allocUnsafe(Math.max(needed, this.#bytes.length * 2));
      this.#bytes.copy(grown, 0, 0, start);
      this.#bytes = grown;
    }
    this.#position = needed;
    return start;
  }

  boolean(value: boolean): void {
    this.int8(value ? 1 : 0);
  }

  int8(value: number): void {
    const start = this.#claim(1);
    this.#bytes.writeInt8(value, start);
  }

  int16(value: number): void {
    const start = this.#claim(2);
    this.#bytes.writeInt16BE(value, start);
  }

  uint16(value: number): void {
    const start = this.#claim(2);
    this.#bytes.writeUInt16BE(value, start);
  }

  int32(value: number): void {
    const start = this.#claim(4);
    this.#bytes.writeInt32BE(value, start);
  }

  uint32(value: number): void {
    const start = this.#claim(4);
    this.#bytes.writeUInt32BE(value, start);
  }

  int64(value: bigint): void {
    const start = this.#claim(8);
    this.#bytes.writeBigInt64BE(value, start);
  }

  float64(value: number): void {
    const start = this.#claim(8);
    this.#bytes.writeDoubleBE(value, start);
  }

  uuid(value: string): void {
    const start = this.#claim(16);
    if (value.length !== 22 || this.#bytes.write(value, start, 16, 'base64url') !== 16) {
      throw new UnencodableError(`not an id of 22 base64url characters: ${value}`);
    }
  }

  /** An unsigned variable-length integer of at most 32 bits. */
  uvarint(value: number): void {
    let rest = value;
    while (rest >= 0x80) {
      const start = this.#claim(1);
      this.#bytes.writeUInt8((rest % 0x80) | 0x80, start);
      rest = Math.floor(rest / 0x80);
    }
    const start = this.#claim(1);
    this.#bytes.writeUInt8(rest, start);
  }

  /** A zigzag-encoded 32-bit integer, as record fields use it. */
  varint(value: number): void {
    this.uvarint(((value << 1) ^ (value >> 31)) >>> 0);
  }

  /** A zigzag-encoded 64-bit integer. */
  varlong(value: bigint): void {
    let rest = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n));
    while (rest >= 0x80n) {
      const start = this.#claim(1);
      this.#bytes.writeUInt8(Number(rest & 0x7fn) | 0x80, start);
      rest >>= 7n;
    }
    const start = this.#claim(1);
    this.#bytes.writeUInt8(Number(rest), start);
  }

  string(flexible: boolean, value: string): void {
    this.nullableString(flexible, value);
  }

  nullableString(flexible: boolean, value: string | null): void {
    const length = value === null ? -1 : Buffer.byteLength(value, 'utf8');
    if (length > MAX_STRING_BYTES) throw new UnencodableError(`a string of ${length} bytes`);
    if (flexible) this.uvarint(length + 1);
    else this.int16(length);
    if (value === null) return;
    const start = this.#claim(length);
    this.#bytes.write(value, start, length, 'utf8');
  }

  bytes(flexible: boolean, value: Uint8Array): void {
    this.nullableBytes(flexible, value);
  }

  nullableBytes(flexible: boolean, value: Uint8Array | null): void {
    this.#length(flexible, value);
    if (value !== null) this.raw(value);
  }

  /** The bytes alone, with no length in front. */
  raw(value: Uint8Array): void {
    const start = this.#claim(value.length);
    this.#bytes.set(value, start);
  }

  array<T>(flexible: boolean, items: Items<T>, writeItem: (item: T) => void): void {
    this.nullableArray(flexible, items, writeItem);
  }

  nullableArray<T>(flexible: boolean, items: Items<T> | null, writeItem: (item: T) => void): void {
    this.#length(flexible, items);
    if (items === null) return;
    const isLate = items instanceof LateItems;
    if (isLate && this.#isSized) throw new UnencodableError('late items in a tagged field');
    const isLong = items.length >= this.#longFrom && !this.#isSized;
    if (isLate || isLong) this.#leaveOut(items, writeItem);
    else for (const item of items) writeItem(item);
  }

  #leaveOut<T>(items: Items<T>, writeItem: (item: T) => void): void {
    this.#left.push({ at: this.#position, items, writeItem } as LongArray);
  }

  nullableStruct<T>(value: T | null, write: (value: T) => void): void {
    this.int8(value === null ? -1 : 1);
    if (value !== null) write(value);
  }

  /** A section of tagged fields. `writeFields` calls `add` in ascending order of tags, for the fields that are set. */
  taggedFields(writeFields: (add: (tag: number, writeField: () => void) => void) => void): void {
    // The generator refuses 128 tags in a struct, so the count takes one byte.
    const countAt = this.#claim(1);
    let count = 0;
    writeFields((tag, writeField) => {
      count += 1;
      this.uvarint(tag);
      this.#sized(writeField);
    });
    this.#bytes.writeUInt8(count, countAt);
  }

  noTaggedFields(): void {
    this.uvarint(0);
  }

  /** Writes a part with its length in front, which is known only afterwards. */
  #sized(write: () => void): void {
    const start = this.#position;
    const isWithinSized = this.#isSized;
    // A size is known only of what is there.
    this.#isSized = true;
    write();
    this.#isSized = isWithinSized;
    const size = this.#position - start;
    const prefixBytes = uvarintBytes(size);
    this.#claim(prefixBytes);
    this.#bytes.copyWithin(start + prefixBytes, start, start + size);
    const end = this.#position;
    this.#position = start;
    this.uvarint(size);
    this.#position = end;
  }

  #length(flexible: boolean, value: { readonly length: number } | null): void {
    const length = value === null ? -1 : value.length;
    if (flexible) this.uvarint(length + 1);
    else this.int32(length);
  }
}

function uvarintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes += 1;
  return bytes;
}
