// Generated from sample.api by `npm run generate`; never edited.
//
// Sample: every word of the grammar, also those that no message of Kafka's uses.
//
// It is generated beside this file and run by the tests of the generator.

import { type Draft, EMPTY_BYTES, notNull, type RecordFormat, requireDefault, requireReadable, requireWritable, ZERO_UUID } from '../codec.ts';
import type { Reader } from '../reader.ts';
import type { Writer } from '../writer.ts';

export const SampleKey: RecordFormat<SampleKey> = {
  name: 'SampleKey',
  type: 7,
  minVersion: 0,
  maxVersion: 0,
  flexibleFrom: Number.POSITIVE_INFINITY,
  read: readSampleKey,
  write: writeSampleKey,
};

export const SampleValue: RecordFormat<SampleValue> = {
  name: 'SampleValue',
  type: 7,
  minVersion: 1,
  maxVersion: 5,
  flexibleFrom: 3,
  read: readSampleValue,
  write: writeSampleValue,
};

export const OtherValue: RecordFormat<OtherValue> = {
  name: 'OtherValue',
  type: 8,
  minVersion: 0,
  maxVersion: 0,
  flexibleFrom: Number.POSITIVE_INFINITY,
  read: readOtherValue,
  write: writeOtherValue,
};

export interface SampleKey {
  readonly default: number;
  readonly version: bigint;
}

function readSampleKey(reader: Reader, version: number): SampleKey {
  requireReadable(version >= 0 && version <= 0, 'SampleKey', version);
  const defaultField = reader.uint32();
  const versionField = reader.int64();
  return { default: defaultField, version: versionField };
}

function writeSampleKey(writer: Writer, input: Draft<SampleKey>, version: number): void {
  requireWritable(version >= 0 && version <= 0, 'SampleKey', version);
  const { default: defaultField = 0, version: versionField = 0n } = input;
  writer.uint32(defaultField);
  writer.int64(versionField);
}

export interface SampleValue {
  readonly single: SampleValuePair;
  readonly maybe: SampleValuePair | null;
  readonly later: SampleValuePair;
  readonly strict: SampleValuePair;
  readonly pairs: readonly SampleValuePair[] | null;
  readonly ratio: number;
  readonly port: number;
  readonly isGreat: boolean;
  readonly id: string;
  readonly payload: Uint8Array | null;
  readonly log: Uint8Array | null;
  readonly label: string | null;
  readonly plainText: string;
  readonly numbers: readonly bigint[];
  readonly ids: readonly string[];
  readonly tagged: SampleValuePair;
  readonly outer: Outer;
  readonly note: string | null;
  readonly maybePair: SampleValuePair | null;
}

export interface SampleValuePair {
  /** negative by default */
  readonly left: number;
  readonly right: string;
}

export interface Outer {
  readonly inner: SampleValuePair;
  readonly list: readonly number[] | null;
}

function readSampleValue(reader: Reader, version: number): SampleValue {
  const flexible = version >= 3;
  requireReadable(version >= 1 && version <= 5, 'SampleValue', version);
  const single = readSampleValuePair(reader, version);
  const maybe = version >= 2 ? reader.nullableStruct(() => readSampleValuePair(reader, version)) : readSampleValuePair(reader, version);
  const later = version >= 2 ? readSampleValuePair(reader, version) : defaultSampleValuePair;
  const strict = version >= 2 ? readSampleValuePair(reader, version) : defaultSampleValuePair;
  const pairs = version >= 2 && version <= 3 ? reader.nullableArray(flexible, () => readSampleValuePair(reader, version)) : [];
  const ratio = version >= 4 ? reader.float64() : 1.5;
  const port = reader.uint16();
  const isGreat = version >= 3 ? reader.boolean() : true;
  const id = version >= 3 ? reader.uuid() : ZERO_UUID;
  const payload = version >= 3 ? reader.nullableBytes(flexible) : EMPTY_BYTES;
  const log = version === 4 ? reader.nullableBytes(flexible) : null;
  const label = version >= 3 && version <= 4 ? reader.nullableString(flexible) : reader.string(flexible);
  const plainText = reader.string(false);
  const numbers = reader.array(flexible, () => reader.int64());
  let ids: readonly string[] = [];
  let tagged: SampleValuePair = defaultSampleValuePair;
  let outer: Outer = defaultOuter;
  let note: string | null = null;
  let maybePair: SampleValuePair | null = null;
  if (flexible) reader.taggedFields((tag) => {
    switch (tag) {
      case 2:
        ids = reader.array(flexible, () => reader.uuid());
        return true;
      case 0:
        tagged = readSampleValuePair(reader, version);
        return true;
      case 1:
        if (version < 4) return false;
        outer = readOuter(reader, version);
        return true;
      case 3:
        note = reader.nullableString(flexible);
        return true;
      case 4:
        maybePair = reader.nullableStruct(() => readSampleValuePair(reader, version));
        return true;
      default:
        return false;
    }
  });
  return { single, maybe, later, strict, pairs, ratio, port, isGreat, id, payload, log, label, plainText, numbers, ids, tagged, outer, note, maybePair };
}

