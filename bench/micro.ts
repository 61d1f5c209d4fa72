import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { repositoryRoot } from '../compat-tests/runner/paths.ts';
import { buildProgram } from './build.ts';
import type { Row } from './rows.ts';

/** A function that `ms-counts time` measures, how many of what one call handles, and the nanoseconds allowed for one. */
interface Target {
  readonly name: string;
  readonly each: number;
  readonly limitNs: number;
}

const targets: readonly Target[] = [
  { name: 'walk_records, 100 records', each: 100, limitNs: 6 },
  { name: 'look up an offset near the end', each: 1, limitNs: 300 },
];

/** Single functions by the clock, and the replay of a million offset records. */
export function measureMicro(): Row[] {
  const program = buildProgram('ms-bench', 'ms-counts');
  if (program === undefined) throw new Error('ms-counts was not built');
  const nanoseconds = new Map(lines(program, ['time']).map(readLine));
  const functions = targets.map(({ name, each, limitNs }) => {
    const took = (nanoseconds.get(name) ?? Number.NaN) / each;
    return row(name, `${took.toFixed(2)} ns`, `<= ${limitNs} ns`, took <= limitNs);
  });
  return [...functions, replay()];
}

function replay(): Row {
  const tsx = join(repositoryRoot, 'node_modules', '.bin', 'tsx');
  const run = spawnSync(tsx, ['bench/micro/replay-offsets.ts'], {
    cwd: repositoryRoot,
    encoding: 'utf8',
  });
  const took = /: (\d+ ms) of CPU/.exec(run.stdout)?.[1] ?? 'failed';
  return row('replay of a million offset records', took, '<= 2000 ms', run.status === 0);
}

function row(step: string, ours: string, target: string, isReached: boolean): Row {
  return { step, reference: '', ours, figure: '', target, isReached };
}

function lines(program: string, args: readonly string[]): string[] {
  const { stdout, status } = spawnSync(program, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} ended with ${status}`);
  return stdout.trim().split('\n');
}

function readLine(line: string): [name: string, nanoseconds: number] {
  const [name = '', nanoseconds] = line.split('\t');
  return [name, Number(nanoseconds)];
}
