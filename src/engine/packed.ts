/** The numbers of the boundary, side by side with native/reactor/src/packed.rs; docs/design/boundary.md says what they mean. */

export const PackedKind = {
  request: 1,
  connected: 2,
  disconnected: 3,
  done: 4,
  role: 5,
  committed: 6,
  closed: 7,
  failed: 8,
  logDirectory: 9,
  log: 10,
} as const;

export const CommandKind = {
  openPartition: 1,
  deletePartition: 2,
  configureLog: 3,
  append: 4,
  readLog: 5,
  listOffsets: 6,
  offsetForLeaderEpoch: 7,
  deleteRecords: 8,
  readBarrier: 9,
  describeLogs: 10,
  describeProducers: 11,
  writeSnapshot: 12,
  readSnapshot: 13,
  sweepFolders: 14,
} as const;

export const OpenFlag = { watchCommits: 1, fsyncAlways: 2 } as const;
export const AnswerFlag = { closeAfter: 1, mute: 2, noAnswer: 4, part: 8 } as const;
export const NO_HANDLE = 0xffffffff;

const textEncoder = new TextEncoder();
const textDecoder = new TextDecoder();

/** Appends little-endian values to a buffer that grows; reused from call to call by `reset`. */
export class PackedWriter {
  #bytes: Uint8Array;
  #view: DataView;
  /** The id that was written last: the partitions of a topic have the same. */
  #uuid: { readonly text: string; readonly bytes: Uint8Array } | undefined;
  length = 0;

  constructor(capacity = 4096) {
    this.#bytes = new Uint8Array(capacity);
    this.#view = new DataView(this.#bytes.buffer);
  }

  get bytes(): Uint8Array {
    return this.#bytes;
  }

  reset(): void {
    this.length = 0;
  }

  /** Drops the first `count` bytes: what the other side has taken. */
  consume(count: number): void {
    this.#bytes.copyWithin(0, count, this.length);
    this.length -= count;
  }

  u8(value: number): this {
    this.#reserve(1);
    this.#view.setUint8(this.length, value);
    this.length += 1;
    return this;
  }

  u16(value: number): this {
    this.#reserve(2);
    this.#view.setUint16(this.length, value, true);
    this.length += 2;
    return this;
  }

  u32(value: number): this {
    this.#reserve(4);
    this.#view.setUint32(this.length, value, true);
    this.length += 4;
    return this;
  }

  i32(value: number): this {
    this.#reserve(4);
    this.#view.setInt32(this.length, value, true);
    this.length += 4;
    return this;
  }

  i64(value: bigint): this {
    this.#reserve(8);
    this.#view.setBigInt64(this.length, value, true);
    this.length += 8;
    return this;
  }

  str(value: string): this {
    const encoded = textEncoder.encode(value);
    this.u16(encoded.length);
    return this.raw(encoded);
  }

  uuid(value: string): this {
    if (this.#uuid?.text !== value) {
      const bytes = Buffer.from(value, 'base64url');
      if (bytes.length !== 16) throw new RangeError(`not a 16-byte id: ${value}`);
      this.#uuid = { text: value, bytes };
    }
    return this.raw(this.#uuid.bytes);
  }

  raw(value: Uint8Array): this {
    this.#reserve(value.length);
    this.#bytes.set(value, this.length);
    this.length += value.length;
    return this;
  }

  /** Begins an entry; `end` with what this returns fills in its length. */
  begin(): number {
    this.u32(0);
    return this.length;
  }

  end(start: number): void {
    this.#view.setUint32(start - 4, this.length - start, true);
  }

  #reserve(count: number): void {
    const needed = this.length + count;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.length));
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}

/** Reads little-endian values; a read beyond the end throws RangeError, which only a bug can cause. */
export class PackedReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #isOwned: boolean;
  #end: number;
  #offset: number;

  /** `isOwned`: nobody else writes to the buffer any more. */
  constructor(bytes: Uint8Array, offset = 0, end = bytes.length, isOwned = false) {
    this.#isOwned = isOwned;
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#end = end;
    this.#offset = offset;
  }

  /** The entry behind the one that was read, in a buffer of entries that ends at `end`; false: there is none. */
  nextEntry(end: number): boolean {
    const start = this.#end;
    if (start >= end) return false;
    this.#end = start + 4;
    this.#offset = start;
    const length = this.u32();
    this.#end = start + 4 + length;
    return true;
  }

  get remaining(): number {
    return this.#end - this.#offset;
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#take(2), true);
  }

  i16(): number {
    return this.#view.getInt16(this.#take(2), true);
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  i32(): number {
    return this.#view.getInt32(this.#take(4), true);
  }

  i64(): bigint {
    return this.#view.getBigInt64(this.#take(8), true);
  }

  skip(length: number): void {
    this.#take(length);
  }

  str(): string {
    const length = this.u16();
    return textDecoder.decode(this.#slice(length));
  }

  /** What is left; a copy where the buffer below is reused. */
  rest(): Uint8Array {
    const rest = this.#slice(this.remaining);
    return this.#isOwned ? rest : rest.slice();
  }

  #slice(length: number): Uint8Array {
    const start = this.#take(length);
    return this.#bytes.subarray(start, start + length);
  }

  /** Goes on behind so many bytes; where they begin. */
  #take(length: number): number {
    const start = this.#offset;
    if (start + length > this.#end) throw new RangeError('packed entry is too short');
    this.#offset = start + length;
    return start;
  }
}
