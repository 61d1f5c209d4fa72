import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from '../compat-tests/runner/paths.ts';
import { buildProgram } from './build.ts';
import { check } from './check.ts';
import { compare, median, table } from './compare.ts';
import { measureLife } from './life.ts';

// npm run bench [-- compare] [--reps 3] [--only text]: load on real Kafka and MemoryStreamer in turn, in one run.
// npm run bench -- life [--starts 10]: start to first acknowledgement, idle memory and CPU, of both.
// npm run bench -- --check [--update]: instructions of the hot Rust functions against bench/baseline.json.
const words = process.argv.slice(2);
const option = (name: string, otherwise: string) => {
  const at = words.indexOf(name);
  return at === -1 ? otherwise : (words[at + 1] ?? otherwise);
};
const folder = join(repositoryRoot, 'bench', 'results');
mkdirSync(folder, { recursive: true });
process.exit((await run()) ? 0 : 1);

async function run(): Promise<boolean> {
  if (words.includes('--check')) return check({ isUpdate: words.includes('--update') });
  return words[0] === 'life' ? life() : load();
}

async function load(): Promise<boolean> {
  if (buildProgram('ms-loadgen', 'ms-load') === undefined) return false;
  const only = option('--only', '');
  const comparisons = await compare(Number(option('--reps', '3')), ({ name }) => {
    return name.includes(only);
  });
  save('load.json', comparisons);
  console.log(table(comparisons));
  return comparisons.every((comparison) => comparison.isReached);
}

async function life(): Promise<boolean> {
  const starts = Number(option('--starts', '10'));
  const kafka = await measureLife('kafka', Math.min(starts, 3));
  const ours = await measureLife('memorystreamer', starts);
  save('life.json', { kafka, ours });
  const [theirMs, ourMs] = [kafka, ours].map((one) => median(one.startToFirstAckMs));
  console.log(`start to first ack: Kafka ${theirMs?.toFixed(0)} ms, ours ${ourMs?.toFixed(0)} ms`);
  console.log(
    `idle: Kafka ${kafka.idleResidentMb.toFixed(0)} MB, ours ${ours.idleResidentMb.toFixed(0)} MB`,
  );
  console.log(
    `idle CPU, ours: ${ours.idleCpu.toFixed(1)} %, with 1,000 waiting fetches ${ours.idleCpuWaiting.toFixed(1)} %`,
  );
  const isFast = (ourMs ?? 0) <= 400 && (ourMs ?? 0) <= (theirMs ?? 0) / 6;
  return isFast && ours.idleResidentMb <= 130 && Math.max(ours.idleCpu, ours.idleCpuWaiting) <= 2;
}

function save(name: string, results: unknown): void {
  writeFileSync(join(folder, name), `${JSON.stringify(results, null, 1)}\n`);
}
