import { ZERO_UUID } from './uuid.ts';

/** Bytes that are not what the format says. The only error a reader throws, whatever the input. */
export class MalformedError extends Error {
  override readonly name = 'MalformedError';
}

const MAX_STRING_BYTES = 0x7fff;
/** A request may have a hundred thousand empty arrays. */
const NO_ITEMS = Object.freeze<never[]>([]) as never[];

/** The id that was read last, as four numbers and as text. */
let last = { a: 0, b: 0, c: 0, d: 0, text: ZERO_UUID };

/**
 * A cursor over one message. Every length is checked against the bytes left before anything is allocated, so the
 * memory used is bounded by the input. `flexible` chooses the compact encodings (KIP-482). Byte fields are views.
 */
export class Reader {
  readonly #bytes: Buffer;
  readonly #itemsMax: number;
  #position = 0;
  #end: number;
  #items = 0;

  /** `itemsMax`: how many items all arrays may have together, and tagged fields with them. */
  constructor(bytes: Uint8Array, itemsMax = Number.POSITIVE_INFINITY) {
    const { buffer, byteOffset, byteLength } = bytes;
    this.#bytes = bytes instanceof Buffer ? bytes : Buffer.from(buffer, byteOffset, byteLength);
    this.#end = bytes.byteLength;
    this.#itemsMax = itemsMax;
  }

  /** How many items of arrays and tagged fields were read so far. */
  get items(): number {
    return this.#items;
  }

  get remaining(): number {
    return this.#end - this.#position;
  }

  /** Consumes `count` bytes and returns where they begin. */
  #take(count: number): number {
    if (count > this.#end - this.#position) {
      throw new MalformedError(`${count} bytes wanted, ${this.remaining} left`);
    }
    const start = this.#position;
    this.#position += count;
    return start;
  }

  // An item of one byte becomes an object of a hundred, and its answer another.
  #count(items: number): void {
    this.#items += items;
    if (this.#items > this.#itemsMax) {
      throw new MalformedError(`more than ${this.#itemsMax} items in one message`);
    }
  }

  boolean(): boolean {
    return this.int8() !== 0;
  }

  int8(): number {
    return this.#bytes.readInt8(this.#take(1));
  }

  int16(): number {
    return this.#bytes.readInt16BE(this.#take(2));
  }

  uint16(): number {
    return this.#bytes.readUInt16BE(this.#take(2));
  }

  int32(): number {
    return this.#bytes.readInt32BE(this.#take(4));
  }

  uint32(): number {
    return this.#bytes.readUInt32BE(this.#take(4));
  }

  int64(): bigint {
    return this.#bytes.readBigInt64BE(this.#take(8));
  }

  float64(): number {
    return this.#bytes.readDoubleBE(this.#take(8));
  }

  /** Kafka's text of a 16-byte id: base64url, 22 characters. */
  uuid(): string {
    const start = this.#take(16);
    const bytes = this.#bytes;
    const [a, b] = [bytes.readInt32BE(start), bytes.readInt32BE(start + 4)];
    const [c, d] = [bytes.readInt32BE(start + 8), bytes.readInt32BE(start + 12)];
    // A topic that is given by its name has this id, and a request may have 100,000.
    if ((a | b | c | d) === 0) return ZERO_UUID;
    // The records of a topic's partitions have the same one, each in a message of its own.
    if (a !== last.a || b !== last.b || c !== last.c || d !== last.d) {
      last = { a, b, c, d, text: bytes.toString('base64url', start, start + 16) };
    }
    return last.text;
  }

  /** An unsigned variable-length integer of at most 32 bits. */
  uvarint(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.#bytes.readUInt8(this.#take(1));
      if (shift === 28 && byte > 0x0f) break;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw new MalformedError('a variable-length integer has more than 32 bits');
  }

  /** A zigzag-encoded 32-bit integer, as record fields use it. */
  varint(): number {
    const value = this.uvarint();
    return (value >>> 1) ^ -(value & 1);
  }

  /** A zigzag-encoded 64-bit integer. */
  varlong(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#bytes.readUInt8(this.#take(1));
      if (shift === 63n && byte > 1) break;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asIntN(64, (value >> 1n) ^ -(value & 1n));
    }
    throw new MalformedError('a variable-length integer has more than 64 bits');
  }

  string(flexible: boolean): string {
    return required(this.nullableString(flexible));
  }

  nullableString(flexible: boolean): string | null {
    const length = flexible ? this.uvarint() - 1 : this.int16();
    if (length < 0) return null;
    if (length > MAX_STRING_BYTES) throw new MalformedError(`a string of ${length} bytes`);
    const start = this.#take(length);
    return this.#bytes.toString('utf8', start, start + length);
  }

  bytes(flexible: boolean): Uint8Array {
    return required(this.nullableBytes(flexible));
  }

  nullableBytes(flexible: boolean): Uint8Array | null {
    const length = flexible ? this.uvarint() - 1 : this.int32();
    return length < 0 ? null : this.raw(length);
  }

  /** A view of the next `length` bytes, with no length in front. */
  raw(length: number): Uint8Array {
    if (length < 0) throw new MalformedError(`a length of ${length} bytes`);
    const start = this.#take(length);
    return this.#bytes.subarray(start, start + length);
  }

  array<T>(flexible: boolean, readItem: () => T): T[] {
    return required(this.nullableArray(flexible, readItem));
  }

  /** Any negative length is null, as Kafka reads it. */
  nullableArray<T>(flexible: boolean, readItem: () => T): T[] | null {
    const length = flexible ? this.uvarint() - 1 : this.int32();
    if (length < 0) return null;
    // No item takes less than a byte.
    if (length > this.remaining) {
      throw new MalformedError(`an array of ${length} items in ${this.remaining} bytes`);
    }
    this.#count(length);
    if (length === 0) return NO_ITEMS;
    // Grown bit by bit an array of one item has room for sixteen more, and a request may have 60,000 such.
    const items = new Array<T>(length);
    for (let i = 0; i < length; i++) items[i] = readItem();
    return items;
  }

  nullableStruct<T>(read: () => T): T | null {
    return this.int8() < 0 ? null : read();
  }

  /** Reads a section of tagged fields. `readField` returns false for a tag it does not know, which is skipped. */
  taggedFields(readField: (tag: number) => boolean): void {
    const outerEnd = this.#end;
    for (let count = this.uvarint(); count > 0; count--) {
      this.#count(1);
      const tag = this.uvarint();
      const size = this.uvarint();
      if (size > this.remaining) {
        throw new MalformedError(`a tagged field of ${size} bytes in ${this.remaining}`);
      }
      this.#end = this.#position + size;
      if (!readField(tag)) this.#position = this.#end;
      if (this.#position !== this.#end) {
        throw new MalformedError(`tagged field ${tag} is shorter than its ${size} bytes`);
      }
      this.#end = outerEnd;
    }
  }

  skipTaggedFields(): void {
    this.taggedFields(() => false);
  }
}

function required<T>(value: T | null): T {
  if (value === null) throw new MalformedError('null where the format does not allow it');
  return value;
}
