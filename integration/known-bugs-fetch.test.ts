import { describe, expect, test } from '@jest/globals';
import {
  ApiVersions,
  buildBatch,
  DeleteRecords,
  ErrorCode,
  Fetch,
  OffsetForLeaderEpoch,
} from '../src/kafka-protocol/index.ts';
import type { BrokerProcess } from './support/broker-process.ts';
import { PATIENCE_MS } from './support/patience.ts';
import { RawClient } from './support/raw-client.ts';
import {
  batchOf,
  fetch,
  fetchBody,
  freshTopic,
  listOffset,
  produceOk,
  text,
  valuesOf,
} from './support/records.ts';
import { withBroker } from './support/with-broker.ts';

// Bugs that other brokers shipped, by their ids: fetching, sessions and offsets.

/** How long a Fetch waits that shall wait, and how long it does at least: a busy broker may read a clock a little late. */
const [WAIT_MS, WAIT_MS_LEAST] = [500, 300];

let broker: BrokerProcess;
let client: RawClient;

withBroker((started, connected) => {
  broker = started;
  client = connected;
});

async function deleteRecords(topic: string, offset: bigint) {
  const topics = [{ name: topic, partitions: [{ partitionIndex: 0, offset }] }];
  const answer = await client.request(DeleteRecords, 2, { topics, timeoutMs: PATIENCE_MS });
  return answer.topics[0]?.partitions[0];
}

/** Milliseconds that something took. */
async function timed<T>(work: Promise<T>): Promise<readonly [number, T]> {
  const startedMs = performance.now();
  const result = await work;
  return [performance.now() - startedMs, result];
}

describe('fetching', () => {
  test('C-056 a log whose records were all deleted goes on', async () => {
    const topic = await freshTopic(client);
    await produceOk(client, topic, batchOf(['a', 'b', 'c']));
    expect(await deleteRecords(topic, -1n)).toMatchObject({ errorCode: 0, lowWatermark: 3n });
    expect((await fetch(client, topic, 0n)).errorCode).toBe(ErrorCode.OFFSET_OUT_OF_RANGE);
    expect(valuesOf(await fetch(client, topic, 3n))).toEqual([]);
    expect(await produceOk(client, topic, batchOf(['d']))).toBe(3n);
    expect(valuesOf(await fetch(client, topic, 3n))).toEqual([[3, 'd']]);
    expect(await deleteRecords(topic, 99n)).toMatchObject({
      errorCode: ErrorCode.OFFSET_OUT_OF_RANGE,
    });
  });

  test('C-061 a fetch inside a batch gets the whole batch', async () => {
    const topic = await freshTopic(client);
    await produceOk(client, topic, batchOf(['a', 'b', 'c']));
    expect(valuesOf(await fetch(client, topic, 1n)).map(([offset]) => offset)).toEqual([0, 1, 2]);
  });

  test('C-062 the first batch comes even when it is larger than the limits', async () => {
    const topic = await freshTopic(client);
    await produceOk(client, topic, batchOf(['x'.repeat(5000)]));
    await produceOk(client, topic, batchOf(['y']));
    const answer = await fetch(client, topic, 0n, { maxBytes: 10, partitionMaxBytes: 10 });
    expect(valuesOf(answer)).toHaveLength(1);
  });

  test('C-063 the smaller of the two limits holds', async () => {
    const topic = await freshTopic(client);
    for (let i = 0; i < 10; i++) await produceOk(client, topic, batchOf(['x'.repeat(1000)]));
    const answer = await fetch(client, topic, 0n, { maxBytes: 2500, partitionMaxBytes: 1 << 20 });
    expect(valuesOf(answer)).toHaveLength(2);
    const other = await fetch(client, topic, 0n, { maxBytes: 1 << 20, partitionMaxBytes: 3500 });
    expect(valuesOf(other)).toHaveLength(3);
  });

  test('C-069 an empty log waits in range and refuses out of it', async () => {
    const topic = await freshTopic(client);
    const [ms, answer] = await timed(fetch(client, topic, 0n, { maxWaitMs: WAIT_MS }));
    expect([answer.errorCode, ms >= WAIT_MS_LEAST]).toEqual([ErrorCode.NONE, true]);
    await produceOk(client, topic, batchOf(['a', 'b']));
    await deleteRecords(topic, 1n);
    const below = await fetch(client, topic, 0n);
    expect(below.errorCode).toBe(ErrorCode.OFFSET_OUT_OF_RANGE);
    if (process.env.INTEGRATION_PORT === undefined) expect(below.logStartOffset).toBe(1n);
    expect((await fetch(client, topic, 9n)).errorCode).toBe(ErrorCode.OFFSET_OUT_OF_RANGE);
  });

  // Apache Kafka cuts the last batch of an answer where the limit falls; every client copes with either.
  test('C-076 no batch is cut', async () => {
    const topic = await freshTopic(client);
    for (let i = 0; i < 10; i++) await produceOk(client, topic, batchOf(['x'.repeat(1000)]));
    for (let bytes = 1000; bytes < 6000; bytes += 333) {
      const { records } = await fetch(client, topic, 0n, { partitionMaxBytes: bytes });
      const size = records?.length ?? 0;
      const view = Buffer.from(records ?? []);
      let end = 0;
      while (end + 12 <= size) end += 12 + view.readInt32BE(end + 8);
      expect(end).toBe(size);
    }
  });

  test('a waiting fetch is answered when records come', async () => {
    const topic = await freshTopic(client);
    const own = await RawClient.connect(broker.port);
    const waiting = fetch(own, topic, 0n, { maxWaitMs: 2 * PATIENCE_MS });
    await produceOk(client, topic, batchOf(['a']));
    expect(valuesOf(await waiting)).toEqual([[0, 'a']]);
    own.close();
  });

  test('min.bytes holds an answer back until there is enough', async () => {
    const topic = await freshTopic(client);
    const own = await RawClient.connect(broker.port);
    const waiting = fetch(own, topic, 0n, { maxWaitMs: 2 * PATIENCE_MS, minBytes: 500 });
    await produceOk(client, topic, batchOf(['small']));
    await produceOk(client, topic, batchOf(['x'.repeat(600)]));
    expect(valuesOf(await waiting)).toHaveLength(2);
    own.close();
  });
});

