import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from '@jest/globals';
import { CreateTopics, ErrorCode, Metadata, ZERO_UUID } from '../src/kafka-protocol/index.ts';
import { BrokerProcess } from './support/broker-process.ts';
import { PATIENCE_MS } from './support/patience.ts';
import { RawClient } from './support/raw-client.ts';
import { batchOf, produceOk } from './support/records.ts';

// Each partition has a file open. What does not fit into the limit of the process is refused before it is there.

const bin = join(dirname(dirname(fileURLToPath(import.meta.url))), 'bin', 'memorystreamer');
/** Starts with as many files as the file of that name says. */
const limitedBy = (file: string) => [
  'sh',
  '-c',
  `ulimit -n $(cat ${file}); exec "$0" "$@"`,
  process.execPath,
  bin,
  'start',
];

async function create(client: RawClient, name: string, numPartitions: number) {
  const topics = [{ name, numPartitions, replicationFactor: 1 }];
  const answer = await client.request(CreateTopics, 7, { topics, timeoutMs: PATIENCE_MS });
  return { ...answer.topics[0], configs: [] };
}

let broker: BrokerProcess | undefined;
afterEach(() => broker?.dispose());

test('more partitions than files may be open are refused, and those that fit work', async () => {
  if (process.env.INTEGRATION_PORT !== undefined) return;
  const folder = mkdtempSync(join(tmpdir(), 'ms-limit-'));
  const limit = join(folder, 'limit');
  writeFileSync(limit, '256');
  broker = await BrokerProcess.start({
    command: limitedBy(limit),
    settings: { 'num.partitions': 100 },
  });
  const client = await RawClient.connect(broker.port);
  expect(await create(client, 'large', 400)).toMatchObject({
    errorCode: ErrorCode.POLICY_VIOLATION,
    errorMessage: expect.stringContaining('leaves room for 160 partitions: there are 0'),
  });
  expect(await create(client, 'fits', 150)).toMatchObject({ errorCode: ErrorCode.NONE });
  const topics = ['fits', 'made'].map((name) => ({ name, topicId: ZERO_UUID }));
  const answer = await client.request(Metadata, 12, { topics, allowAutoTopicCreation: true });
  const codes = answer.topics.map(({ name, errorCode }) => [name, errorCode]);
  expect(codes).toEqual([
    ['fits', ErrorCode.NONE],
    ['made', ErrorCode.POLICY_VIOLATION],
  ]);
  const leaders = answer.topics[0]?.partitions.map(({ leaderId }) => leaderId);
  expect(leaders).toEqual(Array(150).fill(1));
  expect(await produceOk(client, 'fits', batchOf(['v']))).toBe(0n);
  client.close();
  expect(broker.output).not.toContain('is too low');

  // Who starts with less is told.
  await broker.kill('SIGTERM');
  writeFileSync(limit, '220');
  await broker.startAgain();
  const again = await RawClient.connect(broker.port);
  expect(await produceOk(again, 'fits', batchOf(['v']))).toBe(1n);
  again.close();
  expect(await broker.kill('SIGTERM')).toBe(0);
  const lines = broker.output.split('\n').filter((line) => line.includes('is too low'));
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    { level: 50, partitions: 151, partitionsMax: 133, openFilesMax: 220 },
  ]);
  rmSync(folder, { recursive: true });
});
