import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { cacheFolder } from './paths.ts';

/**
 * The folder in the cache with what `build(folder)` makes of these inputs. Says what it does and how long it took; a build that
 * fails leaves nothing. Every checkout of a machine uses the same cache: what is built is renamed to its place when it is
 * whole, and who finds the place taken by then uses what is there.
 */
export async function installOnce(
  name: string,
  inputs: readonly string[],
  build: (folder: string) => Promise<void>,
): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify(inputs)).digest('hex').slice(0, 12);
  const folder = join(cacheFolder(), `${name}-${hash}`);
  if (existsSync(folder)) return folder;
  const startedMs = performance.now();
  console.log(`install ${name} ...`);
  const partial = mkdtempSync(join(cacheFolder(), `partial-${basename(folder)}-`));
  try {
    await build(partial);
    moveUnlessThere(partial, folder);
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
  console.log(`install ${name}: done in ${((performance.now() - startedMs) / 1000).toFixed(1)} s`);
  return folder;
}

function moveUnlessThere(partial: string, folder: string): void {
  try {
    renameSync(partial, folder);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error;
  }
}
