// Prints passed and total of each client and suite, and last the sum alone on a line.
import { readdirSync, readFileSync } from 'node:fs';

const total = { passed: 0, failed: 0, skipped: 0 };
for (const file of readdirSync('build/results').sort()) {
  const outcome = JSON.parse(readFileSync(`build/results/${file}`, 'utf8'));
  console.log(
    `${outcome.suite}: ${outcome.passed} of ${outcome.passed + outcome.failed + outcome.skipped}`,
  );
  for (const group of outcome.groups ?? [])
    console.log(`  ${group.name}: ${group.passed} of ${group.total}`);
  for (const key of Object.keys(total)) total[key] += outcome[key];
}
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exit(total.passed > 0 && total.failed === 0 ? 0 : 1);