describe('fetch sessions', () => {
  const open = async (topic: string, partitions: readonly number[]) => {
    const offsets = new Map(partitions.map((partition) => [partition, 0n]));
    const body = fetchBody(topic, offsets, { sessionEpoch: 0 });
    return client.request(Fetch, 12, body);
  };
  const next = (sessionId: number, sessionEpoch: number, more: object = {}) =>
    client.request(Fetch, 12, {
      ...fetchBody('', new Map(), { sessionId, sessionEpoch }),
      ...more,
    });

  test('C-064 an empty request in a session waits as long as it was told', async () => {
    const topic = await freshTopic(client);
    const { sessionId } = await open(topic, [0]);
    expect(sessionId).toBeGreaterThan(0);
    const [ms, answer] = await timed(next(sessionId, 1, { maxWaitMs: WAIT_MS }));
    expect([answer.responses.length, ms >= WAIT_MS_LEAST]).toEqual([0, true]);
  });

  test('C-066 forgotten partitions are no longer served, and wrong epochs are errors', async () => {
    const topic = await freshTopic(client, {}, 2);
    const { sessionId } = await open(topic, [0, 1]);
    await produceOk(client, topic, batchOf(['a']), { partition: 1 });
    const forget = { forgottenTopicsData: [{ topic, partitions: [1] }] };
    expect((await next(sessionId, 1, forget)).responses).toEqual([]);
    expect((await next(sessionId, 7)).errorCode).toBe(ErrorCode.INVALID_FETCH_SESSION_EPOCH);
    expect((await next(123_456_789, 1)).errorCode).toBe(ErrorCode.FETCH_SESSION_ID_NOT_FOUND);
  });

  test('C-067 a partition behind others that always have data is served as well', async () => {
    const topic = await freshTopic(client, {}, 3);
    for (let partition = 0; partition < 3; partition++) {
      for (let i = 0; i < 3; i++) {
        await produceOk(client, topic, batchOf(['x'.repeat(1000)]), { partition });
      }
    }
    const offsets = new Map([0, 1, 2].map((partition) => [partition, 0n]));
    const small = { maxBytes: 1100, partitionMaxBytes: 1100 };
    const first = await client.request(
      Fetch,
      12,
      fetchBody(topic, offsets, { ...small, sessionEpoch: 0 }),
    );
    const served = new Set<number>();
    const note = (answer: typeof first) => {
      for (const { partitions } of answer.responses) {
        for (const p of partitions) if ((p.records?.length ?? 0) > 0) served.add(p.partitionIndex);
      }
    };
    note(first);
    for (let epoch = 1; epoch < 6; epoch++) {
      note(await next(first.sessionId, epoch, { maxBytes: 1100 }));
    }
    expect([...served].sort()).toEqual([0, 1, 2]);
  });
});

