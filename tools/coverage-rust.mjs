// `npm run coverage:rust`: lines of the Rust code that ships, without its tests, that the Rust tests run. Exit code 1 below
// the limit.
//   node tools/coverage-rust.mjs [--verbose]
//   --verbose lists the lines that were missed, of every file
// Needs cargo-tarpaulin: `cargo install cargo-tarpaulin`.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const LIMIT_PERCENT = 90;
/** The generators of load and the counted functions measure; they do not ship. */
const CRATES = ['wire', 'intake', 'log', 'consensus', 'partition', 'reactor', 'addon'];
/** Modules that only tests use: the simulated disk, the peer of the oracle. */
const FOR_TESTS = /\/(tests|sim|by_hand|bin|benches)(\/|\.rs$)|\/build\.rs$/;
const SHOWN = 12;
/** Of one test binary; instrumented code is slow. */
const LIMIT_SECONDS = 900;

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const folder = join(root, 'build', 'coverage-rust');

runTests();
report(JSON.parse(readFileSync(join(folder, 'tarpaulin-report.json'), 'utf8')).files);

function runTests() {
  mkdirSync(folder, { recursive: true });
  const packages = CRATES.flatMap((crate) => ['-p', `ms-${crate}`]);
  const build = ['--release', '--locked', '--skip-clean'];
  const place = ['--target-dir', join(folder, 'target'), '--output-dir', folder, '--out', 'Json'];
  const limits = ['--engine', 'llvm', '--timeout', String(LIMIT_SECONDS)];
  const args = ['tarpaulin', ...packages, ...build, ...place, ...limits];
  const options = { cwd: join(root, 'native'), stdio: ['ignore', 'ignore', 'inherit'] };
  if (spawnSync('cargo', ['tarpaulin', '--version'], { stdio: 'ignore' }).status !== 0) {
    console.error('coverage: cargo-tarpaulin was not found: cargo install cargo-tarpaulin');
    process.exit(2);
  }
  if (spawnSync('cargo', args, options).status !== 0) {
    console.error('coverage: a Rust test failed');
    process.exit(1);
  }
}

function report(files) {
  const rows = [];
  const total = { lines: 0, missed: 0 };
  for (const { path, traces } of files) {
    const name = relative(root, join(...path));
    const isOurs = CRATES.some((crate) => name.startsWith(`native/${crate}/`));
    if (!isOurs || FOR_TESTS.test(name)) continue;
    const missed = traces.filter(({ stats }) => stats.Line === 0).map(({ line }) => line);
    total.lines += traces.length;
    total.missed += missed.length;
    rows.push({ name, lines: traces.length, missed });
  }
  rows.sort((a, b) => b.missed.length - a.missed.length);
  const isVerbose = process.argv.includes('--verbose');
  for (const { name, lines, missed } of rows.slice(0, isVerbose ? rows.length : SHOWN)) {
    if (missed.length === 0) continue;
    const where = isVerbose ? `: ${rangesOf(missed)}` : '';
    console.log(`${missed.length} of ${lines} lines missed: ${name}${where}`);
  }
  for (const crate of CRATES) {
    const own = rows.filter(({ name }) => name.startsWith(`native/${crate}/`));
    const count = own.reduce((sum, { lines }) => sum + lines, 0);
    const missed = own.reduce((sum, row) => sum + row.missed.length, 0);
    console.log(`coverage of ${crate}: ${percentOf(count, missed).toFixed(1)} % of ${count} lines`);
  }
  const percent = percentOf(total.lines, total.missed);
  console.log(`coverage: ${percent.toFixed(1)} % of ${total.lines} lines in ${rows.length} files`);
  process.exit(percent >= LIMIT_PERCENT ? 0 : 1);
}

function percentOf(lines, missed) {
  return lines === 0 ? 0 : (1 - missed / lines) * 100;
}

function rangesOf(numbers) {
  const ranges = [];
  for (const number of [...numbers].sort((a, b) => a - b)) {
    const last = ranges.at(-1);
    if (last?.[1] === number - 1) last[1] = number;
    else ranges.push([number, number]);
  }
  return ranges.map(([from, to]) => (from === to ? from : `${from}-${to}`)).join(' ');
}
