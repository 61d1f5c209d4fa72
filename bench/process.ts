import { readFileSync } from 'node:fs';

const TICKS_PER_SECOND = 100;

/** What a process and its threads have had of the processors. */
export function cpuSeconds(pid: number): number {
  const fields =
    readFileSync(`/proc/${pid}/stat`, 'utf8').split(')').at(-1)?.trim().split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** What it has in memory. */
export function residentMb(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) / 1024;
}
