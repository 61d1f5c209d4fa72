// Bugs that other brokers shipped: each id in known-bugs.txt must be a test of that name. Prints where each is tested;
// exit code 1 when one is not.
//   a jest test or group of tests whose name starts with the id, a Rust test `c_0xx_…`, a trace `c-0xx-….txt`
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const bugs = readFileSync(join(root, 'tools', 'known-bugs.txt'), 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('C-'))
  .map((line) => [line.slice(0, 5), line.slice(5).trim()]);
const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
}).split('\n');

const places = new Map(bugs.map(([id]) => [id, new Set()]));
for (const path of files) for (const id of idsIn(path)) places.get(id)?.add(path);

let missing = 0;
for (const [id, title] of bugs) {
  const found = [...places.get(id)];
  if (found.length === 0) missing += 1;
  if (found.length === 0 || !process.argv.includes('--quiet'))
    console.log(`${id} ${title}: ${found.join(', ') || 'NO TEST'}`);
}
console.log(`known bugs: ${bugs.length}, without a test: ${missing}`);
process.exit(missing === 0 ? 0 : 1);

function idsIn(path) {
  const trace = /\/testdata\/c-(\d{3})-[\w-]+\.txt$/.exec(path);
  if (trace !== null) return [`C-${trace[1]}`];
  const isRust = /^native\/\w+\/(src|tests)\/.*\.rs$/.test(path);
  if (!isRust && !/\.test\.ts$/.test(posix.basename(path))) return [];
  const text = readFileSync(join(root, path), 'utf8');
  if (isRust) return [...text.matchAll(/#\[test\]\s*fn c_(\d{3})_/g)].map((hit) => `C-${hit[1]}`);
  // "C-002, C-003: …" names both.
  const names = [...text.matchAll(/\b(?:test|describe)\(\s*['"`]((?:C-\d{3}[,: ]*)+)/g)];
  return names.flatMap((hit) => hit[1].match(/C-\d{3}/g));
}
