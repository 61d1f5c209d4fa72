import {
  DeleteGroups,
  DescribeGroups,
  Heartbeat,
  JoinGroup,
  LeaveGroup,
  ListGroups,
  OffsetCommit,
  OffsetFetch,
  SyncGroup,
} from '../src/kafka-protocol/index.ts';
import { groupIs, JOINING, type Joined, joinAlone, syncAlone } from './support/groups.ts';
import { type Conversation, recorded } from './support/recorded.ts';

const NAMED = { protocolType: 'consumer', protocolName: 'range' } as const;
const at = (committedOffset: bigint) => {
  return [{ name: 't', partitions: [{ partitionIndex: 0, committedOffset }] }];
};

/** What a member sends that goes on as if nothing had happened. */
async function goOn(
  { ask }: Conversation,
  { memberId, generationId }: Joined,
  groupInstanceId: string | null = null,
) {
  const member = { groupId: 'g', memberId, generationId, groupInstanceId };
  await ask(Heartbeat, 4, member);
  await ask(SyncGroup, 5, { ...member, ...NAMED });
  const commit = { ...member, generationIdOrMemberEpoch: generationId, topics: at(9n) };
  await ask(OffsetCommit, 9, commit);
  const groups = [{ groupId: 'g', topics: null }];
  await ask(OffsetFetch, 9, { groups });
  await ask(DescribeGroups, 6, { groups: ['g'] });
  await ask(ListGroups, 5, {});
}

