import { startBroker, type Target } from '../compat-tests/runner/broker.ts';
import { RawClient } from '../integration/support/raw-client.ts';
import { batchOf, fetchBody, produce } from '../integration/support/records.ts';
import { Fetch, Metadata } from '../src/kafka-protocol/index.ts';
import { withTopic } from './load.ts';
import { cpuSeconds, residentMb } from './process.ts';
import { median, type Row } from './rows.ts';

export interface Life {
  readonly startToFirstAckMs: readonly number[];
  readonly idleResidentMb: number;
  /** Of one core, in percent, with nobody connected and with 1,000 waiting fetches. */
  readonly idleCpu: number;
  readonly idleCpuWaiting: number;
}

const IDLE_MS = 5000;
const WAITING = 1000;
// The targets; a start may take a sixth of Kafka's.
const START_MS = 400;
const START_RATIO = 6;
const IDLE_MB = 130;
const IDLE_CPU = 2;

/** How long a broker takes to its first acknowledgement, and what it costs when it has nothing to do. */
export async function measureLife(target: Target, starts: number): Promise<Life> {
  const broker = await startBroker(target);
  try {
    const startToFirstAckMs: number[] = [];
    await firstAck(broker.bootstrap);
    for (let i = 0; i < starts; i++) {
      const { startedMs } = await broker.restart();
      await firstAck(broker.bootstrap);
      startToFirstAckMs.push(performance.now() - startedMs);
    }
    await pause(2000);
    const idleResidentMb = residentMb(broker.pid);
    const idleCpu = await cpuPercent(broker.pid);
    const idleCpuWaiting = await withTopic(broker.bootstrap, 1, (topic) =>
      withWaitingFetches(broker.bootstrap, topic, () => cpuPercent(broker.pid)),
    );
    return { startToFirstAckMs, idleResidentMb, idleCpu, idleCpuWaiting };
  } finally {
    await broker.stop({ keep: false });
  }
}

/** Start, memory and idle CPU as lines of the table. */
export function judgeLife(kafka: Life, ours: Life): Row[] {
  const [theirMs, ourMs] = [median(kafka.startToFirstAckMs), median(ours.startToFirstAckMs)];
  const line = (step: string, figure: number, limit: number, unit: string, theirs: number) => ({
    step,
    reference: `${theirs.toFixed(1)} ${unit}`,
    ours: `${figure.toFixed(1)} ${unit}`,
    figure: (figure / theirs).toFixed(2),
    target: `<= ${limit.toFixed(0)} ${unit}`,
    isReached: figure <= limit,
  });
  const limitMs = Math.min(START_MS, theirMs / START_RATIO);
  return [
    line('start to first acknowledgement', ourMs, limitMs, 'ms', theirMs),
    line('idle memory', ours.idleResidentMb, IDLE_MB, 'MB', kafka.idleResidentMb),
    line('idle CPU', ours.idleCpu, IDLE_CPU, '%', kafka.idleCpu),
    line(
      'idle CPU, 1,000 waiting fetches',
      ours.idleCpuWaiting,
      IDLE_CPU,
      '%',
      kafka.idleCpuWaiting,
    ),
  ];
}

async function firstAck(bootstrap: string): Promise<void> {
  const port = Number(bootstrap.split(':')[1]);
  for (;;) {
    try {
      const client = await RawClient.connect(port);
      await client.request(Metadata, 8, { topics: [{ name: 'life' }] });
      const { errorCode } = await produce(client, 'life', batchOf(['x']), { acks: 1 });
      client.close();
      if (errorCode === 0) return;
    } catch {
      // Not there yet.
    }
    await pause(5);
  }
}

async function withWaitingFetches<T>(bootstrap: string, topic: string, use: () => Promise<T>) {
  const port = Number(bootstrap.split(':')[1]);
  const connect = () => RawClient.connect(port);
  const clients = await Promise.all(Array.from({ length: WAITING }, connect));
  for (const client of clients) {
    client.send(Fetch, 12, fetchBody(topic, new Map([[0, 0n]]), { maxWaitMs: 60_000 }));
  }
  await pause(500);
  const result = await use();
  for (const client of clients) client.close();
  return result;
}

async function cpuPercent(pid: number): Promise<number> {
  const before = cpuSeconds(pid);
  await pause(IDLE_MS);
  return ((cpuSeconds(pid) - before) / (IDLE_MS / 1000)) * 100;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
