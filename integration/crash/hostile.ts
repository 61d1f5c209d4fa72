import { type ChildProcess, spawn } from 'node:child_process';
import { connect, type Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
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
/** What the machine does to the echo server excuses the broker, up to this factor. */
const EXCUSE_MAX = 3;
/** With less than this share of a processor it is not the broker that keeps the echo server waiting. */
const BUSY_SHARE = 0.8;
// A machine that is busy with something else gets more tries; what the broker cannot do fails in all of them.
const ATTEMPTS = 8;
const CALM_MS_MAX = 10_000;

/** What hostile-client.ts can do, by its argument, and how often it must have done it for an attack: a second, at least. */
export const attacks = {
  'slow-loris': { least: 200, leastPerSecond: 200 },
  'announced-frames': { least: 200, leastPerSecond: 0 },
  'absurd-frames': { least: 100, leastPerSecond: 50 },
  'never-reading': { least: 30, leastPerSecond: 0 },
  'oversized-requests': { least: 50, leastPerSecond: 20 },
  'compression-bombs': { least: 8, leastPerSecond: 1 },
  'named-often': { least: 20, leastPerSecond: 5 },
} as const;

export type Attack = keyof typeof attacks;

/** An echo server that nobody attacks: what happens to it is what the machine does, not the broker. */
const ECHO = `require('net').createServer((s) => s.setNoDelay(true).on('error', () => {}).pipe(s))
  .listen(0, '127.0.0.1', function () { console.log(this.address().port); })`;

/** 99th percentiles in milliseconds, of the broker's client and of the echo server's. */
interface Percentiles {
  readonly clientMs: number;
  readonly echoMs: number;
}

interface Figures {
  readonly calm: Percentiles;
  readonly attacked: Percentiles;
  readonly grownBytes: number;
  /** How often the attacker did what it does. */
  readonly acts: number;
  /** The part of one processor that the broker used during the attack. */
  readonly busyShare: number;
}

interface Samples {
  readonly client: number[];
  readonly echo: number[];
}

/** Runs an attack beside a client that produces and fetches one record at a time. Returns what is wrong. */
export async function survivesAttack(
  name: Attack,
  reactors: string,
  attackMs: number,
): Promise<string[]> {
  const seen: Figures[] = [];
  let problems: string[] = [];
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const figures = await measure(name, reactors, attackMs);
    seen.push(figures);
    const [last, lasting] = [judgeLast(name, attackMs, seen), judgeMemory(figures)];
    problems = [...last, ...lasting];
    console.log(`  ${name}: ${describe(figures)}`);
    // Memory that grew is not the machine's doing.
    if (problems.length === 0 || lasting.length > 0) break;
  }
  return problems;
}

async function measure(name: Attack, reactors: string, attackMs: number): Promise<Figures> {
  const broker = await BrokerProcess.start({ settings: { 'reactor.threads': reactors } });
  try {
    const client = await RawClient.connect(broker.port);
    await createTopic(client, 'victim', 1);
    await createTopic(client, 'bait', 1);
    const large = batchOf(['x'.repeat(900_000)]);
    for (let i = 0; i < 8; i++) await produceOk(client, 'bait', large);
    const echoed = await startEcho();
    try {
      return await compare(name, broker, client, echoed.socket, attackMs);
    } finally {
      client.close();
      echoed.socket.destroy();
      await end(echoed.child);
    }
  } finally {
    await broker.dispose();
  }
}

async function compare(
  name: Attack,
  broker: BrokerProcess,
  client: RawClient,
  echo: Socket,
  attackMs: number,
): Promise<Figures> {
  const calm: Samples = { client: [], echo: [] };
  const attacked: Samples = { client: [], echo: [] };
  await sample(client, echo, 1000);
  await sample(client, echo, Math.min(attackMs, CALM_MS_MAX), calm);
  const before = broker.residentBytes();
  let most = before;
  const watch = setInterval(() => {
    most = Math.max(most, broker.residentBytes());
  }, 100);
  const attacker = await startAttack(name, broker.port);
  const [cpuMs, startedMs] = [broker.cpuMs(), performance.now()];
  await sample(client, echo, attackMs, attacked);
  const busyShare = (broker.cpuMs() - cpuMs) / (performance.now() - startedMs);
  clearInterval(watch);
  await end(attacker.child);
  const grownBytes = most - before;
  const acts = attacker.acts();
  return { calm: percentiles(calm), attacked: percentiles(attacked), grownBytes, acts, busyShare };
}

