import type { Clock } from './clock.ts';

/** The promise's own outcome, or a rejection with `late()` when the deadline, of the monotonic clock, comes first. */
export function withDeadline<T>(
  promise: Promise<T>,
  deadlineMs: number,
  clock: Clock,
  late: () => Error,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = clock.after(Math.max(0, deadlineMs - clock.monotonicMs()), () => reject(late()));
    promise.then(resolve, reject).finally(() => timer.cancel());
  });
}
