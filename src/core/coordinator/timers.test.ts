import { expect, test } from '@jest/globals';
import { FakeClock } from './testing/fake-clock.ts';
import { NamedTimers } from './timers.ts';

interface Names {
  readonly Command: { readonly kind: string };
  readonly Record: { readonly kind: string };
  readonly Note: { readonly kind: string };
  readonly Reply: unknown;
}

function start() {
  const clock = new FakeClock();
  const due: string[] = [];
  const timers = new NamedTimers<Names>(clock, ({ kind }) =>
    due.push(`${kind}@${clock.monotonicMs()}`),
  );
  const set = (name: string, delayMs: number) =>
    timers.apply({ name, delayMs, command: { kind: name } });
  return { clock, due, timers, set };
}

test('timers fall due in order, each once, with one timer of the clock', () => {
  const { clock, due, set } = start();
  set('c', 30);
  set('a', 10);
  set('b', 20);
  expect(clock.timers).toBeLessThanOrEqual(1);
  clock.advance(100);
  expect(due).toEqual(['a@10', 'b@20', 'c@30']);
});

test('a timer can be moved later and earlier, and cleared', () => {
  const { clock, due, timers, set } = start();
  set('later', 10);
  set('later', 50);
  set('earlier', 60);
  set('earlier', 20);
  set('never', 5);
  timers.apply({ name: 'never', delayMs: undefined });
  clock.advance(100);
  expect(due).toEqual(['earlier@20', 'later@50']);
});

test.each([60_000, -60_000])('a step of the wall clock by %i ms moves no timer', (step) => {
  const { clock, due, set } = start();
  set('first', 10);
  set('before', 30);
  clock.stepWall(step);
  set('after', 20);
  clock.advance(30);
  expect(due).toEqual(['first@10', 'after@20', 'before@30']);
});

test('the heap stays small however many timers are set and cleared', () => {
  const { clock, due, timers, set } = start();
  for (let i = 0; i < 10_000; i += 1) {
    set(`t${i}`, 1000 + ((i * 7919) % 5000));
    if (i % 10 !== 0) timers.apply({ name: `t${i}`, delayMs: undefined });
  }
  expect(timers.size).toBe(1000);
  clock.advance(10_000);
  expect(due).toHaveLength(1000);
  const times = due.map((text) => Number(text.split('@')[1]));
  expect(times).toEqual([...times].sort((a, b) => a - b));
});

test('nothing falls due after clear', () => {
  const { clock, due, timers, set } = start();
  set('a', 10);
  timers.clear();
  clock.advance(100);
  expect(due).toEqual([]);
  expect(clock.timers).toBe(0);
});

test('what a timer sets, moves or clears when it falls due is respected', () => {
  const clock = new FakeClock();
  const due: string[] = [];
  const timers = new NamedTimers<Names>(clock, ({ kind }) => {
    due.push(kind);
    if (kind !== 'first') return;
    timers.apply({ name: 'cleared', delayMs: undefined });
    timers.apply({ name: 'moved', delayMs: 40 });
    timers.apply({ name: 'again', delayMs: 0, command: { kind: 'again' } });
  });
  for (const name of ['first', 'cleared', 'moved']) {
    timers.apply({ name, delayMs: 10, command: { kind: name } });
  }
  clock.advance(49);
  expect(due).toEqual(['first', 'again']);
  clock.advance(1);
  expect(due).toEqual(['first', 'again', 'moved']);
});

test('a timer that sets itself without delay leaves the event loop its turn', () => {
  const clock = new FakeClock();
  const calls: string[] = [];
  const timers = new NamedTimers<Names>(clock, (command) => {
    calls.push(command.kind);
    if (calls.length < 5) timers.apply({ name: 'spin', delayMs: 0, command });
  });
  timers.apply({ name: 'spin', delayMs: 0, command: { kind: 'spin' } });
  clock.after(0, () => void calls.push('another'));
  expect(calls).toEqual([]);
  clock.advance(0);
  expect(calls).toEqual(['spin', 'another', 'spin', 'spin', 'spin']);
});