/** How long produce with fetch, and an echo, take; in turn, for a while. */
async function sample(client: RawClient, echo: Socket, forMs: number, into?: Samples) {
  const record = batchOf(['victim']);
  const endMs = performance.now() + forMs;
  while (performance.now() < endMs) {
    const startedMs = performance.now();
    const offset = await produceOk(client, 'victim', record);
    await fetch(client, 'victim', offset);
    const betweenMs = performance.now();
    for (let i = 0; i < 2; i++) await echoOnce(echo);
    into?.client.push(betweenMs - startedMs);
    into?.echo.push(performance.now() - betweenMs);
    await pause(1);
  }
}

function echoOnce(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.once('data', () => resolve());
    socket.write('echo');
  });
}

async function startEcho(): Promise<{ child: ChildProcess; socket: Socket }> {
  const child = spawn(process.execPath, ['-e', ECHO], { stdio: ['ignore', 'pipe', 'inherit'] });
  const port = await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.stdout?.once('data', (data) => resolve(Number(data)));
  });
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  return { child, socket };
}

interface Attacker {
  readonly child: ChildProcess;
  /** How often it did what it does, so far. */
  acts(): number;
}

/** Resolves when the attack is on. It has a lower priority: elsewhere it would have processors of its own. */
function startAttack(name: Attack, port: number): Promise<Attacker> {
  const script = join(here, 'hostile-client.ts');
  const args = ['-n', '10', process.execPath, '--import', 'tsx', script, name, String(port)];
  const child = spawn('nice', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let acts = 0;
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`the attack ended with ${code}`)));
    createInterface({ input: child.stdout }).on('line', (line) => {
      acts = Number(line);
      resolve({ child, acts: () => acts });
    });
  });
}

async function end(child: ChildProcess): Promise<void> {
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await gone;
}

function percentiles({ client, echo }: Samples): Percentiles {
  return { clientMs: p99(client), echoMs: p99(echo) };
}

function p99(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length * 0.99)] ?? Number.POSITIVE_INFINITY;
}

/** The last attempt against the calmest of all: what came before may have been disturbed. */
function judgeLast(name: Attack, attackMs: number, seen: readonly Figures[]): string[] {
  const last = seen.at(-1);
  if (last === undefined) return ['nothing was measured'];
  const { least, leastPerSecond } = attacks[name];
  const wanted = Math.max(least, (leastPerSecond * attackMs) / 1000);
  if (last.acts < wanted) return [`the attack did ${last.acts} of ${wanted}: it is none`];
  const calmMs = Math.min(...seen.map(({ calm }) => calm.clientMs));
  const calmEchoMs = Math.min(...seen.map(({ calm }) => calm.echoMs));
  const excuseMax = last.busyShare < BUSY_SHARE ? Number.POSITIVE_INFINITY : EXCUSE_MAX;
  const excuse = Math.max(1, Math.min(excuseMax, last.attacked.echoMs / calmEchoMs));
  const limitMs = Math.max(FACTOR * calmMs, NOTHING_MS) * excuse;
  if (last.attacked.clientMs <= limitMs) return [];
  return [`p99 went from ${calmMs.toFixed(2)} to ${last.attacked.clientMs.toFixed(2)} ms`];
}

function judgeMemory({ grownBytes }: Figures): string[] {
  return grownBytes > GROWTH_BYTES ? [`memory grew by ${mib(grownBytes)}`] : [];
}

function describe({ calm, attacked, grownBytes, acts, busyShare }: Figures): string {
  const times = ({ clientMs, echoMs }: Percentiles) =>
    `${clientMs.toFixed(2)} ms (an echo ${echoMs.toFixed(2)})`;
  const ratio = (attacked.clientMs / calm.clientMs).toFixed(1);
  const p99s = `p99 ${times(calm)} calm, ${times(attacked)} attacked, ${ratio}x`;
  const busy = `${Math.round(100 * busyShare)} % of a processor`;
  return `${p99s}, memory grew by ${mib(grownBytes)}, ${busy}, ${acts} acts`;
}

const mib = (bytes: number): string => `${(bytes / (1 << 20)).toFixed(1)} MiB`;
