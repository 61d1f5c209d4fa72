import { gunzipSync } from 'node:zlib';
import { crc32c } from '@node-rs/crc32';
import { MalformedError, Reader } from './reader.ts';
import { UnencodableError, Writer } from './writer.ts';

export interface RecordHeader {
  readonly key: string;
  readonly value: Uint8Array | null;
}

/** One record as an application sees it. */
export interface BatchRecord {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: readonly RecordHeader[];
  readonly timestamp: bigint;
  readonly offset: bigint;
}

export interface RecordDraft {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers?: readonly RecordHeader[] | undefined;
  /** Absent: the batch's timestamp. */
  readonly timestamp?: bigint | undefined;
}

/** What a batch says about itself, in front of its records. */
export interface BatchHeader {
  readonly baseOffset: bigint;
  readonly partitionLeaderEpoch: number;
  readonly attributes: number;
  readonly lastOffsetDelta: number;
  readonly baseTimestamp: bigint;
  readonly maxTimestamp: bigint;
  readonly producerId: bigint;
  readonly producerEpoch: number;
  readonly baseSequence: number;
  readonly isTransactional: boolean;
  readonly isControl: boolean;
}

export interface RecordBatch extends BatchHeader {
  readonly records: readonly BatchRecord[];
}

/** All but `timestamp` may be left out: offset 0, no producer, leader epoch -1. */
export interface BatchOptions {
  readonly timestamp: bigint;
  readonly baseOffset?: bigint | undefined;
  readonly partitionLeaderEpoch?: number | undefined;
  readonly producerId?: bigint | undefined;
  readonly producerEpoch?: number | undefined;
  readonly baseSequence?: number | undefined;
  readonly isTransactional?: boolean | undefined;
  readonly isControl?: boolean | undefined;
}

const MAGIC = 2;
/** From the start of a batch to its length field's end; the length counts what follows. */
const LENGTH_END = 12;
const CRC_AT = 17;
const ATTRIBUTES_AT = 21;
/** The size of an empty batch. */
export const BATCH_HEADER_BYTES = 61;
const COMPRESSION_MASK = 0x07;
const GZIP = 1;
const LOG_APPEND_TIME = 0x08;
const TRANSACTIONAL = 0x10;
const CONTROL = 0x20;
/** What a compressed batch of ours may grow to; nothing TypeScript reads is larger. */
const MAX_UNCOMPRESSED_BYTES = 64 * 1024 * 1024;

/** Builds one uncompressed batch of format 2 (KIP-98). @throws UnencodableError for a batch without records. */
export function buildBatch(records: readonly RecordDraft[], options: BatchOptions): Uint8Array {
  if (records.length === 0) throw new UnencodableError('a batch has at least one record');
  const times = records.map((record) => record.timestamp ?? options.timestamp);
  const baseTimestamp = times[0] ?? options.timestamp;
  const writer = new Writer(BATCH_HEADER_BYTES + 64 * records.length);
  writer.int64(options.baseOffset ?? 0n);
  writer.int32(0);
  writer.int32(options.partitionLeaderEpoch ?? -1);
  writer.int8(MAGIC);
  writer.uint32(0);
  writer.int16((options.isTransactional ? TRANSACTIONAL : 0) | (options.isControl ? CONTROL : 0));
  writer.int32(records.length - 1);
  writer.int64(baseTimestamp);
  writer.int64(latest(times, baseTimestamp));
  writer.int64(options.producerId ?? -1n);
  writer.int16(options.producerEpoch ?? -1);
  writer.int32(options.baseSequence ?? -1);
  writer.int32(records.length);
  const scratch = new Writer();
  records.forEach((record, i) => {
    scratch.rewind();
    writeRecord(scratch, record, i, (times[i] ?? baseTimestamp) - baseTimestamp);
    const bytes = scratch.finish();
    writer.varint(bytes.length);
    writer.raw(bytes);
  });
  const batch = writer.finish();
  const view = new DataView(batch.buffer, batch.byteOffset, batch.byteLength);
  view.setInt32(8, batch.length - LENGTH_END);
  view.setUint32(
    CRC_AT,
    crc32c(
      Buffer.from(batch.buffer, batch.byteOffset + ATTRIBUTES_AT, batch.length - ATTRIBUTES_AT),
    ),
  );
  return batch;
}

function latest(times: readonly bigint[], first: bigint): bigint {
  let max = first;
  for (const time of times) if (time > max) max = time;
  return max;
}

function writeRecord(
  writer: Writer,
  record: RecordDraft,
  offsetDelta: number,
  timestampDelta: bigint,
): void {
  writer.int8(0);
  writer.varlong(timestampDelta);
  writer.varint(offsetDelta);
  writeVarBytes(writer, record.key);
  writeVarBytes(writer, record.value);
  const headers = record.headers ?? [];
  writer.varint(headers.length);
  for (const { key, value } of headers) {
    writeVarBytes(writer, Buffer.from(key, 'utf8'));
    writeVarBytes(writer, value);
  }
}

