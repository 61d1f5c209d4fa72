// Builds the Rust tests once and runs each test binary, counting from libtest's JSON events.
import { BUILD_LIMIT_MS, run, TESTS_LIMIT_MS } from './process.mjs';

/** Test binaries that run at once: while one waits for the disk or for time to pass, another has the cores. */
const AT_ONCE = 2;

/** How a test ended, in libtest's words and in ours. */
const KINDS = { ok: 'passed', failed: 'failed', ignored: 'skipped' };

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
    { cwd: root, output, limitMs: BUILD_LIMIT_MS },
  );
  if (build.late !== undefined)
    return { passed: 0, failed: 1, skipped: 0, error: `the build ${build.late}` };
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
  const options = { env, output, limitMs: TESTS_LIMIT_MS };
  return countTests(name, await run(executable, args, options), output);
}

/** What a test binary counted, by its events and how it ended; tells `output` which tests failed. */
export function countTests(name, { status, signal, stdout, late }, output) {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  const begun = new Set();
  for (const { type, event, name: test, stdout: printed } of jsonLines(stdout)) {
    if (type !== 'test') continue;
    if (event === 'started') begun.add(test);
    if (!(event in KINDS)) continue;
    begun.delete(test);
    counts[KINDS[event]] += 1;
    if (event === 'failed') output.write(`FAILED ${name} ${test}\n${printed ?? ''}\n`);
  }
  if (late !== undefined) {
    output.write(`FAILED ${name}: ${late}, in ${[...begun].join(', ') || 'no test'}\n`);
    counts.failed += 1;
  } else if (status !== 0 && counts.failed === 0) {
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
