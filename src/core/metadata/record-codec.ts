import {
  BrokerRegistrationRecord,
  buildBatch,
  type Draft,
  eachBatch,
  FeatureLevelRecord,
  GroupIdsRecord,
  MalformedError,
  PartitionCreatedRecord,
  ProducerIdsRecord,
  Reader,
  type RecordDraft,
  type RecordFormat,
  TopicCreatedRecord,
  TopicOverrideRecord,
  TopicRemovedRecord,
  Writer,
} from '../../kafka-protocol/index.ts';
import type { MetadataRecord } from './records.ts';

const VERSION = 0;

interface Format<Kind extends MetadataRecord['kind']> {
  readonly kind: Kind;
  readonly format: RecordFormat<Omit<Extract<MetadataRecord, { kind: Kind }>, 'kind'>>;
}

const formats = [
  { kind: 'feature', format: FeatureLevelRecord },
  { kind: 'broker', format: BrokerRegistrationRecord },
  { kind: 'topic', format: TopicCreatedRecord },
  { kind: 'partition', format: PartitionCreatedRecord },
  { kind: 'topic-config', format: TopicOverrideRecord },
  { kind: 'topic-removed', format: TopicRemovedRecord },
  { kind: 'producer-ids', format: ProducerIdsRecord },
  { kind: 'group-ids', format: GroupIdsRecord },
] as const satisfies readonly Format<MetadataRecord['kind']>[];

const byKind = new Map(formats.map(({ kind, format }) => [kind, format as RecordFormat<unknown>]));
const byType = new Map<number, (typeof formats)[number]>(
  formats.map((entry) => [entry.format.type, entry]),
);

/** What records are written into, one after the other: a buffer of its own for each would be mostly room to spare. */
const writer = new Writer();

/** The value of a record of the metadata log: type, version, body. */
export function encodeMetadataRecord(record: MetadataRecord): Uint8Array {
  const format = byKind.get(record.kind);
  if (format === undefined) throw new Error(`no format for ${record.kind}`);
  writer.rewind();
  writer.int16(format.type);
  writer.int16(VERSION);
  format.write(writer, record as Draft<unknown>, VERSION);
  return Buffer.from(writer.finish());
}

/** @throws MalformedError, also for a type or version of a newer release. */
export function decodeMetadataRecord(value: Uint8Array): MetadataRecord {
  const reader = new Reader(value);
  const type = reader.int16();
  const version = reader.int16();
  const known = byType.get(type);
  if (known === undefined || version !== VERSION) {
    throw new MalformedError(`metadata record of type ${type}, version ${version}`);
  }
  const format: RecordFormat<object> = known.format;
  return { kind: known.kind, ...format.read(reader, version) } as MetadataRecord;
}

const RECORDS_PER_BATCH = 1000;

/** Records as whole batches, for a snapshot. */
export function encodeBatches(records: Iterable<MetadataRecord>): Uint8Array {
  const batches: Uint8Array[] = [];
  let drafts: RecordDraft[] = [];
  const close = () => {
    if (drafts.length > 0) batches.push(buildBatch(drafts, { timestamp: 0n }));
    drafts = [];
  };
  for (const record of records) {
    drafts.push({ key: null, value: encodeMetadataRecord(record) });
    if (drafts.length === RECORDS_PER_BATCH) close();
  }
  close();
  return Buffer.concat(batches);
}

/** The records of a snapshot, decoded as they are taken. @throws MalformedError */
export function* decodeRecords(bytes: Uint8Array): Iterable<MetadataRecord> {
  for (const { record } of decodeBatches(bytes)) yield record;
}

/** The records of whole batches with their offsets, decoded batch by batch. @throws MalformedError */
export function* decodeBatches(
  bytes: Uint8Array,
): Iterable<{ readonly record: MetadataRecord; readonly offset: bigint }> {
  for (const batch of eachBatch(bytes)) {
    for (const { value, offset } of batch.records) {
      if (value === null) throw new MalformedError('a metadata record without a value');
      yield { record: decodeMetadataRecord(value), offset };
    }
  }
}
