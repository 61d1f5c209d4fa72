import { type ChildProcess, spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { BrokerProcess } from '../support/broker-process.ts';
import { RawClient } from '../support/raw-client.ts';
import { batchOf, fetch, produceOk } from '../support/records.ts';
import { createTopic } from '../support/topics.ts';

const here = dirname(fileURLToPath(import.meta.url));
/** Another client's p99 may grow by this factor. */
const FACTOR = 2;
/** Below this nobody can tell: the scheduler of a shared machine alone gives as much. */
const NOTHING_MS = 1.5;
const GROWTH_BYTES = 64 << 20;
const ATTEMPTS = 2;

/** What hostile-client.ts can do, by its argument. */
export const attacks = {
  'slow-loris': 'many connections, each with a frame that comes byte by byte',
  'announced-frames': 'frames of the largest size announced, begun and never finished',
  'absurd-frames': 'lengths and counts that cannot be, on new connections all the time',
  'never-reading': 'pipelined requests whose answers are never read',
} as const;

interface Figures {
  readonly calmMs: number;
  readonly attackedMs: number;
  readonly grownBytes: number;
}

/** Runs an attack beside a client that produces and fetches one record at a time. Returns what is wrong. */
export async function survivesAttack(
  name: string,
  reactors: string,
  attackMs: number,
): Promise<string[]> {
  let problems: string[] = [];
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const figures = await measure(name, reactors, attackMs);
    problems = judge(figures);
    console.log(`  ${name}: ${describe(figures)}`);
    if (problems.length === 0) break;
  }
  return problems;
}

async function measure(name: string, reactors: string, attackMs: number): Promise<Figures> {
  const broker = await BrokerProcess.start({ settings: { 'reactor.threads': reactors } });
  try {
    const client = await RawClient.connect(broker.port);
    await createTopic(client, 'victim', 1);
    await createTopic(client, 'bait', 1);
    const large = batchOf(['x'.repeat(900_000)]);
    for (let i = 0; i < 8; i++) await produceOk(client, 'bait', large);
    await latencies(client, 1000);
    const calm = await latencies(client, attackMs);
    const before = broker.residentBytes();
    let most = before;
    const watch = setInterval(() => {
      most = Math.max(most, broker.residentBytes());
    }, 100);
    const attacker = await startAttack(name, broker.port);
    const attacked = await latencies(client, attackMs);
    clearInterval(watch);
    await end(attacker);
    calm.push(...(await latencies(client, attackMs)));
    client.close();
    return { calmMs: p99(calm), attackedMs: p99(attacked), grownBytes: most - before };
  } finally {
    await broker.dispose();
  }
}

/** Milliseconds of produce and fetch, in turn, for a while. */
async function latencies(client: RawClient, forMs: number): Promise<number[]> {
  const found: number[] = [];
  const record = batchOf(['victim']);
  const endMs = performance.now() + forMs;
  while (performance.now() < endMs) {
    const startedMs = performance.now();
    const offset = await produceOk(client, 'victim', record);
    await fetch(client, 'victim', offset);
    found.push(performance.now() - startedMs);
    await pause(1);
  }
  return found;
}

/** Resolves when the attack is on. It has a lower priority: elsewhere it would have processors of its own. */
function startAttack(name: string, port: number): Promise<ChildProcess> {
  const script = join(here, 'hostile-client.ts');
  const args = ['-n', '15', process.execPath, '--import', 'tsx', script, name, String(port)];
  const child = spawn('nice', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`the attack ended with ${code}`)));
    child.stdout?.once('data', () => resolve(child));
  });
}

async function end(child: ChildProcess): Promise<void> {
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await gone;
}

function p99(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length * 0.99)] ?? Number.POSITIVE_INFINITY;
}

function judge({ calmMs, attackedMs, grownBytes }: Figures): string[] {
  const problems: string[] = [];
  if (attackedMs > Math.max(FACTOR * calmMs, NOTHING_MS)) {
    problems.push(`p99 went from ${calmMs.toFixed(2)} to ${attackedMs.toFixed(2)} ms`);
  }
  if (grownBytes > GROWTH_BYTES) problems.push(`memory grew by ${mib(grownBytes)}`);
  return problems;
}

function describe({ calmMs, attackedMs, grownBytes }: Figures): string {
  const times = `p99 ${calmMs.toFixed(2)} ms calm, ${attackedMs.toFixed(2)} ms attacked`;
  return `${times}, memory grew by ${mib(grownBytes)}`;
}

const mib = (bytes: number): string => `${(bytes / (1 << 20)).toFixed(1)} MiB`;
