import { randomBytes } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import {
  ApiVersions,
  CreateTopics,
  Fetch,
  FindCoordinator,
  JoinGroup,
  ListOffsets,
  Metadata,
  OffsetCommit,
  Produce,
} from '../src/kafka-protocol/index.ts';
import { Random } from './crash/random.ts';
import type { BrokerProcess } from './support/broker-process.ts';
import { PATIENCE_MS } from './support/patience.ts';
import { encodeRequest, RawClient } from './support/raw-client.ts';
import {
  batchOf,
  fetchBody,
  freshTopic,
  gzipped,
  listOffset,
  produceOk,
  valuesOf,
} from './support/records.ts';
import { withBroker } from './support/with-broker.ts';

// Bugs that other brokers shipped, by their ids: the order of answers, and lengths that cannot be.

let broker: BrokerProcess;
let client: RawClient;

withBroker((started, connected) => {
  broker = started;
  client = connected;
});

const int32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value | 0);
  return bytes;
};
const prefixed = (frame: Uint8Array): Buffer => Buffer.concat([int32(frame.length), frame]);

describe('C-014 answers come in the order of the requests', () => {
  const produceBody = (name: string, records: Uint8Array) => {
    const topicData = [{ name, partitionData: [{ index: 0, records }] }];
    return { acks: -1, timeoutMs: PATIENCE_MS, topicData };
  };

  test('of pairs of a Produce and a Metadata', async () => {
    const topic = await freshTopic(client);
    const own = await RawClient.connect(broker.port);
    const sent: (() => Promise<unknown>)[] = [];
    for (let i = 0; i < 20; i++) {
      const p = own.send(Produce, 9, produceBody(topic, batchOf([`${i}`])));
      sent.push(() => own.answer(Produce, 9, p));
      const m = own.send(Metadata, 8, { topics: null });
      sent.push(() => own.answer(Metadata, 8, m));
    }
    for (const take of sent) await take();
    const answer = await own.request(Fetch, 12, fetchBody(topic, new Map([[0, 0n]])));
    const partition = answer.responses[0]?.partitions[0];
    const values = partition === undefined ? [] : valuesOf(partition).map(([, value]) => value);
    expect(values).toEqual(Array.from({ length: 20 }, (_, i) => `${i}`));
    own.close();
  });

  test('behind a fetch that waits: nothing overtakes it, of any cost', async () => {
    const [empty, topic] = [await freshTopic(client), await freshTopic(client)];
    // Compressed and long: where records are checked by other threads, it is checked there.
    const long = gzipped(
      batchOf(Array.from({ length: 400 }, () => randomBytes(400).toString('hex'))),
    );
    const poll = fetchBody(empty, new Map([[0, 0n]]), { maxWaitMs: 2 * PATIENCE_MS });
    const partitions = [{ partitionIndex: 0, timestamp: -1n }];
    const coordinator = { key: 'g', keyType: 0 };
    const requests = [
      [Fetch, 12, poll],
      [ApiVersions, 0, {}],
      [Produce, 9, produceBody(topic, batchOf(['a']))],
      [Produce, 9, produceBody(topic, long)],
      [Metadata, 8, { topics: null }],
      [FindCoordinator, 3, coordinator],
      [ApiVersions, 0, {}],
      [Produce, 9, produceBody(topic, batchOf(['b']))],
      [ListOffsets, 7, { replicaId: -1, topics: [{ name: topic, partitions }] }],
      [ApiVersions, 0, {}],
    ] as const;
    const own = await RawClient.connect(broker.port);
    const frames = requests.map(([api, version, body], i) =>
      // The body is the one of its API; a list of different ones cannot say so.
      prefixed(encodeRequest(api as typeof Fetch, version, body as typeof poll, i)),
    );
    own.sendBytes(Buffer.concat(frames));
    const arrived: number[] = [];
    const all = (async () => {
      while (arrived.length < requests.length) {
        const frame = Buffer.from(await own.nextFrame());
        arrived.push(frame.readInt32BE(0));
      }
    })();
    // Time enough for whatever would come too early: what others ask is served meanwhile.
    for (let i = 0; i < 40; i++) await client.request(Metadata, 8, { topics: null });
    expect(arrived).toEqual([]);
    await produceOk(client, empty, batchOf(['ends the wait']));
    await all;
    expect(arrived).toEqual(requests.map((_, i) => i));
    expect((await listOffset(client, topic, -1n)).offset).toBe(402n);
    own.close();
  });
});

