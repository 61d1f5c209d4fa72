// `npm run coverage:rust`: lines of the Rust code that ships, without its tests, that the Rust tests run; with
// --integration also those that the brokers of the integration tests run. Exit code 1 below the limit.
//   node tools/coverage-rust.mjs [--integration] [--verbose]
//   --verbose lists the lines that were missed, of every file
// Needs LLVM's tools of rustc's own version: `rustup component add llvm-tools`, or a system's `llvm-cov-<major>`.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runJest } from './suites/jest.mjs';

const LIMIT_PERCENT = 90;
/** The generators of load and the counted functions measure; they do not ship. */
const CRATES = ['wire', 'log', 'consensus', 'partition', 'reactor', 'addon'];
/** Modules that only tests use: the simulated disk, the peer of the oracle. */
const FOR_TESTS = /\/(tests|sim|by_hand|bin)(\/|\.rs$)/;
const SHOWN = 12;

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const folder = join(root, 'build', 'coverage-rust');
const profiles = join(folder, 'profiles');
const target = join(process.env.CARGO_TARGET_DIR ?? folder, 'target');
const env = {
  ...process.env,
  CARGO_TARGET_DIR: target,
  RUSTFLAGS: `${process.env.RUSTFLAGS ?? ''} -Cinstrument-coverage`,
  // One file for all processes of a binary: %m is its hash, and the runtime merges.
  LLVM_PROFILE_FILE: join(profiles, '%4m.profraw'),
};

const [llvmProfdata, llvmCov] = ['llvm-profdata', 'llvm-cov'].map(findTool);
rmSync(profiles, { recursive: true, force: true });
mkdirSync(profiles, { recursive: true });

let isGreen = true;
const objects = buildTests();
for (const binary of objects) if (run(binary, [], { stdio: 'ignore' }) !== 0) failed(binary);
if (process.argv.includes('--integration')) objects.push(await runIntegration());
report(linesOf(objects));

function buildTests() {
  const built = cargo(['test', '--no-run', ...CRATES.flatMap((crate) => ['-p', `ms-${crate}`])]);
  return built.filter((m) => m.profile?.test && m.executable).map((m) => m.executable);
}

async function runIntegration() {
  const built = cargo(['build', '-p', 'ms-addon']);
  const files = built.flatMap((m) => (m.target?.name === 'ms_addon' ? m.filenames : []));
  const library = files.find((name) => /\.(so|dylib)$/.test(name));
  const addon = join(folder, 'memorystreamer.node');
  writeFileSync(addon, readFileSync(library));
  for (const reactors of ['1', '3']) {
    const settings = { ...env, MEMORYSTREAMER_ADDON: addon, REACTORS: reactors };
    const { failed: count } = await runJest(root, 'integration', [], settings);
    // Instrumented code is slower than what some of them allow.
    if (count > 0) console.log(`coverage: ${count} integration tests failed`);
  }
  return addon;
}

function cargo([command, ...args]) {
  const common = ['--release', '--locked', '--message-format=json'];
  const manifest = ['--manifest-path', join('native', 'Cargo.toml')];
  const built = spawnSync('cargo', [command, ...common, ...manifest, ...args], {
    cwd: root,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  const lines = built.stdout.split('\n').filter((line) => line.startsWith('{'));
  const messages = lines.map((line) => JSON.parse(line));
  if (built.status === 0) return messages;
  for (const { message } of messages) if (message?.rendered) console.error(message.rendered);
  process.exit(1);
}

/** Lines by file: number -> how often it ran. */
function linesOf(binaries) {
  const merged = join(folder, 'merged.profdata');
  const raw = readdirSync(profiles).map((name) => join(profiles, name));
  if (run(llvmProfdata, ['merge', '--sparse', '-o', merged, ...raw]) !== 0) process.exit(1);
  const [first, ...others] = binaries;
  const exported = spawnSync(
    llvmCov,
    [
      'export',
      '--format=lcov',
      `--instr-profile=${merged}`,
      first,
      ...others.flatMap((binary) => ['--object', binary]),
      '--sources',
      ...CRATES.map((crate) => join(root, 'native', crate, 'src')),
    ],
    { encoding: 'utf8', maxBuffer: 1 << 28, stdio: ['ignore', 'pipe', 'inherit'] },
  );
  if (exported.status !== 0) process.exit(1);
  const files = new Map();
  let lines = new Map();
  for (const line of exported.stdout.split('\n')) {
    const [, kind, value] = /^(SF|DA):(.*)$/.exec(line) ?? [];
    if (kind === 'SF') {
      lines = files.get(value) ?? new Map();
      files.set(value, lines);
    } else if (kind === 'DA') {
      const [number, count] = value.split(',').map(Number);
      lines.set(number, Math.max(lines.get(number) ?? 0, count));
    }
  }
  return files;
}

/** Numbers of the lines that are there for tests alone. */
function testLines(path) {
  const text = readFileSync(path, 'utf8').split('\n');
  const numbers = new Set();
  for (const [start, line] of text.entries()) {
    if (line !== '#[cfg(test)]') continue;
    // A module in a file of its own is left out by its name.
    const declared = text.slice(start).find((one) => /^(pub )?mod /.test(one));
    if (declared?.endsWith(';')) continue;
    const end = text.indexOf('}', start);
    for (let at = start; at <= end; at++) numbers.add(at + 1);
  }
  return numbers;
}

function report(files) {
  const rows = [];
  const total = { lines: 0, missed: 0 };
  for (const [path, lines] of files) {
    const name = relative(root, path);
    if (FOR_TESTS.test(name)) continue;
    const ignored = testLines(path);
    const counted = [...lines].filter(([number]) => !ignored.has(number));
    const missed = counted.filter(([, count]) => count === 0).map(([number]) => number);
    total.lines += counted.length;
    total.missed += missed.length;
    rows.push({ name, lines: counted.length, missed });
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
  process.exit(isGreen && percent >= LIMIT_PERCENT ? 0 : 1);
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

function failed(what) {
  console.log(`coverage: ${relative(root, what)} failed`);
  isGreen = false;
}

function run(program, args, options = {}) {
  return spawnSync(program, args, { cwd: root, env, stdio: 'inherit', ...options }).status;
}

function findTool(name) {
  const version = spawnSync('rustc', ['-vV'], { encoding: 'utf8' }).stdout ?? '';
  const host = /^host: (\S+)$/m.exec(version)?.[1] ?? '';
  const major = /^LLVM version: (\d+)/m.exec(version)?.[1] ?? '';
  const sysroot = spawnSync('rustc', ['--print', 'sysroot'], { encoding: 'utf8' }).stdout ?? '';
  const own = join(sysroot.trim(), 'lib', 'rustlib', host, 'bin', name);
  if (existsSync(own)) return own;
  const systems = `${name}-${major}`;
  if (spawnSync(systems, ['--version']).status === 0) return systems;
  console.error(`coverage: ${name} was not found: rustup component add llvm-tools`);
  process.exit(2);
}
