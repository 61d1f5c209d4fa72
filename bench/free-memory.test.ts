import { expect, test } from '@jest/globals';
import { FreeMemory } from './free-memory.ts';

/** How long is waited when the memory is free after so many milliseconds, each time it is asked for. */
async function waits(freeAfter: number, times = 1, free = 1000): Promise<number[]> {
  let [now, from] = [0, 0];
  const meminfo = () =>
    `MemTotal:       3000 kB\nMemFree:        ${now - from >= freeAfter ? free : 999} kB\nCached: 1 kB\n`;
  const memory = new FreeMemory(meminfo, async (ms) => {
    now += ms;
  });
  const waited: number[] = [];
  for (let i = 0; i < times; i++) {
    from = now;
    await memory.enough();
    waited.push(now - from);
  }
  return waited;
}

test('a load waits until a third of the memory is free', async () => {
  expect(await waits(0)).toEqual([0]);
  expect(await waits(20_000, 2)).toEqual([20_000, 20_000]);
});

test('what fills the memory for longer than files of a load do is waited for once', async () => {
  expect(await waits(0, 3, 999)).toEqual([65_000, 0, 0]);
});

test('what the system does not say is not waited for', async () => {
  const memory = new FreeMemory(
    () => '',
    () => Promise.reject(new Error('waits')),
  );
  await memory.enough();
});
