// Decides, alone, what must be installed or built before a command of package.json can run.
// Uses nothing but Node itself: it runs on a fresh clone, before any dependency is there.
//   node tools/setup.mjs          dependencies, the native addon, the TypeScript build
//   node tools/setup.mjs --deps   dependencies only
//   node tools/setup.mjs --tests  the Rust tests as well, where the addon is built: one core is not idle at its end
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { alone } from './alone.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const addonPath = join(root, 'native', 'memorystreamer.node');

requireNode();
requireLinux();
await alone(`memorystreamer-setup-${createHash('sha256').update(root).digest('hex')}`, () =>
  process.stderr.write('setup: another one is at work in this folder; waiting for it ...\n'),
);
ensureStep({
  name: 'npm dependencies',
  stamp: join(root, 'node_modules', '.memorystreamer-stamp'),
  hash: hashFiles(['package-lock.json']),
  run: () => command('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error']),
});
if (!process.argv.includes('--deps')) {
  ensureStep({
    name: 'native addon (Rust, a minute or two the first time)',
    stamp: `${addonPath}.stamp`,
    hash: hashFiles(nativeSources()),
    isPresent: () => existsSync(addonPath),
    run: buildAddon,
  });
  ensureStep({
    name: 'TypeScript',
    stamp: join(root, 'build', 'dist.stamp'),
    hash: hashFiles([
      'tools/bundle.mjs',
      'package-lock.json',
      ...filesBelow('src', (name) => name.endsWith('.ts')),
    ]),
    isPresent: () => existsSync(join(root, 'dist')),
    run: () => command(process.execPath, ['tools/bundle.mjs']),
  });
}

function requireNode() {
  const major = Number(process.versions.node.split('.')[0]);
  if (major < 20)
    fail(`Node 20 or newer is needed; this is ${process.version}. See https://nodejs.org.`);
}

function requireLinux() {
  if (process.platform !== 'linux')
    fail(`Linux is needed; MemoryStreamer does not run on ${process.platform} yet.`);
}

function ensureStep({ name, stamp, hash, isPresent = () => true, run }) {
  const isCurrent = existsSync(stamp) && readFileSync(stamp, 'utf8') === hash && isPresent();
  if (isCurrent) return;
  const startedMs = Date.now();
  process.stderr.write(`setup: ${name} ...\n`);
  run();
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, hash);
  process.stderr.write(
    `setup: ${name}: done in ${((Date.now() - startedMs) / 1000).toFixed(1)} s\n`,
  );
}

function buildAddon() {
  const probe = spawnSync('cargo', ['--version']);
  if (probe.error || probe.status !== 0) {
    fail(
      'a Rust toolchain is needed to build the native addon and `cargo` was not found. Install it from https://rustup.rs, then run this again.',
    );
  }
  command('cargo', [
    'build',
    '--release',
    '--locked',
    '--manifest-path',
    'native/Cargo.toml',
    ...(process.argv.includes('--tests')
      ? ['--workspace', '--lib', '--tests']
      : ['-p', 'ms-addon']),
  ]);
  // Renamed into place: a running broker keeps the file it has mapped.
  copyFileSync(join(cargoTarget(), 'release', 'libms_addon.so'), `${addonPath}.new`);
  renameSync(`${addonPath}.new`, addonPath);
}

function cargoTarget() {
  return process.env.CARGO_TARGET_DIR ?? join(root, 'native', 'target');
}

function nativeSources() {
  const isSource = (name) => /\.(rs|toml|lock)$/.test(name);
  return filesBelow('native', isSource).filter((path) => !/^native\/(target|fuzz)\//.test(path));
}

function filesBelow(folder, accept) {
  const entries = readdirSync(join(root, folder), { withFileTypes: true });
  return entries.flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return entry.name === 'target' ? [] : filesBelow(path, accept);
    return accept(entry.name) ? [path] : [];
  });
}

function hashFiles(paths) {
  const hash = createHash('sha256')
    .update(process.versions.modules)
    .update(process.platform + process.arch);
  for (const path of [...paths].sort())
    hash.update(relative(root, join(root, path))).update(readFileSync(join(root, path)));
  return hash.digest('hex');
}

function command(program, args) {
  try {
    execFileSync(program, args, { cwd: root, stdio: ['ignore', 2, 2] });
  } catch (error) {
    fail(
      `\`${program} ${args.join(' ')}\` failed${error.code === 'ENOENT' ? ': it was not found' : ''}.`,
    );
  }
}

function fail(message) {
  process.stderr.write(`setup: ${message}\n`);
  process.exit(1);
}
