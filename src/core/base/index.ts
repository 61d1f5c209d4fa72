/** Small things that every part of core shares. */
export { AssertionFailure, assert, unreachable } from './assert.ts';
export { type Clock, systemClock, type Timer } from './clock.ts';
export { withDeadline } from './deadline.ts';
export {
  inConcurrentHashMapOrder,
  inHashMapOrder,
  inHashSetOrder,
  javaHash,
  partitionHasher,
} from './java-hash.ts';
export { askedLate, joined, mappedLate } from './late.ts';
export { type Logger, silentLogger } from './logger.ts';
export { ORDERED_MAX } from './ordered-by.ts';
export {
  askInTurns,
  BATCH_ITEMS,
  mapInTurns,
  type Pace,
  runInTurns,
  systemPace,
} from './pace.ts';
export { inScalaMapOrder, inScalaTreeOrder } from './scala-hash.ts';
export { shortened } from './shortened.ts';
