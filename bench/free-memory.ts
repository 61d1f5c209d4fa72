import { readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';

/** The files of a deleted topic stay with Apache Kafka for a minute, whatever the topic's `file.delete.delay.ms` says. */
const WAIT_MS = 65_000;
const LOOK_MS = 250;

/**
 * Waits until a third of the memory is free: what a load writes is several gigabytes, and one that must first have others'
 * pages evicted measures that. Not longer than it can take.
 */
export async function untilMemoryIsFree(): Promise<void> {
  for (
    let waited = 0;
    waited < WAIT_MS && !isEnoughFree(readFileSync('/proc/meminfo', 'utf8'));
    waited += LOOK_MS
  ) {
    await setTimeout(LOOK_MS);
  }
}

export function isEnoughFree(meminfo: string): boolean {
  const kib = (name: string) => Number(new RegExp(`^${name}: +(\\d+) kB$`, 'm').exec(meminfo)?.[1]);
  const [free, total] = [kib('MemFree'), kib('MemTotal')];
  return Number.isNaN(free) || Number.isNaN(total) || free >= total / 3;
}
