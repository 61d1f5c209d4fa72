import { createHash } from 'node:crypto';
import type { Json, JsonObject } from './adapter.ts';

/** A record as adapters take it: bytes in hexadecimal, null where Kafka's record has null. */
export interface ScenarioRecord {
  readonly partition: number | null;
  readonly key: string | null;
  readonly value: string | null;
  readonly headers: readonly (readonly [string, string | null])[];
  readonly timestamp: number | null;
}

/** 2024-01-02T03:04:05.678Z: within message.timestamp.before.max.ms, which is unlimited by default. */
export const baseTimestamp = 1_704_164_645_678;

const hex = (text: string) => Buffer.from(text, 'utf8').toString('hex');

/** What a client can carry in a record. */
export interface RecordFeatures {
  readonly timestamps: boolean;
  readonly headers: boolean;
  readonly nullHeaders: boolean;
  readonly nullRecords: boolean;
  readonly binary: boolean;
}

/** Keys, headers and nulls in every combination that matters, for partition 0. */
export function variedRecords(features: RecordFeatures): ScenarioRecord[] {
  const headers: [string, string | null][] = [
    ['trace', hex('1')],
    ['trace', hex('2')],
    ['ümlaut', hex('wört')],
  ];
  if (features.nullHeaders) headers.push(['empty', ''], ['null', null]);
  const base = [
    record(hex('key-1'), hex('value-1')),
    record(null, hex('no key')),
    record(hex('tombstone'), null),
    record(hex('long'), hex('abcdefghij'.repeat(4_000))),
    record(hex('schlüssel'), hex('größe')),
  ];
  if (features.nullRecords) base.push(record(null, null));
  if (features.binary) base.push(record('00ff80', '000102fffefd0a0d'), record('', ''));
  const all = features.headers
    ? [...base, { ...record(hex('h'), hex('with headers')), headers }]
    : base;
  return all.map((item, i) => ({
    ...item,
    timestamp: features.timestamps ? baseTimestamp + i : null,
  }));
}

/** Many small records at once, so that a codec has something to do and a batch holds more than one. */
export function bulkRecords(count: number, partition: number | null): ScenarioRecord[] {
  return Array.from({ length: count }, (_, i) => ({
    ...record(hex(`bulk-${i}`), hex(`value number ${i} ${'x'.repeat(i % 50)}`)),
    partition,
  }));
}

export function plainRecord(key: string, value: string, timestamp: number | null): ScenarioRecord {
  return { ...record(hex(key), hex(value)), timestamp };
}

function record(key: string | null, value: string | null): ScenarioRecord {
  return { partition: 0, key, value, headers: [], timestamp: null };
}

/** Records as a person reads them in a recording: text where it is text, long lists by their digest. */
export function readable(bytes: Json): string | null {
  if (typeof bytes !== 'string') return null;
  const buffer = Buffer.from(bytes, 'hex');
  if (buffer.length > 200) return `${buffer.length} bytes, sha256 ${sha(buffer)}`;
  const text = buffer.toString('utf8');
  const isText = Buffer.from(text, 'utf8').equals(buffer) && !/[\p{Cc}]/u.test(text);
  return isText ? text : `hex ${bytes}`;
}

export function sha(data: Buffer | string): string {
  return createHash('sha256').update(data).digest('hex').slice(0, 16);
}

/** Time as it is compared: exact where the test chose it, else whether it lies within the run. */
export function readableTime(timestamp: Json, runStartedMs: number): Json {
  if (typeof timestamp !== 'number') return timestamp;
  return timestamp >= runStartedMs - 1_000 && timestamp <= Date.now() + 1_000 ? 'now' : timestamp;
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
