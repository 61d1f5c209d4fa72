import { Heartbeat } from '../src/kafka-protocol/index.ts';
import { joinAlone, MEMBER_IDS, STRANGE_GROUP_IDS, syncAlone } from './support/groups.ts';
import { recorded } from './support/recorded.ts';

const VERSIONS = [0, 3, 4];

recorded('heartbeat', {
  'strange group ids': async ({ ask }) => {
    for (const version of VERSIONS) {
      for (const groupId of STRANGE_GROUP_IDS) {
        await ask(Heartbeat, version, { groupId, generationId: 1, memberId: 'm' });
      }
    }
  },

  'a group that does not exist': async ({ ask }) => {
    for (const version of VERSIONS) {
      for (const memberId of MEMBER_IDS) {
        for (const generationId of [-2147483648, -1, 0, 1]) {
          await ask(Heartbeat, version, { groupId: 'none', generationId, memberId });
        }
      }
    }
  },

  'generations and members of a stable group': async (conversation) => {
    const { ask } = conversation;
    const member = await joinAlone(conversation, { groupId: 'g' });
    await syncAlone(conversation, 'g', member);
    for (const version of VERSIONS) {
      for (const generationId of [-2147483648, -1, 0, 1, 2, 2147483647]) {
        for (const memberId of [member.memberId, ...MEMBER_IDS]) {
          await ask(Heartbeat, version, { groupId: 'g', generationId, memberId });
        }
      }
    }
  },

  'a member that has not asked for its assignment': async (conversation) => {
    const { memberId } = await joinAlone(conversation, { groupId: 'g' });
    for (const generationId of [-1, 0, 1, 2]) {
      await conversation.ask(Heartbeat, 4, { groupId: 'g', generationId, memberId });
    }
  },

  'instance ids': async (conversation) => {
    const member = await joinAlone(conversation, { groupId: 'g', groupInstanceId: 'i' });
    await syncAlone(conversation, 'g', member);
    for (const groupInstanceId of [null, '', 'i', 'other']) {
      for (const memberId of [member.memberId, '', 'unknown']) {
        for (const generationId of [0, 1]) {
          const request = { groupId: 'g', generationId, memberId, groupInstanceId };
          await conversation.ask(Heartbeat, 3, request);
          await conversation.ask(Heartbeat, 4, request);
        }
      }
    }
  },
});
