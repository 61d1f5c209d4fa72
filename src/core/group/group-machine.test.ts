import { expect, test } from '@jest/globals';
import { ErrorCode, ZERO_UUID } from '../../kafka-protocol/index.ts';
import type { ReplyToken } from '../coordinator/index.ts';
import { GroupMachine } from './group-machine.ts';
import { parseCommand, settingsOf, words } from './testing/trace-commands.ts';
import { walksOver } from './testing/walks.ts';
import type { GroupCommand } from './vocabulary.ts';

/** A machine that is told commands as traces have them, and applies what it decides. */
function start() {
  const machine = new GroupMachine(settingsOf([]));
  let ids = 0;
  const timers = new Set<string>();
  const execute = (command: GroupCommand) => {
    const token = 1 as ReplyToken;
    const input = { nowMs: DAY_MS, token, newId: () => String(++ids) };
    const effects = machine.decide(command, input);
    for (const record of effects.records) machine.replay(record);
    for (const note of effects.notes) machine.note(note);
    for (const { name, delayMs } of effects.timers) {
      if (delayMs === undefined) timers.delete(name);
      else timers.add(name);
    }
    return effects;
  };
  const tell = (line: string) => execute(parseCommand(words(line)));
  /** The error code, or the whole answer where it has none. */
  const ask = (line: string) => {
    const [answer] = tell(line).replies;
    return answer !== undefined && 'errorCode' in answer.reply ? answer.reply.errorCode : answer;
  };
  return { machine, execute, tell, ask, timers };
}

/**
 * Client ids are part of member ids, and these of the names of timers: with such a client id 8 are what
 * one group may keep, 32 a partition.
 */
const LONG = 'c'.repeat(32_700);
const DAY_MS = 86_400_000;
const { COORDINATOR_LOAD_IN_PROGRESS, MEMBER_ID_REQUIRED } = ErrorCode;

function fillWithPending(ask: (line: string) => unknown, groupId: string): void {
  for (let i = 0; i < 8; i += 1) {
    expect(ask(`join ${groupId} client=${LONG}`)).toBe(MEMBER_ID_REQUIRED);
  }
}

test('no command of a group goes through those who were given an id and have not come back', () => {
  const { tell } = start();
  tell('join g client=a');
  for (let i = 2; i <= 1_000; i += 1) tell('join g client=p');
  const { passes } = walksOver(100, () => {
    tell('join g client=p');
    tell('join g member=a-1 client=a');
    tell('leave g p-2');
    tell('join g member=p-3 client=p');
  });
  expect(passes).toBe(0);
});

test.each([
  ['leave', (memberIds: string[]) => parseCommand(['leave', 'g', ...memberIds])],
  ['do not come back', () => ({ kind: 'rebalance-expired', groupId: 'g' }) as const],
  ['do not sync', () => ({ kind: 'sync-expired', groupId: 'g', generationId: 1 }) as const],
])('members who %s at once are not gone through for each', (how, commandFor) => {
  const { tell, execute } = start();
  const memberIds = Array.from({ length: 1_000 }, (_, i) => `m-${i + 1}`);
  for (const _ of memberIds) tell('join g client=m v=3');
  execute({ kind: 'initial-delay-expired', groupId: 'g', remainingMs: 0 });
  if (how === 'do not come back') tell('join g client=m v=3');
  const { steps } = walksOver(100, () => {
    const [note] = execute(commandFor(memberIds)).notes;
    expect(note?.group.size).toBe(how === 'do not come back' ? 1 : 0);
  });
  expect(steps).toBeLessThan(50 * memberIds.length);
});

test('who would be one pending member too many comes later; members, and other groups, do not', () => {
  const { tell, ask } = start();
  const [joined] = tell('join g client=a v=3').notes;
  expect(joined?.group.size).toBe(1);
  fillWithPending(ask, 'g');
  for (let i = 0; i < 2; i += 1) {
    const { records, replies, timers } = tell('join g client=b');
    expect(replies[0]?.reply).toMatchObject({ errorCode: COORDINATOR_LOAD_IN_PROGRESS });
    expect([records, timers]).toEqual([[], []]);
  }
  expect(ask('join h client=b')).toBe(MEMBER_ID_REQUIRED);
  // Who is told no id, has one, or needs none.
  expect(tell('join g instance=i client=b').notes).toHaveLength(1);
  expect(tell('join g client=b v=3').notes[0]?.group.size).toBe(3);
  expect(tell(`join g member=${LONG}-2 client=${LONG}`).notes[0]?.group.size).toBe(4);
  // That was a pending member, and its place is free.
  expect(ask('join g client=b')).toBe(MEMBER_ID_REQUIRED);
});

test('a pending member whose session ends makes room', () => {
  const { execute, ask } = start();
  fillWithPending(ask, 'g');
  expect(ask('join g client=b')).toBe(COORDINATOR_LOAD_IN_PROGRESS);
  execute({ kind: 'session-expired', groupId: 'g', memberId: `${LONG}-1` });
  expect(ask('join g client=b')).toBe(MEMBER_ID_REQUIRED);
});

test('pending members hold the names of their timers too, where a colon takes three characters', () => {
  const { tell, ask } = start();
  const groupId = ':'.repeat(32_700);
  for (let i = 0; i < 6; i += 1) expect(ask(`join ${groupId} client=p`)).toBe(MEMBER_ID_REQUIRED);
  expect(ask(`join ${groupId} client=p`)).toBe(COORDINATOR_LOAD_IN_PROGRESS);
  // What is told to come back, or goes, frees all that it held.
  tell(`join ${groupId} member=p-1 client=p`);
  tell(`leave ${groupId} p-2`);
  for (let i = 0; i < 2; i += 1) expect(ask(`join ${groupId} client=p`)).toBe(MEMBER_ID_REQUIRED);
  expect(ask(`join ${groupId} client=p`)).toBe(COORDINATOR_LOAD_IN_PROGRESS);
});

test('pending members of all groups of a partition are bounded too', () => {
  const { machine, tell, ask } = start();
  for (const groupId of ['g1', 'g2', 'g3', 'g4']) fillWithPending(ask, groupId);
  expect(ask('join g5 client=b')).toBe(COORDINATOR_LOAD_IN_PROGRESS);
  // No group is made for it.
  expect(machine.liveRecords()).toBe(4);
  tell(`leave g1 ${LONG}-1`);
  expect(ask('join g5 client=b')).toBe(MEMBER_ID_REQUIRED);
});

test.each(['deleted', 'expired'])(
  'nothing is left of pending members when their group is %s',
  (how) => {
    const { execute, ask, timers } = start();
    for (let round = 0; round < 5; round += 1) {
      fillWithPending(ask, 'g');
      if (how === 'deleted') execute({ kind: 'delete-groups', groupIds: ['g'] });
      else execute({ kind: 'expire-offsets' });
      expect([...timers].filter((name) => name.startsWith('session'))).toEqual([]);
    }
  },
);

test('a group with more expired offsets than a call takes arguments is rid of them', () => {
  const { machine, execute } = start();
  const place = { kind: 'offset', groupId: 'g', topic: 't' } as const;
  const value = {
    offset: 1n,
    leaderEpoch: -1,
    metadata: '',
    commitTimestampMs: 0,
    expireTimestampMs: 1,
    topicId: ZERO_UUID,
  };
  for (let partitionIndex = 0; partitionIndex < 300_000; partitionIndex += 1) {
    machine.replay({ ...place, partitionIndex, value });
  }
  expect(execute({ kind: 'expire-offsets' }).records).toHaveLength(300_001);
  expect(machine.liveRecords()).toBe(0);
});
