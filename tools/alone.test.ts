import { expect, test } from '@jest/globals';
import { alone } from './alone.mjs';

const name = `memorystreamer-alone-${process.pid}`;

test('the second waits until the first lets it in, and says so once', async () => {
  const steps: string[] = [];
  const leave = await alone(name, () => steps.push('the first waits'));
  const second = alone(name, () => steps.push('the second waits'), soon).then((leaveToo) => {
    steps.push('the second is in');
    return leaveToo;
  });
  while (steps.length === 0) await soon();
  expect(steps).toEqual(['the second waits']);
  await leave();
  await (await second)();
  expect(steps).toEqual(['the second waits', 'the second is in']);
});

test('two names do not wait for each other', async () => {
  const leave = await alone(`${name}-a`, () => {
    throw new Error('nobody is there');
  });
  const leaveToo = await alone(`${name}-b`, () => {
    throw new Error('nobody is there');
  });
  await leave();
  await leaveToo();
});

function soon(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
