import { afterAll, describe, expect, test } from '@jest/globals';
import {
  type Api,
  ApiVersions,
  DeleteTopics,
  type Draft,
  ErrorCode,
  FindCoordinator,
  Heartbeat,
  Metadata,
  OffsetFetch,
  Reader,
  readResponseHeader,
  ZERO_UUID,
} from '../src/kafka-protocol/index.ts';
import { BrokerProcess } from './support/broker-process.ts';
import { encodeRequest, RawClient } from './support/raw-client.ts';
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
