import { DescribeGroups, JoinGroup, LeaveGroup } from '../src/kafka-protocol/index.ts';
import { JOINING, joinAlone, MEMBER_IDS, STRANGE_GROUP_IDS, syncAlone } from './support/groups.ts';
import { recorded } from './support/recorded.ts';

const SINGLE = [0, 1, 2];
const BATCHED = [3, 4, 5];

recorded('leave-group', {
  'strange group ids': async ({ ask }) => {
    for (const groupId of STRANGE_GROUP_IDS) {
      for (const version of SINGLE) await ask(LeaveGroup, version, { groupId, memberId: 'm' });
      for (const version of BATCHED) {
        await ask(LeaveGroup, version, { groupId, members: [{ memberId: 'm' }] });
        await ask(LeaveGroup, version, { groupId });
      }
    }
  },

  'a group that does not exist': async ({ ask }) => {
    for (const memberId of MEMBER_IDS) {
      for (const version of SINGLE) await ask(LeaveGroup, version, { groupId: 'g', memberId });
      for (const version of BATCHED) {
        for (const groupInstanceId of [null, '', 'i']) {
          const member = { memberId, groupInstanceId };
          await ask(LeaveGroup, version, { groupId: 'g', members: [member] });
          await ask(LeaveGroup, version, { groupId: 'g', members: [member, member] });
        }
      }
    }
  },

  'members that a group does not have': async (conversation) => {
    const { ask } = conversation;
    const member = await joinAlone(conversation, { groupId: 'g' });
    await syncAlone(conversation, 'g', member);
    for (const memberId of MEMBER_IDS) {
      for (const version of SINGLE) await ask(LeaveGroup, version, { groupId: 'g', memberId });
      for (const version of BATCHED) {
        const members = [null, '', 'i'].map((groupInstanceId) => ({ memberId, groupInstanceId }));
        await ask(LeaveGroup, version, { groupId: 'g', members });
      }
    }
    await ask(LeaveGroup, 5, { groupId: 'g' });
    await ask(DescribeGroups, 5, { groups: ['g'] });
  },

  'a member more than once': async (conversation) => {
    const { ask } = conversation;
    for (const version of BATCHED) {
      const groupId = `g${version}`;
      const { memberId } = await joinAlone(conversation, { groupId });
      const members = [{ memberId: 'm' }, { memberId }, { memberId }, { memberId: '' }];
      await ask(LeaveGroup, version, { groupId, members });
      await ask(LeaveGroup, version, { groupId, members });
      await ask(DescribeGroups, 5, { groups: [groupId] });
    }
  },

  'a member alone, twice': async (conversation) => {
    for (const version of SINGLE) {
      const groupId = `g${version}`;
      const { memberId } = await joinAlone(conversation, { groupId });
      await conversation.ask(LeaveGroup, version, { groupId, memberId });
      await conversation.ask(LeaveGroup, version, { groupId, memberId });
    }
  },

  'an id that was given, but has not joined': async ({ ask }) => {
    for (const version of [...SINGLE, ...BATCHED]) {
      const groupId = `g${version}`;
      const { memberId } = await ask(JoinGroup, 4, { ...JOINING, groupId });
      const request = version < 3 ? { memberId } : { members: [{ memberId }, { memberId }] };
      await ask(LeaveGroup, version, { groupId, ...request });
      await ask(JoinGroup, 4, { ...JOINING, groupId, memberId });
    }
  },

  'static members': async (conversation) => {
    const { ask } = conversation;
    for (const version of BATCHED) {
      const groupId = `g${version}`;
      const joined = await joinAlone(conversation, { groupId, groupInstanceId: 'i' });
      const { memberId } = joined;
      await ask(LeaveGroup, version, {
        groupId,
        members: [
          { memberId, groupInstanceId: 'other' },
          { memberId: 'other', groupInstanceId: 'i' },
          { memberId: '', groupInstanceId: 'other' },
          { memberId, groupInstanceId: '' },
          { memberId: '', groupInstanceId: 'i' },
          { memberId: '', groupInstanceId: 'i' },
          { memberId },
        ],
      });
      const again = await ask(JoinGroup, 9, { ...JOINING, groupId, groupInstanceId: 'i' });
      const members = [
        { memberId, groupInstanceId: 'i' },
        { memberId: again.memberId, groupInstanceId: 'i' },
      ];
      await ask(LeaveGroup, version, { groupId, members });
      const third = await ask(JoinGroup, 9, { ...JOINING, groupId, groupInstanceId: 'i' });
      await ask(LeaveGroup, version, { groupId, members: [{ memberId: third.memberId }] });
    }
  },

  reasons: async (conversation) => {
    for (const [i, reason] of [null, '', 'because', 'x'.repeat(300)].entries()) {
      const groupId = `g${i}`;
      const { memberId } = await joinAlone(conversation, { groupId });
      const members = [{ memberId, reason }];
      await conversation.ask(LeaveGroup, 5, { groupId, members });
    }
  },
});
