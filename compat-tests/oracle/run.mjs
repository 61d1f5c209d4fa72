// Compares our codecs with Apache Kafka's message classes. Writes its counts to the file named by RESULTS_FILE.
//   node compat-tests/oracle/run.mjs [--seed N] [--rounds N] [--target memorystreamer|kafka|none] [--record]
// It also starts a broker and checks its answers to every API at every version.
// --record writes the golden bytes of the unit tests, and with `--target kafka` the errors that Kafka answers.
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const main = join(dirname(fileURLToPath(import.meta.url)), 'main.ts');
const run = spawnSync(process.execPath, ['--import', 'tsx', main, ...process.argv.slice(2)], {
  stdio: 'inherit',
});
process.exit(run.status ?? 1);
