import { spawn } from 'node:child_process';
import { RawClient } from '../integration/support/raw-client.ts';
import { waitForLeaders } from '../integration/support/records.ts';
import { CreateTopics, DeleteTopics } from '../src/kafka-protocol/index.ts';
import { programPath } from './build.ts';

/** What `ms-load` printed; which of the figures are there depends on its mode. */
export type LoadResult = Readonly<Record<string, number>>;

const program = programPath('ms-load');

/** Runs the load generator once. */
export function runLoad(mode: string, options: Readonly<Record<string, string | number>>) {
  const args = Object.entries(options).flatMap(([key, value]) => [`--${key}`, String(value)]);
  return new Promise<LoadResult>((resolve, reject) => {
    const child = spawn(program, [mode, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.on('data', (data) => {
      output += data;
    });
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve(JSON.parse(output) as LoadResult);
      else reject(new Error(`ms-load ${mode} ended with ${code}`));
    });
  });
}

const LEADERS_SETTLE_MS = 500;
let topicsMade = 0;

/** Makes a fresh topic, runs `use` with its name, and deletes it. */
export async function withTopic<T>(
  bootstrap: string,
  partitions: number,
  use: (topic: string) => Promise<T>,
): Promise<T> {
  const name = `bench-${process.pid}-${topicsMade++}`;
  const client = await RawClient.connect(Number(bootstrap.split(':')[1]));
  const configs = [{ name: 'file.delete.delay.ms', value: '1000' }];
  const topic = { name, numPartitions: partitions, replicationFactor: 1, configs };
  const { topics } = await client.request(CreateTopics, 5, { topics: [topic], timeoutMs: 30_000 });
  if (topics[0]?.errorCode !== 0) throw new Error(`the topic was refused: ${topics[0]?.errorCode}`);
  // Apache Kafka's partitions refuse appends for a moment after they have a leader.
  await waitForLeaders(client, name);
  await new Promise((resolve) => setTimeout(resolve, LEADERS_SETTLE_MS));
  try {
    return await use(name);
  } finally {
    await client.request(DeleteTopics, 4, { topicNames: [name], timeoutMs: 30_000 });
    client.close();
  }
}
