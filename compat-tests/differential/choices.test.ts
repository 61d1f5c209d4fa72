import { expect, test } from '@jest/globals';
import { Choices } from './choices.ts';

function some(seed: number) {
  const choices = new Choices(seed);
  return choices.list(50, 50, () => [
    choices.below(7),
    choices.chance(0.3),
    choices.pick('x', 'y', 'z'),
    choices.list(0, 2, () => 1).length,
    choices.weighted([{ weight: 1 }, { weight: 2.5 }]).weight,
  ]);
}

test('makes the same choices from the same seed, and others from another', () => {
  expect(some(7)).toEqual(some(7));
  expect(some(7)).not.toEqual(some(8));
});

test('keeps to bounds, probabilities and weights', () => {
  const choices = new Choices(1);
  const rolls = choices.list(10_000, 10_000, () => choices.below(5));
  expect(new Set(rolls)).toEqual(new Set([0, 1, 2, 3, 4]));
  const lengths = choices.list(100, 100, () => choices.list(1, 3, () => 0).length);
  expect(new Set(lengths)).toEqual(new Set([1, 2, 3]));
  const hits = rolls.filter(() => choices.chance(0.2)).length;
  expect(hits).toBeGreaterThan(1800);
  expect(hits).toBeLessThan(2200);
  const heavy = rolls.filter(
    () => choices.weighted([{ weight: 1 }, { weight: 9 }]).weight === 9,
  ).length;
  expect(heavy).toBeGreaterThan(8800);
  expect(heavy).toBeLessThan(9200);
});
