import { type Items, LateItems, stepsOf } from '../../kafka-protocol/index.ts';
import { inBatches } from './pace.ts';

/**
 * `items.map(each)`, of which each result is made when it is written. What is made so must have no effects: an answer
 * that nobody takes any more, or that is too long, is not written to its end.
 */
export function mappedLate<Item, Result>(
  items: readonly Item[],
  each: (item: Item, index: number) => Result,
): LateItems<Result> {
  return new LateItems(items.length, function* () {
    for (const [index, item] of items.entries()) yield each(item, index);
  });
}

/**
 * The answers to `items`, in their order. Some are asked at the same time, the next when those are written: questions,
 * that is. Work that has effects is done by `askInTurns` before the answer.
 */
export function askedLate<Item, Result>(
  items: readonly Item[],
  ask: (item: Item) => Promise<Result> | Result,
): LateItems<Result> {
  return new LateItems(items.length, function* () {
    for (const batch of inBatches(items)) {
      let answers: readonly Result[] = [];
      yield Promise.all(batch.map(ask)).then((all) => {
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