function writeSampleValue(writer: Writer, input: Draft<SampleValue>, version: number): void {
  const flexible = version >= 3;
  requireWritable(version >= 1 && version <= 5, 'SampleValue', version);
  const { single = {}, maybe = null, later = {}, strict = {}, pairs = [], ratio = 1.5, port = 9092, isGreat = true, id = ZERO_UUID, payload = EMPTY_BYTES, log = null, label = 'none', plainText = '', numbers = [], ids = [], tagged = {}, outer = {}, note = null, maybePair = null } = input;
  writeSampleValuePair(writer, single, version);
  (version >= 2 ? writer.nullableStruct(maybe, (struct) => writeSampleValuePair(writer, struct, version)) : writeSampleValuePair(writer, notNull(maybe, 'SampleValue.maybe', version), version));
  if (version >= 2) writeSampleValuePair(writer, later, version);
  if (version >= 2) writeSampleValuePair(writer, strict, version);
  else requireDefault(isDefaultSampleValuePair(strict), 'SampleValue.strict', version);
  if (version >= 2 && version <= 3) writer.nullableArray(flexible, pairs, (item) => writeSampleValuePair(writer, item, version));
  else requireDefault(pairs !== null && pairs.length === 0, 'SampleValue.pairs', version);
  if (version >= 4) writer.float64(ratio);
  else requireDefault(ratio === 1.5, 'SampleValue.ratio', version);
  writer.uint16(port);
  if (version >= 3) writer.boolean(isGreat);
  else requireDefault(isGreat === true, 'SampleValue.isGreat', version);
  if (version >= 3) writer.uuid(id);
  if (version >= 3) writer.nullableBytes(flexible, payload);
  else requireDefault(payload !== null && payload.length === 0, 'SampleValue.payload', version);
  if (version === 4) writer.nullableBytes(flexible, log);
  else requireDefault(log === null, 'SampleValue.log', version);
  writer.nullableString(flexible, version >= 3 && version <= 4 ? label : notNull(label, 'SampleValue.label', version));
  writer.string(false, plainText);
  writer.array(flexible, numbers, (item) => writer.int64(item));
  if (version < 3) requireDefault(isDefaultSampleValuePair(tagged), 'SampleValue.tagged', version);
  if (version < 4) requireDefault(isDefaultOuter(outer), 'SampleValue.outer', version);
  if (version < 3) requireDefault(ids.length === 0, 'SampleValue.ids', version);
  if (version < 3) requireDefault(maybePair === null, 'SampleValue.maybePair', version);
  if (flexible) writer.taggedFields((add) => {
    if (!isDefaultSampleValuePair(tagged)) add(0, () => writeSampleValuePair(writer, tagged, version));
    if (version >= 4 && !isDefaultOuter(outer)) add(1, () => writeOuter(writer, outer, version));
    if (ids.length !== 0) add(2, () => writer.array(flexible, ids, (item) => writer.uuid(item)));
    if (note !== null) add(3, () => writer.nullableString(flexible, note));
    if (maybePair !== null) add(4, () => writer.nullableStruct(maybePair, (struct) => writeSampleValuePair(writer, struct, version)));
  });
}

function readSampleValuePair(reader: Reader, version: number): SampleValuePair {
  const flexible = version >= 3;
  const left = reader.int32();
  const right = reader.string(flexible);
  if (flexible) reader.skipTaggedFields();
  return { left, right };
}

function writeSampleValuePair(writer: Writer, input: Draft<SampleValuePair>, version: number): void {
  const flexible = version >= 3;
  const { left = -7, right = '' } = input;
  writer.int32(left);
  writer.string(flexible, right);
  if (flexible) writer.noTaggedFields();
}

function readOuter(reader: Reader, version: number): Outer {
  const flexible = true;
  const inner = readSampleValuePair(reader, version);
  const list = reader.nullableArray(flexible, () => reader.int8());
  reader.skipTaggedFields();
  return { inner, list };
}

function writeOuter(writer: Writer, input: Draft<Outer>, version: number): void {
  const flexible = true;
  const { inner = {}, list = null } = input;
  writeSampleValuePair(writer, inner, version);
  writer.nullableArray(flexible, list, (item) => writer.int8(item));
  writer.noTaggedFields();
}

export interface OtherValue {
  readonly single: OtherValuePair;
}

export interface OtherValuePair {
  readonly one: string;
}

function readOtherValue(reader: Reader, version: number): OtherValue {
  requireReadable(version >= 0 && version <= 0, 'OtherValue', version);
  const single = readOtherValuePair(reader, version);
  return { single };
}

function writeOtherValue(writer: Writer, input: Draft<OtherValue>, version: number): void {
  requireWritable(version >= 0 && version <= 0, 'OtherValue', version);
  const { single = {} } = input;
  writeOtherValuePair(writer, single, version);
}

function readOtherValuePair(reader: Reader, _version: number): OtherValuePair {
  const flexible = false;
  const one = reader.string(flexible);
  return { one };
}

function writeOtherValuePair(writer: Writer, input: Draft<OtherValuePair>, _version: number): void {
  const flexible = false;
  const { one = '' } = input;
  writer.string(flexible, one);
}

const defaultSampleValuePair: SampleValuePair = {
  left: -7,
  right: '',
};

const defaultOuter: Outer = {
  inner: defaultSampleValuePair,
  list: null,
};

function isDefaultOuter(input: Draft<Outer>): boolean {
  const { inner = {}, list = null } = input;
  return (isDefaultSampleValuePair(inner)) && (list === null);
}

function isDefaultSampleValuePair(input: Draft<SampleValuePair>): boolean {
  const { left = -7, right = '' } = input;
  return (left === -7) && (right === '');
}
