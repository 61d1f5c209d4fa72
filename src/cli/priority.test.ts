import { expect, test } from '@jest/globals';
import { type Scheduler, standBack } from './priority.ts';

const scheduled = (priority: number, platform = 'linux') => {
  const set: number[] = [];
  const scheduler: Scheduler = {
    platform,
    getPriority: () => priority,
    setPriority: (to) => void set.push(to),
  };
  return { set, scheduler };
};

test.each([
  [10, 0, [10]],
  [10, 5, [15]],
  [10, 15, [19]],
  [10, -5, [5]],
  [0, 5, []],
])('stands back by %d from %d', (nice, from, expected) => {
  const { set, scheduler } = scheduled(from);
  standBack(nice, scheduler);
  expect(set).toEqual(expected);
});

test('does nothing where a priority is that of the whole process', () => {
  const { set, scheduler } = scheduled(0, 'darwin');
  standBack(10, scheduler);
  expect(set).toEqual([]);
});

test('a system that refuses is no failure', () => {
  const setPriority = () => {
    throw new Error('EACCES');
  };
  const { scheduler } = scheduled(0);
  expect(() => standBack(10, { ...scheduler, setPriority })).not.toThrow();
});
