import { setTimeout as pause } from 'node:timers/promises';
import { BrokerProcess, type StartOptions } from '../support/broker-process.ts';
import { RawClient } from '../support/raw-client.ts';
import { createTopic } from '../support/topics.ts';
import { checkPartition, readPartition } from './checker.ts';
import { type Aim, aims, happens } from './moments.ts';
import { CrashProducer } from './producer.ts';
import type { Random } from './random.ts';
import { TopicChurn } from './topic-churn.ts';
import { filesIn, halfDone } from './windows.ts';

export interface KillLoopOptions extends StartOptions {
  readonly kills: number;
  readonly random: Random;
  readonly onRound?: (kill: number) => void;
}

const PARTITIONS = 2;
/** In turn; `undefined` is any moment. Recovery is killed by a process of its own. */
const order: readonly (Aim | undefined)[] = [undefined, 'roll', undefined, 'retention', 'deletion'];
/** Of so many kills some must have left each of the aims half done, and so many records in flight on average. */
const WHOLE_RUN_KILLS = 50;
/** More kills follow while those have met too little, up to so many times as many: on a busy machine aims are missed. */
const PATIENCE = 4;
const HALF_DONE_LEAST = 3;
const IN_FLIGHT_LEAST = 1000;
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
    const met = new Map<Aim, number>();
    const meet = (aim: Aim) => met.set(aim, (met.get(aim) ?? 0) + 1);
    let [inFlight, recoveryMs] = [0, 0];
    const problems = (kill: number) => judge(kill, met, inFlight / kill);
    let kill = 0;
    while (kill < kills || (kill < kills * PATIENCE && problems(kill).length > 0)) {
      kill++;
      const aim = order[(kill - 1) % order.length];
      const before = filesIn(broker.dataFolder);
      inFlight += await produceUntilKilled(broker, producers, churn, { random, aim });
      for (const what of halfDone(broker.dataFolder, before)) meet(what);
      const isAimed = random.next() < 0.25;
      const afterMs = random.between(0, recoveryMs);
      if (isAimed && (await killWhileRecovering(broker, afterMs))) meet('recovery');
      recoveryMs = await recover(broker);
      options.onRound?.(kill);
    }
    await Promise.all(producers.map((producer) => producer.run(broker.port, () => true)));
    const found = [...(await checkAll(broker, producers)), ...(await churn.check(broker.port))];
    const counts = aims.map((aim) => `${aim} ${met.get(aim) ?? 0}`).join(', ');
    const records = Math.round(inFlight / kill);
    console.log(`  of ${kill} kills left half done: ${counts}; ${records} records in flight`);
    return [...found, ...problems(kill)];
  } finally {
    await broker.dispose();
  }
}

/** A run that met too little proves too little. */
function judge(kills: number, met: ReadonlyMap<Aim, number>, inFlight: number): string[] {
  if (kills < WHOLE_RUN_KILLS) return [];
  const missed = aims
    .filter((aim) => (met.get(aim) ?? 0) < HALF_DONE_LEAST)
    .map((aim) => `${met.get(aim) ?? 0} kills left a ${aim} half done`);
  const isIdle = inFlight < IN_FLIGHT_LEAST;
  return isIdle ? [...missed, `only ${Math.round(inFlight)} records in flight`] : missed;
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

/** Gives how many records were sent and not acknowledged. */
async function produceUntilKilled(
  broker: BrokerProcess,
  producers: readonly CrashProducer[],
  churn: TopicChurn,
  { random, aim }: { readonly random: Random; readonly aim: Aim | undefined },
): Promise<number> {
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
  await pause(random.between(5, aim === undefined ? 400 : 100));
  // What these have in flight is written, and they do not know it: they will send it again.
  for (const producer of producers) if (random.next() < 0.3) producer.stopReading();
  if (aim !== undefined) await happens(aim, broker);
  await pause(random.between(0, aim === undefined ? 10 : 2));
  const inFlight = producers.reduce((sum, producer) => sum + producer.inFlight, 0);
  await broker.kill('SIGKILL');
  isKilled = true;
  for (const producer of producers) producer.disconnect();
  const error = await failure;
  if (error !== undefined) throw error;
  return inFlight;
}

/** Starts the broker, and gives how long it took from the first file that it touched until it served. */
async function recover(broker: BrokerProcess): Promise<number> {
  const begun = happens('recovery', broker).then(() => performance.now());
  await broker.startAgain();
  const servesMs = performance.now();
  return Math.max(0, servesMs - (await begun));
}

/** Whether the process was killed so long after it had begun to recover, and before it served. */
async function killWhileRecovering(broker: BrokerProcess, afterMs: number): Promise<boolean> {
  let isServing = false;
  const hasBegun = happens('recovery', broker);
  const starting = broker.startAgain().then(
    () => {
      isServing = true;
    },
    () => undefined,
  );
  const isMet = await hasBegun;
  await pause(afterMs);
  const isInTime = isMet && !isServing;
  await broker.kill('SIGKILL');
  await starting;
  return isInTime;
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
