import { setTimeout as pause } from 'node:timers/promises';
import { BrokerProcess } from '../support/broker-process.ts';
import { RawClient } from '../support/raw-client.ts';
import { batchOf, fetch, produceOk } from '../support/records.ts';
import { createTopic } from '../support/topics.ts';
import { Attacker } from './attacker.ts';
import { type Attack, attacks } from './attacks.ts';
import { keepProcessorsBusy } from './busy-processors.ts';
import { Heartbeats } from './heartbeats.ts';
import { comeFirst } from './scheduling.ts';

/** Another client's p99 stays under so many times what it is without the attack. */
const FACTOR = 2;
/**
 * Below this it is not the broker: a system call of the attacker that the kernel does not interrupt keeps a processor
 * for up to half a millisecond, and each of the two requests that are timed may meet one.
 */
const FLOOR_MS = 1;
const GROWTH_MIB = 64;
/** Clients send one every three seconds, and leave their group after 45 without an answer. */
const HEARTBEAT_MS = 1000;
/** Rounds are added while the medians say no, up to so many times as many: a machine that was busy meanwhile. */
const PATIENCE = 10;
const CALM_MS_MAX = 10_000;
/** How long a round may last until the attacker has acted often enough. */
const ROUND_MS_MAX = 30_000;
/** After a start, and after an attacker was killed: what is closed and freed then is part of neither. */
const SETTLE_MS = 300;
const WATCH_MS = 100;

export interface AttackOptions {
  readonly reactors: string;
  /** Each round is an attack of so long, between two measurements without. */
  readonly attackMs: number;
  readonly rounds: number;
}

interface Victim {
  readonly broker: BrokerProcess;
  readonly client: RawClient;
  readonly heartbeats: Heartbeats;
  readonly restingBytes: number;
}

/** What was seen in one attack. */
interface Round {
  readonly p99Ms: number;
  /** The slowest. */
  readonly heartbeatMs: number;
  /** Since before the first attack. */
  readonly grownBytes: number;
  readonly acts: number;
  readonly actsPerSecond: number;
  readonly connections: number;
  /** The part of one processor that the broker used. */
  readonly busyShare: number;
}

interface Figures {
  /** One more than rounds: before each and after the last. */
  readonly calmP99sMs: number[];
  readonly rounds: Round[];
}

/** Runs an attack beside a client that produces and fetches one record at a time. Returns what is wrong. */
export async function survivesAttack(name: Attack, options: AttackOptions): Promise<string[]> {
  const { reactors, attackMs, rounds } = options;
  const broker = await BrokerProcess.start({ settings: { 'reactor.threads': reactors } });
  const asBefore = comeFirst(broker.pid);
  const endOfBusy = keepProcessorsBusy();
  try {
    const client = await RawClient.connect(broker.port);
    await createTopic(client, 'victim', 1);
    await createTopic(client, 'bait', 1);
    const heartbeats = await Heartbeats.prepare(broker.port);
    const large = batchOf(['x'.repeat(900_000)]);
    for (let i = 0; i < 8; i++) await produceOk(client, 'bait', large);
    await sample(client, 1000);
    const calmMs = Math.min(attackMs, CALM_MS_MAX);
    const restingBytes = broker.residentBytes();
    const figures: Figures = { calmP99sMs: [p99(await sample(client, calmMs))], rounds: [] };
    const victim = { broker, client, heartbeats, restingBytes };
    let problems: string[] = [];
    do {
      figures.rounds.push(await attackOnce(name, attackMs, victim));
      await sample(client, SETTLE_MS);
      figures.calmP99sMs.push(p99(await sample(client, calmMs)));
      problems = judge(name, figures);
    } while (
      figures.rounds.length < rounds ||
      (problems.length > 0 && figures.rounds.length < rounds * PATIENCE)
    );
    console.log(`  ${name}: ${describe(figures)}`);
    client.close();
    heartbeats.close();
    return problems;
  } finally {
    endOfBusy();
    asBefore();
    await broker.dispose();
  }
}

