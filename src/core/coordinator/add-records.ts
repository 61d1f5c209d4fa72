import type { EncodedRecord, RecordCodec } from './machine.ts';
import type { BatchBuilder } from './record-batch.ts';

/** What became of records that were to be written. */
export type Outcome = 'written' | 'too-large' | Unwritable;

/** One of them cannot be encoded. */
export interface Unwritable {
  readonly kind: 'unwritable';
  readonly error: unknown;
}

/** How records are encoded. */
export interface Encoding<R> {
  readonly codec: RecordCodec<R>;
  readonly nowMs: number;
}

/** Adds all of these records to a batch, or none when it would be larger than `bytesMax`. */
export function addWhole<R>(
  batch: BatchBuilder,
  records: readonly R[],
  { codec, nowMs }: Encoding<R>,
  bytesMax: number,
): Outcome {
  const { sizeBytes, count } = batch;
  try {
    for (const record of records) {
      const isAdded = codec.encodeInto?.(record, batch) === true;
      if (!isAdded) batch.add(codec.encode(record, nowMs));
      if (batch.sizeBytes <= bytesMax) continue;
      // Of what will not be written the rest is not encoded either.
      batch.cutTo(sizeBytes, count);
      return 'too-large';
    }
    return 'written';
  } catch (error) {
    batch.cutTo(sizeBytes, count);
    return { kind: 'unwritable', error };
  }
}

/** As they stand in a batch. */
export function encodeAll<R>(
  records: readonly R[],
  { codec, nowMs }: Encoding<R>,
): readonly EncodedRecord[] | Unwritable {
  try {
    return records.map((record) => codec.encode(record, nowMs));
  } catch (error) {
    return { kind: 'unwritable', error };
  }
}
