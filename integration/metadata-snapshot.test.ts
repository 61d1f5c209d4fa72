import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { CreateTopics, DeleteTopics, ErrorCode, Metadata } from '../src/kafka-protocol/index.ts';
import { BrokerProcess } from './support/broker-process.ts';
import { PATIENCE_MS } from './support/patience.ts';
import { RawClient } from './support/raw-client.ts';
import { batchOf, newProducerId, produceOk } from './support/records.ts';
import { createTopic } from './support/topics.ts';

// The metadata log does not grow for ever: a snapshot takes the place of its beginning. Only a broker of our own is
// ended and started again.

const isElsewhere = process.env.INTEGRATION_PORT !== undefined;
/** A snapshot is written each 10 MB; these settings, the longest there are, make 64 KB of each topic. */
const LONG = Array<string>(8191).fill('0:1').join();
const longSettings = ['leader', 'follower'].map((side) => {
  return { name: `${side}.replication.throttled.replicas`, value: LONG };
});
const TOPICS_AT_ONCE = 50;
/** With so many the log before the older one is dropped. */
const SNAPSHOTS = 2;

let broker: BrokerProcess;
let client: RawClient;

beforeAll(async () => {
  broker = await BrokerProcess.start({ settings: { 'file.delete.delay.ms': 0 } });
  client = await RawClient.connect(broker.port);
});
afterAll(async () => {
  client.close();
  await broker.dispose();
});

const folder = () => join(broker.dataFolder, '__cluster_metadata-0');
const snapshots = () => readdirSync(folder()).filter((name) => name.endsWith('.checkpoint'));

async function restart(signal: NodeJS.Signals): Promise<void> {
  client.close();
  await broker.kill(signal);
  await broker.startAgain();
  client = await RawClient.connect(broker.port);
}

/** Creates large topics and deletes them, until the snapshots are there. */
async function fillLog(): Promise<void> {
  while (snapshots().length < SNAPSHOTS) {
    const names = Array.from({ length: TOPICS_AT_ONCE }, (_, i) => `large-${i}`);
    const topics = names.map((name) => {
      return { name, numPartitions: 1, replicationFactor: 1, configs: longSettings };
    });
    const created = await client.request(CreateTopics, 5, { topics, timeoutMs: PATIENCE_MS });
    expect(new Set(created.topics.map(({ errorCode }) => errorCode))).toEqual(new Set([0]));
    const deletion = { topicNames: names, timeoutMs: PATIENCE_MS };
    const { responses } = await client.request(DeleteTopics, 5, deletion);
    expect(new Set(responses.map(({ errorCode }) => errorCode))).toEqual(new Set([0]));
  }
}

/** The topics there are, with their ids and partitions. */
async function topics() {
  const answer = await client.request(Metadata, 12, { topics: null });
  return answer.topics.map(({ name, topicId, errorCode, partitions }) => {
    return { name, topicId, errorCode, leaders: partitions.map(({ leaderId }) => leaderId) };
  });
}

async function createOf(name: string): Promise<number | undefined> {
  const topic = { name, numPartitions: 1, replicationFactor: 1 };
  const request = { topics: [topic], timeoutMs: PATIENCE_MS };
  return (await client.request(CreateTopics, 5, request)).topics[0]?.errorCode;
}

test('a broker starts from a snapshot whose log is dropped, again and again, killed or stopped', async () => {
  if (isElsewhere) return;
  const ids = [await newProducerId(client)];
  await createTopic(client, 'before', 2, { 'retention.ms': '3600000' });
  await produceOk(client, 'before', batchOf(['a']), { partition: 1 });
  await fillLog();
  ids.push(await newProducerId(client));
  await createTopic(client, 'behind', 1);
  const names = ['before', 'behind'];
  for (const [i, signal] of (['SIGKILL', 'SIGTERM', 'SIGKILL'] as const).entries()) {
    const known = await topics();
    expect(known.map(({ name }) => name).sort()).toEqual([...names].sort());
    await restart(signal);
    expect(await topics()).toEqual(known);
    expect(await createOf('before')).toBe(ErrorCode.TOPIC_ALREADY_EXISTS);
    ids.push(await newProducerId(client));
    expect(await produceOk(client, 'before', batchOf(['b']), { partition: 1 })).toBe(BigInt(i + 1));
    names.push(`new-${i}`);
    expect(await createOf(`new-${i}`)).toBe(ErrorCode.NONE);
    expect(await produceOk(client, `new-${i}`, batchOf(['a']))).toBe(0n);
  }
  expect(new Set(ids).size).toBe(ids.length);
  const topicIds = (await topics()).map(({ topicId }) => topicId);
  expect(new Set(topicIds).size).toBe(names.length);
});

test('with no snapshot left it says so, and deletes no topic for it', async () => {
  if (isElsewhere) return;
  client.close();
  await broker.kill('SIGTERM');
  for (const name of snapshots()) rmSync(join(folder(), name));
  await expect(broker.startAgain()).rejects.toThrow(
    /the metadata log in __cluster_metadata-0 cannot be read: what was before its offset \d+ is in no snapshot/,
  );
  expect(readdirSync(broker.dataFolder)).toContain('before-0');
});
