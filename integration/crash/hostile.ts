import { type ChildProcess, spawn } from 'node:child_process';
import { connect, type Socket } from 'node:net';
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
// A machine that is busy with something else gets more tries; what the broker cannot do fails in all of them.
const ATTEMPTS = 8;

/** What hostile-client.ts can do, by its argument. */
export const attacks = {
  'slow-loris': 'many connections, each with a frame that comes byte by byte',
  'announced-frames': 'frames of the largest size announced, begun and never finished',
  'absurd-frames': 'lengths and counts that cannot be, on new connections all the time',
  'never-reading': 'pipelined requests whose answers are never read',
} as const;

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
}

interface Samples {
  readonly client: number[];
  readonly echo: number[];
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
  name: string,
  broker: BrokerProcess,
  client: RawClient,
  echo: Socket,
  attackMs: number,
): Promise<Figures> {
  const calm: Samples = { client: [], echo: [] };
  const attacked: Samples = { client: [], echo: [] };
  await sample(client, echo, 1000);
  const before = broker.residentBytes();
  let most = before;
  const watch = setInterval(() => {
    most = Math.max(most, broker.residentBytes());
  }, 100);
  await sample(client, echo, attackMs, calm);
  const attacker = await startAttack(name, broker.port);
  await sample(client, echo, attackMs, attacked);
  clearInterval(watch);
  await end(attacker);
  await sample(client, echo, attackMs, calm);
  return { calm: percentiles(calm), attacked: percentiles(attacked), grownBytes: most - before };
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

function percentiles({ client, echo }: Samples): Percentiles {
  return { clientMs: p99(client), echoMs: p99(echo) };
}

function p99(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length * 0.99)] ?? Number.POSITIVE_INFINITY;
}

/** What a busier machine does to the echo server is allowed to the broker too. */
function judge({ calm, attacked, grownBytes }: Figures): string[] {
  const problems: string[] = [];
  const busier = Math.max(1, attacked.echoMs / calm.echoMs);
  if (attacked.clientMs > Math.max(FACTOR * calm.clientMs, NOTHING_MS) * busier) {
    problems.push(
      `p99 went from ${calm.clientMs.toFixed(2)} to ${attacked.clientMs.toFixed(2)} ms`,
    );
  }
  if (grownBytes > GROWTH_BYTES) problems.push(`memory grew by ${mib(grownBytes)}`);
  return problems;
}

function describe({ calm, attacked, grownBytes }: Figures): string {
  const times = ({ clientMs, echoMs }: Percentiles) =>
    `${clientMs.toFixed(2)} ms (an echo ${echoMs.toFixed(2)})`;
  return `p99 ${times(calm)} calm, ${times(attacked)} attacked, memory grew by ${mib(grownBytes)}`;
}

const mib = (bytes: number): string => `${(bytes / (1 << 20)).toFixed(1)} MiB`;