function writeVarBytes(writer: Writer, value: Uint8Array | null): void {
  writer.varint(value === null ? -1 : value.length);
  if (value !== null) writer.raw(value);
}

/**
 * Reads whole batches until the bytes end; a batch that is cut off at the end is left out, as a fetch may cut one.
 * Keys and values are views. Uncompressed and gzip only: TypeScript reads what it wrote itself.
 * @throws MalformedError also for a wrong CRC.
 */
export function readBatches(bytes: Uint8Array): RecordBatch[] {
  return [...eachBatch(bytes)];
}

/** As `readBatches`, one batch after the other. */
export function* eachBatch(bytes: Uint8Array): Iterable<RecordBatch> {
  let rest = bytes;
  while (rest.length >= LENGTH_END) {
    const length = new DataView(rest.buffer, rest.byteOffset, LENGTH_END).getInt32(8);
    if (length < BATCH_HEADER_BYTES - LENGTH_END)
      throw new MalformedError(`a batch of length ${length}`);
    if (length > rest.length - LENGTH_END) break;
    yield readBatch(rest.subarray(0, LENGTH_END + length));
    rest = rest.subarray(LENGTH_END + length);
  }
}

function readBatch(bytes: Uint8Array): RecordBatch {
  const reader = new Reader(bytes);
  const baseOffset = reader.int64();
  reader.int32();
  const partitionLeaderEpoch = reader.int32();
  const magic = reader.int8();
  if (magic !== MAGIC) throw new MalformedError(`a batch of format ${magic}`);
  const crc = reader.uint32();
  const covered = Buffer.from(
    bytes.buffer,
    bytes.byteOffset + ATTRIBUTES_AT,
    bytes.length - ATTRIBUTES_AT,
  );
  if (crc32c(covered) !== crc)
    throw new MalformedError(`the batch at offset ${baseOffset} has a wrong CRC`);
  const attributes = reader.int16();
  const header: BatchHeader = {
    baseOffset,
    partitionLeaderEpoch,
    attributes,
    lastOffsetDelta: reader.int32(),
    baseTimestamp: reader.int64(),
    maxTimestamp: reader.int64(),
    producerId: reader.int64(),
    producerEpoch: reader.int16(),
    baseSequence: reader.int32(),
    isTransactional: (attributes & TRANSACTIONAL) !== 0,
    isControl: (attributes & CONTROL) !== 0,
  };
  const count = reader.int32();
  const body = uncompressed(attributes & COMPRESSION_MASK, reader.raw(reader.remaining));
  return { ...header, records: readRecords(body, count, header) };
}

function uncompressed(codec: number, bytes: Uint8Array): Uint8Array {
  if (codec === 0) return bytes;
  if (codec !== GZIP) throw new MalformedError(`compression ${codec} is not read here`);
  try {
    return gunzipSync(bytes, { maxOutputLength: MAX_UNCOMPRESSED_BYTES });
  } catch (error) {
    throw new MalformedError(`gzip: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function readRecords(bytes: Uint8Array, count: number, header: BatchHeader): BatchRecord[] {
  // A record takes at least seven bytes.
  if (count < 0 || count > bytes.length)
    throw new MalformedError(`${count} records in ${bytes.length} bytes`);
  const reader = new Reader(bytes);
  const records: BatchRecord[] = [];
  for (let i = 0; i < count; i++) {
    const length = reader.varint();
    const behind = reader.remaining - length;
    if (length < 0 || behind < 0)
      throw new MalformedError(`a record of ${length} bytes, ${reader.remaining} left`);
    // Read from the batch itself: a reader and a view for each record are garbage that costs more.
    records.push(readRecord(reader, header));
    if (reader.remaining !== behind)
      throw new MalformedError(`a record says that it has ${length} bytes, and has others`);
  }
  if (reader.remaining !== 0)
    throw new MalformedError(`${reader.remaining} bytes left over in a batch`);
  return records;
}

function readRecord(reader: Reader, header: BatchHeader): BatchRecord {
  reader.int8();
  const timestampDelta = reader.varlong();
  const offset = header.baseOffset + BigInt(reader.varint());
  const key = readVarBytes(reader);
  const value = readVarBytes(reader);
  const count = reader.varint();
  // A header takes at least two bytes.
  if (count < 0 || count > reader.remaining) throw new MalformedError(`${count} record headers`);
  const headers: RecordHeader[] = [];
  for (let i = 0; i < count; i++) {
    const name = readVarBytes(reader);
    if (name === null) throw new MalformedError('a record header without a key');
    headers.push({ key: Buffer.from(name).toString('utf8'), value: readVarBytes(reader) });
  }
  const isAppendTime = (header.attributes & LOG_APPEND_TIME) !== 0;
  return {
    key,
    value,
    headers,
    offset,
    timestamp: isAppendTime ? header.maxTimestamp : header.baseTimestamp + timestampDelta,
  };
}

function readVarBytes(reader: Reader): Uint8Array | null {
  const length = reader.varint();
  return length < 0 ? null : reader.raw(length);
}
