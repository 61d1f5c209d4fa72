import { existsSync, type FSWatcher, readdirSync, watch } from 'node:fs';
import { basename, join } from 'node:path';
import type { BrokerProcess } from '../support/broker-process.ts';

/** What a kill is aimed at, beside any moment at all: the file system shows when it happens. */
export const aims = ['roll', 'retention', 'deletion', 'recovery'] as const;
export type Aim = (typeof aims)[number];

const WAIT_MS = 5000;
const segment = /^\d+\.log$/;

/** Waits until it happens; false when it did not within a while. */
export function happens(aim: Aim, broker: BrokerProcess): Promise<boolean> {
  const { dataFolder } = broker;
  const isPartition = (name: string) => /^(kept|trimmed)-\d+$/.test(name);
  const folders = readdirSync(dataFolder).filter(isPartition);
  const known = new Set(folders.flatMap((name) => readdirSync(join(dataFolder, name))));
  const shows: Readonly<Record<Aim, (event: string, path: string) => boolean>> = {
    roll: (event, path) => isRenamed(event, path) && !known.has(basename(path)) && existsSync(path),
    retention: (event, path) => isRenamed(event, path) && !existsSync(path),
    deletion: (event, path) => event === 'rename' && path.endsWith('-delete'),
    // The first file that the process touches.
    recovery: () => true,
  };
  return new Promise((resolve) => {
    const watchers: FSWatcher[] = [];
    const finish = (hasHappened: boolean) => {
      clearTimeout(timer);
      for (const watcher of watchers) watcher.close();
      resolve(hasHappened);
    };
    const timer = setTimeout(() => finish(false), WAIT_MS);
    for (const folder of [dataFolder, ...folders.map((name) => join(dataFolder, name))]) {
      const watcher = watch(folder, (event, name) => {
        if (name !== null && shows[aim](event, join(folder, name))) finish(true);
      });
      watchers.push(watcher);
    }
  });
}

function isRenamed(event: string, path: string): boolean {
  return event === 'rename' && segment.test(basename(path));
}
