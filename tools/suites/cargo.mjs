// Builds the Rust tests once and runs each test binary, counting from libtest's JSON events.
import { run } from './process.mjs';

/** Test binaries that run at once: while one waits for the disk or for time to pass, another has the cores. */
const AT_ONCE = 2;

/** Resolves to {passed, failed, skipped, error?}; prints the output of failing tests. */
export async function runCargo(root, extra, output) {
  const build = await run(
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
    { cwd: root, output },
  );
  if (build.status !== 0) {
    for (const message of jsonLines(build.stdout))
      if (message.message?.rendered) output.write(message.message.rendered);
    return { passed: 0, failed: 1, skipped: 0, error: 'the tests do not compile' };
  }
  const binaries = jsonLines(build.stdout).filter(
    (m) => m.reason === 'compiler-artifact' && m.profile?.test && m.executable,
  );
  const total = { passed: 0, failed: 0, skipped: 0 };
  const runNext = async () => {
    for (let binary = binaries.shift(); binary !== undefined; binary = binaries.shift())
      add(total, await runBinary(binary, extra, output));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, runNext));
  return total;
}

// libtest prints JSON only with unstable options; the variable is set for the test binary alone.
async function runBinary({ executable, target: { name } }, extra, output) {
  const args = ['-Z', 'unstable-options', '--format', 'json', ...extra];
  // In CI every run tries the same cases, as `src/kafka-protocol/testing/fast-check.ts` has it.
  const seed = process.env.CI === 'true' ? { PROPTEST_RNG_SEED: '1' } : {};
  const env = { ...process.env, ...seed, RUSTC_BOOTSTRAP: '1' };
  const { status, signal, stdout } = await run(executable, args, { env, output });
  const events = jsonLines(stdout);
  const counts = { passed: 0, failed: 0, skipped: 0 };
  for (const event of events) {
    if (event.type === 'test' && event.event === 'failed')
      output.write(`FAILED ${name} ${event.name}\n${event.stdout ?? ''}\n`);
    if (event.type !== 'suite' || event.event === 'started') continue;
    add(counts, { passed: event.passed, failed: event.failed, skipped: event.ignored });
  }
  if (status !== 0 && counts.failed === 0) {
    output.write(`FAILED ${name}: ended with ${signal ?? status}\n`);
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
