import { expect, test } from '@jest/globals';
import { askInBatches, mapInTurns, type Pace } from './pace.ts';

/** Every item takes `itemMs`. */
function slowWork(itemMs: number) {
  let nowMs = 0;
  const turns: number[] = [];
  const pace: Pace = {
    nowMs: () => nowMs,
    async nextTurn() {
      turns.push(nowMs);
    },
  };
  const double = (item: number) => {
    nowMs += itemMs;
    return 2 * item;
  };
  return { pace, turns, double };
}

test('work that grows with the request gives up its turn about each millisecond', async () => {
  const { pace, turns, double } = slowWork(0.125);
  const items = Array.from({ length: 100 }, (_, i) => i);
  expect(await mapInTurns(items, pace, double)).toEqual(items.map((item) => 2 * item));
  expect(turns.length).toBeGreaterThanOrEqual(5);
  const gaps = turns.map((turn, i) => turn - (turns[i - 1] ?? 0));
  expect(Math.max(...gaps)).toBeLessThanOrEqual(2);
});

test('short work is done in one turn', async () => {
  const { pace, turns, double } = slowWork(0.001);
  expect(await mapInTurns([1, 2, 3], pace, double)).toEqual([2, 4, 6]);
  await mapInTurns(Array<number>(500).fill(1), pace, double);
  expect(turns).toEqual([]);
});

test('of many questions some are asked at the same time, and others have their turn between', async () => {
  const { pace, turns, double } = slowWork(0.01);
  let [open, mostOpen] = [0, 0];
  const items = Array.from({ length: 2000 }, (_, i) => i);
  const answers = await askInBatches(items, pace, async (item) => {
    open += 1;
    mostOpen = Math.max(mostOpen, open);
    await Promise.resolve();
    open -= 1;
    return double(item);
  });
  expect(answers).toEqual(items.map((item) => 2 * item));
  expect(mostOpen).toBe(256);
  expect(turns.length).toBe(8);
});
