import { writeFileSync } from 'node:fs';
import { killLoop } from './kill-loop.ts';
import { Random } from './random.ts';

// node integration/crash/run.mjs [--kills 50] [--seed N] [--reactors 1,3]
const options = new Map<string, string>();
for (let i = 2; i + 1 < process.argv.length; i += 2) {
  options.set(process.argv[i] ?? '', process.argv[i + 1] ?? '');
}
const kills = Number(options.get('--kills') ?? 50);
const seed = Number(options.get('--seed') ?? Date.now() % 1_000_000);
const reactors = (options.get('--reactors') ?? '1,3').split(',');

let passed = 0;
let failed = 0;
const groups: { name: string; passed: number; total: number }[] = [];

for (const count of reactors) {
  const name = `${kills} kills, ${count} reactor${count === '1' ? '' : 's'}`;
  const startedMs = Date.now();
  const problems = await killLoop({
    kills,
    random: new Random(seed + Number(count)),
    settings: { 'reactor.threads': count },
  }).catch((error: unknown) => [`the run ended early: ${String(error)}`]);
  const isGood = problems.length === 0;
  if (isGood) passed += 1;
  else failed += 1;
  groups.push({ name, passed: isGood ? 1 : 0, total: 1 });
  const seconds = ((Date.now() - startedMs) / 1000).toFixed(0);
  console.log(`crash: ${name}, seed ${seed}: ${isGood ? 'nothing lost' : 'FAILED'} (${seconds} s)`);
  for (const problem of problems.slice(0, 20)) console.log(`  ${problem}`);
}

const file = process.env.RESULTS_FILE;
if (file !== undefined) writeFileSync(file, JSON.stringify({ passed, failed, skipped: 0, groups }));
process.exit(failed === 0 ? 0 : 1);
