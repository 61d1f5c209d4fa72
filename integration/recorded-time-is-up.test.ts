import {
  DescribeGroups,
  type Draft,
  Heartbeat,
  JoinGroup,
  type JoinGroupRequest,
  ListGroups,
  OffsetCommit,
  SyncGroup,
} from '../src/kafka-protocol/index.ts';
import { groupIs, JOINING, type Joined, joinAlone, syncAlone } from './support/groups.ts';
import { type Conversation, recorded } from './support/recorded.ts';

const LONG_MS = 600_000;
/** Of these members only the sessions end, or only the time to rejoin; that of `JOINING` is the other one's. */
const IN_SESSION = { rebalanceTimeoutMs: LONG_MS };
const IN_REBALANCE = { sessionTimeoutMs: LONG_MS };
const NAMED = { protocolType: 'consumer', protocolName: 'range' } as const;

/** Brings a group to where its time runs, and returns what is asked when that is up. */
type Situation = (conversation: Conversation) => Promise<() => Promise<void>>;
type Request = Draft<JoinGroupRequest>;

function beat(
  { ask }: Conversation,
  groupId: string,
  { memberId, generationId }: Joined,
  groupInstanceId: string | null = null,
) {
  return ask(Heartbeat, 4, { groupId, memberId, generationId, groupInstanceId });
}

/** Two members of the second generation, the first of whom leads; the second one's requests are on a connection of their own. */
async function joinBoth(conversation: Conversation, first: Request, second: Request) {
  const { ask, askOn } = conversation;
  const { groupId = '' } = first;
  const alone = await joinAlone(conversation, first);
  await syncAlone(conversation, groupId, alone, first.groupInstanceId);
  const named = await ask(JoinGroup, 9, { ...JOINING, ...second, groupId });
  const request = { ...JOINING, ...second, groupId, memberId: named.memberId };
  const waiting = askOn(groupId, JoinGroup, 9, request);
  await groupIs(conversation, groupId, 'PreparingRebalance', 2);
  const leader = await ask(JoinGroup, 9, { ...JOINING, ...first, memberId: alone.memberId });
  return { leader, other: await waiting };
}

const neverRejoins: Situation = async (conversation) => {
  const { ask } = conversation;
  const request = { ...JOINING, groupId: 'pending', ...IN_SESSION };
  const { memberId } = await ask(JoinGroup, 9, request);
  return async () => {
    await ask(JoinGroup, 9, { ...request, memberId });
    await ask(DescribeGroups, 6, { groups: ['pending'] });
  };
};

const neverSyncsNorBeats: Situation = async (conversation) => {
  const groupId = 'awaiting';
  const member = await joinAlone(conversation, { groupId, ...IN_SESSION });
  return async () => {
    await groupIs(conversation, groupId, 'Empty', 0);
    await beat(conversation, groupId, member);
    await syncAlone(conversation, groupId, member);
  };
};

const neverBeats: Situation = async (conversation) => {
  const { ask } = conversation;
  const groupId = 'stable';
  const member = await joinAlone(conversation, { groupId, ...IN_SESSION });
  await syncAlone(conversation, groupId, member);
  return async () => {
    await groupIs(conversation, groupId, 'Empty', 0);
    await beat(conversation, groupId, member);
    const { memberId, generationId } = member;
    const topics = [{ name: 't', partitions: [{ partitionIndex: 0, committedOffset: 9n }] }];
    const commit = { groupId, memberId, generationIdOrMemberEpoch: generationId, topics };
    await ask(OffsetCommit, 9, commit);
    await ask(DescribeGroups, 6, { groups: [groupId] });
    await ask(JoinGroup, 9, { ...JOINING, groupId, memberId });
    await joinAlone(conversation, { groupId });
  };
};

const staticNeverBeats: Situation = async (conversation) => {
  const groupId = 'static';
  const groupInstanceId = 'i';
  const member = await joinAlone(conversation, { groupId, groupInstanceId, ...IN_SESSION });
  await syncAlone(conversation, groupId, member, groupInstanceId);
  return async () => {
    await groupIs(conversation, groupId, 'Empty', 0);
    await beat(conversation, groupId, member, groupInstanceId);
    await joinAlone(conversation, { groupId, groupInstanceId });
  };
};

const oneOfTwoBeats: Situation = async (conversation) => {
  const { ask } = conversation;
  const groupId = 'two';
  const lasting = { sessionTimeoutMs: LONG_MS, rebalanceTimeoutMs: LONG_MS };
  const { leader, other } = await joinBoth(conversation, { groupId, ...lasting }, IN_SESSION);
  await syncAlone(conversation, groupId, leader);
  return async () => {
    await groupIs(conversation, groupId, 'PreparingRebalance', 1);
    await beat(conversation, groupId, other);
    await beat(conversation, groupId, leader);
    const { memberId } = leader;
    const again = await ask(JoinGroup, 9, { ...JOINING, groupId, ...lasting, memberId });
    await syncAlone(conversation, groupId, again);
    await beat(conversation, groupId, again);
  };
};

const doesNotRejoin =
  (groupId: string, groupInstanceId: string | null): Situation =>
  async (conversation) => {
    const { ask, askOn } = conversation;
    const first = { groupId, ...IN_REBALANCE, ...(groupInstanceId && { groupInstanceId }) };
    const member = await joinAlone(conversation, first);
    await syncAlone(conversation, groupId, member, groupInstanceId);
    const request = { ...JOINING, ...IN_REBALANCE, groupId };
    const { memberId } = await ask(JoinGroup, 9, request);
    const waiting = askOn(groupId, JoinGroup, 9, { ...request, memberId });
    return async () => {
      await waiting;
      await beat(conversation, groupId, member, groupInstanceId);
      await ask(DescribeGroups, 6, { groups: [groupId] });
    };
  };

const leaderNeverSyncs: Situation = async (conversation) => {
  const groupId = 'unsynced';
  const both = await joinBoth(conversation, { groupId, ...IN_REBALANCE }, IN_REBALANCE);
  const { memberId, generationId } = both.other;
  const request = { groupId, memberId, generationId, ...NAMED };
  const waiting = conversation.askOn(groupId, SyncGroup, 5, request);
  return async () => {
    await waiting;
    await groupIs(conversation, groupId, 'PreparingRebalance', 1);
    await beat(conversation, groupId, both.leader);
    await beat(conversation, groupId, both.other);
  };
};

const SITUATIONS = [
  neverSyncsNorBeats,
  neverBeats,
  staticNeverBeats,
  oneOfTwoBeats,
  doesNotRejoin('late', null),
  doesNotRejoin('static-late', 'i'),
  leaderNeverSyncs,
];

recorded('time-is-up', {
  // All at once: each waits for ten seconds.
  'of sessions and of rebalances': async (conversation) => {
    await conversation.topic('t');
    // Nothing shows when the id is no longer known: it was given before all others, and is used after them.
    const withLostId = await neverRejoins(conversation);
    const begun = [];
    for (const begin of SITUATIONS) begun.push(await begin(conversation));
    for (const goOn of [...begun, withLostId]) await goOn();
    await conversation.ask(ListGroups, 5, {}, { view: byName });
  },
});

function byName<T extends { readonly groups: readonly { readonly groupId: string }[] }>(answer: T) {
  const sorted = [...answer.groups].sort((a, b) => (a.groupId < b.groupId ? -1 : 1));
  return { ...answer, groups: sorted };
}
