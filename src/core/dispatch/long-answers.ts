import type { Engine } from '../../engine/index.ts';
import type { Clock } from '../base/index.ts';

/** An answer that is longer goes on alone. */
const ALONE_BYTES = 1 << 20;
const ROOM_RETRY_MS = 20;

/** An answer would be longer than the configuration allows. */
export class AnswerTooLongError extends Error {
  override readonly name = 'AnswerTooLongError';
}

/**
 * Bounds what the native half keeps of answers until they are complete, and until clients take them: a few bytes may ask
 * for very many. Of long ones one is made after the other, when those before were taken or their clients are gone.
 */
export class LongAnswers {
  readonly #engine: Pick<Engine, 'hasAnswerRoom'>;
  readonly #clock: Clock;
  readonly #bytesMax: number;
  /** Resolves when the last one that went on alone is made. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(engine: Pick<Engine, 'hasAnswerRoom'>, clock: Clock, bytesMax: number) {
    this.#engine = engine;
    this.#clock = clock;
    this.#bytesMax = bytesMax;
  }

  /**
   * The steps in which an answer is written, with what must be waited for between them; no more once its client is gone.
   * `bytes`: how long it is by now.
   */
  *paced(steps: Iterable<unknown>, bytes: () => number, isGone: () => boolean): Iterable<unknown> {
    let end: (() => void) | undefined;
    try {
      for (const step of steps) {
        yield step;
        if (isGone()) return;
        if (bytes() > this.#bytesMax)
          throw new AnswerTooLongError(`more than ${this.#bytesMax} bytes`);
        if (end !== undefined || bytes() <= ALONE_BYTES) continue;
        const before = this.#last;
        const { promise, resolve } = deferred();
        [this.#last, end] = [promise, resolve];
        yield before.then(() => this.#room());
      }
    } finally {
      end?.();
    }
  }

  async #room(): Promise<void> {
    while (!this.#engine.hasAnswerRoom()) {
      const { promise, resolve } = deferred();
      this.#clock.after(ROOM_RETRY_MS, resolve);
      await promise;
    }
  }
}

function deferred(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let settle = () => {};
  const promise = new Promise<void>((resolve) => {
    settle = resolve;
  });
  return { promise, resolve: () => settle() };
}
