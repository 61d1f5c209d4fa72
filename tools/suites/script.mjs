// Runs a suite that has a runner of its own, which writes its counts to the file named by RESULTS_FILE.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Returns {passed, failed, skipped, groups?, error?}; `groups` is a list of {name, passed, total}. */
export function runScript(root, name, script, extra) {
  const file = join(mkdtempSync(join(tmpdir(), `ms-${name}-`)), 'results.json');
  const run = spawnSync(process.execPath, [script, ...extra], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, RESULTS_FILE: file },
  });
  try {
    const outcome = JSON.parse(readFileSync(file, 'utf8'));
    return run.status === 0 || outcome.failed > 0
      ? outcome
      : { ...outcome, error: `the runner ended with ${run.signal ?? run.status}` };
  } catch {
    return {
      passed: 0,
      failed: 1,
      skipped: 0,
      error: `the runner wrote no results (${run.signal ?? run.status})`,
    };
  }
}
