import { type Items, LateItems, stepsOf } from '../../kafka-protocol/index.ts';
import { BATCH_ITEMS } from './pace.ts';

/** `items.map(each)`, of which each result is made when it is written. */
export function mappedLate<Item, Result>(
  items: readonly Item[],
  each: (item: Item) => Result,
): LateItems<Result> {
  return new LateItems(items.length, function* () {
    for (const item of items) yield each(item);
  });
}

/** The answers to `items`, in their order. Some are asked at the same time, the next when those are written. */
export function askedLate<Item, Result>(
  items: readonly Item[],
  ask: (item: Item) => Promise<Result> | Result,
): LateItems<Result> {
  return new LateItems(items.length, function* () {
    for (let from = 0; from < items.length; from += BATCH_ITEMS) {
      let answers: readonly Result[] = [];
      const asked = items.slice(from, from + BATCH_ITEMS).map(ask);
      yield Promise.all(asked).then((all) => {
        answers = all;
      });
      yield* answers;
    }
  });
}

/** All of them, one after the other. */
export function joined<T>(parts: readonly Items<T>[]): LateItems<T> {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  return new LateItems(length, function* () {
    for (const part of parts) yield* stepsOf(part);
  });
}
