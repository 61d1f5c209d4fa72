import { expect, test } from '@jest/globals';
import { ClassicGroup, type Member } from './classic-group.ts';

const member = (memberId: string, names: string, groupInstanceId: string | null = null): Member => {
  return {
    memberId,
    groupInstanceId,
    clientId: 'c',
    clientHost: '/127.0.0.1',
    rebalanceTimeoutMs: 0,
    sessionTimeoutMs: 0,
    protocols: names.split(',').map((name) => ({ name, metadata: new Uint8Array(0) })),
    assignment: new Uint8Array(0),
    joinToken: undefined,
    syncToken: undefined,
    isNew: false,
  };
};

/** A group that prepares a rebalance, and which of three protocols all of its members support. */
function start() {
  const group = new ClassicGroup('g', 0);
  group.protocolType = 'consumer';
  group.transition('PreparingRebalance', 0);
  const supported = (of = group) =>
    ['a', 'b', 'c'].filter((name) => of.supports('consumer', member('', name).protocols)).join();
  return { group, supported };
}

test('a protocol is supported while every member there is supports it', () => {
  const { group, supported } = start();
  expect(supported()).toBe('a,b,c');
  group.put(member('m', 'a,b'));
  expect(supported()).toBe('a,b');
  group.put(member('n', 'b,c'));
  expect(supported()).toBe('b');
  group.put({ ...member('n', 'b,c'), isNew: true });
  expect(supported()).toBe('b');
  group.put(member('m', 'b,c'));
  expect(supported()).toBe('b,c');
  group.remove('m');
  group.remove('nobody');
  expect(supported()).toBe('b,c');
  group.remove('n');
  expect(supported()).toBe('a,b,c');
});

test('a static member that gets a new id is one member still', () => {
  const { group, supported } = start();
  group.put(member('i-1', 'a,b', 'i'));
  group.put(member('m', 'a,b,c'));
  group.renameStaticMember('i-1', member('i-2', 'b,c', 'i'));
  expect(supported()).toBe('b,c');
  group.remove('i-2');
  expect(supported()).toBe('a,b,c');
});

test('what a copy does to the protocols is seen when it is settled, and forgotten with it', () => {
  const { group, supported } = start();
  group.put(member('m', 'a,b'));
  group.settle();
  group.copy().put(member('n', 'b,c'));
  expect(supported()).toBe('a,b');
  const copy = group.copy();
  copy.put(member('n', 'b,c'));
  expect(supported()).toBe('a,b');
  copy.settle();
  expect(supported(copy)).toBe('b');
});
