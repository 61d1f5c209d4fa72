import { describe, expect, test } from '@jest/globals';
import {
  buildBatch,
  DeleteTopics,
  ErrorCode,
  Metadata,
  Produce,
  readBatches,
} from '../src/kafka-protocol/index.ts';
import type { BrokerProcess } from './support/broker-process.ts';
import { PATIENCE_MS } from './support/patience.ts';
import { RawClient } from './support/raw-client.ts';
import {
  batchOf,
  fetch,
  freshTopic,
  gzipped,
  listOffset,
  newProducerId,
  produce,
  produceOk,
  text,
  valuesOf,
  waitForLeaders,
  withCrc,
} from './support/records.ts';
import { withBroker } from './support/with-broker.ts';

// Bugs that other brokers shipped, by their ids: producing.

let broker: BrokerProcess;
let client: RawClient;

withBroker((started, connected) => {
  broker = started;
  client = connected;
});

const DAY = 86_400_000n;

describe('producing', () => {
  test('C-013 acks=0 is never answered, and an error closes the connection', async () => {
    const topic = await freshTopic(client);
    const own = await RawClient.connect(broker.port);
    const send = (name: string) => {
      const partitionData = [{ index: 0, records: batchOf(['a']) }];
      own.send(Produce, 9, { acks: 0, timeoutMs: 1000, topicData: [{ name, partitionData }] });
    };
    send(topic);
    await own.request(Metadata, 8, { topics: [] });
    expect(valuesOf(await fetch(client, topic, 0n, { maxWaitMs: PATIENCE_MS }))).toEqual([
      [0, 'a'],
    ]);
    send('no-such-topic');
    expect(await own.isClosedWithin()).toBe(true);
    // An error that only the log knows of.
    const producerId = await newProducerId(client);
    const numbered = (baseSequence: number) =>
      batchOf(['b'], { producerId, producerEpoch: 0, baseSequence });
    await produceOk(client, topic, numbered(0));
    const other = await RawClient.connect(broker.port);
    const partitionData = [{ index: 0, records: numbered(5) }];
    other.send(Produce, 9, {
      acks: 0,
      timeoutMs: 1000,
      topicData: [{ name: topic, partitionData }],
    });
    expect(await other.isClosedWithin()).toBe(true);
  });

  test('C-021 a topic that Metadata creates has a leader in its first answer', async () => {
    const name = `auto-${Date.now()}`;
    const { topics } = await client.request(Metadata, 8, {
      topics: [{ name }],
      allowAutoTopicCreation: true,
    });
    // Apache Kafka answers UNKNOWN_TOPIC_OR_PARTITION first, and the client's next try succeeds.
    if (process.env.INTEGRATION_PORT === undefined) expect(topics[0]?.errorCode).toBe(0);
    await waitForLeaders(client, name);
    expect(await produceOk(client, name, batchOf(['x']))).toBe(0n);
  });

  test('C-025 a topic that is made again has another id and an epoch of at least 0', async () => {
    const topic = await freshTopic(client);
    const describeIt = async () => {
      const { topics } = await client.request(Metadata, 10, { topics: [{ name: topic }] });
      return { id: topics[0]?.topicId, epoch: topics[0]?.partitions[0]?.leaderEpoch ?? -1 };
    };
    const before = await describeIt();
    await client.request(DeleteTopics, 4, { topicNames: [topic], timeoutMs: PATIENCE_MS });
    const { createTopic } = await import('./support/topics.ts');
    await createTopic(client, topic, 1);
    const after = await describeIt();
    expect(after.id).not.toBe(before.id);
    expect(Math.min(before.epoch, after.epoch)).toBeGreaterThanOrEqual(0);
    expect(valuesOf(await fetch(client, topic, 0n))).toEqual([]);
  });

  test('C-041 max.message.bytes is enforced', async () => {
    const topic = await freshTopic(client, { 'max.message.bytes': '1000' });
    const { errorCode } = await produce(client, topic, batchOf(['x'.repeat(2000)]));
    expect(errorCode).toBe(ErrorCode.MESSAGE_TOO_LARGE);
    expect(await produceOk(client, topic, batchOf(['x']))).toBe(0n);
  });

  test('C-042 the largest timestamp of a batch is taken from its records', async () => {
    const topic = await freshTopic(client);
    const now = BigInt(Date.now());
    const batch = Buffer.from(batchOf(['a', 'b'], { timestamp: now }));
    batch.writeBigInt64BE(-1n, 35);
    expect(await produceOk(client, topic, withCrc(batch))).toBe(0n);
    expect(await listOffset(client, topic, now)).toMatchObject({ offset: 0n, timestamp: now });
  });

  test('C-043 with LogAppendTime the answer says the time of the broker', async () => {
    const topic = await freshTopic(client, { 'message.timestamp.type': 'LogAppendTime' });
    const before = BigInt(Date.now());
    const { logAppendTimeMs } = await produce(client, topic, batchOf(['a'], { timestamp: 5n }));
    expect(logAppendTimeMs >= before && logAppendTimeMs <= BigInt(Date.now())).toBe(true);
    const plain = await freshTopic(client);
    expect((await produce(client, plain, batchOf(['a']))).logAppendTimeMs).toBe(-1n);
  });

  test('C-044 with LogAppendTime a timestamp of the client has no say', async () => {
    const topic = await freshTopic(client, { 'message.timestamp.type': 'LogAppendTime' });
    const far = BigInt(Date.now()) + 1000n * DAY;
    await produceOk(client, topic, batchOf(['a'], { timestamp: far }));
    expect((await listOffset(client, topic, far)).offset).toBe(-1n);
  });

  test('C-045 with LogAppendTime header and CRC agree, compressed or not', async () => {
    const topic = await freshTopic(client, { 'message.timestamp.type': 'LogAppendTime' });
    const batch = batchOf(['a', 'b'], { timestamp: 5n });
    await produceOk(client, topic, batch);
    await produceOk(client, topic, gzipped(batch));
    const { records } = await fetch(client, topic, 0n);
    const [first, second] = readBatches(records ?? new Uint8Array());
    expect((first?.attributes ?? 0) & 8).toBe(8);
    expect((second?.attributes ?? 0) & 9).toBe(9);
    expect(second?.records.map(({ value }) => Buffer.from(value ?? []).toString())).toEqual([
      'a',
      'b',
    ]);
  });

  test('C-048 a record that is refused is named in the answer', async () => {
    const topic = await freshTopic(client, { 'cleanup.policy': 'compact' });
    const keyed = { key: Buffer.from('k'), value: Buffer.from('v') };
    const batch = buildBatch([keyed, text('no key')], { timestamp: BigInt(Date.now()) });
    const answer = await produce(client, topic, batch);
    expect(answer.errorCode).toBe(ErrorCode.INVALID_RECORD);
    expect(answer.recordErrors.map(({ batchIndex }) => batchIndex)).toEqual([1]);
    expect(await produceOk(client, topic, buildBatch([keyed], { timestamp: 1n }))).toBe(0n);
  });

  test('C-055 a control batch of a client is refused', async () => {
    const topic = await freshTopic(client);
    const { errorCode } = await produce(client, topic, batchOf(['a'], { isControl: true }));
    expect(errorCode).toBe(ErrorCode.INVALID_RECORD);
  });

  test('a timestamp beyond message.timestamp.after.max.ms is refused', async () => {
    const topic = await freshTopic(client, { 'message.timestamp.after.max.ms': '1000' });
    const batch = batchOf(['a'], { timestamp: BigInt(Date.now()) + DAY });
    expect((await produce(client, topic, batch)).errorCode).toBe(ErrorCode.INVALID_TIMESTAMP);
  });
});

