// Runs test suites and writes what each counted to build/results/<suite>.json.
//   node tools/run-suites.mjs unit cargo integration [-- arguments for the runner]
// Exit code 1 when a suite failed, ran nothing, or skipped without a reason (CI=true).
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runCargo } from './suites/cargo.mjs';
import { runJest } from './suites/jest.mjs';
import { start } from './suites/process.mjs';
import { runScript } from './suites/script.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const results = join(root, 'build', 'results');
const separator = process.argv.indexOf('--');
const names = process.argv
  .slice(2, separator === -1 ? undefined : separator)
  .filter((name) => !name.startsWith('-'));
const extra = process.argv.slice(2).filter((word) => !names.includes(word) && word !== '--');

const suites = {
  unit: (output) => runJest(root, 'unit', extra, {}, output),
  integration: runIntegration,
  cargo: (output) => runCargo(root, extra, output),
  compat: () => runScript(root, 'compat', 'compat-tests/run.mjs', extra),
  // Takes no arguments of the compat runner.
  oracle: () => runScript(root, 'oracle', 'compat-tests/oracle/run.mjs', []),
  crash: () => runScript(root, 'crash', 'integration/crash/run.mjs', extra),
};

mkdirSync(results, { recursive: true });
let isGreen = true;
for (const stage of stagesOf(names)) {
  for (const name of stage) rmSync(fileOf(name), { force: true });
  const running = stage.map((name) => [name, start(suites[name])]);
  for (const [name, runner] of running) conclude(name, await runner.end());
}
process.exit(isGreen ? 0 : 1);

/** What runs at once, one after the other: the unit tests while the Rust tests compile, the others alone. */
function stagesOf(names) {
  for (const name of names)
    if (suites[name] === undefined) throw new Error(`no such suite: ${name}`);
  const small = names.filter((name) => name === 'unit' || name === 'cargo');
  const others = names.filter((name) => !small.includes(name));
  return [small, ...others.map((name) => [name])];
}

function conclude(name, outcome) {
  writeFileSync(fileOf(name), JSON.stringify({ suite: name, ...outcome }));
  const problem = judge(name, outcome);
  console.log(
    `suite ${name}: ${outcome.passed} passed, ${outcome.failed} failed, ${outcome.skipped} skipped${problem ? `: ${problem}` : ''}`,
  );
  if (problem !== undefined) isGreen = false;
}

function fileOf(name) {
  return join(results, `${name}.json`);
}

/** Every test with one reactor and with three, at once: most of the time they wait. Against a broker that runs already: once. */
async function runIntegration(output) {
  const total = { passed: 0, failed: 0, skipped: 0 };
  const kinds = process.env.INTEGRATION_PORT === undefined ? ['1', '3'] : ['1'];
  const running = kinds.map((reactors) => [
    reactors,
    start((own) => runJest(root, 'integration', extra, { REACTORS: reactors }, own)),
  ]);
  let problem;
  for (const [reactors, runner] of running) {
    const { error, ...counts } = await runner.end();
    problem ??= error;
    for (const key of Object.keys(total)) total[key] += counts[key];
    output.write(
      `integration, reactors ${reactors}: ${counts.passed} passed, ${counts.failed} failed\n`,
    );
  }
  return problem === undefined ? total : { ...total, error: problem };
}

function judge(name, { passed, failed, skipped, error }) {
  if (error !== undefined) return error;
  if (failed > 0) return 'failed';
  if (passed === 0) return 'ran no test';
  if (process.env.CI === 'true' && skipped > 0 && !hasReason(name))
    return 'skipped tests without a reason in compat-tests/skips.txt';
  return undefined;
}

function hasReason(name) {
  try {
    return readFileSync(join(root, 'compat-tests', 'skips.txt'), 'utf8')
      .split('\n')
      .some((line) => line.startsWith(`${name}:`));
  } catch {
    return false;
  }
}
