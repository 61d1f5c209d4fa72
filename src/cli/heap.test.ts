import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { setUpHeap } from './heap.ts';

test('collects what nobody holds any more', async () => {
  const collect = setUpHeap();
  const make = () => new WeakRef({});
  const ref = make();
  await nextTurn();
  collect();
  expect(ref.deref()).toBeUndefined();
});
