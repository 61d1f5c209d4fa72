import { expect, test } from '@jest/globals';
import { FakeClock } from '../coordinator/testing/fake-clock.ts';
import { turns } from '../coordinator/testing/fake-log.ts';
import { withDeadline } from './deadline.ts';

test.each([60_000, -60_000])(
  'a step of the wall clock by %i ms moves no deadline',
  async (step) => {
    const clock = new FakeClock(1_000);
    let outcome: unknown;
    const deadlineMs = clock.monotonicMs() + 100;
    clock.stepWall(step);
    withDeadline(new Promise(() => {}), deadlineMs, clock, () => new Error('late')).catch(
      (error) => {
        outcome = error;
      },
    );
    clock.stepWall(step);
    clock.advance(99);
    await turns();
    expect(outcome).toBeUndefined();
    clock.advance(1);
    await turns();
    expect(outcome).toEqual(new Error('late'));
  },
);
