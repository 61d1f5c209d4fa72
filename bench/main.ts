import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from '../compat-tests/runner/paths.ts';
import { agree, judgeAgreement } from './agree.ts';
import { boost } from './boost.ts';
import { buildProgram } from './build.ts';
import { check } from './check.ts';
import { compare, rowsOf } from './compare.ts';
import { keepUntilInterrupted, onKeptMemory } from './keep.ts';
import { judgeLife, measureLife } from './life.ts';
import { measureMicro } from './micro.ts';
import { deleteLeft, judgeMany, type Many, measureMany } from './partitions.ts';
import { type Row, table } from './rows.ts';
import { judgeStall, measureStall } from './stall.ts';
import type { Step } from './steps.ts';

const usage = `npm run bench -- MODE [options]
  compare (the default)  load on Apache Kafka and MemoryStreamer in turn, in one run; --reps 3, --only TEXT
  life                   start to first acknowledgement, idle memory and CPU, of both; --starts 10
  partitions             9,999 partitions: creation, stop, restart, kill -9, memory; --reps 3, --count 9999
  stall                  Produce and Fetch while the JavaScript thread stalls; --pairs 7
  micro                  single functions by the clock, replay of offsets
  all                    the five above as one table
  agree --peer PATH      our load generator beside another one; --reps 9, --only TEXT
  keep                   the memory of the machine, as compare and agree do while they run, until Ctrl-C
  --check [--update]     instructions of the hot Rust functions against bench/baseline.json
  --boost                with any mode, as root: the session before everything else on the machine
Results are written to bench/results/. Exit code 0: every target is reached.`;

const words = process.argv.slice(2);
const mode = words[0]?.startsWith('--') === false ? words[0] : 'compare';
const modes: Readonly<Record<string, () => Promise<readonly Row[]>>> = {
  compare: load,
  life,
  partitions,
  stall,
  micro: async () => measureMicro(),
  all: async () => [
    ...(await load()),
    ...(await life()),
    ...(await partitions()),
    ...(await stall()),
    ...measureMicro(),
  ],
  agree: agreement,
};
process.exit((await run()) ? 0 : 1);

async function run(): Promise<boolean> {
  if (words.includes('--check')) return check({ isUpdate: words.includes('--update') });
  if (mode === 'keep') return withGenerator(keepUntilInterrupted);
  const measure = modes[mode];
  if (measure === undefined) {
    console.error(usage);
    return false;
  }
  const calm = words.includes('--boost') ? boost() : () => {};
  try {
    const rows = await measure();
    save(mode, rows);
    console.log(table(rows));
    return rows.every((row) => row.isReached);
  } finally {
    calm();
  }
}

function load(): Promise<Row[]> {
  const only = option('--only', '');
  return withGenerator(async () => {
    const repetitions = Number(option('--reps', '3'));
    const chosen = ({ name }: Step) => name.includes(only);
    const comparisons = await onKeptMemory(() => compare(repetitions, chosen));
    save('load-details', comparisons);
    return rowsOf(comparisons);
  });
}

function agreement(): Promise<Row[]> {
  return withGenerator(async () => {
    const [peer, only] = [option('--peer', ''), option('--only', '')];
    const repetitions = Number(option('--reps', '9'));
    const agreements = await onKeptMemory(() => agree(peer, repetitions, only));
    save('agree-details', agreements);
    return judgeAgreement(agreements);
  });
}

async function life(): Promise<Row[]> {
  const starts = Number(option('--starts', '10'));
  const kafka = await measureLife('kafka', Math.min(starts, 3));
  const ours = await measureLife('memorystreamer', starts);
  save('life-details', { kafka, ours });
  return judgeLife(kafka, ours);
}

async function partitions(): Promise<Row[]> {
  const [count, reps] = [Number(option('--count', '9999')), Number(option('--reps', '3'))];
  const rows: Row[] = [];
  const left: string[] = [];
  try {
    for (const shape of ['one topic', 'a topic each'] as const) {
      const runs: Many[] = [];
      for (let i = 0; i < reps; i++) runs.push(await measureMany(shape, count, left));
      save(`partitions-${shape.replaceAll(' ', '-')}`, runs);
      rows.push(...judgeMany(shape, count, runs));
    }
  } finally {
    deleteLeft(left);
  }
  return rows;
}

function stall(): Promise<Row[]> {
  return withGenerator(async () => {
    const pairs = await measureStall(Number(option('--pairs', '7')));
    save('stall-details', pairs);
    return judgeStall(pairs);
  });
}

async function withGenerator<T>(use: () => Promise<T>): Promise<T> {
  if (buildProgram('ms-loadgen', 'ms-load') === undefined) throw new Error('ms-load was not built');
  return use();
}

function option(name: string, otherwise: string): string {
  const at = words.indexOf(name);
  return at === -1 ? otherwise : (words[at + 1] ?? otherwise);
}

function save(name: string, results: unknown): void {
  const folder = join(repositoryRoot, 'bench', 'results');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${name}.json`), `${JSON.stringify(results, null, 1)}\n`);
}
