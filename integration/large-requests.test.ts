import { afterAll, describe, expect, test } from '@jest/globals';
import {
  type Api,
  ApiVersions,
  DeleteTopics,
  type Draft,
  ErrorCode,
  Fetch,
  FindCoordinator,
  Heartbeat,
  Metadata,
  OffsetFetch,
  Produce,
  Reader,
  readResponseHeader,
  ZERO_UUID,
} from '../src/kafka-protocol/index.ts';
import { BrokerProcess } from './support/broker-process.ts';
import { encodeRequest, RawClient } from './support/raw-client.ts';
import { batchOf, fetch, fetchBody, freshTopic, produceOk } from './support/records.ts';
import { withBroker } from './support/with-broker.ts';

// Requests with as much in them as a client may send, and with more. Other clients are served meanwhile.

const isElsewhere = process.env.INTEGRATION_PORT !== undefined;
/** What another client may wait on a machine that is busy with something else. */
const PATIENCE_MS = 1000;

let broker: BrokerProcess;
let client: RawClient;
let other: RawClient;

withBroker(
  async (started, connected) => {
    broker = started;
    client = connected;
    other = await RawClient.connect(broker.port);
    await client.request(FindCoordinator, 4, { keyType: 0, coordinatorKeys: ['g'] });
  },
  { settings: { 'auto.create.topics.enable': 'false' } },
);
afterAll(() => other?.close());

/** The answer of a request, and how long another client waited at most while it was served. */
async function beside<Request, Response>(
  api: Api<Request, Response>,
  version: number,
  body: Draft<Request>,
) {
  let isAnswered = false;
  client.sendFrame(encodeRequest(api, version, body, 7));
  const frame = client.nextFrame(60_000).finally(() => {
    isAnswered = true;
  });
  let waitedMs = 0;
  for (let i = 0; !isAnswered; i++) {
    const startedMs = performance.now();
    if (i % 2 === 0) await other.request(Metadata, 12, { topics: [] });
    else await other.request(Heartbeat, 4, { groupId: 'g', generationId: 1, memberId: 'm' });
    waitedMs = Math.max(waitedMs, performance.now() - startedMs);
  }
  const reader = new Reader(await frame);
  readResponseHeader(reader, api.responseHeaderVersion(version));
  return { response: api.response.read(reader, version), waitedMs };
}

const names = (count: number): string[] => Array.from({ length: count }, (_, i) => `none-${i}`);

describe('while another client is served', () => {
  test('50,000 topics are asked for', async () => {
    const topics = names(50_000).map((name) => ({ name, topicId: ZERO_UUID }));
    const request = { topics, allowAutoTopicCreation: false };
    const { response, waitedMs } = await beside(Metadata, 12, request);
    expect(response.topics).toHaveLength(50_000);
    expect(response.topics[0]?.errorCode).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
    if (!isElsewhere) expect(waitedMs).toBeLessThan(PATIENCE_MS);
  }, 30_000);

  test('50,000 topics are to be deleted', async () => {
    const request = { topicNames: names(50_000), timeoutMs: 20_000 };
    const { response, waitedMs } = await beside(DeleteTopics, 5, request);
    expect(response.responses).toHaveLength(50_000);
    const codes = new Set(response.responses.map(({ errorCode }) => errorCode));
    expect([...codes]).toEqual([ErrorCode.UNKNOWN_TOPIC_OR_PARTITION]);
    if (!isElsewhere) expect(waitedMs).toBeLessThan(PATIENCE_MS);
  }, 60_000);

  test('the coordinators of 20,000 groups are asked for', async () => {
    const request = { keyType: 0, coordinatorKeys: names(20_000) };
    const { response, waitedMs } = await beside(FindCoordinator, 4, request);
    expect(response.coordinators).toHaveLength(20_000);
    if (!isElsewhere) expect(waitedMs).toBeLessThan(PATIENCE_MS);
  }, 30_000);

  test('the offsets of 100,000 partitions are asked for', async () => {
    const partitionIndexes = Array.from({ length: 1000 }, (_, i) => i);
    const topics = names(100).map((name) => ({ name, partitionIndexes }));
    const request = { groups: [{ groupId: 'g', topics }] };
    const { response, waitedMs } = await beside(OffsetFetch, 8, request);
    expect(response.groups[0]?.topics?.[99]?.partitions).toHaveLength(1000);
    if (!isElsewhere) expect(waitedMs).toBeLessThan(PATIENCE_MS);
  }, 30_000);
});

test('a topic that is asked for twice is answered once', async () => {
  const topics = ['b', 'a', 'b'].map((name) => ({ name, topicId: ZERO_UUID }));
  const answer = await client.request(Metadata, 12, { topics, allowAutoTopicCreation: false });
  expect(answer.topics.map(({ name }) => name).sort()).toEqual(['a', 'b']);
});

