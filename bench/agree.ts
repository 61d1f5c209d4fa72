import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { type Broker, startBroker } from '../compat-tests/runner/broker.ts';
import { median, type Row } from './rows.ts';
import { type Step, steps } from './steps.ts';

/**
 * What the other generator calls the same load, and what it calls the figure: a path of members. In its order: a broker
 * removes the files of one load during the next, and gigabytes take it a part of what that costs.
 */
const names: Readonly<Record<string, readonly [step: string, ...figure: string[]]>> = {
  ApiVersions: ['raw api', 'broker_us_per_req'],
  'produce, 16 KiB': ['raw produce 16K', 'recs_per_broker_cpu_s'],
  'produce, 128 KiB': ['raw produce 128K', 'recs_per_broker_cpu_s'],
  'fetch, 1 MiB': ['raw fetch 1024K', 'recs_per_broker_cpu_s'],
  'fetch, 128 KiB': ['raw fetch 128K', 'recs_per_broker_cpu_s'],
  'produce, 1 MiB': ['raw produce 1M', 'recs_per_broker_cpu_s'],
  'produce, 1 record a request': ['raw produce 1rec', 'recs_per_broker_cpu_s'],
  'acknowledgement, one in flight, p50': ['raw rtt acks=1', 'ack_us', 'p50'],
  'acknowledgement, one in flight, p99': ['raw rtt acks=1', 'ack_us', 'p99'],
};
const ALLOWED = 0.15;

/** Loads that are run at a stretch: what the other generator calls them, and whether a step is one of them. */
const groups = [
  { name: 'lat', has: (step: string) => step.startsWith('acknowledgement') },
  { name: 'raw', has: (step: string) => !step.startsWith('acknowledgement') },
];
/** Before each: files of the topics before it are removed meanwhile, and what they left in memory is written. */
const REST_MS = 5000;

/** What each repetition gave for a step. */
export interface Agreement {
  readonly step: string;
  readonly theirs: number[];
  readonly ours: number[];
}

/**
 * Runs the loads of another generator and ours on one broker in turn, each of them first every other time. `peer` is called as
 * `PEER BOOTSTRAP PID OUT.json --groups raw --reps 1` and writes `{"rows": [{"name": …, figure: …}]}`.
 */
export async function agree(peer: string, repetitions: number, only: string): Promise<Agreement[]> {
  if (peer === '') throw new Error('--peer PATH is missing: the other load generator');
  const chosen = Object.keys(names)
    .filter((name) => name.includes(only))
    .map(stepOf);
  const figures = new Map(
    chosen.map((step) => [step, { theirs: [] as number[], ours: [] as number[] }]),
  );
  const broker = await startBroker('memorystreamer');
  try {
    for (let i = 0; i < repetitions; i++) {
      for (const group of groups) {
        const members = chosen.filter(({ name }) => group.has(name));
        if (members.length === 0) continue;
        const theirs = () => {
          const rows = runPeer(peer, broker, group.name);
          for (const step of members) figures.get(step)?.theirs.push(theirFigure(rows, step.name));
        };
        const ours = async () => {
          for (const step of members) {
            const result = await step.run(broker);
            figures.get(step)?.ours.push(result[step.figure] ?? Number.NaN);
          }
        };
        for (const run of i % 2 === 0 ? [theirs, ours] : [ours, theirs]) {
          await setTimeout(REST_MS);
          await run();
        }
      }
    }
  } finally {
    await broker.stop({ keep: false });
  }
  return [...figures].map(([{ name }, figure]) => ({ step: name, ...figure }));
}

/** The medians of both, and whether they lie close enough together. */
export function judgeAgreement(agreements: readonly Agreement[]): Row[] {
  return agreements.map(({ step, ...figure }) => {
    const [theirs, ours] = [median(figure.theirs), median(figure.ours)];
    const ratio = ours / theirs;
    return {
      step,
      reference: theirs.toFixed(1),
      ours: ours.toFixed(1),
      figure: ratio.toFixed(2),
      target: `${1 - ALLOWED} to ${1 + ALLOWED}`,
      isReached: Math.abs(ratio - 1) <= ALLOWED,
    };
  });
}

function stepOf(name: string): Step {
  const step = steps.find((it) => it.name === name);
  if (step === undefined) throw new Error(`there is no step ${name}`);
  return step;
}

type PeerRow = Readonly<Record<string, unknown>>;

function runPeer(peer: string, { bootstrap, pid }: Broker, group: string): PeerRow[] {
  const folder = mkdtempSync(join(tmpdir(), 'ms-agree-'));
  try {
    const out = join(folder, 'out.json');
    const args = [bootstrap, String(pid), out, '--groups', group, '--reps', '1', '--nowarm'];
    const { status, error } = spawnSync(peer, args, { stdio: ['ignore', 2, 2] });
    if (status !== 0) throw new Error(`${peer} ended with ${error ?? status}`);
    return (JSON.parse(readFileSync(out, 'utf8')) as { rows: PeerRow[] }).rows;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function theirFigure(rows: readonly PeerRow[], step: string): number {
  const [name, ...path] = names[step] ?? [''];
  let value: unknown = rows.find((row) => row.name === name);
  for (const member of path) value = (value as PeerRow | undefined)?.[member];
  if (typeof value !== 'number') throw new Error(`the other generator gave no ${path.join('.')}`);
  // A cost of microseconds is the same figure as requests per second of CPU.
  return path[0] === 'broker_us_per_req' ? 1e6 / value : value;
}
