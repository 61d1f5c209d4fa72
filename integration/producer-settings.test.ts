import { describe, expect, test } from '@jest/globals';
import { ErrorCode } from '../src/kafka-protocol/index.ts';
import { until } from './support/patience.ts';
import type { RawClient } from './support/raw-client.ts';
import {
  batchOf,
  fetch,
  freshTopic,
  gzipped,
  newProducerId,
  produce,
  produceOk,
  withCrc,
} from './support/records.ts';
import { withBroker } from './support/with-broker.ts';

// A broker that is told other things of producers than the rest of the tests want.

let client: RawClient;
withBroker(
  (_broker, connected) => {
    client = connected;
  },
  {
    settings: {
      'producer.id.expiration.ms': 1,
      'producer.id.expiration.check.interval.ms': 1,
      'producer.check.compressed': 'false',
    },
  },
);
/** These tests are of no use with a broker that was started by somebody else. */
const isOurs = process.env.INTEGRATION_PORT === undefined;

test('an idle producer is forgotten and goes on at any sequence', async () => {
  if (!isOurs) return;
  const topic = await freshTopic(client);
  const id = await newProducerId(client);
  const batch = (baseSequence: number) =>
    batchOf(['v'], { producerId: id, producerEpoch: 0, baseSequence });
  await produceOk(client, topic, batch(0));
  await until('the producer to be forgotten', async () => {
    const { errorCode } = await produce(client, topic, batch(7));
    expect([ErrorCode.NONE, ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER]).toContain(errorCode);
    return errorCode === ErrorCode.NONE;
  });
});

/** A batch whose gzip stream is none, with the CRC that fits: a short one, and one that says it holds a lot. */
function garbled(values: readonly string[]): Uint8Array {
  const batch = Buffer.from(gzipped(batchOf(values)));
  batch.fill(0x11, 61, 71);
  return withCrc(batch);
}
const garbage = [garbled(['a', 'b']), garbled(['x'.repeat(500_000), 'b'])];

test('producer.check.compressed=false takes compressed batches by their header and CRC', async () => {
  if (!isOurs) return;
  const topic = await freshTopic(client);
  for (const [i, batch] of garbage.entries()) {
    expect(await produceOk(client, topic, batch)).toBe(BigInt(2 * i));
    const { records } = await fetch(client, topic, BigInt(2 * i));
    // The broker writes the offset and its epoch, which lie outside the CRC.
    expect(Buffer.from(records ?? []).subarray(16)).toEqual(Buffer.from(batch).subarray(16));
  }
  const torn = Buffer.from(garbled(['c']));
  torn.writeUInt8(0x12, 61);
  expect((await produce(client, topic, torn)).errorCode).toBe(ErrorCode.CORRUPT_MESSAGE);
});

describe('a broker that is told nothing', () => {
  let other: RawClient;
  withBroker((_broker, connected) => {
    other = connected;
  });

  test('looks into compressed batches, and refuses what is none as Kafka does', async () => {
    const topic = await freshTopic(other);
    for (const batch of garbage) {
      const { errorCode } = await produce(other, topic, batch);
      expect(errorCode).toBe(ErrorCode.UNKNOWN_SERVER_ERROR);
    }
    expect(await produceOk(other, topic, gzipped(batchOf(['a'])))).toBe(0n);
  });
});
