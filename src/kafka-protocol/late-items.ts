/** What an array of a message is written from. */
export type Items<T> = readonly T[] | LateItems<T>;

/**
 * Items that are made one after the other while they are written: a hundred thousand of them never are there at once.
 * Only a writer whose `rest` is gone through takes them.
 */
export class LateItems<T> {
  /** How many there will be. */
  readonly length: number;
  readonly #steps: () => Iterable<T | Promise<unknown>>;

  /** A promise among the steps is no item: it is waited for before the next step. */
  constructor(length: number, steps: () => Iterable<T | Promise<unknown>>) {
    this.length = length;
    this.#steps = steps;
  }

  steps(): Iterable<T | Promise<unknown>> {
    return this.#steps();
  }
}

/** The steps to items that may be there already. */
export function stepsOf<T>(items: Items<T>): Iterable<T | Promise<unknown>> {
  return items instanceof LateItems ? items.steps() : items;
}
