// `npm run coverage`: lines of src/ (without generated files) that the unit and integration tests run, also inside the
// broker processes that they start and stop. Exit code 1 below the limit. A process that is killed leaves no figures.
//   node tools/coverage.mjs [--verbose]      --verbose lists the files with the most lines missed
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { transformSync } from 'esbuild';
import { run, TESTS_LIMIT_MS } from './suites/process.mjs';

const LIMIT_PERCENT = 95;
const require = createRequire(import.meta.url);
const libCoverage = require('istanbul-lib-coverage');
const v8ToIstanbul = require('v8-to-istanbul');

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const folder = join(root, 'build', 'coverage');
const processes = join(folder, 'processes');
rmSync(folder, { recursive: true, force: true });
mkdirSync(processes, { recursive: true });

const map = libCoverage.createCoverageMap({});
for (const project of ['unit', 'integration']) map.merge(await runJest(project));
for (const file of readdirSync(processes)) await addProcess(join(processes, file));
report();

async function runJest(project) {
  const output = join(folder, project);
  const args = [
    '--experimental-vm-modules',
    '--no-warnings',
    'node_modules/jest/bin/jest.js',
    '--selectProjects',
    project,
    '--coverage',
    '--coverageReporters=json',
    `--coverageDirectory=${output}`,
    // A test that failed may leave a broker behind: jest would wait for it.
    ...(project === 'integration' ? ['--runInBand', '--forceExit'] : []),
  ];
  const env = { ...process.env, BROKER_COVERAGE: processes };
  const options = { cwd: root, env, output: process.stderr, limitMs: TESTS_LIMIT_MS };
  const { status, late } = await run(process.execPath, args, options);
  if (status !== 0) console.log(`coverage: ${late ?? `some ${project} tests failed`}`);
  const file = join(output, 'coverage-final.json');
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8'));
  console.log(`coverage: the ${project} tests left no figures`);
  process.exit(1);
}

async function addProcess(file) {
  for (const { url, functions } of figuresOf(file)) {
    if (!url.startsWith(`file://${root}/dist/`)) continue;
    const path = fileURLToPath(url);
    if (!existsSync(path)) continue;
    const converter = v8ToIstanbul(path);
    await converter.load();
    converter.applyCoverage(functions);
    map.merge(converter.toIstanbul());
  }
}

// One that was killed while it wrote them leaves a part.
function figuresOf(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).result;
  } catch {
    console.log(`coverage: ${relative(root, file)} cannot be read`);
    return [];
  }
}

// Files that declare types alone have no code to run.
function isTypesOnly(name) {
  const { code } = transformSync(readFileSync(join(root, name), 'utf8'), { loader: 'ts' });
  return code.trim() === '';
}

function report() {
  const rows = [];
  const total = { lines: 0, covered: 0 };
  for (const path of map.files()) {
    const name = relative(root, path);
    if (!/^src\/.*\.ts$/.test(name) || /generated\/|testing\/|\.test\.ts$/.test(name)) continue;
    if (isTypesOnly(name)) continue;
    const { total: lines, covered } = map.fileCoverageFor(path).toSummary().lines;
    total.lines += lines;
    total.covered += covered;
    rows.push({ name, lines, missed: lines - covered });
  }
  rows.sort((a, b) => b.missed - a.missed);
  const shown = process.argv.includes('--verbose')
    ? rows.filter(({ missed }) => missed > 0)
    : rows.slice(0, 10);
  for (const { name, lines, missed } of shown)
    console.log(`${missed} of ${lines} lines missed: ${name}`);
  const percent = (total.covered / total.lines) * 100;
  console.log(`coverage: ${percent.toFixed(1)} % of ${total.lines} lines in ${rows.length} files`);
  process.exit(percent >= LIMIT_PERCENT ? 0 : 1);
}
