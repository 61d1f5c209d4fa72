import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { systemClock } from './clock.ts';

const DAY_MS = 86_400_000;

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

test('a timer of more days than 32 bits count milliseconds does not end at once', () => {
  let calls = 0;
  systemClock.after(60 * DAY_MS, () => {
    calls += 1;
  });
  jest.advanceTimersByTime(60 * DAY_MS - 1);
  expect(calls).toBe(0);
  jest.advanceTimersByTime(1);
  expect(calls).toBe(1);
  expect(jest.getTimerCount()).toBe(0);
});

test('its monotonic reading takes no part in a step of the wall clock', () => {
  const monotonicMs = systemClock.monotonicMs();
  for (const step of [60_000, -120_000]) {
    const wallMs = systemClock.nowMs();
    jest.setSystemTime(wallMs + step);
    expect(systemClock.nowMs() - wallMs).toBe(step);
    expect(systemClock.monotonicMs()).toBe(monotonicMs);
  }
  jest.advanceTimersByTime(1_000);
  expect(systemClock.monotonicMs()).toBe(monotonicMs + 1_000);
});

test('it can be cancelled at any time', () => {
  const timer = systemClock.after(60 * DAY_MS, () => {
    throw new Error('was called');
  });
  jest.advanceTimersByTime(50 * DAY_MS);
  timer.cancel();
  jest.advanceTimersByTime(50 * DAY_MS);
  expect(jest.getTimerCount()).toBe(0);
});
