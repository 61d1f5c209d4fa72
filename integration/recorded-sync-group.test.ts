import { DescribeGroups, JoinGroup, SyncGroup } from '../src/kafka-protocol/index.ts';
import {
  groupIs,
  JOINING,
  joinAlone,
  MEMBER_IDS,
  STRANGE_GROUP_IDS,
  syncAlone,
} from './support/groups.ts';
import { recorded } from './support/recorded.ts';

const VERSIONS = [0, 3, 4, 5];
const NAMED = { protocolType: 'consumer', protocolName: 'range' } as const;
const GENERATIONS = [-2147483648, -1, 0, 1, 2, 2147483647];
const named = (version: number) => (version >= 5 ? NAMED : {});

recorded('sync-group', {
  'strange group ids': async ({ ask }) => {
    for (const version of VERSIONS) {
      for (const groupId of STRANGE_GROUP_IDS) {
        const request = { groupId, generationId: 1, memberId: 'm', ...named(version) };
        await ask(SyncGroup, version, request);
      }
    }
  },

  'a group that does not exist': async ({ ask }) => {
    for (const version of VERSIONS) {
      for (const memberId of MEMBER_IDS) {
        for (const generationId of [-1, 0, 1]) {
          const request = { groupId: 'none', generationId, memberId, ...named(version) };
          await ask(SyncGroup, version, request);
        }
      }
    }
  },

  'names of protocols': async (conversation) => {
    const member = await joinAlone(conversation, { groupId: 'g' });
    for (const groupId of ['g', '', 'none']) {
      for (const protocolType of [null, '', 'connect', 'Consumer']) {
        for (const protocolName of [null, '', 'range', 'RANGE']) {
          await conversation.ask(SyncGroup, 5, { ...member, groupId, protocolType, protocolName });
        }
      }
      await conversation.ask(SyncGroup, 5, { ...member, ...NAMED, groupId, protocolName: 'x' });
    }
    await syncAlone(conversation, 'g', member);
    for (const protocolType of [null, '', 'connect', 'consumer']) {
      for (const protocolName of [null, '', 'range', 'RANGE']) {
        const names = { protocolType, protocolName };
        await conversation.ask(SyncGroup, 5, { ...member, groupId: 'g', ...names });
      }
    }
  },

  'generations and members while the assignment is awaited': async (conversation) => {
    const member = await joinAlone(conversation, { groupId: 'g' });
    for (const version of VERSIONS) {
      for (const generationId of GENERATIONS) {
        for (const memberId of [member.memberId, ...MEMBER_IDS]) {
          if (generationId === member.generationId && memberId === member.memberId) continue;
          const request = { groupId: 'g', generationId, memberId, ...named(version) };
          await conversation.ask(SyncGroup, version, request);
        }
      }
    }
  },

  'generations and members of a stable group': async (conversation) => {
    const member = await joinAlone(conversation, { groupId: 'g' });
    await syncAlone(conversation, 'g', member);
    for (const version of VERSIONS) {
      for (const generationId of GENERATIONS) {
        for (const memberId of [member.memberId, ...MEMBER_IDS]) {
          const assignments = [{ memberId, assignment: Uint8Array.of(8) }];
          const request = { groupId: 'g', generationId, memberId, assignments, ...named(version) };
          await conversation.ask(SyncGroup, version, request);
        }
      }
    }
  },

  assignments: async (conversation) => {
    const { ask } = conversation;
    const [one, two] = [Uint8Array.of(1), Uint8Array.of(2)];
    for (const version of VERSIONS) {
      const groupId = `g${version}`;
      let member = await joinAlone(conversation, { groupId });
      const { memberId } = member;
      for (const assignments of [
        [],
        [{ memberId, assignment: new Uint8Array(0) }],
        [
          { memberId, assignment: one },
          { memberId, assignment: two },
        ],
        [
          { memberId: 'unknown', assignment: one },
          { memberId: '', assignment: two },
        ],
      ]) {
        await ask(SyncGroup, version, { ...member, groupId, assignments, ...named(version) });
        await ask(SyncGroup, version, { ...member, groupId, ...named(version) });
        await ask(DescribeGroups, 5, { groups: [groupId] });
        member = await ask(JoinGroup, 9, { ...JOINING, groupId, memberId });
      }
    }
  },

  'instance ids': async (conversation) => {
    const { ask } = conversation;
    const member = await joinAlone(conversation, { groupId: 'g', groupInstanceId: 'i' });
    for (const groupInstanceId of ['', 'i', 'other', null]) {
      for (const memberId of ['', 'unknown']) {
        for (const generationId of [0, 1]) {
          const request = { groupId: 'g', generationId, memberId, groupInstanceId };
          await ask(SyncGroup, 3, request);
          await ask(SyncGroup, 5, { ...request, ...NAMED });
        }
      }
    }
    await syncAlone(conversation, 'g', member, 'i');
    for (const groupInstanceId of ['', 'i', 'other', null]) {
      await ask(SyncGroup, 5, { ...member, groupId: 'g', groupInstanceId, ...NAMED });
    }
  },

  'followers before and after the leader': async (conversation) => {
    const { ask, askOn } = conversation;
    const joining = { ...JOINING, groupId: 'g' };
    const leader = await joinAlone(conversation, { groupId: 'g' });
    const { memberId } = await ask(JoinGroup, 9, joining);
    const joined = askOn('follower', JoinGroup, 9, { ...joining, memberId });
    await groupIs(conversation, 'g', 'PreparingRebalance', 2);
    await ask(SyncGroup, 5, { ...leader, groupId: 'g', ...NAMED });
    await ask(SyncGroup, 5, { groupId: 'g', memberId, generationId: 1, ...NAMED });
    await ask(SyncGroup, 5, { groupId: 'g', memberId, generationId: 2, ...NAMED });
    const { generationId } = await ask(JoinGroup, 9, { ...joining, memberId: leader.memberId });
    const follower = await joined;
    const waiting = askOn('follower', SyncGroup, 5, {
      groupId: 'g',
      memberId: follower.memberId,
      generationId: follower.generationId,
      ...NAMED,
      assignments: [{ memberId, assignment: Uint8Array.of(7) }],
    });
    await syncAlone(conversation, 'g', { ...leader, generationId });
    await waiting;
    await ask(DescribeGroups, 5, { groups: ['g'] });
    await ask(SyncGroup, 0, { groupId: 'g', memberId, generationId });
  },
});
