import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { programPath } from './build.ts';

/**
 * Runs `use` while `ms-load keep` has the machine keep its free memory: for brokers and generators alike, from before the
 * first of them until after the last. native/loadgen/src/keep.rs says why.
 */
export async function onKeptMemory<T>(use: () => Promise<T>): Promise<T> {
  const keeper = spawn(programPath('ms-load'), ['keep'], { stdio: ['pipe', 'pipe', 'inherit'] });
  await once(keeper, 'spawn');
  const ended = once(keeper, 'exit');
  try {
    console.error(`keeping memory backed: ${await blocksOf(keeper)} blocks`);
    return await use();
  } finally {
    // It lives as long as its input, and so no longer than this process.
    keeper.stdin.end();
    await ended;
  }
}

/** Has it kept until Ctrl-C. */
export async function keepUntilInterrupted(): Promise<boolean> {
  await onKeptMemory(() => Promise.race(['SIGINT', 'SIGTERM'].map((name) => once(process, name))));
  return true;
}

async function blocksOf({ stdout }: ChildProcessByStdio<Writable, Readable, null>) {
  for await (const line of createInterface({ input: stdout })) {
    return (JSON.parse(line) as { blocks: number }).blocks;
  }
  throw new Error('ms-load keep ended');
}
