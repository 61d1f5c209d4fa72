// Runs a suite that has a runner of its own, which writes its counts to the file named by RESULTS_FILE.
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from './process.mjs';

/** The longest, a minute of each attack, take half of it. */
const LIMIT_MS = 90 * 60_000;

/** Resolves to {passed, failed, skipped, groups?, error?}; `groups` is a list of {name, passed, total}. */
export async function runScript(root, name, script, extra) {
  const file = join(mkdtempSync(join(tmpdir(), `ms-${name}-`)), 'results.json');
  const { status, signal, late } = await run(process.execPath, [script, ...extra], {
    cwd: root,
    env: { ...process.env, RESULTS_FILE: file },
    limitMs: LIMIT_MS,
  });
  if (late !== undefined) return { passed: 0, failed: 1, skipped: 0, error: `the runner ${late}` };
  try {
    const outcome = JSON.parse(readFileSync(file, 'utf8'));
    return status === 0 || outcome.failed > 0
      ? outcome
      : { ...outcome, error: `the runner ended with ${signal ?? status}` };
  } catch {
    return {
      passed: 0,
      failed: 1,
      skipped: 0,
      error: `the runner wrote no results (${signal ?? status})`,
    };
  }
}
