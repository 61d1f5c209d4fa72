import { readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';

/** The files of a deleted topic stay with Apache Kafka for a minute, whatever the topic's `file.delete.delay.ms` says. */
const WAIT_MS = 65_000;
const LOOK_MS = 250;

/**
 * Waits until a third of the memory is free: what a load writes is several gigabytes, and one that must first have others'
 * pages evicted measures that. Waits in vain once: then it is not the files of a load that fill the memory.
 */
export class FreeMemory {
  #isInVain = false;
  readonly #read: () => string;
  readonly #sleep: (ms: number) => Promise<void>;

  constructor(read = readMeminfo, sleep: (ms: number) => Promise<void> = setTimeout) {
    this.#read = read;
    this.#sleep = sleep;
  }

  async enough(): Promise<void> {
    for (let waited = 0; !this.#isInVain && !isEnoughFree(this.#read()); waited += LOOK_MS) {
      if (waited >= WAIT_MS) this.#isInVain = true;
      else await this.#sleep(LOOK_MS);
    }
  }
}

function isEnoughFree(meminfo: string): boolean {
  const kib = (name: string) => Number(new RegExp(`^${name}: +(\\d+) kB$`, 'm').exec(meminfo)?.[1]);
  const [free, total] = [kib('MemFree'), kib('MemTotal')];
  return Number.isNaN(free) || Number.isNaN(total) || free >= total / 3;
}

const readMeminfo = () => readFileSync('/proc/meminfo', 'utf8');
