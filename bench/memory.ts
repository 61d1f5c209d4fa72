import { freemem } from 'node:os';

const GIB = 2 ** 30;
const MOST = 10 * GIB;

/** How much memory a load touches before it begins and gives back while it lasts, in bytes; native/loadgen/src/memory.rs says why. */
export function memoryToTouch(): number {
  return Math.floor(Math.min(MOST, freemem() / 2));
}
