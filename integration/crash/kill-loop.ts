import { setTimeout as pause } from 'node:timers/promises';
import { BrokerProcess, type StartOptions } from '../support/broker-process.ts';
import { RawClient } from '../support/raw-client.ts';
import { createTopic } from '../support/topics.ts';
import { checkPartition, readPartition } from './checker.ts';
import { CrashProducer } from './producer.ts';
import type { Random } from './random.ts';
import { TopicChurn } from './topic-churn.ts';

export interface KillLoopOptions extends StartOptions {
  readonly kills: number;
  readonly random: Random;
  readonly onRound?: (kill: number) => void;
}

const PARTITIONS = 2;
/** Each partition has so many producers; with 5 requests of 20 records each in flight that is 1,000 records. */
const PRODUCERS = 5;
const topics = {
  kept: { valueBytes: 300, configs: {} },
  // Rolls often and loses its oldest segments while it is written.
  trimmed: {
    valueBytes: 2000,
    configs: { 'segment.bytes': '1048576', 'retention.bytes': '3000000' },
  },
} as const;

/**
 * Kills the broker with SIGKILL at random moments, under load, while it rolls, deletes segments and topics, and while
 * it recovers; then reads everything. Returns what is wrong.
 */
export async function killLoop(options: KillLoopOptions): Promise<string[]> {
  const { kills, random } = options;
  const settings = {
    'log.retention.check.interval.ms': 200,
    'file.delete.delay.ms': 100,
    ...options.settings,
  };
  const broker = await BrokerProcess.start({ ...options, settings });
  try {
    const producers = await prepare(broker);
    const churn = new TopicChurn();
    for (let kill = 1; kill <= kills; kill++) {
      await produceUntilKilled(broker, producers, churn, random);
      if (random.next() < 0.25) await killWhileStarting(broker, random);
      await broker.startAgain();
      options.onRound?.(kill);
    }
    await Promise.all(producers.map((producer) => producer.run(broker.port, () => true)));
    return [...(await checkAll(broker, producers)), ...(await churn.check(broker.port))];
  } finally {
    await broker.dispose();
  }
}

async function prepare(broker: BrokerProcess): Promise<CrashProducer[]> {
  const client = await RawClient.connect(broker.port);
  const producers: CrashProducer[] = [];
  for (const [topic, { valueBytes, configs }] of Object.entries(topics)) {
    await createTopic(client, topic, PARTITIONS, configs);
    for (let partition = 0; partition < PARTITIONS; partition++) {
      for (let i = 0; i < PRODUCERS; i++) {
        const name = `${topic}-${partition}-${i}`;
        producers.push(new CrashProducer(name, topic, partition, valueBytes));
      }
    }
  }
  client.close();
  return producers;
}

async function produceUntilKilled(
  broker: BrokerProcess,
  producers: readonly CrashProducer[],
  churn: TopicChurn,
  random: Random,
): Promise<void> {
  let isKilled = false;
  const isOver = () => isKilled;
  const work = Promise.all([
    ...producers.map((producer) => producer.run(broker.port, isOver)),
    churn.run(broker.port, isOver),
  ]);
  // Looked at when the broker is gone; until then nobody waits for it.
  const failure = work.then(
    () => undefined,
    (error: unknown) => error,
  );
  await pause(random.between(5, 400));
  // What these have in flight is written, and they do not know it: they will send it again.
  for (const producer of producers) if (random.next() < 0.3) producer.stopReading();
  await pause(random.between(0, 10));
  isKilled = true;
  await broker.kill('SIGKILL');
  for (const producer of producers) producer.disconnect();
  const error = await failure;
  if (error !== undefined) throw error;
}

async function killWhileStarting(broker: BrokerProcess, random: Random): Promise<void> {
  const starting = broker.startAgain().catch(() => undefined);
  await pause(random.between(20, 300));
  await broker.kill('SIGKILL');
  await starting;
}

async function checkAll(broker: BrokerProcess, producers: readonly CrashProducer[]) {
  const problems: string[] = [];
  for (const topic of Object.keys(topics)) {
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const own = producers.filter((p) => p.topic === topic && p.partition === partition);
      const log = await readPartition(broker.port, topic, partition);
      const found = checkPartition(log, own);
      problems.push(...found.map((problem) => `${topic}-${partition}: ${problem}`));
    }
  }
  return problems;
}
