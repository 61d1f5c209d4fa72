import { isDeepStrictEqual } from 'node:util';
import { AssertionFailure } from '../../base/index.ts';
import type { ClassicGroup } from '../classic-group.ts';
import type { GroupMachine } from '../group-machine.ts';
import { pendingMemberBytes } from '../pending-members.ts';

/** What a machine and its groups keep counts of is what can be counted in them. */
export function checkGroups(machine: GroupMachine): void {
  let pendingBytes = 0;
  for (const group of machine.groups.values()) {
    pendingBytes += group.pendingJoinBytes;
    checkCounts(group);
  }
  demandEqual(machine.pendingBytes, pendingBytes, 'the bytes of pending members in all groups');
}

/**
 * Groups that no rebalance changes now are in both machines alike. `isExpected`: which there have to be in the other;
 * absent: all.
 */
export function checkReplayed(
  live: GroupMachine,
  replayed: GroupMachine,
  isExpected: (groupId: string) => boolean = () => true,
): void {
  const ids = [...live.groups.keys()].filter(isExpected).sort();
  demandEqual([...replayed.groups.keys()].sort(), ids, 'the groups there are');
  for (const groupId of ids) {
    const group = live.groups.get(groupId);
    if (group?.state !== 'Stable' && group?.state !== 'Empty') continue;
    demandEqual(lasting(replayed.groups.get(groupId)), lasting(group), `group ${groupId}`);
  }
}

/** What the log tells of a group. Its record says since when it was in the state before Stable. */
function lasting(group: ClassicGroup | undefined) {
  if (group === undefined) return undefined;
  const { stateSinceMs, members, ...value } = group.toValue();
  return {
    ...value,
    members: members.map(({ subscription, assignment, ...member }) => {
      return { ...member, subscription: [...subscription], assignment: [...assignment] };
    }),
    sinceMs: group.state === 'Stable' ? undefined : stateSinceMs,
    state: group.state,
    topics: group.topics,
    staticMembers: members.map(({ groupInstanceId }) =>
      group.staticMemberId(groupInstanceId ?? ''),
    ),
  };
}

function checkCounts(group: ClassicGroup): void {
  const members = group.members();
  const joined = members.filter(({ joinToken }) => joinToken !== undefined);
  demandEqual(group.awaitingJoin, joined.length, 'how many have joined');
  const bytes = group.pendingJoin().map((memberId) => pendingMemberBytes(group.groupId, memberId));
  const sum = bytes.reduce((total, each) => total + each, 0);
  demandEqual(group.pendingJoinBytes, sum, 'the bytes of pending members');
  if (group.state === 'Empty') return;
  for (const protocol of members.flatMap(({ protocols }) => protocols)) {
    const isCommon = members.every(({ protocols }) => {
      return protocols.some(({ name }) => name === protocol.name);
    });
    const isSupported = group.supports(group.protocolType ?? '', [protocol]);
    demandEqual(isSupported, isCommon, `whether all support ${protocol.name}`);
  }
}

function demandEqual(actual: unknown, expected: unknown, what: string): void {
  if (isDeepStrictEqual(actual, expected)) return;
  const text = JSON.stringify([actual, expected], (_, value) => {
    return value instanceof Set ? [...value] : value;
  });
  throw new AssertionFailure(`${what}: ${text}`);
}
