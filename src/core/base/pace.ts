/** How long work may go on before others get their turn. */
const TURN_MS = 1;
/** Looking at the clock at each step would cost as much as many a step does. */
const STEPS_BETWEEN_LOOKS = 16;

/** Questions that are open at the same time: each is a promise or two, and there may be a hundred thousand. */
export const BATCH_ITEMS = 256;

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

/** Goes through `steps`, waits for those that are promises, and lets others have their turn about each millisecond. */
export async function runInTurns(steps: Iterable<unknown>, pace: Pace): Promise<void> {
  let endMs = pace.nowMs() + TURN_MS;
  let sinceLook = 0;
  for (const step of steps) {
    sinceLook += 1;
    if (step instanceof Promise) await step;
    else if (sinceLook < STEPS_BETWEEN_LOOKS) continue;
    sinceLook = 0;
    if (pace.nowMs() < endMs) continue;
    await pace.nextTurn();
    endMs = pace.nowMs() + TURN_MS;
  }
}

/** As many items as are asked about at the same time, in their order. */
export function* inBatches<Item>(items: Iterable<Item>): Iterable<readonly Item[]> {
  let batch: Item[] = [];
  for (const item of items) {
    batch.push(item);
    if (batch.length < BATCH_ITEMS) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

/** Asks about all items in such turns, some at the same time, and hands over the answers in the order of the items. */
export async function askInTurns<Item, Answer>(
  items: Iterable<Item>,
  pace: Pace,
  ask: (item: Item) => Promise<Answer>,
  take: (answer: Answer, index: number) => void,
): Promise<void> {
  let taken = 0;
  function* steps(): Iterable<unknown> {
    for (const batch of inBatches(items)) {
      yield Promise.all(batch.map(ask)).then((answers) => {
        for (const answer of answers) take(answer, taken++);
      });
    }
  }
  await runInTurns(steps(), pace);
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
