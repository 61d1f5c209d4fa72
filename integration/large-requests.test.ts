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
import { PATIENCE_MS, until } from './support/patience.ts';
import { encodeRequest, RawClient } from './support/raw-client.ts';
import { batchOf, fetch, fetchBody, freshTopic, produceOk } from './support/records.ts';
import { ServingThreads } from './support/serving-threads.ts';
import { withBroker } from './support/with-broker.ts';

// Requests with as much in them as a client may send, and with more. Other clients are served meanwhile.

const isElsewhere = process.env.INTEGRATION_PORT !== undefined;
/**
 * Of the processor time that a large request costs the threads that serve clients, this part at most is spent in one
 * go, while another client waits. If they worked on it without breaks it would be half of it or more.
 */
const SHARE_MAX = 0.4;
/** Who is stopped for a while sees in one go what was none. */
const ATTEMPTS = 10;

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

/** The answer of a request, while which is worked on another client is served. */
async function beside<Request, Response>(
  api: Api<Request, Response>,
  version: number,
  body: Draft<Request>,
): Promise<Response> {
  const request = encodeRequest(api, version, body, 7);
  const shares: number[] = [];
  let frame: Uint8Array;
  do {
    let share: number;
    [frame, share] = await askBeside(request);
    shares.push(share);
  } while (Math.min(...shares) > SHARE_MAX && shares.length < ATTEMPTS);
  expect(Math.min(...shares)).toBeLessThanOrEqual(SHARE_MAX);
  const reader = new Reader(frame);
  readResponseHeader(reader, api.responseHeaderVersion(version));
  return api.response.read(reader, version);
}

/** The answer, and the largest part of its processor time in which another client waited for one. */
async function askBeside(request: Uint8Array): Promise<[Uint8Array, number]> {
  const threads = isElsewhere ? undefined : new ServingThreads(broker.pid);
  const cpuMs = () => threads?.cpuMs() ?? 0;
  let isAnswered = false;
  const startedMs = cpuMs();
  client.sendFrame(request);
  const frame = client.nextFrame().finally(() => {
    isAnswered = true;
  });
  let longestMs = 0;
  for (let i = 0; !isAnswered; i++) {
    const beforeMs = cpuMs();
    if (i % 2 === 0) await other.request(Metadata, 12, { topics: [] });
    else await other.request(Heartbeat, 4, { groupId: 'g', generationId: 1, memberId: 'm' });
    longestMs = Math.max(longestMs, cpuMs() - beforeMs);
  }
  const allMs = cpuMs() - startedMs;
  return [await frame, isElsewhere ? 0 : longestMs / allMs];
}

const names = (count: number): string[] => Array.from({ length: count }, (_, i) => `none-${i}`);

describe('while another client is served', () => {
  test('50,000 topics are asked for', async () => {
    const topics = names(50_000).map((name) => ({ name, topicId: ZERO_UUID }));
    const request = { topics, allowAutoTopicCreation: false };
    const response = await beside(Metadata, 12, request);
    expect(response.topics).toHaveLength(50_000);
    expect(response.topics[0]?.errorCode).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
  });

  test('50,000 topics are to be deleted', async () => {
    const request = { topicNames: names(50_000), timeoutMs: PATIENCE_MS };
    const response = await beside(DeleteTopics, 5, request);
    expect(response.responses).toHaveLength(50_000);
    const codes = new Set(response.responses.map(({ errorCode }) => errorCode));
    expect([...codes]).toEqual([ErrorCode.UNKNOWN_TOPIC_OR_PARTITION]);
  });

  test('the coordinators of 20,000 groups are asked for', async () => {
    const request = { keyType: 0, coordinatorKeys: names(20_000) };
    const response = await beside(FindCoordinator, 4, request);
    expect(response.coordinators).toHaveLength(20_000);
  });

  test('the offsets of 100,000 partitions are asked for', async () => {
    const partitionIndexes = Array.from({ length: 1000 }, (_, i) => i);
    const topics = names(100).map((name) => ({ name, partitionIndexes }));
    const request = { groups: [{ groupId: 'g', topics }] };
    const response = await beside(OffsetFetch, 8, request);
    expect(response.groups[0]?.topics?.[99]?.partitions).toHaveLength(1000);
  });
});

test('who leaves before a long answer is made holds up nobody', async () => {
  const topics = names(50_000).map((name) => ({ name, topicId: ZERO_UUID }));
  const request = { topics, allowAutoTopicCreation: false };
  for (let i = 0; i < 4; i++) {
    const leaving = await RawClient.connect(broker.port);
    leaving.send(Metadata, 12, request);
    leaving.leave();
  }
  expect((await client.request(Metadata, 12, request)).topics).toHaveLength(50_000);
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
    expect(await attacker.isClosedWithin()).toBe(true);
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
  const requests = attackers.flatMap((attacker) => Array<RawClient>(5).fill(attacker));
  for (const attacker of requests) attacker.sendFrame(frame);
  let answered = 0;
  const takeAll = async (attacker: RawClient): Promise<void> => {
    for (;;) {
      await attacker.nextFrame();
      answered++;
    }
  };
  const taken = Promise.allSettled(attackers.map(takeAll));
  await until('the first answer', () => answered > 0);
  expect(await flooded.kill('SIGTERM')).toBe(0);
  await taken;
  // Nearly all of it was still to be done.
  expect(answered).toBeLessThan(requests.length / 2);
  await flooded.dispose();
});

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
    return { acks: -1, timeoutMs: PATIENCE_MS, topicData: [{ name, partitionData }] };
  };

  test('a Produce and a Fetch are answered while another client is served', async () => {
    const topic = await freshTopic(client);
    const produced = await beside(Produce, 9, produceOf(topic, 'a'));
    const answers = produced.responses.flatMap((it) => it.partitionResponses);
    expect(answers).toHaveLength(COUNT);
    const appended = answers.filter(({ errorCode }) => errorCode === ErrorCode.NONE);
    // Once for each time that it was sent.
    const highWatermark = (appended[0]?.baseOffset ?? -1n) + 1n;
    expect(appended).toMatchObject([{ index: 0 }]);
    const fetched = await beside(Fetch, 12, fetchOf(topic, 0));
    const parts = fetched.responses.flatMap((it) => it.partitions);
    expect(parts).toHaveLength(COUNT);
    expect(parts.filter(({ errorCode }) => errorCode === ErrorCode.NONE)).toMatchObject([
      { partitionIndex: 0, highWatermark },
    ]);
  });

  test('answers keep the order of the requests, and effects too', async () => {
    const topic = await freshTopic(client);
    const own = await RawClient.connect(broker.port);
    const smallOf = (value: string) => {
      const partitionData = [{ index: 0, records: batchOf([value]) }];
      return { acks: -1, timeoutMs: PATIENCE_MS, topicData: [{ name: topic, partitionData }] };
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
  });
});
