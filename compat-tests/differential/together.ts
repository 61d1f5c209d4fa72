import { JoinGroup, SyncGroup } from '../../src/kafka-protocol/index.ts';
import { timeouts } from './group-requests.ts';
import { type Ask, anyVersion, type Generator } from './step.ts';
import { memberOf } from './template.ts';
import { GROUPS, SLOTS, type World } from './world.ts';

/** Whole rebalances: all members of a group, and sometimes a new one, ask at once. */
export const groupsTogether: readonly Generator[] = [
  { api: JoinGroup, weight: 4, step: joinTogether },
  { api: SyncGroup, weight: 4, step: syncTogether },
];

function joinTogether(world: World): readonly Ask[] {
  const { choices } = world;
  const groupId = choices.pick(...GROUPS);
  const members = world.membersOf(groupId);
  const known = members.map(({ slot }) => slot);
  const free = Array.from({ length: SLOTS }, (_, slot) => slot).filter(
    (slot) => !world.members.has(slot),
  );
  // The first member of a group is answered a moment after it joined: whether others are in time is chance. New
  // members come first, so that they have to wait for those that are there.
  const isJoined = members.some(({ generationId }) => generationId >= 0);
  const others = choices.below(known.length === 1 ? 3 : 2);
  const slots = isJoined ? [...free.slice(0, others), ...known] : [known[0] ?? free[0] ?? 0];
  const protocols = [{ name: 'range', metadata: Buffer.from('m') }];
  return slots.map((slot) => {
    // Version 0 has no time of its own for a rebalance: it would wait for as long as a session.
    const version = Math.max(1, anyVersion(JoinGroup, world));
    const member = world.members.get(slot);
    const request = {
      groupId,
      ...timeouts(version, world),
      memberId: member === undefined ? '' : memberOf(slot),
      ...(version >= 5 ? { groupInstanceId: member?.groupInstanceId ?? null } : {}),
      protocolType: 'consumer',
      protocols: choices.chance(0.2)
        ? [...protocols, { name: 'rr', metadata: Buffer.from('r') }]
        : protocols,
    };
    return { api: JoinGroup, version, request, slot };
  });
}

function syncTogether(world: World): readonly Ask[] {
  const { choices } = world;
  const groups = GROUPS.filter((groupId) => world.membersOf(groupId).length > 0);
  const [first = 'g1', ...others] = groups;
  const groupId = choices.pick(first, ...others);
  const members = world.membersOf(groupId);
  return members.map(({ slot, generationId, groupInstanceId, isLeader }) => {
    const version = anyVersion(SyncGroup, world);
    const assignments = members.map((member) => ({
      memberId: memberOf(member.slot),
      assignment: Buffer.from(`of ${member.slot}`),
    }));
    const request = {
      groupId,
      generationId,
      memberId: memberOf(slot),
      ...(version >= 3 ? { groupInstanceId } : {}),
      ...(version >= 5 ? { protocolType: 'consumer', protocolName: 'range' } : {}),
      assignments: isLeader ? assignments : [],
    };
    return { api: SyncGroup, version, request, slot };
  });
}