recorded('group-life', {
  'after all have left': async (conversation) => {
    const { ask } = conversation;
    await conversation.topic('t');
    const member = await joinAlone(conversation, { groupId: 'g' });
    await syncAlone(conversation, 'g', member);
    await goOn(conversation, member);
    await ask(LeaveGroup, 3, { groupId: 'g', members: [{ memberId: member.memberId }] });
    await goOn(conversation, member);
    await ask(OffsetCommit, 9, { groupId: 'g', topics: at(3n) });
    const generationIdOrMemberEpoch = 2;
    await ask(OffsetCommit, 9, { groupId: 'g', generationIdOrMemberEpoch, topics: at(4n) });
    await ask(JoinGroup, 9, { ...JOINING, groupId: 'g', memberId: member.memberId });
    await ask(JoinGroup, 9, { ...JOINING, groupId: 'g', protocolType: 'connect', protocols: [] });
    const connect = await joinAlone(conversation, { groupId: 'g', protocolType: 'connect' });
    await ask(SyncGroup, 5, { ...connect, groupId: 'g', ...NAMED });
    await ask(SyncGroup, 5, { ...connect, groupId: 'g', ...NAMED, protocolType: 'connect' });
    await ask(DescribeGroups, 6, { groups: ['g'] });
  },

  'after the group was deleted': async (conversation) => {
    const { ask } = conversation;
    await conversation.topic('t');
    const member = await joinAlone(conversation, { groupId: 'g' });
    await syncAlone(conversation, 'g', member);
    await ask(DeleteGroups, 2, { groupsNames: ['g'] });
    await ask(LeaveGroup, 3, { groupId: 'g', members: [{ memberId: member.memberId }] });
    await ask(DeleteGroups, 2, { groupsNames: ['g'] });
    await goOn(conversation, member);
    await ask(JoinGroup, 9, { ...JOINING, groupId: 'g', memberId: member.memberId });
    const { generationId } = await joinAlone(conversation, { groupId: 'g', groupInstanceId: 'i' });
    await goOn(conversation, { ...member, generationId }, 'i');
  },

  'a group that only has offsets gets members': async (conversation) => {
    const { ask } = conversation;
    await conversation.topic('t');
    await ask(OffsetCommit, 2, { groupId: 'g', topics: at(1n) });
    await goOn(conversation, { memberId: '', generationId: 0 });
    await goOn(conversation, { memberId: 'm', generationId: -1 });
    await ask(LeaveGroup, 5, { groupId: 'g', members: [{ memberId: 'm' }] });
    const member = await joinAlone(conversation, { groupId: 'g' });
    await ask(OffsetCommit, 2, { groupId: 'g', topics: at(2n) });
    await syncAlone(conversation, 'g', member);
    await ask(OffsetCommit, 2, { groupId: 'g', topics: at(2n) });
    await goOn(conversation, member);
  },

  'a static member alone comes back': async (conversation) => {
    const { ask } = conversation;
    await conversation.topic('t');
    for (const version of [5, 8, 9]) {
      await conversation.startAgain();
      await conversation.topic('t');
      const old = await joinAlone(conversation, { groupId: 'g', groupInstanceId: 'i' });
      await syncAlone(conversation, 'g', old, 'i');
      const request = { ...JOINING, groupId: 'g', groupInstanceId: 'i' };
      const second = await ask(JoinGroup, version, request);
      await goOn(conversation, old, 'i');
      await syncAlone(conversation, 'g', second, 'i');
      const third = await ask(JoinGroup, version, request);
      await goOn(conversation, second, 'i');
      await goOn(conversation, second);
      await goOn(conversation, third, 'i');
      await goOn(conversation, third);
      const protocols = [{ name: 'range', metadata: Uint8Array.of(4) }];
      const fourth = await ask(JoinGroup, version, { ...request, protocols });
      await goOn(conversation, fourth, 'i');
      await ask(JoinGroup, version, { ...request, memberId: old.memberId });
      await ask(JoinGroup, version, {
        ...request,
        groupInstanceId: 'j',
        memberId: fourth.memberId,
      });
    }
  },

  'static members of a group of two come back': async (conversation) => {
    const { ask, askOn } = conversation;
    await conversation.topic('t');
    for (const version of [5, 9]) {
      await conversation.startAgain();
      await conversation.topic('t');
      const leader = await joinAlone(conversation, { groupId: 'g', groupInstanceId: '1' });
      const one = { ...JOINING, groupId: 'g', groupInstanceId: '1' };
      const two = { ...JOINING, groupId: 'g', groupInstanceId: '2' };
      const joining = askOn('two', JoinGroup, version, two);
      await groupIs(conversation, 'g', 'PreparingRebalance', 2);
      await goOn(conversation, leader, '1');
      const again = await ask(JoinGroup, version, { ...one, memberId: leader.memberId });
      const follower = await joining;
      await syncAlone(conversation, 'g', again, '1');
      await goOn(conversation, follower, '2');
      const newFollower = await ask(JoinGroup, version, two);
      await goOn(conversation, follower, '2');
      await goOn(conversation, newFollower, '2');
      const newLeader = await ask(JoinGroup, version, one);
      await goOn(conversation, again, '1');
      await goOn(conversation, newLeader, '1');
      const members = [{ groupInstanceId: '1' }, { groupInstanceId: '2' }, { memberId: 'x' }];
      await ask(LeaveGroup, 5, { groupId: 'g', members });
      await goOn(conversation, newLeader, '1');
    }
  },

  'members with different protocols': async (conversation) => {
    const { ask, askOn } = conversation;
    await conversation.topic('t');
    const of = (...names: readonly string[]) => {
      return names.map((name, i) => ({ name, metadata: Uint8Array.of(i) }));
    };
    const first = { ...JOINING, groupId: 'g', groupInstanceId: '1', protocols: of('a', 'b') };
    const leader = await ask(JoinGroup, 9, first);
    const second = { ...JOINING, groupId: 'g', groupInstanceId: '2' };
    await ask(JoinGroup, 9, { ...second, protocols: of('c') });
    const joining = askOn('two', JoinGroup, 9, { ...second, protocols: of('c', 'b') });
    await groupIs(conversation, 'g', 'PreparingRebalance', 2);
    await ask(JoinGroup, 9, { ...second, groupInstanceId: '3', protocols: of('a') });
    await ask(JoinGroup, 9, { ...first, memberId: leader.memberId, protocols: of('z') });
    const both = await ask(JoinGroup, 9, { ...first, memberId: leader.memberId });
    const follower = await joining;
    await ask(SyncGroup, 5, { groupId: 'g', ...follower, protocolName: 'a' });
    await ask(SyncGroup, 5, { groupId: 'g', ...both, groupInstanceId: '1' });
    await ask(SyncGroup, 5, { groupId: 'g', ...follower, groupInstanceId: '2' });
    await ask(DescribeGroups, 6, { groups: ['g'] });
  },
});
