import { writeFileSync } from 'node:fs';
import { type Attack, attacks } from './attacks.ts';
import { damaged, damages } from './damage.ts';
import { buildWithFaults, faults, findsFault } from './faults.ts';
import { fullDisk } from './full-disk.ts';
import { survivesAttack } from './hostile.ts';
import { killLoop } from './kill-loop.ts';
import { Random } from './random.ts';

// node integration/crash/run.mjs [--kills 50] [--seed N] [--reactors 1,3] [--seconds 1] [--rounds 3] [--only WORD]
// Attacks last so many seconds a round; by hand: --only hostile --seconds 60 --rounds 1
const options = new Map<string, string>();
for (let i = 2; i + 1 < process.argv.length; i += 2) {
  options.set(process.argv[i] ?? '', process.argv[i + 1] ?? '');
}
const kills = Number(options.get('--kills') ?? 50);
const seed = Number(options.get('--seed') ?? Date.now() % 1_000_000);
const attackMs = 1000 * Number(options.get('--seconds') ?? 1);
const rounds = Number(options.get('--rounds') ?? 3);
const reactors = (options.get('--reactors') ?? '1,3').split(',');
const only = options.get('--only') ?? '';

/** Each case says what is wrong; an empty list is success. */
interface Case {
  readonly group: string;
  readonly name: string;
  run(): Promise<string[]>;
}

let addonWithFaults: string | undefined;
const cases: Case[] = [
  ...reactors.map((count) => ({
    group: 'kill -9',
    name: `${kills} kills, reactors ${count}`,
    run: () => {
      const random = new Random(seed + Number(count));
      return killLoop({ kills, random, settings: { 'reactor.threads': count } });
    },
  })),
  ...reactors.map((count) => ({
    group: 'full disk',
    name: `full disk, reactors ${count}`,
    run: () => fullDisk(count),
  })),
  ...reactors.flatMap((count) =>
    Object.keys(damages).map((name) => ({
      group: 'damaged files',
      name: `${name}, reactors ${count}`,
      run: () => damaged(name, count, new Random(seed)),
    })),
  ),
  ...reactors.flatMap((count) =>
    (Object.keys(attacks) as Attack[]).map((name) => ({
      group: 'hostile input',
      name: `${name}, reactors ${count}`,
      run: () => survivesAttack(name, { reactors: count, attackMs, rounds }),
    })),
  ),
  ...reactors.flatMap((count) =>
    faults.map((fault) => ({
      group: 'planted faults',
      name: `the checker finds ${fault}, reactors ${count}`,
      run: () => {
        addonWithFaults ??= buildWithFaults();
        return findsFault(fault, addonWithFaults, { seed, reactors: count });
      },
    })),
  ),
];

const groups = new Map<string, { name: string; passed: number; total: number }>();
let failed = 0;
for (const { group: name, name: caseName, run } of cases) {
  if (!`${name}: ${caseName}`.includes(only)) continue;
  const group = groups.get(name) ?? { name, passed: 0, total: 0 };
  groups.set(name, group);
  group.total += 1;
  const startedMs = Date.now();
  const problems = await run().catch((error: unknown) => [`ended early: ${String(error)}`]);
  if (problems.length === 0) group.passed += 1;
  else failed += 1;
  const seconds = ((Date.now() - startedMs) / 1000).toFixed(0);
  const verdict = problems.length === 0 ? 'ok' : 'FAILED';
  console.log(`crash: ${name}: ${caseName}, seed ${seed}: ${verdict} (${seconds} s)`);
  for (const problem of problems.slice(0, 20)) console.log(`  ${problem}`);
}

const passed = [...groups.values()].reduce((sum, group) => sum + group.passed, 0);
const file = process.env.RESULTS_FILE;
const outcome = { passed, failed, skipped: 0, groups: [...groups.values()] };
if (file !== undefined) writeFileSync(file, JSON.stringify(outcome));
process.exit(failed === 0 ? 0 : 1);
