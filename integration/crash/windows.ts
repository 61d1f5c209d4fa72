import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Aim } from './moments.ts';

/** What is in a data folder: folders, and the files of the partitions that are written. */
export function filesIn(dataFolder: string): Set<string> {
  const folders = readdirSync(dataFolder);
  const files = folders
    .filter(isWritten)
    .flatMap((folder) => readdirSync(join(dataFolder, folder)).map((file) => join(folder, file)));
  return new Set([...folders, ...files]);
}

/** What a broker that was killed had begun since `before` and not finished, as its files show. */
export function halfDone(dataFolder: string, before: ReadonlySet<string>): Set<Aim> {
  const found = new Set<Aim>();
  const isNew = (file: string) => !before.has(file);
  const files = [...filesIn(dataFolder)];
  if (files.some((file) => isNew(file) && file.endsWith('-delete'))) found.add('deletion');
  for (const folder of files.filter(isWritten)) {
    const segments = files
      .filter((file) => file.startsWith(`${folder}/`) && file.endsWith('.log'))
      .sort();
    const hasIndex = (segment: string) => files.includes(segment.replace(/log$/, 'index'));
    const logStart = logStartOf(join(dataFolder, folder));
    for (const [at, next] of segments.slice(1).entries()) {
      // The index of a sealed segment is written last, when the segment and the next one's name are durable.
      if (isNew(next) && !hasIndex(segments[at] ?? '')) found.add('roll');
      // What lies wholly below the log start is unlinked once that is durable.
      if (offsetOf(next) <= logStart) found.add('retention');
    }
    const beside = join(folder, 'log-start.tmp');
    if (isNew(beside) && files.includes(beside)) found.add('retention');
  }
  return found;
}

function isWritten(name: string): boolean {
  return /^(kept|trimmed)-\d+$/.test(name);
}

/** The offset in the name of a segment. */
function offsetOf(segment: string): bigint {
  return BigInt(/(\d+)\.log$/.exec(segment)?.[1] ?? '');
}

/** The file is a CRC and the number. */
function logStartOf(folder: string): bigint {
  const path = join(folder, 'log-start');
  return existsSync(path) ? readFileSync(path).readBigUInt64BE(4) : 0n;
}
