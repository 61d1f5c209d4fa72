import { expect, test } from '@jest/globals';
import { runInTurns, systemPace } from '../base/index.ts';
import { FakeClock } from '../coordinator/testing/fake-clock.ts';
import { LongAnswers } from './long-answers.ts';

const MIB = 1 << 20;

function setUp() {
  const engine = { hasRoom: true, hasAnswerRoom: () => engine.hasRoom };
  const clock = new FakeClock();
  const answers = new LongAnswers(engine, clock, 8 * MIB);
  /** One of so many MiB, each of which is a step. Behind the third it waits for `until`. */
  const make = (mib: number, until?: Promise<void>) => {
    const answer = { made: 0, isWhole: false, isGone: false };
    function* steps() {
      while (answer.made < mib) {
        answer.made += 1;
        yield answer.made === 3 ? until : undefined;
      }
    }
    const bytes = () => answer.made * MIB;
    const paced = answers.paced(steps(), bytes, () => answer.isGone);
    void runInTurns(paced, systemPace).then(
      () => {
        answer.isWhole = true;
      },
      () => {},
    );
    return answer;
  };
  return { engine, clock, make };
}

async function turns(): Promise<void> {
  for (let i = 0; i < 3; i++) await systemPace.nextTurn();
}

test('while one is made no other gets beyond its first MiB, though there is room', async () => {
  const { make } = setUp();
  let goOn = () => {};
  const until = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  const [first, second, short] = [make(4, until), make(3), make(1)];
  await turns();
  expect([first.made, second.made, short.isWhole]).toEqual([3, 2, true]);
  goOn();
  await turns();
  expect([first.isWhole, second.isWhole]).toEqual([true, true]);
});

test('one that is too long lets the next go on', async () => {
  const { make } = setUp();
  const [first, second] = [make(9), make(3)];
  await turns();
  expect([first.isWhole, second.isWhole]).toEqual([false, true]);
});

test('one whose client is gone is made no further, and lets the next go on', async () => {
  const { make } = setUp();
  let goOn = () => {};
  const until = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  const [first, second] = [make(8, until), make(3)];
  await turns();
  first.isGone = true;
  goOn();
  await turns();
  expect([first.made, second.isWhole]).toEqual([3, true]);
});

test('one that waits for room looks for it again', async () => {
  const { engine, clock, make } = setUp();
  engine.hasRoom = false;
  const answer = make(3);
  for (let i = 0; i < 3; i++) {
    await turns();
    expect([answer.made, clock.timers]).toEqual([2, 1]);
    clock.advance(1000);
  }
  engine.hasRoom = true;
  await turns();
  clock.advance(1000);
  await turns();
  expect(answer.isWhole).toBe(true);
});