describe('idempotent producing', () => {
  const batch = (producerId: bigint, baseSequence: number, value: string, producerEpoch = 0) =>
    batchOf([value], { producerId, producerEpoch, baseSequence });

  test('C-049 a retry gets the offset of the original and is not written again', async () => {
    const topic = await freshTopic(client);
    const id = await newProducerId(client);
    const offsets = [];
    for (const sequence of [0, 1, 2, 0, 1, 2]) {
      offsets.push(await produceOk(client, topic, batch(id, sequence, `${sequence}`)));
    }
    expect(offsets).toEqual([0n, 1n, 2n, 0n, 1n, 2n]);
    expect(valuesOf(await fetch(client, topic, 0n))).toHaveLength(3);
  });

  test('C-049 a hole in the sequence is OUT_OF_ORDER_SEQUENCE_NUMBER', async () => {
    const topic = await freshTopic(client);
    const id = await newProducerId(client);
    await produceOk(client, topic, batch(id, 0, 'a'));
    const { errorCode } = await produce(client, topic, batch(id, 2, 'c'));
    expect(errorCode).toBe(ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER);
    expect(await produceOk(client, topic, batch(id, 1, 'b'))).toBe(1n);
  });

  test('C-050 a sequence older than the five that are remembered is not written again', async () => {
    const topic = await freshTopic(client);
    const id = await newProducerId(client);
    for (let i = 0; i < 8; i++) await produceOk(client, topic, batch(id, i, `${i}`));
    const { errorCode } = await produce(client, topic, batch(id, 0, '0'));
    expect(errorCode).not.toBe(ErrorCode.NONE);
    expect(valuesOf(await fetch(client, topic, 0n))).toHaveLength(8);
  });

  test('C-051 a producer that is not known may start at any sequence', async () => {
    const topic = await freshTopic(client);
    const id = await newProducerId(client);
    expect(await produceOk(client, topic, batch(id, 70, 'a'))).toBe(0n);
    expect(await produceOk(client, topic, batch(id, 71, 'b'))).toBe(1n);
  });

  test('C-052 a new epoch starts at sequence 0 and fences the old one', async () => {
    const topic = await freshTopic(client);
    const id = await newProducerId(client);
    await produceOk(client, topic, batch(id, 0, 'a'));
    const wrong = await produce(client, topic, batch(id, 5, 'x', 1));
    expect(wrong.errorCode).toBe(ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER);
    expect(await produceOk(client, topic, batch(id, 0, 'b', 1))).toBe(1n);
    const { errorCode } = await produce(client, topic, batch(id, 1, 'c', 0));
    expect(errorCode).toBe(ErrorCode.INVALID_PRODUCER_EPOCH);
  });

  test('C-053 the sequence goes on from the largest int32 at 0', async () => {
    const topic = await freshTopic(client);
    const id = await newProducerId(client);
    await produceOk(client, topic, batch(id, 2147483646, 'a'));
    await produceOk(client, topic, batch(id, 2147483647, 'b'));
    expect(await produceOk(client, topic, batch(id, 0, 'c'))).toBe(2n);
  });
});
