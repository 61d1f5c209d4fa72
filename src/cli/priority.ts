import { getPriority, setPriority } from 'node:os';

/** What this needs of the operating system; replaced in tests. */
export interface Scheduler {
  readonly platform: string;
  getPriority(): number;
  setPriority(priority: number): void;
}

const system: Scheduler = { platform: process.platform, getPriority, setPriority };
const LOWEST = 19;

/**
 * Lowers the priority of the calling thread by `nice`: where a processor is wanted by it and by a reactor or a client, they
 * are served first. On Linux a priority belongs to a thread (setpriority(2)); elsewhere it would be the whole process, and
 * nothing happens. Best effort. Threads that were started before keep theirs.
 */
export function standBack(nice: number, scheduler: Scheduler = system): void {
  if (scheduler.platform !== 'linux' || nice === 0) return;
  try {
    scheduler.setPriority(Math.min(LOWEST, scheduler.getPriority() + nice));
  } catch {
    // A sandbox may forbid it.
  }
}
