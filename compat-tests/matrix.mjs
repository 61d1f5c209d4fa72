// Writes the compatibility table of README.md from the last run of the suite.
//   node compat-tests/matrix.mjs [--check]
import { register } from 'tsx/esm/api';

register();
const { main } = await import('./runner/matrix.ts');
process.exitCode = main(process.argv.slice(2));
