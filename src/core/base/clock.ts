/** Time and timers as a dependency, so that tests and simulation can drive them. */
export interface Clock {
  /** Wall-clock milliseconds since the epoch, for what is written or shown. The clock may be set, forward or back. */
  nowMs(): number;
  /** Milliseconds that only pass, since a moment of no meaning: for deadlines and durations. */
  monotonicMs(): number;
  /** Calls back once, not earlier than `delayMs` from now. */
  after(delayMs: number, callback: () => void): Timer;
}

export interface Timer {
  cancel(): void;
}

/** Node's timers count in 32 bits; a longer delay would end at once. */
const DELAY_MAX_MS = 2 ** 31 - 1;

/** The machine's clock. Timers do not keep the process alive. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => Math.floor(performance.now()),
  after(delayMs, callback) {
    let timeout: NodeJS.Timeout;
    const wait = (restMs: number) => {
      const stepMs = Math.min(restMs, DELAY_MAX_MS);
      const isLast = stepMs === restMs;
      timeout = setTimeout(() => (isLast ? callback() : wait(restMs - stepMs)), stepMs);
      timeout.unref();
    };
    wait(delayMs);
    return { cancel: () => clearTimeout(timeout) };
  },
};
