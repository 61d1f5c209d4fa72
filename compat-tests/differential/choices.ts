import { Random } from '../../src/kafka-protocol/testing/random.ts';

/** All that a walk leaves to chance: the same seed makes the same choices. */
export class Choices {
  readonly #random: Random;

  constructor(seed: number) {
    this.#random = new Random(seed);
  }

  /** In [0, limit). */
  below(limit: number): number {
    return this.#random.below(limit);
  }

  chance(probability: number): boolean {
    return this.#random.uint32() < probability * 2 ** 32;
  }

  /** One of these; what is said twice is chosen twice as often. */
  pick<T>(...items: readonly [T, ...T[]]): T {
    return this.#random.pick(items);
  }

  /** At least so many and at most so many. */
  list<T>(least: number, most: number, make: () => T): readonly T[] {
    return Array.from({ length: least + this.below(most - least + 1) }, make);
  }

  /** One of these, each as often as its weight says. */
  weighted<T extends { readonly weight: number }>(items: readonly T[]): T {
    const total = items.reduce((sum, { weight }) => sum + weight, 0);
    let rest = (this.#random.uint32() / 2 ** 32) * total;
    for (const item of items) {
      rest -= item.weight;
      if (rest < 0) return item;
    }
    throw new Error('nothing to choose from');
  }
}
