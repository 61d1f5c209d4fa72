import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const pom = join(dirname(fileURLToPath(import.meta.url)), 'pom.xml');

/** The class path of Kafka's own message classes; Maven fetches them once into the cache folder. */
export function kafkaClassPath(): string {
  const hash = createHash('sha256').update(readFileSync(pom)).digest('hex').slice(0, 12);
  const cache = join(
    process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'),
    'memorystreamer-test',
  );
  const folder = join(cache, `oracle-${hash}`);
  if (!existsSync(folder)) fetchInto(cache, folder);
  return join(folder, '*');
}

function fetchInto(cache: string, folder: string): void {
  mkdirSync(cache, { recursive: true });
  const work = mkdtempSync(join(tmpdir(), 'ms-oracle-'));
  const partial = mkdtempSync(join(cache, 'partial-'));
  try {
    copyFileSync(pom, join(work, 'pom.xml'));
    const goal = ['dependency:copy-dependencies', `-DoutputDirectory=${partial}`];
    execFileSync('mvn', ['-q', '-B', ...goal], {
      cwd: work,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    // Renamed when it is whole, so that two runs at once do not see half a folder.
    if (!existsSync(folder)) renameSync(partial, folder);
  } finally {
    rmSync(work, { recursive: true, force: true });
    rmSync(partial, { recursive: true, force: true });
  }
}
