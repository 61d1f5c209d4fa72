// Builds the Rust tests once and runs each test binary, counting from libtest's JSON events.
import { spawnSync } from 'node:child_process';

/** Returns {passed, failed, skipped, error?}; prints the output of failing tests. */
export function runCargo(root, extra) {
  const build = spawnSync(
    'cargo',
    [
      'test',
      '--release',
      '--locked',
      '--workspace',
      '--no-run',
      '--message-format=json',
      '--manifest-path',
      'native/Cargo.toml',
    ],
    { cwd: root, stdio: ['ignore', 'pipe', 'inherit'], encoding: 'utf8', maxBuffer: 1 << 28 },
  );
  if (build.status !== 0) {
    for (const message of jsonLines(build.stdout))
      if (message.message?.rendered) process.stderr.write(message.message.rendered);
    return { passed: 0, failed: 1, skipped: 0, error: 'the tests do not compile' };
  }
  const binaries = jsonLines(build.stdout).filter(
    (m) => m.reason === 'compiler-artifact' && m.profile?.test && m.executable,
  );
  const total = { passed: 0, failed: 0, skipped: 0 };
  for (const { executable, target } of binaries)
    add(total, runBinary(executable, target.name, extra));
  return total;
}

// libtest prints JSON only with unstable options; the variable is set for the test binary alone.
function runBinary(executable, name, extra) {
  const run = spawnSync(executable, ['-Z', 'unstable-options', '--format', 'json', ...extra], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    env: { ...process.env, RUSTC_BOOTSTRAP: '1' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const events = jsonLines(run.stdout);
  const counts = { passed: 0, failed: 0, skipped: 0 };
  for (const event of events) {
    if (event.type === 'test' && event.event === 'failed')
      process.stderr.write(`FAILED ${name} ${event.name}\n${event.stdout ?? ''}\n`);
    if (event.type !== 'suite' || event.event === 'started') continue;
    add(counts, { passed: event.passed, failed: event.failed, skipped: event.ignored });
  }
  if (run.status !== 0 && counts.failed === 0) {
    process.stderr.write(`FAILED ${name}: ended with ${run.signal ?? run.status}\n`);
    counts.failed += 1;
  }
  return counts;
}

function jsonLines(text) {
  return text
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .flatMap((line) => {
      try {
        return [JSON.parse(line)];
      } catch {
        return [];
      }
    });
}

function add(total, counts) {
  for (const key of ['passed', 'failed', 'skipped']) total[key] += counts[key];
}