async function attackOnce(
  name: Attack,
  attackMs: number,
  { broker, client, heartbeats, restingBytes }: Victim,
): Promise<Round> {
  let mostBytes = restingBytes;
  const watch = setInterval(() => {
    mostBytes = Math.max(mostBytes, broker.residentBytes());
  }, WATCH_MS);
  const attacker = await Attacker.start(name, broker.port);
  try {
    const before = attacker.strength.acts;
    const acts = () => attacker.strength.acts - before;
    const [cpuMs, startedMs] = [broker.cpuMs(), performance.now()];
    const beating = heartbeats.run();
    const [samples] = await Promise.all([
      sample(client, attackMs, () => acts() >= (attacks[name].acts ?? 0)).finally(() => {
        heartbeats.end();
      }),
      beating,
    ]);
    const ms = performance.now() - startedMs;
    return {
      p99Ms: p99(samples),
      heartbeatMs: await beating,
      grownBytes: mostBytes - restingBytes,
      acts: acts(),
      actsPerSecond: (acts() * 1000) / ms,
      connections: attacker.strength.connections,
      busyShare: (broker.cpuMs() - cpuMs) / ms,
    };
  } finally {
    clearInterval(watch);
    await attacker.end();
  }
}

/** How long produce with fetch takes, in milliseconds, again and again for a while, which lasts until it is enough. */
async function sample(
  client: RawClient,
  forMs: number,
  isEnough: () => boolean = () => true,
): Promise<number[]> {
  const record = batchOf(['victim']);
  const samples: number[] = [];
  const sinceMs = performance.now();
  const isOver = () => {
    const ms = performance.now() - sinceMs;
    return ms >= forMs && (isEnough() || ms >= ROUND_MS_MAX);
  };
  while (!isOver()) {
    const startedMs = performance.now();
    const offset = await produceOk(client, 'victim', record);
    await fetch(client, 'victim', offset);
    samples.push(performance.now() - startedMs);
    await pause(1);
  }
  return samples;
}

function judge(name: Attack, { calmP99sMs, rounds }: Figures): string[] {
  const [calmMs, attackedMs] = [median(calmP99sMs), median(rounds.map(({ p99Ms }) => p99Ms))];
  const problems: string[] = [];
  const wanted = attacks[name];
  if (attackedMs >= Math.max(FACTOR * calmMs, FLOOR_MS)) {
    problems.push(`p99 went from ${calmMs.toFixed(2)} to ${attackedMs.toFixed(2)} ms`);
  }
  const grownBytes = Math.max(...rounds.map((round) => round.grownBytes));
  if (grownBytes >= GROWTH_MIB * (1 << 20)) problems.push(`memory grew by ${mib(grownBytes)}`);
  const heartbeatMs = median(rounds.map((round) => round.heartbeatMs));
  if (heartbeatMs >= HEARTBEAT_MS) problems.push(`a heartbeat took ${heartbeatMs.toFixed(0)} ms`);
  const actsPerSecond = median(rounds.map((round) => round.actsPerSecond));
  const connections = median(rounds.map((round) => round.connections));
  const acts = Math.min(...rounds.map((round) => round.acts));
  const isRare = actsPerSecond < wanted.actsPerSecond || acts < (wanted.acts ?? 0);
  if (isRare || connections < wanted.connections) {
    const done = `${acts} acts, ${Math.round(actsPerSecond)}/s, ${connections} connections`;
    problems.push(`the attack was too weak to prove anything: ${done}`);
  }
  return problems;
}

function describe({ calmP99sMs, rounds }: Figures): string {
  const ms = (values: readonly number[]) => values.map((value) => value.toFixed(2)).join(' ');
  const attackedP99sMs = rounds.map(({ p99Ms }) => p99Ms);
  const ratio = (median(attackedP99sMs) / median(calmP99sMs)).toFixed(2);
  const p99s = `p99 ${ms(calmP99sMs)} ms calm, ${ms(attackedP99sMs)} attacked, ${ratio}x`;
  const grown = mib(Math.max(...rounds.map(({ grownBytes }) => grownBytes)));
  const beats = `heartbeats at most ${ms(rounds.map((round) => round.heartbeatMs))} ms`;
  const busy = `${Math.round(100 * median(rounds.map(({ busyShare }) => busyShare)))} %`;
  const acts = Math.round(median(rounds.map(({ actsPerSecond }) => actsPerSecond)));
  const connections = median(rounds.map((round) => round.connections));
  const strength = `${acts} acts/s, ${connections} connections`;
  return `${p99s}, ${beats}, memory grew by ${grown}, broker ${busy} of a processor, ${strength}`;
}

function p99(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length * 0.99)] ?? Number.POSITIVE_INFINITY;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const [low, high] = [sorted[Math.ceil(middle) - 1] ?? 0, sorted[Math.floor(middle)] ?? 0];
  return (low + high) / 2;
}

const mib = (bytes: number): string => `${(bytes / (1 << 20)).toFixed(1)} MiB`;