describe('the connection is closed for', () => {
  const emptyNames = (count: number): Uint8Array => {
    const request = encodeRequest(Metadata, 1, { topics: [] }, 1, 'raw');
    const body = Buffer.alloc(4 + 2 * count);
    body.writeInt32BE(count);
    return Buffer.concat([request.subarray(0, -4), body]);
  };

  test.each([
    ['more items than a request may have', emptyNames(120_001)],
    ['a control request of more than control.request.max.bytes', emptyNames(2_120_000)],
  ])('%s', async (_, frame) => {
    if (isElsewhere) return;
    const attacker = await RawClient.connect(broker.port);
    attacker.sendFrame(frame);
    expect(await attacker.isClosedWithin(5_000)).toBe(true);
    expect(await other.request(ApiVersions, 0, {})).toMatchObject({ errorCode: ErrorCode.NONE });
  });
});

test('a signal ends a broker that is flooded with the largest requests', async () => {
  if (isElsewhere) return;
  const flooded = await BrokerProcess.start();
  const attackers = await Promise.all(
    Array.from({ length: 8 }, () => RawClient.connect(flooded.port)),
  );
  const topics = names(100_000).map((name) => ({ name, topicId: ZERO_UUID }));
  const frame = encodeRequest(Metadata, 12, { topics, allowAutoTopicCreation: false }, 1, 'raw');
  for (const attacker of attackers) for (let i = 0; i < 5; i++) attacker.sendFrame(frame);
  await attackers[0]?.nextFrame();
  const startedMs = performance.now();
  const ended = await flooded.kill('SIGTERM');
  expect([ended, performance.now() - startedMs < 2_000]).toEqual([0, true]);
  for (const attacker of attackers) attacker.close();
  await flooded.dispose();
}, 40_000);

describe('of 64 Ki partitions', () => {
  const COUNT = 65_535;
  const fetchOf = (topic: string, maxWaitMs: number) => {
    const partitions = Array.from({ length: COUNT }, (_, partition) => {
      return { partition, fetchOffset: 0n, partitionMaxBytes: 1 << 20 };
    });
    return { ...fetchBody('', new Map(), { maxWaitMs }), topics: [{ topic, partitions }] };
  };
  const produceOf = (name: string, value: string) => {
    const partitionData = Array.from({ length: COUNT }, (_, index) => {
      return { index, records: index === 0 ? batchOf([value]) : null };
    });
    return { acks: -1, timeoutMs: 5000, topicData: [{ name, partitionData }] };
  };

  test('a Produce and a Fetch are answered while another client is served', async () => {
    const topic = await freshTopic(client);
    const produced = await beside(Produce, 9, produceOf(topic, 'a'));
    const answers = produced.response.responses.flatMap((it) => it.partitionResponses);
    expect(answers).toHaveLength(COUNT);
    const first = answers.find(({ index }) => index === 0);
    expect(first).toMatchObject({ errorCode: ErrorCode.NONE, baseOffset: 0n });
    const fetched = await beside(Fetch, 12, fetchOf(topic, 0));
    const parts = fetched.response.responses.flatMap((it) => it.partitions);
    expect(parts).toHaveLength(COUNT);
    expect(parts.filter(({ errorCode }) => errorCode === ErrorCode.NONE)).toMatchObject([
      { partitionIndex: 0, highWatermark: 1n },
    ]);
    if (!isElsewhere) {
      expect(Math.max(produced.waitedMs, fetched.waitedMs)).toBeLessThan(PATIENCE_MS);
    }
  }, 30_000);

  test('answers keep the order of the requests, and effects too', async () => {
    const topic = await freshTopic(client);
    const own = await RawClient.connect(broker.port);
    const smallOf = (value: string) => {
      const partitionData = [{ index: 0, records: batchOf([value]) }];
      return { acks: -1, timeoutMs: 5000, topicData: [{ name: topic, partitionData }] };
    };
    const ids = [
      own.send(Produce, 9, smallOf('a')),
      own.send(Produce, 9, produceOf(topic, 'large')),
      own.send(Fetch, 12, fetchOf(topic, 0)),
      own.send(Produce, 9, smallOf('b')),
      own.send(Metadata, 9, { topics: [{ name: topic }] }),
    ];
    const baseOf = async (id: number | undefined) => {
      const { responses } = await own.answer(Produce, 9, id ?? 0);
      const answers = responses[0]?.partitionResponses ?? [];
      return answers.find(({ index }) => index === 0)?.baseOffset;
    };
    expect(await baseOf(ids[0])).toBe(0n);
    expect(await baseOf(ids[1])).toBe(1n);
    const fetched = await own.answer(Fetch, 12, ids[2] ?? 0);
    const part = fetched.responses[0]?.partitions.find((it) => it.partitionIndex === 0);
    expect(part?.highWatermark).toBe(2n);
    expect(await baseOf(ids[3])).toBe(2n);
    const { topics } = await own.answer(Metadata, 9, ids[4] ?? 0);
    expect(topics[0]?.name).toBe(topic);
    // Who leaves in the middle of it leaves the broker as it was.
    own.send(Fetch, 12, fetchOf(topic, 0));
    own.send(Produce, 9, produceOf(topic, 'perhaps'));
    own.close();
    await produceOk(client, topic, batchOf(['d']));
    expect((await fetch(client, topic, 0n)).errorCode).toBe(ErrorCode.NONE);
  }, 30_000);
});
