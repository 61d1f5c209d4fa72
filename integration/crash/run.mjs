// The crash suite as a runner of its own: it writes what it counted to the file named by RESULTS_FILE.
import { spawnSync } from 'node:child_process';

const run = spawnSync(
  process.execPath,
  ['--import', 'tsx', 'integration/crash/main.ts', ...process.argv.slice(2)],
  {
    stdio: 'inherit',
  },
);
process.exit(run.status ?? 1);
