// `npm run check`: every static check, each run to its end, so that one run names all that is wrong.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const bin = (name) => `node_modules/.bin/${name}`;
const checks = [
  ['types', bin('tsc'), ['-p', 'tsconfig.check.json']],
  ['lint and format', bin('biome'), ['ci', '--diagnostic-level=warn', '--error-on-warnings', '.']],
  ['tidy', process.execPath, ['tools/tidy.mjs']],
  ['known bugs', process.execPath, ['tools/known-bugs.mjs', '--quiet']],
  ['rustfmt', 'cargo', ['fmt', '--manifest-path', 'native/Cargo.toml', '--all', '--', '--check']],
  [
    'clippy',
    'cargo',
    [
      'clippy',
      '--release',
      '--locked',
      '--workspace',
      '--all-targets',
      '--manifest-path',
      'native/Cargo.toml',
      '--quiet',
      '--',
      '-D',
      'warnings',
    ],
  ],
];
if (existsSync(`${root}/tools/codegen/main.ts`))
  checks.push(['generated files', bin('tsx'), ['tools/codegen/main.ts', '--check']]);

checks.push(['generated pages', bin('tsx'), ['tools/docs/main.ts', '--check']]);

let isGreen = true;
for (const [name, program, args] of checks) {
  const startedMs = Date.now();
  const run = spawnSync(program, args, { cwd: root, stdio: 'inherit' });
  const isOk = run.status === 0;
  console.log(
    `check ${name}: ${isOk ? 'ok' : 'FAILED'} (${((Date.now() - startedMs) / 1000).toFixed(1)} s)`,
  );
  if (!isOk) isGreen = false;
}
process.exit(isGreen ? 0 : 1);
