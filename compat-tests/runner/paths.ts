import { mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const repositoryRoot = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
export const clientsFolder = join(repositoryRoot, 'compat-tests', 'clients');

/** Where downloads and builds of the test clients live between runs; created on first use. */
export function cacheFolder(...below: string[]): string {
  const base = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache');
  const folder = join(base, 'memorystreamer-test', ...below);
  mkdirSync(folder, { recursive: true });
  return folder;
}
