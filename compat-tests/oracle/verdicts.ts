import { writeFileSync } from 'node:fs';
import type { Verdict } from './cases.ts';

/** Counts cases by group and says which failed. */
export class Verdicts {
  readonly #groups = new Map<string, { passed: number; total: number }>();

  add(...verdicts: readonly Verdict[]): void {
    for (const { group, name, problem } of verdicts) {
      const counts = this.#groups.get(group) ?? { passed: 0, total: 0 };
      const passed = counts.passed + (problem === undefined ? 1 : 0);
      this.#groups.set(group, { passed, total: counts.total + 1 });
      if (problem !== undefined) console.log(`FAILED ${group}: ${name}: ${problem}`);
    }
  }

  /** Prints the counts and writes them where the suite runner looks for them. Returns whether all passed. */
  report(file: string | undefined): boolean {
    const groups = [...this.#groups].map(([name, counts]) => ({ name, ...counts }));
    const passed = groups.reduce((sum, group) => sum + group.passed, 0);
    const failed = groups.reduce((sum, group) => sum + group.total - group.passed, 0);
    for (const group of groups) console.log(`${group.name}: ${group.passed} of ${group.total}`);
    console.log(`oracle: ${passed} passed, ${failed} failed`);
    if (file !== undefined)
      writeFileSync(file, JSON.stringify({ passed, failed, skipped: 0, groups }));
    return failed === 0;
  }
}
