// Runs one jest project and counts from jest's own JSON.
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run, TESTS_LIMIT_MS } from './process.mjs';

/** Resolves to {passed, failed, skipped, error?}. `settings` are environment variables. */
export async function runJest(root, project, extra, settings = {}, output = process.stderr) {
  const file = join(mkdtempSync(join(tmpdir(), 'ms-jest-')), 'results.json');
  const isUpdate = extra.includes('--update');
  const args = [
    '--experimental-vm-modules',
    '--no-warnings',
    'node_modules/jest/bin/jest.js',
    '--selectProjects',
    project,
    '--json',
    `--outputFile=${file}`,
    // A test that failed may leave a broker behind: jest would wait for it.
    ...(project === 'integration' ? ['--runInBand', '--forceExit'] : ['--maxWorkers=2']),
    ...extra.filter((word) => word !== '--update'),
  ];
  const env = { ...process.env, ...settings, ...(isUpdate ? { UPDATE_TRACES: '1' } : {}) };
  const options = { cwd: root, env, output, limitMs: TESTS_LIMIT_MS };
  const { status, late } = await run(process.execPath, args, options);
  if (late !== undefined) return { passed: 0, failed: 1, skipped: 0, error: `jest ${late}` };
  try {
    const report = JSON.parse(readFileSync(file, 'utf8'));
    const failed = report.numFailedTests + report.numRuntimeErrorTestSuites;
    const skipped = report.numPendingTests + report.numTodoTests;
    return { passed: report.numPassedTests, failed, skipped };
  } catch (error) {
    return {
      passed: 0,
      failed: 1,
      skipped: 0,
      error: `jest wrote no results (exit ${status}): ${error.message}`,
    };
  }
}
