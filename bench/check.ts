import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { repositoryRoot } from '../compat-tests/runner/paths.ts';
import { buildProgram } from './build.ts';
import { type Baseline, type Count, judgeCounts, readCallgrind } from './counts.ts';

const baselinePath = join(repositoryRoot, 'bench', 'baseline.json');
const TARGET = 'x86_64-unknown-linux-gnu';
const COUNTED = 'ms_counts::counted';

/** Counts the instructions of the hot functions and holds them against `bench/baseline.json`, or writes that file. */
export function check(options: { readonly isUpdate: boolean }): boolean {
  const rustc = compiler();
  if (rustc === undefined) return false;
  const baseline = options.isUpdate ? undefined : readBaseline();
  if (baseline !== undefined && baseline.rustc !== rustc) {
    console.error(
      `bench: the baseline was counted with ${baseline.rustc}, this is ${rustc}. Another compiler makes other code: ` +
        'run `npm run bench -- --check --update` on the commit before your change, then check your change.',
    );
    return false;
  }
  const counts = count();
  if (counts === undefined) return false;
  if (baseline === undefined) {
    writeFileSync(baselinePath, `${JSON.stringify({ rustc, counts }, null, 2)}\n`);
    console.log(`bench: ${Object.keys(counts).length} counts written to bench/baseline.json`);
    return true;
  }
  const verdicts = judgeCounts(baseline, counts);
  for (const { name, isRegression, text } of verdicts) {
    console.log(`${isRegression ? 'REGRESSED' : 'ok       '} ${name}: ${text}`);
  }
  const isFaster = verdicts.some(({ change }) => change !== undefined && change <= -0.01);
  if (isFaster) console.log('bench: faster by more than 1 %: keep that with --check --update');
  return verdicts.every((verdict) => !verdict.isRegression);
}

/** What `rustc --version` says, on the one kind of machine that the baseline is for. */
function compiler(): string | undefined {
  const { stdout, status } = spawnSync('rustc', ['-vV'], { encoding: 'utf8' });
  const host = /^host: (.*)$/m.exec(stdout ?? '')?.[1];
  if (status !== 0 || host !== TARGET) {
    console.error(
      `bench: instructions are counted on ${TARGET} only, this is ${host ?? 'no Rust'}`,
    );
    return undefined;
  }
  return stdout.split('\n')[0];
}

function readBaseline(): Baseline {
  return JSON.parse(readFileSync(baselinePath, 'utf8')) as Baseline;
}

function count(): Record<string, Count> | undefined {
  // Flags of the environment would make other code.
  const program = buildProgram('ms-bench', 'ms-counts', { CARGO_ENCODED_RUSTFLAGS: '' });
  if (program === undefined) return undefined;
  const folder = mkdtempSync(join(tmpdir(), 'ms-counts-'));
  try {
    const out = join(folder, 'dump');
    const { status, stdout, stderr, error } = spawnSync(
      'valgrind',
      [
        '--tool=callgrind',
        `--toggle-collect=${COUNTED}`,
        `--dump-after=${COUNTED}`,
        '--compress-strings=no',
        '--compress-pos=no',
        `--callgrind-out-file=${out}`,
        program,
      ],
      { encoding: 'utf8' },
    );
    if (error !== undefined || status !== 0) {
      const reason =
        error === undefined ? stderr.trim().split('\n').slice(-5).join('\n') : error.message;
      console.error(
        `bench: valgrind is needed to count (Debian: apt-get install valgrind): ${reason}`,
      );
      return undefined;
    }
    // Each function ran twice; the second run has nothing left to set up.
    const names = stdout.trim().split('\n');
    return Object.fromEntries(
      names.map((name, i) => [
        name,
        readCallgrind(readFileSync(`${out}.${2 * i + 2}`, 'utf8'), program),
      ]),
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
