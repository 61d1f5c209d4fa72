import { expect, test } from '@jest/globals';
import { askInTurns, mapInTurns, type Pace, runInTurns } from './pace.ts';

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

test('a step that is a promise is waited for, and others have their turn meanwhile', async () => {
  const { pace, turns, double } = slowWork(1);
  const seen: string[] = [];
  function* steps() {
    yield Promise.resolve().then(() => void seen.push('kept'));
    seen.push(`${double(1)}`);
    yield;
  }
  await runInTurns(steps(), pace);
  expect(seen).toEqual(['kept', '2']);
  expect(turns).toEqual([]);
  function* long() {
    for (let i = 0; i < 4; i++) yield Promise.resolve(double(i));
  }
  await runInTurns(long(), pace);
  expect(turns).toEqual([2, 3, 4, 5]);
});

test('of many questions some are open at the same time, and their answers are handed over in order', async () => {
  const { pace, turns, double } = slowWork(0.01);
  let [open, mostOpen] = [0, 0];
  const answers: number[] = [];
  const questions = Array.from({ length: 1000 }, (_, i) => i);
  const ask = async (question: number) => {
    open += 1;
    mostOpen = Math.max(mostOpen, open);
    // Those asked later are answered earlier.
    for (let i = question % 7; i < 7; i++) await Promise.resolve();
    open -= 1;
    return double(question);
  };
  await askInTurns(new Set(questions), pace, ask, (answer, i) => {
    answers[i] = answer;
  });
  expect(answers).toEqual(questions.map((question) => 2 * question));
  expect(mostOpen).toBe(256);
  expect(turns.length).toBeGreaterThanOrEqual(3);
});
