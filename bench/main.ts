import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from '../compat-tests/runner/paths.ts';
import { compare, table } from './compare.ts';

// npm run bench [-- compare] [--reps 3] [--only text]: real Kafka and MemoryStreamer in turn, in one run.
const words = process.argv.slice(2);
const option = (name: string, otherwise: string) => {
  const at = words.indexOf(name);
  return at === -1 ? otherwise : (words[at + 1] ?? otherwise);
};

const build = [
  'build',
  '--release',
  '--locked',
  '-p',
  'ms-loadgen',
  '--manifest-path',
  'native/Cargo.toml',
];
if (spawnSync('cargo', build, { cwd: repositoryRoot, stdio: 'inherit' }).status !== 0)
  process.exit(1);

const only = option('--only', '');
const comparisons = await compare(Number(option('--reps', '3')), ({ name }) => name.includes(only));
const folder = join(repositoryRoot, 'bench', 'results');
mkdirSync(folder, { recursive: true });
writeFileSync(join(folder, 'latest.json'), `${JSON.stringify(comparisons, null, 1)}\n`);
console.log(table(comparisons));
process.exit(comparisons.every(({ isReached }) => isReached) ? 0 : 1);
