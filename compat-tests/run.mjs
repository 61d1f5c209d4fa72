// Runs the compatibility scenario with unmodified clients. See compat-tests/README.md.
//   node compat-tests/run.mjs [--target memorystreamer|kafka] [--client NAME]… [--record] [--jobs N] [--keep]
import { register } from 'tsx/esm/api';

register();
const { main } = await import('./runner/main.ts');
process.exitCode = await main(process.argv.slice(2));
