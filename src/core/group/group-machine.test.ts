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
  const sessions = () => [...timers].filter((name) => name.startsWith('session'));
  return { machine, execute, tell, ask, sessions };
}

/**
 * Client ids are part of member ids, and these of the names of timers: with such a client id 8 are what
 * one group may keep, 32 a partition.
 */
const LONG = 'c'.repeat(32_630);
const DAY_MS = 86_400_000;
const { NONE, COORDINATOR_LOAD_IN_PROGRESS, MEMBER_ID_REQUIRED, UNKNOWN_MEMBER_ID } = ErrorCode;

function fillWithPending(ask: (line: string) => unknown, groupId: string, count = 8): void {
  for (let i = 0; i < count; i += 1) {
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

test('members who join are not gone through for each', () => {
  const { tell } = start();
  const { passes } = walksOver(100, () => {
    for (let i = 0; i < 500; i += 1) tell('join g client=m v=3 protocols=range:x,sticky:y');
    tell('join g member=m-1 protocols=range:z,sticky:y');
    tell('join g client=m v=3 protocols=other:x');
  });
  expect(passes).toBe(0);
});

test('one pending member too many takes the place of the oldest of its size; members, and other groups, do not', () => {
  const { tell, ask, sessions } = start();
  tell('join g client=a v=3');
  fillWithPending(ask, 'g');
  const isWaitedFor = (memberId: string) => sessions().includes(`session:g:${memberId}`);
  expect(isWaitedFor(`${LONG}-2`)).toBe(true);
  // Who is told no id, has one, or needs none.
  tell('join g instance=i client=b');
  tell('join g client=b v=3');
  expect(ask('join h client=b')).toBe(MEMBER_ID_REQUIRED);
  expect(tell(`join g member=${LONG}-3 client=${LONG}`).notes[0]?.group.size).toBe(4);
  // That was a pending member, and its place is free.
  expect(ask('join g client=b')).toBe(MEMBER_ID_REQUIRED);
  expect(ask(`join g client=${LONG}`)).toBe(MEMBER_ID_REQUIRED);
  expect(isWaitedFor(`${LONG}-2`)).toBe(false);
  expect(ask(`join g member=${LONG}-2 client=${LONG}`)).toBe(UNKNOWN_MEMBER_ID);
  expect(tell(`join g member=${LONG}-4 client=${LONG}`).notes[0]?.group.size).toBe(5);
});

test('large pending members take the places of each other, and not those of small ones', () => {
  const { tell, ask, sessions } = start();
  for (let i = 0; i < 100; i += 1) tell('join g client=p');
  for (let i = 0; i < 20; i += 1) expect(ask(`join g client=${LONG}`)).toBe(MEMBER_ID_REQUIRED);
  const those = (client: string) => sessions().filter((name) => name.includes(`:${client}-`));
  expect(those('p')).toHaveLength(100);
  // The newest of them.
  expect(those(LONG)).toEqual(
    [14, 15, 16, 17, 18, 19, 20].map((i) => `session:g:${LONG}-${100 + i}`),
  );
  // For one more that is small a large one goes too.
  for (let i = 0; i < 300; i += 1) tell('join g client=p');
  expect([those('p').length, those(LONG).length]).toEqual([400, 6]);
});

test('a pending member that goes for another goes as if its session had ended', () => {
  const { tell, execute, ask } = start();
  tell('join g client=a v=3');
  execute({ kind: 'initial-delay-expired', groupId: 'g', remainingMs: 0 });
  expect(ask(`join g client=${LONG}`)).toBe(MEMBER_ID_REQUIRED);
  expect(ask('join g member=a-1 client=a protocols=range:y')).toBe(undefined);
  for (const groupId of ['g1', 'g2', 'g3']) fillWithPending(ask, groupId);
  fillWithPending(ask, 'g4', 7);
  const { replies, notes } = tell(`join g client=${LONG}`);
  // Nobody else was waited for.
  expect(replies[0]?.reply).toMatchObject({ errorCode: NONE, generationId: 2, memberId: 'a-1' });
  expect(replies).toHaveLength(2);
  expect(notes[0]?.group.pendingJoin()).toHaveLength(1);
});

test('a large pending member takes the place of as many as it needs, in one pass', () => {
  const { tell, sessions } = start();
  for (let i = 0; i < 2_000; i += 1) tell('join g client=p');
  const before = sessions().length;
  expect(before).toBeLessThan(2_000);
  const { steps } = walksOver(1_000, () => tell(`join g client=${LONG}`));
  const gone = before + 1 - sessions().length;
  expect(gone).toBeGreaterThan(200);
  expect(gone).toBeLessThan(250);
  expect(steps).toBeLessThan(2 * gone);
});

test('pending members hold the names of their timers too, where a colon takes three characters', () => {
  const { tell, ask, sessions } = start();
  const groupId = ':'.repeat(32_700);
  const join = () => expect(ask(`join ${groupId} client=p`)).toBe(MEMBER_ID_REQUIRED);
  for (let i = 0; i < 8; i += 1) join();
  expect(sessions()).toHaveLength(5);
  // What is told to come back, or goes, frees all that it held.
  tell(`join ${groupId} member=p-7 client=p`);
  tell(`leave ${groupId} p-8`);
  for (let i = 0; i < 3; i += 1) join();
  expect(sessions()).toHaveLength(6);
});

test('pending members of all groups of a partition are bounded too', () => {
  const { machine, tell, ask, sessions } = start();
  for (const groupId of ['g1', 'g2', 'g3', 'g4']) fillWithPending(ask, groupId);
  const { replies, ...rest } = tell('join g5 client=b');
  expect(replies[0]?.reply).toMatchObject({ errorCode: COORDINATOR_LOAD_IN_PROGRESS });
  // No group is made for it.
  expect(rest).toMatchObject({ records: [], timers: [], notes: [] });
  expect(machine.liveRecords()).toBe(4);
  // A group that has some gives them for its own.
  expect(ask(`join g1 client=${LONG}`)).toBe(MEMBER_ID_REQUIRED);
  expect(ask(`join g1 member=${LONG}-1 client=${LONG}`)).toBe(UNKNOWN_MEMBER_ID);
  expect(sessions()).toHaveLength(32);
});

test('a group whose pending members leave too little gives none of them', () => {
  const { tell, ask } = start();
  for (const groupId of ['g1', 'g2', 'g3']) fillWithPending(ask, groupId);
  fillWithPending(ask, 'g4', 7);
  for (const groupId of ['g5', 'g6']) tell(`join ${groupId} client=p`);
  expect(ask(`join g5 client=${LONG}`)).toBe(COORDINATOR_LOAD_IN_PROGRESS);
  expect(tell('join g5 member=p-32 client=p').notes[0]?.group.size).toBe(1);
});

test('a pending member whose session ends makes room', () => {
  const { execute, ask } = start();
  for (const groupId of ['g1', 'g2', 'g3', 'g4']) fillWithPending(ask, groupId);
  expect(ask('join g5 client=b')).toBe(COORDINATOR_LOAD_IN_PROGRESS);
  execute({ kind: 'session-expired', groupId: 'g1', memberId: `${LONG}-1` });
  expect(ask('join g5 client=b')).toBe(MEMBER_ID_REQUIRED);
});

test.each(['deleted', 'expired'])(
  'nothing is left of pending members when their group is %s',
  (how) => {
    const { execute, ask, sessions } = start();
    for (let round = 0; round < 5; round += 1) {
      fillWithPending(ask, 'g');
      if (how === 'deleted') execute({ kind: 'delete-groups', groupIds: ['g'] });
      else execute({ kind: 'expire-offsets' });
      expect(sessions()).toEqual([]);
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
