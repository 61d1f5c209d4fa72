import { appendFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ErrorCode, ListOffsets } from '../../src/kafka-protocol/index.ts';
import { BrokerProcess } from '../support/broker-process.ts';
import { until } from '../support/patience.ts';
import { RawClient } from '../support/raw-client.ts';
import { createTopic } from '../support/topics.ts';
import { NumberedTopic } from './acknowledged.ts';
import type { Random } from './random.ts';

/** A broker with a topic of several sealed segments, and all that was acknowledged on it. */
interface Scene {
  readonly broker: BrokerProcess;
  readonly topic: NumberedTopic;
  readonly random: Random;
  /** Folder of the partition. */
  readonly folder: string;
}

const VALUE_BYTES = 90_000;
const BATCHES = 48;

/** Damage by name: each runs on a data folder of its own and returns what is wrong. */
export const damages: Readonly<Record<string, (scene: Scene) => Promise<string[]>>> = {
  'bytes flipped in a sealed segment': flippedBytes,
  'index files deleted': (scene) => indexesSpoilt(scene, (path) => rmSync(path)),
  'index files garbled': (scene) =>
    indexesSpoilt(scene, (path) => writeFileSync(path, garbage(scene.random, 300))),
  'garbage behind the last batch': (scene) => {
    const last = segments(scene).at(-1) ?? '';
    return survives(scene, () => appendFileSync(last, garbage(scene.random, 700)));
  },
  'checkpoint garbled': (scene) => {
    const path = join(scene.broker.dataFolder, 'checkpoint');
    return survives(scene, () => writeFileSync(path, garbage(scene.random, 5000)), 'SIGTERM');
  },
  'garbage behind the hard-state log': (scene) => {
    const path = join(scene.broker.dataFolder, 'hard-state.log');
    return survives(scene, () => appendFileSync(path, garbage(scene.random, 60)));
  },
  'last record of the hard-state log garbled': (scene) => {
    const path = join(scene.broker.dataFolder, 'hard-state.log');
    return survives(scene, () => flip(path, -3, 2));
  },
};

/** Sets the scene, lets the damage happen, checks. */
export async function damaged(name: string, reactors: string, random: Random): Promise<string[]> {
  const broker = await BrokerProcess.start({ settings: { 'reactor.threads': reactors } });
  try {
    const client = await RawClient.connect(broker.port);
    const topic = new NumberedTopic('numbers', VALUE_BYTES);
    await createTopic(client, topic.name, 1, { 'segment.bytes': '1048576' });
    await topic.produceMany(client, BATCHES);
    client.close();
    const folder = join(broker.dataFolder, `${topic.name}-0`);
    const run = damages[name];
    if (run === undefined) throw new Error(`no such damage: ${name}`);
    return await run({ broker, topic, random, folder });
  } finally {
    await broker.dispose();
  }
}

async function flippedBytes({ broker, topic, folder }: Scene): Promise<string[]> {
  await broker.kill('SIGTERM');
  const paths = segments({ folder });
  const bases = paths.map((path) => BigInt(/(\d+)\.log$/.exec(path)?.[1] ?? 0));
  const [path, base, next] = [paths[1], bases[1], bases[2]];
  if (path === undefined || base === undefined || next === undefined) return ['too few segments'];
  // In the middle of a record's value, so that only the CRC can tell.
  flip(path, Math.floor(readFileSync(path).length / 2), 16);
  await broker.startAgain();
  const client = await RawClient.connect(broker.port);
  const problems: string[] = [];
  let refused = 0;
  for (const offset of topic.acknowledged.keys()) {
    const got = await topic.fetchAt(client, offset);
    const isInside = offset >= base && offset < next;
    if (got === ErrorCode.KAFKA_STORAGE_ERROR && isInside) refused += 1;
    else if (got !== ErrorCode.NONE) problems.push(`fetch at ${offset}: ${got}`);
  }
  if (refused === 0) problems.push('the damaged batch was served');
  await topic.produceMany(client, 3);
  client.close();
  return problems.slice(0, 10);
}

async function indexesSpoilt(scene: Scene, spoil: (path: string) => void): Promise<string[]> {
  const { broker, topic, folder } = scene;
  const isIndex = (name: string) => /\.(index|timeindex)$/.test(name);
  await until('index files', () => readdirSync(folder).some(isIndex));
  await broker.kill('SIGTERM');
  for (const name of readdirSync(folder).filter(isIndex)) spoil(join(folder, name));
  await broker.startAgain();
  const problems = await topic.check(broker.port);
  const client = await RawClient.connect(broker.port);
  for (const offset of topic.acknowledged.keys()) {
    const got = await topic.fetchAt(client, offset);
    if (got !== ErrorCode.NONE) problems.push(`fetch at ${offset}: ${got}`);
  }
  const partitions = [{ partitionIndex: 0, timestamp: 1n }];
  const body = { replicaId: -1, topics: [{ name: topic.name, partitions }] };
  const { topics } = await client.request(ListOffsets, 7, body);
  const answer = topics[0]?.partitions[0];
  if (answer?.errorCode !== 0 || answer.offset !== 0n) {
    problems.push(`the first offset by time: error ${answer?.errorCode}, ${answer?.offset}`);
  }
  client.close();
  return problems.slice(0, 10);
}

/** Nothing is lost, and the log goes on. */
async function survives(
  { broker, topic }: Scene,
  damage: () => void,
  signal: NodeJS.Signals = 'SIGKILL',
): Promise<string[]> {
  await broker.kill(signal);
  damage();
  await broker.startAgain();
  const problems = await topic.check(broker.port);
  const client = await RawClient.connect(broker.port);
  await topic.produceMany(client, 3);
  client.close();
  return [...problems, ...(await topic.check(broker.port))];
}

function segments({ folder }: Pick<Scene, 'folder'>): string[] {
  const names = readdirSync(folder).filter((name) => name.endsWith('.log'));
  return names.sort().map((name) => join(folder, name));
}

function garbage(random: Random, length: number): Uint8Array {
  return Uint8Array.from({ length }, () => random.between(0, 255));
}

/** Inverts bytes of a file, counted from its end when negative. */
function flip(path: string, at: number, count: number): void {
  const bytes = readFileSync(path);
  const from = at < 0 ? bytes.length + at : at;
  for (let i = from; i < from + count; i++) bytes[i] = (bytes[i] ?? 0) ^ 0xff;
  writeFileSync(path, bytes);
}
