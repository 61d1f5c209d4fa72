import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Adapter, Json } from './adapter.ts';
import type { Target } from './broker.ts';
import type { Client } from './clients.ts';
import type { Context } from './context.ts';
import { repositoryRoot } from './paths.ts';

export interface Case {
  readonly step: string;
  readonly problem: string | undefined;
  readonly tookMs: number;
}

/** One client's way through the scenario. */
export interface Run {
  readonly client: Client;
  readonly observed: Record<string, Json>;
  readonly cases: Case[];
  adapter?: Adapter;
  context?: Context;
}

/** Says at once how a step went. */
export function note(run: Run, step: string, beganMs: number, problem: string | undefined): void {
  const tookMs = Date.now() - beganMs;
  run.cases.push({ step, problem, tookMs });
  const word = problem === undefined ? 'ok' : 'FAILED';
  console.log(`compat: ${run.client.name} ${step}: ${word} (${(tookMs / 1000).toFixed(1)} s)`);
  if (problem !== undefined) console.log(problem.trim().replace(/^/gm, '    '));
}

/** Prints the sums and writes them for the suite runner and for the matrix; returns the exit code. */
export function report(runs: readonly Run[], target: Target, startedMs: number): number {
  const isFailure = ({ problem }: Case) => problem !== undefined;
  const cases = runs.flatMap((run) => run.cases);
  const failed = cases.filter(isFailure).length;
  const groups = runs.map((run) => {
    const total = run.cases.length;
    return { name: run.client.name, passed: total - run.cases.filter(isFailure).length, total };
  });
  const results = { passed: cases.length - failed, failed, skipped: 0, groups };
  const file = process.env.RESULTS_FILE;
  if (file !== undefined) writeFileSync(file, JSON.stringify(results));
  const folder = join(repositoryRoot, 'build', 'compat');
  mkdirSync(folder, { recursive: true });
  const matrix = runs.map((run) => ({
    client: run.client.name,
    version: run.context?.facts.version ?? null,
    steps: Object.fromEntries(run.cases.map((one) => [one.step, !isFailure(one)])),
  }));
  writeFileSync(join(folder, `${target}.json`), JSON.stringify(matrix));
  for (const { name, passed, total } of groups) console.log(`  ${name}: ${passed} of ${total}`);
  const seconds = Math.round((Date.now() - startedMs) / 1000);
  console.log(`compat: ${results.passed} of ${cases.length} against ${target} in ${seconds} s`);
  return failed === 0 && cases.length > 0 ? 0 : 1;
}
