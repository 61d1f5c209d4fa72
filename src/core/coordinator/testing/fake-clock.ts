import type { Clock, Timer } from '../../base/index.ts';

/** Whoever takes one reading for the other is far off. */
const WALL_AHEAD_MS = 1_700_000_000_000;

/** A clock that stands still until `advance`. */
export class FakeClock implements Clock {
  #monotonicMs: number;
  #wallAheadMs = WALL_AHEAD_MS;
  #waiting: { atMs: number; callback: () => void }[] = [];

  constructor(monotonicMs = 0) {
    this.#monotonicMs = monotonicMs;
  }

  nowMs(): number {
    return this.#monotonicMs + this.#wallAheadMs;
  }

  monotonicMs(): number {
    return this.#monotonicMs;
  }

  /** The number of timers that are set. */
  get timers(): number {
    return this.#waiting.length;
  }

  after(delayMs: number, callback: () => void): Timer {
    const entry = { atMs: this.#monotonicMs + delayMs, callback };
    this.#waiting.push(entry);
    return {
      cancel: () => {
        this.#waiting = this.#waiting.filter((other) => other !== entry);
      },
    };
  }

  /** Sets the wall clock forward, or back; no time passes. */
  stepWall(ms: number): void {
    this.#wallAheadMs += ms;
  }

  /** Moves time on, calling back what falls due on the way, each at its own moment. */
  advance(ms: number): void {
    const endMs = this.#monotonicMs + ms;
    for (;;) {
      const due = this.#waiting.filter(({ atMs }) => atMs <= endMs);
      const next = due.sort((a, b) => a.atMs - b.atMs)[0];
      if (next === undefined) break;
      this.#waiting = this.#waiting.filter((other) => other !== next);
      this.#monotonicMs = Math.max(this.#monotonicMs, next.atMs);
      next.callback();
    }
    this.#monotonicMs = endMs;
  }
}
