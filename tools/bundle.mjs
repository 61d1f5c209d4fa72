// Builds dist/ from src/: one file for the command line and the broker, and one for each command that is loaded on demand.
// A broker of some two hundred modules would spend a third of its start on finding and compiling them one by one.
import { rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const outdir = join(root, 'dist');

rmSync(outdir, { recursive: true, force: true });
await build({
  absWorkingDir: root,
  entryPoints: { 'cli/main': 'src/cli/main.ts' },
  outdir,
  // Everything lies in one folder below dist/, as the sources do below src/: what they find by a relative path stays true.
  chunkNames: 'cli/[name]-[hash]',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  sourcemap: true,
  plugins: [required(/^(@node-rs\/crc32|pino)$/)],
  // For packages that are CommonJS.
  banner: {
    js: "import { createRequire as bundleRequire } from 'node:module'; const require = bundleRequire(import.meta.url);",
  },
  logLevel: 'warning',
});

/**
 * Packages that stay outside: one finds its own native file, the other its worker's. Node is asked for them by `require`:
 * for an `import` of CommonJS it would parse them twice.
 */
function required(filter) {
  const namespace = 'required';
  const resolve = ({ path, namespace: from }) =>
    from === namespace ? { path, external: true } : { path, namespace };
  const load = ({ path }) => ({ contents: `module.exports = require(${JSON.stringify(path)});` });
  return {
    name: namespace,
    setup(build) {
      build.onResolve({ filter }, resolve);
      build.onLoad({ filter: /.*/, namespace }, load);
    },
  };
}
