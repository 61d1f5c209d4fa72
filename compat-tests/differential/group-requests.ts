import {
  DeleteGroups,
  DescribeGroups,
  FindCoordinator,
  Heartbeat,
  JoinGroup,
  LeaveGroup,
  ListGroups,
  OffsetCommit,
  OffsetFetch,
  SyncGroup,
} from '../../src/kafka-protocol/index.ts';
import { type Generator, requestsOf } from './step.ts';
import type { Template } from './template.ts';
import type { World } from './world.ts';

/** Requests about groups and their offsets, one at a time. */
export const groupRequests: readonly Generator[] = [
  requestsOf(OffsetCommit, 6, offsetCommit),
  requestsOf(OffsetFetch, 5, offsetFetch),
  requestsOf(FindCoordinator, 2, findCoordinator),
  requestsOf(JoinGroup, 5, joinGroup),
  requestsOf(SyncGroup, 5, syncGroup),
  requestsOf(Heartbeat, 4, (version, world) => ({
    groupId: world.groupId(),
    generationId: world.generationId(),
    ...member(world, version >= 3),
  })),
  requestsOf(LeaveGroup, 2, leaveGroup),
  requestsOf(DescribeGroups, 3, (version, world) => ({
    groups: world.choices.list(0, 2, () => world.groupId()),
    ...(version >= 3 ? { includeAuthorizedOperations: world.choices.chance(0.4) } : {}),
  })),
  requestsOf(ListGroups, 2, listGroups),
  requestsOf(DeleteGroups, 1, (_, { choices }) => ({
    groupsNames: choices.list(0, 2, () => choices.pick('g2', 'g3', '', 'none')),
  })),
];

/** The session of a member is as long as the walk needs; in version 0 it is also how long a rebalance waits. */
export function timeouts(version: number, { choices }: World): Template {
  if (version === 0) return { sessionTimeoutMs: 6000 };
  const rebalanceTimeoutMs = choices.pick(300, 600, 600);
  return { sessionTimeoutMs: 120_000, rebalanceTimeoutMs };
}

function member(world: World, isStatic: boolean): Template {
  const memberId = world.memberId();
  const groupInstanceId = world.groupInstanceId();
  return isStatic ? { memberId, groupInstanceId } : { memberId };
}

function offsetCommit(version: number, world: World): Template {
  const { choices } = world;
  const partition = () => ({
    partitionIndex: world.partition(),
    committedOffset: choices.pick(0n, 5n, 7n, -1n),
    ...(version >= 6 ? { committedLeaderEpoch: choices.pick(-1, 0, 3) } : {}),
    committedMetadata: choices.pick(null, '', 'meta', 'x'.repeat(5000)),
  });
  return {
    groupId: world.groupId(),
    generationIdOrMemberEpoch: world.generationId(),
    ...member(world, version >= 7),
    topics: choices.list(0, 2, () => ({
      ...world.topicRef(version, 10),
      partitions: choices.list(1, 2, partition),
    })),
  };
}

function offsetFetch(version: number, world: World): Template {
  const { choices } = world;
  const topics = () => {
    if (version >= 2 && choices.chance(0.3)) return null;
    return choices.list(0, 2, () => ({
      ...world.topicRef(version, 10),
      partitionIndexes: choices.list(1, 2, () => world.partition()),
    }));
  };
  const requireStable = version >= 7 ? { requireStable: choices.chance(0.3) } : {};
  if (version < 8) return { groupId: world.groupId(), topics: topics(), ...requireStable };
  const asMember = () => ({
    memberId: choices.pick(null, 'nobody'),
    memberEpoch: choices.pick(-1, -1, 0, 3),
  });
  const groups = choices.list(1, 2, () => ({
    groupId: world.groupId(),
    ...(version >= 9 ? asMember() : {}),
    topics: topics(),
  }));
  return { groups, ...requireStable };
}

// Transactions (type 1) and share groups (2) are not built; no broker knows type 3.
function findCoordinator(version: number, world: World): Template {
  const { choices } = world;
  return {
    ...(version >= 4
      ? { coordinatorKeys: choices.list(0, 2, () => world.groupId()) }
      : { key: world.groupId() }),
    ...(version >= 1 ? { keyType: choices.pick(0, 0, 0, 3) } : {}),
  };
}

// Names of protocols are not repeated, and not empty: Kafka never answers some of these.
function joinGroup(version: number, world: World): Template {
  const { choices } = world;
  const protocol = () => ({
    name: choices.pick('range', 'range', 'rr'),
    metadata: Buffer.from(choices.pick('', 'm', 'mm')),
  });
  const strange = choices.chance(0.15) ? { sessionTimeoutMs: choices.pick(100, 10_000_000) } : {};
  return {
    groupId: world.groupId(),
    ...timeouts(version, world),
    ...strange,
    ...member(world, version >= 5),
    protocolType: choices.pick('consumer', 'consumer', 'consumer', 'consumer', 'connect', ''),
    protocols: choices.list(choices.chance(0.1) ? 0 : 1, 2, protocol),
  };
}

function syncGroup(version: number, world: World): Template {
  const { choices } = world;
  const protocol = {
    protocolType: choices.pick('consumer', 'consumer', 'consumer', 'connect', null),
    protocolName: choices.pick('range', 'range', 'range', 'rr', null),
  };
  return {
    groupId: world.groupId(),
    generationId: world.generationId(),
    ...member(world, version >= 3),
    ...(version >= 5 ? protocol : {}),
    assignments: choices.list(0, 2, () => ({
      memberId: world.memberId(),
      assignment: Buffer.from(choices.pick('', 'a1', 'a2')),
    })),
  };
}

function leaveGroup(version: number, world: World): Template {
  const groupId = world.groupId();
  if (version < 3) return { groupId, ...member(world, false) };
  return { groupId, members: world.choices.list(0, 2, () => member(world, true)) };
}

function listGroups(version: number, { choices }: World): Template {
  const state = () =>
    choices.pick('Empty', 'stable', 'Stable', 'Dead', 'xx', 'PreparingRebalance', '');
  const type = () => choices.pick('classic', 'Classic', 'consumer', 'xx', '');
  return {
    ...(version >= 4 ? { statesFilter: choices.list(0, 2, state) } : {}),
    ...(version >= 5 ? { typesFilter: choices.list(0, 1, type) } : {}),
  };
}
