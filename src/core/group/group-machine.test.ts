import { expect, test } from '@jest/globals';
import type { ReplyToken } from '../coordinator/index.ts';
import { GroupMachine } from './group-machine.ts';
import { parseCommand, settingsOf, words } from './testing/trace-commands.ts';

/** A machine that is told commands as traces have them, and applies what it decides. */
function start() {
  const machine = new GroupMachine(settingsOf([]));
  let ids = 0;
  const tell = (line: string) => {
    const token = 1 as ReplyToken;
    const input = { nowMs: 0, token, newId: () => String(++ids) };
    const effects = machine.decide(parseCommand(words(line)), input);
    for (const record of effects.records) machine.replay(record);
    for (const note of effects.notes) machine.note(note);
    return effects;
  };
  return { machine, tell };
}

/** How often a map or a set of so many entries is gone through by what `act` does. */
function passesOver(entries: number, act: () => void): number {
  let passes = 0;
  const restore = [Map.prototype, Set.prototype].map((prototype) => {
    const iterate = prototype[Symbol.iterator];
    prototype[Symbol.iterator] = function (this: Map<unknown, unknown> & Set<unknown>) {
      if (this.size >= entries) passes += 1;
      return Reflect.apply(iterate, this, []);
    };
    return () => {
      prototype[Symbol.iterator] = iterate;
    };
  });
  act();
  for (const each of restore) each();
  return passes;
}

test('no command of a group goes through those who were given an id and have not come back', () => {
  const { tell } = start();
  tell('join g client=a');
  for (let i = 2; i <= 1_000; i += 1) tell('join g client=p');
  const passes = passesOver(100, () => {
    tell('join g client=p');
    tell('join g member=a-1 client=a');
    tell('leave g p-2');
    tell('join g member=p-3 client=p');
  });
  expect(passes).toBe(0);
});
