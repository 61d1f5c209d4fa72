// Runs one jest project and counts from jest's own JSON.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Returns {passed, failed, skipped, error?}; output goes to the terminal. `settings` are environment variables. */
export function runJest(root, project, extra, settings = {}) {
  const output = join(mkdtempSync(join(tmpdir(), 'ms-jest-')), 'results.json');
  const isUpdate = extra.includes('--update');
  const args = [
    '--experimental-vm-modules',
    '--no-warnings',
    'node_modules/jest/bin/jest.js',
    '--selectProjects',
    project,
    '--json',
    `--outputFile=${output}`,
    ...(project === 'integration' ? ['--runInBand'] : ['--maxWorkers=2']),
    ...extra.filter((word) => word !== '--update'),
  ];
  const env = { ...process.env, ...settings, ...(isUpdate ? { UPDATE_TRACES: '1' } : {}) };
  const run = spawnSync(process.execPath, args, {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
    env,
  });
  try {
    const report = JSON.parse(readFileSync(output, 'utf8'));
    const failed = report.numFailedTests + report.numRuntimeErrorTestSuites;
    const skipped = report.numPendingTests + report.numTodoTests;
    return { passed: report.numPassedTests, failed, skipped };
  } catch (error) {
    return {
      passed: 0,
      failed: 1,
      skipped: 0,
      error: `jest wrote no results (exit ${run.status}): ${error.message}`,
    };
  }
}
