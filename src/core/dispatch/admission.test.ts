import { expect, test } from '@jest/globals';
import { Admission, type Place, REQUEST_ITEMS_MAX } from './admission.ts';

function setUp() {
  const turns: (() => void)[] = [];
  const admission = new Admission(() => new Promise((resolve) => void turns.push(resolve)));
  const admitted = new Map<string, Place>();
  const gone = new Set<string>();
  const enter = (name: string, bytes: number) =>
    admission.enter(
      bytes,
      (place) => void admitted.set(name, place),
      () => gone.has(name),
    );
  const nextTurn = async () => {
    for (const turn of turns.splice(0)) turn();
    await Promise.resolve();
    await Promise.resolve();
  };
  return { enter, nextTurn, names: () => [...admitted.keys()].join(' '), admitted, gone };
}

const MIB = 1 << 20;

test('a large request waits until those before it hold less', async () => {
  const { enter, nextTurn, names, admitted } = setUp();
  expect([enter('a', MIB), enter('b', MIB), enter('c', MIB)]).toEqual([true, true, true]);
  expect(names()).toBe('a');
  admitted.get('a')?.holds(1);
  await nextTurn();
  // What its bytes may hold is taken for what it holds until it is decoded.
  expect(names()).toBe('a');
  admitted.get('a')?.holds(0);
  await nextTurn();
  expect(names()).toBe('a b');
  admitted.get('b')?.holds(0);
  await nextTurn();
  expect(names()).toBe('a b c');
});

test('one is admitted a turn', async () => {
  const { enter, nextTurn, names, admitted } = setUp();
  enter('a', REQUEST_ITEMS_MAX);
  for (const name of ['b', 'c']) enter(name, REQUEST_ITEMS_MAX / 3);
  expect(names()).toBe('a');
  admitted.get('a')?.holds(0);
  expect(names()).toBe('a');
  // There is room for both.
  await nextTurn();
  expect(names()).toBe('a b');
  await nextTurn();
  expect(names()).toBe('a b c');
});

test('small requests never wait, and who is gone is left out', async () => {
  const { enter, nextTurn, names, admitted, gone } = setUp();
  for (const name of ['a', 'b', 'c']) enter(name, MIB);
  enter('small', 100);
  expect(names()).toBe('a small');
  gone.add('b');
  admitted.get('a')?.holds(0);
  await nextTurn();
  await nextTurn();
  expect(names()).toBe('a small c');
});

test('what waits is bounded', () => {
  const { enter } = setUp();
  enter('first', 4 * MIB);
  const answers = Array.from({ length: 3 }, (_, i) => enter(`${i}`, 4 * MIB));
  expect(answers).toEqual([true, true, false]);
});

test('a request that is larger than what may wait waits when no other does', () => {
  const { enter } = setUp();
  enter('first', MIB);
  expect([enter('large', 9 * MIB), enter('another', MIB)]).toEqual([true, false]);
});
