import { rmSync } from 'node:fs';
import { type Broker, startBroker } from '../compat-tests/runner/broker.ts';
import { RawClient } from '../integration/support/raw-client.ts';
import { batchOf, produce } from '../integration/support/records.ts';
import { CreateTopics } from '../src/kafka-protocol/index.ts';
import { cpuSeconds, residentMb } from './process.ts';
import { median, type Row } from './rows.ts';

/** What a broker with many partitions takes for it; times in milliseconds, CPU of the broker in seconds. */
export interface Many {
  readonly createMs: number;
  readonly createCpu: number;
  readonly stopMs: number;
  readonly exitCode: number | null;
  readonly restartMs: number;
  readonly restartCpu: number;
  readonly crashMs: number;
  readonly crashCpu: number;
  readonly residentMb: number;
}

type Shape = 'one topic' | 'a topic each';

// The targets, on a machine that does nothing else.
const CREATE_MS = 3000;
const RESTART_MS = 1500;
const STOP_MS = 1000;
const RESIDENT_MB = 200;
const TIMEOUT_MS = 120_000;
// One request may lead to 10,000 records of metadata: one for a topic, one for each of its partitions.
const TOPICS_AT_ONCE = 5000;

/**
 * Creates so many partitions, in one topic or in a topic each, then stops, starts and kills the broker. The folder goes to
 * `left`, for when all is measured: for minutes after thousands of files were deleted ext4 looks at each of them before it
 * makes a new one, and a creation takes several times as long.
 */
export async function measureMany(shape: Shape, count: number, left: string[]): Promise<Many> {
  const broker = await startBroker('memorystreamer');
  left.push(broker.folder);
  try {
    const idleCpu = cpuSeconds(broker.pid);
    const createMs = await create(broker, shape, count);
    const createCpu = cpuSeconds(broker.pid) - idleCpu;
    await firstAck(broker, shape, count);
    const { stopMs, exitCode, startedMs } = await broker.restart();
    await firstAck(broker, shape, count);
    const restartMs = performance.now() - startedMs;
    const restartCpu = cpuSeconds(broker.pid);
    const crash = await broker.crash();
    await firstAck(broker, shape, count);
    const crashMs = performance.now() - crash.startedMs;
    const crashCpu = cpuSeconds(broker.pid);
    const memory = residentMb(broker.pid);
    return {
      ...{ createMs, createCpu, stopMs, exitCode, restartMs, restartCpu, crashMs, crashCpu },
      residentMb: memory,
    };
  } finally {
    await broker.stop({ keep: true });
  }
}

/** Deletes the folders that runs have left. */
export function deleteLeft(left: readonly string[]): void {
  for (const folder of left) rmSync(folder, { recursive: true, force: true });
}

/** The runs of one shape as lines of the table. */
export function judgeMany(shape: Shape, count: number, runs: readonly Many[]): Row[] {
  const line = (step: string, figure: number, limit: number, unit: string, more = '') => ({
    step: `${count} partitions, ${shape}: ${step}`,
    reference: '-',
    ours: `${figure.toFixed(0)} ${unit}${more}`,
    figure: (figure / limit).toFixed(2),
    target: `<= ${limit} ${unit}`,
    isReached: figure <= limit,
  });
  const middle = (figure: (run: Many) => number) => median(runs.map(figure));
  const cpu = (figure: (run: Many) => number) => `, ${middle(figure).toFixed(2)} s of CPU`;
  const codes = [...new Set(runs.map(({ exitCode }) => exitCode))];
  const stop = line(
    'stop',
    middle(({ stopMs }) => stopMs),
    STOP_MS,
    'ms',
    `, code ${codes.join(', ')}`,
  );
  return [
    line(
      'creation',
      middle(({ createMs }) => createMs),
      CREATE_MS,
      'ms',
      cpu((it) => it.createCpu),
    ),
    { ...stop, isReached: stop.isReached && codes.every((code) => code === 0) },
    line(
      'restart to first acknowledgement',
      middle(({ restartMs }) => restartMs),
      ...([RESTART_MS, 'ms', cpu((it) => it.restartCpu)] as const),
    ),
    line(
      'the same after kill -9',
      middle(({ crashMs }) => crashMs),
      ...([RESTART_MS, 'ms', cpu((it) => it.crashCpu)] as const),
    ),
    line(
      'memory',
      middle((run) => run.residentMb),
      RESIDENT_MB,
      'MB',
    ),
  ];
}

function nameOf(shape: Shape, number: number): string {
  return shape === 'one topic' ? 'many' : `many-${number}`;
}

async function create({ bootstrap }: Broker, shape: Shape, count: number): Promise<number> {
  const client = await RawClient.connect(portOf(bootstrap));
  const topic = { replicationFactor: 1, assignments: [], configs: [] };
  const topics =
    shape === 'one topic'
      ? [{ ...topic, name: nameOf(shape, 0), numPartitions: count }]
      : Array.from({ length: count }, (_, i) => {
          return { ...topic, name: nameOf(shape, i), numPartitions: 1 };
        });
  const beganMs = performance.now();
  for (let i = 0; i < topics.length; i += TOPICS_AT_ONCE) {
    const some = topics.slice(i, i + TOPICS_AT_ONCE);
    const id = client.send(CreateTopics, 5, { topics: some, timeoutMs: TIMEOUT_MS });
    const answer = await client.answer(CreateTopics, 5, id, TIMEOUT_MS);
    const refused = answer.topics.find(({ errorCode }) => errorCode !== 0);
    if (refused !== undefined) throw new Error(`${refused.name}: ${refused.errorMessage}`);
  }
  const tookMs = performance.now() - beganMs;
  client.close();
  return tookMs;
}

/** Produces to the last partition. */
async function firstAck({ bootstrap }: Broker, shape: Shape, count: number): Promise<void> {
  const client = await RawClient.connect(portOf(bootstrap));
  const partition = shape === 'one topic' ? count - 1 : 0;
  const name = nameOf(shape, count - 1);
  const { errorCode } = await produce(client, name, batchOf(['x']), { acks: 1, partition });
  client.close();
  if (errorCode !== 0) throw new Error(`the first produce: error ${errorCode}`);
}

function portOf(bootstrap: string): number {
  return Number(bootstrap.split(':')[1]);
}
