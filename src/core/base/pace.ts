/** How long work may go on before others get their turn. */
const TURN_MS = 1;
/** Looking at the clock at each step would cost as much as many a step does. */
const STEPS_BETWEEN_LOOKS = 16;

/** Questions that are open at the same time: each is a promise or two, and there may be a hundred thousand. */
const BATCH_ITEMS = 256;

/** The turns of the event loop as a dependency. */
export interface Pace {
  /** Milliseconds of a clock that only goes forward. */
  nowMs(): number;
  /** Resolves once everything that waits now had its turn. */
  nextTurn(): Promise<void>;
}

/** The machine's. */
export const systemPace: Pace = {
  nowMs: () => performance.now(),
  nextTurn: () => new Promise((resolve) => void setImmediate(resolve)),
};

/** Goes through `steps` and lets others have their turn about each millisecond. */
export async function runInTurns(steps: Iterable<unknown>, pace: Pace): Promise<void> {
  let endMs = pace.nowMs() + TURN_MS;
  let sinceLook = 0;
  for (const _ of steps) {
    sinceLook += 1;
    if (sinceLook < STEPS_BETWEEN_LOOKS) continue;
    sinceLook = 0;
    if (pace.nowMs() < endMs) continue;
    await pace.nextTurn();
    endMs = pace.nowMs() + TURN_MS;
  }
}

/** `items.map(each)` in such turns. Results may be promises; they are not awaited. */
export async function mapInTurns<Item, Result>(
  items: readonly Item[],
  pace: Pace,
  each: (item: Item) => Result,
): Promise<Result[]> {
  const results: Result[] = [];
  function* steps(): Iterable<unknown> {
    for (const item of items) yield results.push(each(item));
  }
  await runInTurns(steps(), pace);
  return results;
}

/**
 * The answers to `items`, in their order: some are asked at the same time, the next when those are answered, and others
 * have their turn about each millisecond.
 */
export async function askInBatches<Item, Result>(
  items: Iterable<Item>,
  pace: Pace,
  ask: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  let asked: Promise<Result>[] = [];
  let endMs = pace.nowMs() + TURN_MS;
  const settle = async () => {
    for (const result of await Promise.all(asked)) results.push(result);
    asked = [];
    if (pace.nowMs() < endMs) return;
    await pace.nextTurn();
    endMs = pace.nowMs() + TURN_MS;
  };
  for (const item of items) {
    if (asked.push(ask(item)) >= BATCH_ITEMS) await settle();
  }
  if (asked.length > 0) await settle();
  return results;
}
