import { expect, test } from '@jest/globals';
import { allThere } from '../testing/all-there.ts';
import { askedLate, joined, mappedLate } from './late.ts';

const numbers = Array.from({ length: 1000 }, (_, i) => i);

test('nothing is made before it is written, and each when it is', () => {
  const made: number[] = [];
  const doubled = mappedLate(numbers, (item) => {
    made.push(item);
    return 2 * item;
  });
  expect(doubled.length).toBe(1000);
  expect(made).toEqual([]);
  const [first, second] = doubled.steps();
  expect([first, second]).toEqual([0, 2]);
  expect(made).toEqual([0, 1]);
});

test('of many questions some are asked at the same time, and their answers are in the order of the questions', async () => {
  let [open, mostOpen] = [0, 0];
  const answers = askedLate(numbers, async (item) => {
    open += 1;
    mostOpen = Math.max(mostOpen, open);
    // Those asked later are answered earlier.
    for (let i = item % 7; i < 7; i++) await Promise.resolve();
    open -= 1;
    return 2 * item;
  });
  expect(await allThere(answers)).toEqual(numbers.map((item) => 2 * item));
  expect(mostOpen).toBe(256);
});

test('lists become one, in whose order they are', async () => {
  const late = mappedLate([3, 4], (item) => item);
  const all = joined([[1, 2], late, [], joined([[5]])]);
  expect(all.length).toBe(5);
  expect(await allThere(all)).toEqual([1, 2, 3, 4, 5]);
});
