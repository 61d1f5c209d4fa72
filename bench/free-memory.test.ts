import { expect, test } from '@jest/globals';
import { isEnoughFree } from './free-memory.ts';

test('a third of the memory is enough, and so is what the system does not say', () => {
  const meminfo = (free: number) =>
    `MemTotal:       3000 kB\nMemFree:        ${free} kB\nCached: 1 kB\n`;
  expect([999, 1000].map((free) => isEnoughFree(meminfo(free)))).toEqual([false, true]);
  expect(isEnoughFree('')).toBe(true);
});