describe('offsets by time', () => {
  const at = (timestamp: bigint, value: string) => ({ ...text(value), timestamp });

  test('C-088 the first record at or after the time, inside a batch and out of order', async () => {
    const topic = await freshTopic(client);
    const records = [at(1000n, 'a'), at(3000n, 'b'), at(2000n, 'c'), at(4000n, 'd')];
    await produceOk(client, topic, buildBatch(records, { timestamp: 1000n }));
    await produceOk(client, topic, buildBatch([at(2500n, 'e')], { timestamp: 2500n }));
    expect(await listOffset(client, topic, 1500n)).toMatchObject({ offset: 1n, timestamp: 3000n });
    expect(await listOffset(client, topic, 4000n)).toMatchObject({ offset: 3n, timestamp: 4000n });
    expect(await listOffset(client, topic, 0n)).toMatchObject({ offset: 0n, timestamp: 1000n });
  });

  test('C-089 nothing found is offset -1 and timestamp -1', async () => {
    const topic = await freshTopic(client);
    await produceOk(client, topic, batchOf(['a'], { timestamp: 1000n }));
    expect(await listOffset(client, topic, 9000n)).toMatchObject({
      offset: -1n,
      timestamp: -1n,
      errorCode: 0,
    });
  });

  test('C-090 read_committed gets the last stable offset', async () => {
    const topic = await freshTopic(client);
    await produceOk(client, topic, batchOf(['a']));
    const answer = await fetch(client, topic, 0n, { isolationLevel: 1 });
    expect(answer).toMatchObject({ lastStableOffset: 1n, highWatermark: 1n });
    for (const isolationLevel of [0, 1]) {
      const latest = await listOffset(client, topic, -1n, { isolationLevel });
      expect(latest).toMatchObject({ errorCode: ErrorCode.NONE, offset: 1n });
    }
  });

  test('C-091 the record with the largest timestamp', async () => {
    const topic = await freshTopic(client);
    const records = [at(1000n, 'a'), at(5000n, 'b'), at(2000n, 'c')];
    await produceOk(client, topic, buildBatch(records, { timestamp: 1000n }));
    await produceOk(client, topic, batchOf(['d'], { timestamp: 3000n }));
    expect(await listOffset(client, topic, -3n)).toMatchObject({ offset: 1n, timestamp: 5000n });
  });

  test('C-092 empty topics and the ends', async () => {
    const topic = await freshTopic(client, { 'retention.ms': '-1' });
    expect(await listOffset(client, topic, -1n)).toMatchObject({ offset: 0n, timestamp: -1n });
    expect(await listOffset(client, topic, -2n)).toMatchObject({ offset: 0n, timestamp: -1n });
    expect(await listOffset(client, topic, -3n)).toMatchObject({ offset: -1n, timestamp: -1n });
    expect(await listOffset(client, topic, 5n)).toMatchObject({ offset: -1n, timestamp: -1n });
    await produceOk(client, topic, batchOf(['a', 'b'], { timestamp: 1000n }));
    await produceOk(client, topic, batchOf(['c'], { timestamp: 2000n }));
    expect(await listOffset(client, topic, -1n)).toMatchObject({ offset: 3n });
    const edges = [
      [999n, 0n, 1000n],
      [1000n, 0n, 1000n],
      [1001n, 2n, 2000n],
      [2000n, 2n, 2000n],
      [2001n, -1n, -1n],
      [-3n, 2n, 2000n],
    ] as const;
    for (const [asked, offset, timestamp] of edges) {
      expect(await listOffset(client, topic, asked)).toMatchObject({ offset, timestamp });
    }
  });

  test('C-092 special times that a version does not know are refused', async () => {
    const topic = await freshTopic(client);
    expect((await listOffset(client, topic, -3n, { version: 6 })).errorCode).toBe(
      ErrorCode.UNSUPPORTED_VERSION,
    );
    expect((await listOffset(client, topic, -9n)).errorCode).toBe(ErrorCode.UNSUPPORTED_VERSION);
  });

  test('C-093 ListOffsets 0 is not advertised and not served', async () => {
    const { apiKeys } = await client.request(ApiVersions, 0, {});
    expect(apiKeys.find(({ apiKey }) => apiKey === 2)?.minVersion).toBe(1);
    const own = await RawClient.connect(broker.port);
    own.sendFrame(
      Buffer.from([0, 2, 0, 0, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]),
    );
    expect(await own.isClosedWithin()).toBe(true);
  });

  test('the end of an epoch', async () => {
    const topic = await freshTopic(client);
    await produceOk(client, topic, batchOf(['a', 'b']));
    const ask = async (leaderEpoch: number) => {
      const partitions = [{ partition: 0, currentLeaderEpoch: -1, leaderEpoch }];
      const body = { replicaId: -1, topics: [{ topic, partitions }] };
      const { topics } = await client.request(OffsetForLeaderEpoch, 4, body);
      return topics[0]?.partitions[0];
    };
    const { leaderEpoch } = await listOffset(client, topic, -1n);
    expect(await ask(leaderEpoch)).toMatchObject({ errorCode: 0, leaderEpoch, endOffset: 2n });
    expect(await ask(leaderEpoch + 5)).toMatchObject({
      errorCode: 0,
      leaderEpoch: -1,
      endOffset: -1n,
    });
  });
});

// Last, because it fills the cache.
test('C-068 more sessions than there are slots are answered, without a session if need be', async () => {
  const topic = await freshTopic(client);
  const ids = new Set<number>();
  for (let i = 0; i < 1100; i++) {
    const body = fetchBody(topic, new Map([[0, 0n]]), { sessionEpoch: 0 });
    const answer = await client.request(Fetch, 12, body);
    expect(answer.errorCode).toBe(ErrorCode.NONE);
    if (answer.sessionId !== 0) expect(ids.has(answer.sessionId)).toBe(false);
    ids.add(answer.sessionId);
  }
});