describe('C-015 absurd lengths', () => {
  const GROWTH_BYTES = 64 << 20;
  /** What may be reserved without being touched: threads and their arenas, not one frame of the largest size each. */
  const RESERVED_BYTES = 128 << 20;
  const LARGEST = 104_857_600;
  const isOurs = process.env.INTEGRATION_PORT === undefined;

  /** Sends each on a connection of its own, all open at once; others are served, and memory stays where it was. */
  async function attack(all: readonly Uint8Array[]): Promise<RawClient[]> {
    const memory = () => (isOurs ? [broker.residentBytes(), broker.reservedBytes()] : [0, 0]);
    const [resident = 0, reserved = 0] = memory();
    const clients = await Promise.all(all.map(() => RawClient.connect(broker.port)));
    for (const [i, bytes] of all.entries()) clients[i]?.sendBytes(bytes);
    await client.request(Metadata, 8, { topics: [] });
    // More of what was announced, when the length is known already; to some it comes too late.
    for (const one of clients) one.sendBytes(Buffer.alloc(8));
    for (let i = 0; i < 5; i++) {
      expect((await client.request(Metadata, 8, { topics: null })).brokers).toHaveLength(1);
    }
    const [residentNow = 0, reservedNow = 0] = memory();
    expect(residentNow - resident).toBeLessThan(GROWTH_BYTES);
    expect(reservedNow - reserved).toBeLessThan(RESERVED_BYTES);
    return clients;
  }

  test('of frames reserve no memory', async () => {
    // Apache Kafka reserves what is announced, and dies of a few that are just possible.
    const possible = isOurs ? [LARGEST] : [];
    const lengths = [-1, -(2 ** 31), 0, LARGEST + 1, 2 ** 31 - 1, ...possible];
    const all = Array.from({ length: 120 }, (_, i) =>
      Buffer.concat([int32(lengths[i % lengths.length] ?? 0), Buffer.of(0)]),
    );
    const clients = await attack(all);
    for (const [i, one] of clients.entries()) {
      const isPossible = lengths[i % lengths.length] === LARGEST;
      if (!isPossible) expect(await one.isClosedWithin()).toBe(true);
      one.close();
    }
  });

  test('of the first array or string of every API reserve no memory', async () => {
    const { apiKeys } = await client.request(ApiVersions, 0, {});
    const all: Buffer[] = [];
    for (const { apiKey, minVersion, maxVersion } of apiKeys) {
      for (const version of new Set([minVersion, maxVersion])) {
        for (const absurd of ['7fffffff', '80000000', 'fffffffe', 'feffffff0f', 'ffffffffffff']) {
          const header = Buffer.alloc(10);
          header.writeInt16BE(apiKey, 0);
          header.writeInt16BE(version, 2);
          header.writeInt16BE(-1, 8);
          // Once as the first field, in every encoding, and once more behind it.
          const body = Buffer.from(`00${absurd}${absurd}`, 'hex');
          all.push(prefixed(Buffer.concat([header, body])));
          all.push(prefixed(Buffer.concat([header, body.subarray(1)])));
        }
      }
    }
    for (let i = 0; i < all.length; i += 200) {
      for (const one of await attack(all.slice(i, i + 200))) one.close();
    }
  });

  test('anywhere in requests that were right before', async () => {
    const topic = await freshTopic(client);
    const random = new Random(15);
    const samples = validFrames(topic);
    for (let round = 0; round < 4; round++) {
      const all = Array.from({ length: 150 }, () => {
        const sample = samples[random.between(0, samples.length - 1)] ?? new Uint8Array();
        return prefixed(spoilt(sample, random));
      });
      for (const one of await attack(all)) one.close();
    }
    expect(await produceOk(client, topic, batchOf(['still here']))).toBeGreaterThanOrEqual(0n);
  });
});

function validFrames(topic: string): Uint8Array[] {
  const records = batchOf(['some', 'records', 'of a batch']);
  const produceBody = (batch: Uint8Array) => ({
    acks: 1,
    timeoutMs: 1000,
    topicData: [{ name: topic, partitionData: [{ index: 0, records: batch }] }],
  });
  const poll = fetchBody(topic, new Map([[0, 0n]]));
  const partitions = [{ partitionIndex: 0, timestamp: -1n }];
  const protocols = [{ name: 'range', metadata: Buffer.alloc(20) }];
  const join = { groupId: 'g', sessionTimeoutMs: 6000, protocolType: 'consumer', protocols };
  const offsets = [{ partitionIndex: 0, committedOffset: 1n }];
  const created = { name: 'never made', numPartitions: 1, replicationFactor: 1 };
  return [
    encodeRequest(Produce, 9, produceBody(records), 1),
    encodeRequest(Produce, 7, produceBody(gzipped(records)), 1),
    encodeRequest(Fetch, 12, poll, 1),
    encodeRequest(Fetch, 4, poll, 1),
    encodeRequest(Metadata, 12, { topics: [{ name: topic }] }, 1),
    encodeRequest(Metadata, 4, { topics: [{ name: topic }] }, 1),
    encodeRequest(ListOffsets, 7, { replicaId: -1, topics: [{ name: topic, partitions }] }, 1),
    encodeRequest(CreateTopics, 5, { topics: [created], timeoutMs: 1000 }, 1),
    encodeRequest(JoinGroup, 5, join, 1),
    encodeRequest(
      OffsetCommit,
      8,
      { groupId: 'g', topics: [{ name: topic, partitions: offsets }] },
      1,
    ),
  ];
}

/** With a few absurd numbers where others were, and sometimes cut. */
function spoilt(frame: Uint8Array, random: Random): Uint8Array {
  const bytes = Buffer.from(frame);
  const absurd = [0x7fffffff, 0x80000000, 0xfffffffe, 0x00ffffff, 0xffffffff];
  for (let i = random.between(1, 3); i > 0; i--) {
    // Behind API key, version and correlation id: elsewhere is tested what those may be.
    const at = random.between(8, bytes.length - 4);
    bytes.writeUInt32BE(absurd[random.between(0, absurd.length - 1)] ?? 0, at);
  }
  return random.next() < 0.2 ? bytes.subarray(0, random.between(8, bytes.length)) : bytes;
}
