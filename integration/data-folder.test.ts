import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { DeleteTopics, Metadata } from '../src/kafka-protocol/index.ts';
import type { BrokerProcess } from './support/broker-process.ts';
import { PATIENCE_MS, until } from './support/patience.ts';
import { RawClient } from './support/raw-client.ts';
import { createTopic } from './support/topics.ts';
import { withBroker } from './support/with-broker.ts';

// What lies in the data folder, as administrators of Kafka know it. Only a broker of our own shows its folder.

const isElsewhere = process.env.INTEGRATION_PORT !== undefined;
const ID = /[A-Za-z0-9_-]{22}/.source;

let broker: BrokerProcess;

withBroker((started) => {
  broker = started;
});

const folders = (prefix: string) =>
  readdirSync(broker.dataFolder).filter((name) => name.startsWith(prefix));
const linesOf = (...path: readonly string[]) =>
  readFileSync(join(broker.dataFolder, ...path), 'utf8')
    .trim()
    .split('\n');

/** Creates a topic of two partitions that waits so long before its files go, and deletes it. */
async function createAndDelete(name: string, deleteDelayMs: number): Promise<void> {
  const client = await RawClient.connect(broker.port);
  await createTopic(client, name, 2, { 'file.delete.delay.ms': `${deleteDelayMs}` });
  expect(folders(name)).toEqual([`${name}-0`, `${name}-1`]);
  const request = { topicNames: [name], timeoutMs: PATIENCE_MS };
  const { responses } = await client.request(DeleteTopics, 5, request);
  expect(responses).toMatchObject([{ errorCode: 0 }]);
  client.close();
}

test('has an identity, a lock and the metadata log', () => {
  if (isElsewhere) return;
  const [first, ...rest] = linesOf('meta.properties');
  expect(first).toBe('version=1');
  expect(rest.sort().join('\n')).toMatch(
    new RegExp(
      `^cluster\\.id=${ID}\\ndirectory\\.id=${ID}\\nmemorystreamer\\.format\\.version=2\\nnode\\.id=1$`,
    ),
  );
  expect(existsSync(join(broker.dataFolder, '.lock'))).toBe(true);
  expect(folders('__cluster_metadata-')).toEqual(['__cluster_metadata-0']);
});

test('a partition has a folder that says whose it is', async () => {
  if (isElsewhere) return;
  const client = await RawClient.connect(broker.port);
  await createTopic(client, 'orders', 1);
  const { topics } = await client.request(Metadata, 12, { topics: [{ name: 'orders' }] });
  client.close();
  const lines = linesOf('orders-0', 'partition.metadata');
  expect(lines.slice(0, 2)).toEqual(['version: 0', `topic_id: ${topics[0]?.topicId}`]);
});

test('the files of a deleted topic go after file.delete.delay.ms', async () => {
  if (isElsewhere) return;
  await createAndDelete('gone', 0);
  await until('no folders', () => folders('gone').length === 0);
});

test('until then they wait under another name; the topic is gone after a restart, too', async () => {
  if (isElsewhere) return;
  await createAndDelete('waits', 3_600_000);
  const renamed = /^waits-[01]\.\S+-delete$/;
  await until('other names', () => folders('waits').every((name) => renamed.test(name)));
  // Those of one that is deleted later and waits for nothing are gone before.
  await createAndDelete('soon', 0);
  await until('no folders of the other', () => folders('soon').length === 0);
  expect(folders('waits').map((name) => renamed.test(name))).toEqual([true, true]);
  await broker.kill('SIGTERM');
  await broker.startAgain();
  const client = await RawClient.connect(broker.port);
  const { topics } = await client.request(Metadata, 12, { topics: null });
  expect(topics.map(({ name }) => name)).toEqual(['orders']);
  client.close();
});
