import { gzipped, withCrc } from '../../integration/support/records.ts';
import { BATCH_HEADER_BYTES, buildBatch, readBatches } from '../../src/kafka-protocol/index.ts';
import type { Choices } from './choices.ts';
import { PerBroker, producerId } from './template.ts';
import { PRODUCERS, type World } from './world.ts';

const LENGTH_AT = 8;
/** Where a batch says of which format it is. */
export const MAGIC_AT = 16;
const ATTRIBUTES_AT = 21;
const LAST_OFFSET_DELTA_AT = 23;
const MAX_TIMESTAMP_AT = 35;
const COUNT_AT = 57;
const LOG_APPEND_TIME = 8;

/** Spoils a batch, from 61 bytes up; `at` in [0, 1) says where. */
type Damage = (batch: Buffer, at: number) => Buffer;

const add = (offset: number, by: number): Damage => {
  return (batch) => {
    batch.writeInt32BE(batch.readInt32BE(offset) + by, offset);
    return withCrc(batch);
  };
};
const put = (offset: number, value: number): Damage => {
  return (batch) => {
    batch.writeInt32BE(value, offset);
    return withCrc(batch);
  };
};
const attribute = (bits: number): Damage => {
  return (batch) => {
    batch.writeInt16BE(batch.readInt16BE(ATTRIBUTES_AT) | bits, ATTRIBUTES_AT);
    return withCrc(batch);
  };
};
const magic = (value: number): Damage => {
  return (batch) => {
    batch[MAGIC_AT] = value;
    return batch;
  };
};

const DAMAGES: readonly [Damage, ...Damage[]] = [
  (batch, at) => flipped(batch, Math.floor(at * batch.length), 1),
  (batch, at) => batch.subarray(0, Math.floor(at * batch.length)),
  add(COUNT_AT, 1),
  put(COUNT_AT, 0),
  add(LAST_OFFSET_DELTA_AT, 1),
  put(LAST_OFFSET_DELTA_AT, -1),
  add(LENGTH_AT, -1),
  (batch) => {
    batch.writeBigInt64BE(-5n, MAX_TIMESTAMP_AT);
    return withCrc(batch);
  },
  // Within the records, and not seen by the checksum. That a record is not at its place Kafka sees in compressed
  // batches only, and would take the others.
  (batch, at) => {
    const place = BATCH_HEADER_BYTES + Math.floor(at * (batch.length - BATCH_HEADER_BYTES));
    const spoiled = withCrc(flipped(Buffer.from(batch), place, 0x10));
    return isOutOfPlace(spoiled) ? batch : spoiled;
  },
  attribute(LOG_APPEND_TIME),
  attribute(2),
  attribute(3),
  attribute(4),
  attribute(5),
  magic(0),
  magic(1),
  magic(3),
];

/** Records of one partition that a broker takes, or refuses for what they say. */
export function records(world: World): PerBroker {
  return drawn(world, undefined);
}

/**
 * Records that are damaged. Kafka refuses all partitions of a request for some of these, so a request with them has
 * no others: the logs would not be the same afterwards.
 */
export function damagedRecords(world: World): PerBroker {
  return drawn(world, world.choices.pick(...DAMAGES));
}

function drawn(world: World, damage: Damage | undefined): PerBroker {
  const { choices } = world;
  const items = choices.list(1, 4, () => record(world));
  const options = common(world);
  const producer = choices.chance(0.35) ? idempotent(choices) : undefined;
  const isCompressed = choices.chance(0.15);
  const isTwice = choices.chance(0.04);
  const at = choices.below(1 << 20) / (1 << 20);
  return new PerBroker('records', (given) => {
    const known = { producerId: producer?.id.valueIn(given) as bigint | undefined };
    const plain = buildBatch(items, { ...options, ...producer?.options, ...known });
    const whole = Buffer.from(isCompressed ? gzipped(plain) : plain);
    const batch = damage === undefined ? whole : damage(whole, at);
    return isTwice ? Buffer.concat([batch, batch]) : batch;
  });
}

function record({ choices, now }: World) {
  const timestamp = choices.pick(0n, now - 1000n, now + 10_000_000_000n);
  return {
    key: choices.chance(0.5) ? null : Buffer.from(`k${choices.below(3)}`),
    value: choices.chance(0.1) ? null : Buffer.from('v'.repeat(choices.below(30))),
    ...(choices.chance(0.05) ? { timestamp } : {}),
  };
}

function common({ choices, now }: World) {
  return {
    timestamp: choices.pick(now, now, now, now + 5n, 0n, now + 3_700_000_000n, -1n),
    ...(choices.chance(0.04) ? { isControl: true } : {}),
    ...(choices.chance(0.1) ? { baseOffset: choices.pick(5n, -1n) } : {}),
    ...(choices.chance(0.2) ? { partitionLeaderEpoch: choices.pick(0, 3) } : {}),
  };
}

function idempotent(choices: Choices) {
  const id = producerId(choices.below(PRODUCERS));
  const producerEpoch = choices.pick(0, 0, 0, 0, 1, 2);
  const baseSequence = choices.pick(0, 0, 1, 2, 3, 4, 5, 6, -1);
  return { id, options: { producerEpoch, baseSequence } };
}

function flipped(batch: Buffer, at: number, bits: number): Buffer {
  batch[at] = (batch[at] ?? 0) ^ bits;
  return batch;
}

/** Whether the batch can be read, and a record is not where its number says. */
function isOutOfPlace(bytes: Uint8Array): boolean {
  try {
    return readBatches(bytes).some(({ baseOffset, records }) =>
      records.some(({ offset }, i) => offset !== baseOffset + BigInt(i)),
    );
  } catch {
    return false;
  }
}

/** What the headers of these batches say, for the report: `offset+delta:timestamps/attributes`. */
export function headersOf(bytes: Buffer): readonly string[] {
  const headers: string[] = [];
  for (let at = 0; at + BATCH_HEADER_BYTES <= bytes.length; ) {
    const batch = bytes.subarray(at);
    const lastOffset = `${batch.readBigInt64BE(0)}+${batch.readInt32BE(LAST_OFFSET_DELTA_AT)}`;
    const timestamps = `${batch.readBigInt64BE(27)}..${batch.readBigInt64BE(MAX_TIMESTAMP_AT)}`;
    headers.push(`${lastOffset}:${timestamps}/${batch.readInt16BE(ATTRIBUTES_AT)}`);
    at += 12 + Math.max(batch.readInt32BE(LENGTH_AT), 49);
  }
  return headers;
}
