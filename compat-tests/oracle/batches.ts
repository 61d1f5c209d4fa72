import { buildBatch, type RecordBatch, readBatches } from '../../src/kafka-protocol/index.ts';
import type { Random } from '../../src/kafka-protocol/testing/random.ts';
import { toJson, type Value } from '../../src/kafka-protocol/testing/values.ts';
import type { Verdict } from './cases.ts';
import type { Peer } from './peer.ts';

/** Everything that `buildBatch` takes, with nothing left out. */
interface Batch {
  readonly baseOffset: bigint;
  readonly partitionLeaderEpoch: number;
  readonly producerId: bigint;
  readonly producerEpoch: number;
  readonly baseSequence: number;
  readonly isTransactional: boolean;
  readonly records: readonly {
    readonly key: Uint8Array | null;
    readonly value: Uint8Array | null;
    readonly timestamp: bigint;
    readonly headers: readonly { readonly key: string; readonly value: Uint8Array | null }[];
  }[];
}

/** Random batches: ours to Kafka byte for byte, Kafka's to ours plain and compressed. */
export async function compareBatches(
  java: Peer,
  random: Random,
  count: number,
): Promise<Verdict[]> {
  const verdicts: Verdict[] = [];
  const group = 'oracle: record batches';
  for (let i = 0; i < count; i++) {
    const batch = randomBatch(random);
    const bytes = buildBatch(batch.records, { ...batch, timestamp: 0n });
    const hex = Buffer.from(bytes).toString('hex');
    const built = await java.ask(`batch ${batchJson(batch, 'none')}`);
    verdicts.push({
      group,
      name: `build ${i}`,
      problem: built === `ok ${hex}` ? undefined : `ours ${hex}, Kafka's ${built}`,
    });
    for (const compression of ['none', 'gzip']) {
      const answer = await java.ask(`batch ${batchJson(batch, compression)}`);
      const javaBytes = Buffer.from(answer.slice(3), 'hex');
      const theirs = await java.ask(`records ${answer.slice(3)}`);
      const ours = `ok ${toJson(readBatches(javaBytes).map(described))}`;
      verdicts.push({
        group,
        name: `read ${compression} ${i}`,
        problem: ours === theirs ? undefined : `ours ${ours}, Kafka's ${theirs}`,
      });
    }
  }
  return verdicts;
}

function batchJson(batch: Batch, compression: string): string {
  return toJson({ ...batch, compression } as unknown as Value);
}

/** A batch in the order and with the names of Oracle.java. */
function described(batch: RecordBatch): Value {
  const {
    baseOffset,
    partitionLeaderEpoch,
    maxTimestamp,
    producerId,
    producerEpoch,
    baseSequence,
  } = batch;
  const { isTransactional, isControl, lastOffsetDelta } = batch;
  const lastOffset = baseOffset + BigInt(lastOffsetDelta);
  const head = {
    baseOffset,
    lastOffset,
    partitionLeaderEpoch,
    maxTimestamp,
    producerId,
    producerEpoch,
    baseSequence,
  };
  const records = batch.records.map(({ offset, timestamp, key, value, headers }) => ({
    offset,
    timestamp,
    key,
    value,
    headers: headers.map((header) => ({ key: header.key, value: header.value })),
  }));
  return { ...head, isTransactional, isControl, records };
}

function randomBatch(random: Random): Batch {
  const hasProducer = random.chance(2);
  const bytesOrNull = () =>
    random.chance(3) ? null : random.bytes(random.chance(10) ? 200 : random.below(5));
  const baseTimestamp = 1_700_000_000_000n + BigInt(random.below(1000));
  return {
    baseOffset: BigInt(random.uint32()) * 1000n,
    partitionLeaderEpoch: random.below(50) - 1,
    producerId: hasProducer ? BigInt(random.uint32()) : -1n,
    producerEpoch: hasProducer ? random.below(1000) : -1,
    baseSequence: hasProducer ? random.below(1_000_000) : -1,
    isTransactional: hasProducer && random.chance(2),
    records: Array.from({ length: random.below(5) + 1 }, () => ({
      key: bytesOrNull(),
      value: bytesOrNull(),
      // Later records may be older than the first.
      timestamp: baseTimestamp + BigInt(random.below(200_000) - 100_000),
      headers: Array.from({ length: random.below(3) }, (_, i) => ({
        key: `h${i}é`,
        value: bytesOrNull(),
      })),
    })),
  };
}
