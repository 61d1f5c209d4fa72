import { JoinGroup } from '../src/kafka-protocol/index.ts';
import { groupIs, JOINING, joinAlone, MEMBER_IDS, STRANGE_GROUP_IDS } from './support/groups.ts';
import { recorded } from './support/recorded.ts';

const VERSIONS = [0, 4, 5, 9];
const TIMEOUTS = [-2147483648, -1, 0, 1, 5999, 6000, 1_800_000, 1_800_001, 2147483647];
const protocol = (name: string, ...metadata: readonly number[]) => {
  return { name, metadata: Uint8Array.from(metadata) };
};

recorded('join-group', {
  'strange group ids': async ({ ask }) => {
    for (const version of VERSIONS) {
      for (const [i, groupId] of STRANGE_GROUP_IDS.entries()) {
        await ask(JoinGroup, version, { ...JOINING, groupId: `${groupId}`, memberId: `m${i}` });
      }
      await ask(JoinGroup, version, { ...JOINING, groupId: '' });
    }
  },

  'group ids that make groups': async ({ ask }) => {
    for (const groupId of STRANGE_GROUP_IDS) await ask(JoinGroup, 5, { ...JOINING, groupId });
  },

  'session timeouts': async ({ ask }) => {
    for (const version of VERSIONS) {
      for (const sessionTimeoutMs of TIMEOUTS) {
        const groupId = `g${version}${sessionTimeoutMs}`;
        await ask(JoinGroup, version, { ...JOINING, groupId, sessionTimeoutMs });
        await ask(JoinGroup, version, { ...JOINING, groupId, sessionTimeoutMs, memberId: 'm' });
        await ask(JoinGroup, version, { ...JOINING, groupId: '', sessionTimeoutMs });
      }
    }
  },

  'rebalance timeouts': async ({ ask }) => {
    for (const rebalanceTimeoutMs of TIMEOUTS) {
      const groupId = `g${rebalanceTimeoutMs}`;
      await ask(JoinGroup, 3, { ...JOINING, groupId, rebalanceTimeoutMs });
    }
  },

  'members of a group that does not exist': async ({ ask }) => {
    for (const version of VERSIONS) {
      for (const memberId of MEMBER_IDS.slice(1)) {
        await ask(JoinGroup, version, { ...JOINING, groupId: 'g', memberId });
      }
    }
    for (const groupInstanceId of ['i', '', 'x'.repeat(300)]) {
      await ask(JoinGroup, 5, { ...JOINING, groupId: 'g', memberId: 'm', groupInstanceId });
    }
  },

  'members that a group does not have': async (conversation) => {
    await joinAlone(conversation, { groupId: 'g' });
    for (const version of VERSIONS) {
      for (const memberId of MEMBER_IDS.slice(1)) {
        await conversation.ask(JoinGroup, version, { ...JOINING, groupId: 'g', memberId });
      }
    }
  },

  'protocols of a first member': async ({ ask }) => {
    const lists = [
      [],
      [protocol('')],
      [protocol('range')],
      [protocol('b', 1), protocol('a')],
      [protocol('x'.repeat(1000), 5)],
      [protocol('ünïcödé ☃')],
    ];
    for (const version of VERSIONS) {
      for (const protocolType of ['', 'consumer', 'connect', ' ', 'ünïcödé ☃', 'x'.repeat(1000)]) {
        for (const [i, protocols] of lists.entries()) {
          const groupId = `g${version}${protocolType}${i}`;
          await ask(JoinGroup, version, { ...JOINING, groupId, protocolType, protocols });
        }
      }
    }
  },

  'protocols of a second member': async (conversation) => {
    const { ask } = conversation;
    await joinAlone(conversation, { groupId: 'g' });
    for (const version of VERSIONS) {
      for (const memberId of ['', 'm']) {
        const request = { ...JOINING, groupId: 'g', memberId };
        await ask(JoinGroup, version, { ...request, protocolType: '' });
        await ask(JoinGroup, version, { ...request, protocolType: 'connect' });
        await ask(JoinGroup, version, { ...request, protocolType: 'Consumer' });
        await ask(JoinGroup, version, { ...request, protocols: [] });
        await ask(JoinGroup, version, { ...request, protocols: [protocol('')] });
        await ask(JoinGroup, version, { ...request, protocols: [protocol('RANGE')] });
      }
    }
  },

  'client ids': async ({ ask }) => {
    for (const version of VERSIONS) {
      for (const [i, clientId] of [null, '', ' ', 'ünïcödé ☃', 'x'.repeat(1000)].entries()) {
        const groupId = `g${version}${i}`;
        await ask(JoinGroup, version, { ...JOINING, groupId }, { clientId });
      }
    }
  },

  'instance ids': async ({ ask }) => {
    const ids = ['', '.', '..', ' ', 'a/b', 'ünïcödé ☃', 'x'.repeat(249), 'x'.repeat(250)];
    for (const version of [5, 7, 9]) {
      for (const [i, groupInstanceId] of ids.entries()) {
        const groupId = `g${version}${i}`;
        const { memberId } = await ask(JoinGroup, version, {
          ...JOINING,
          groupId,
          groupInstanceId,
        });
        await ask(JoinGroup, version, { ...JOINING, groupId, groupInstanceId, memberId });
        await ask(JoinGroup, version, { ...JOINING, groupId, groupInstanceId });
        await ask(JoinGroup, version, { ...JOINING, groupId, groupInstanceId, memberId });
        await ask(JoinGroup, version, { ...JOINING, groupId, groupInstanceId, memberId: 'm' });
        await ask(JoinGroup, version, { ...JOINING, groupId, memberId });
      }
    }
  },

  'an id that was given to a dynamic member, used by a static one': async ({ ask }) => {
    const { memberId } = await ask(JoinGroup, 9, { ...JOINING, groupId: 'g' });
    const request = { ...JOINING, groupId: 'g', memberId };
    await ask(JoinGroup, 9, { ...request, groupInstanceId: 'i' });
    await ask(JoinGroup, 9, request);
    await ask(JoinGroup, 9, { ...request, groupInstanceId: 'i' });
  },

  'an id that was given, used with other protocols and versions': async ({ ask }) => {
    const { memberId } = await ask(JoinGroup, 4, { ...JOINING, groupId: 'g' });
    const request = { ...JOINING, groupId: 'g', memberId };
    await ask(JoinGroup, 4, { ...request, protocols: [] });
    await ask(JoinGroup, 4, { ...request, protocolType: '' });
    await ask(JoinGroup, 4, { ...request, sessionTimeoutMs: 1 });
    await ask(JoinGroup, 0, { ...request, protocolType: 'connect' });
    await ask(JoinGroup, 9, { ...request, protocolType: 'connect' });
    await ask(JoinGroup, 9, request);
  },

  'the same member again': async (conversation) => {
    const { ask } = conversation;
    const { memberId } = await joinAlone(conversation, { groupId: 'g' });
    for (const version of [0, 2, 5, 7, 9]) {
      const request = { ...JOINING, groupId: 'g', memberId };
      await ask(JoinGroup, version, request);
      await ask(JoinGroup, version, { ...request, protocols: [protocol('range', 7)] });
      await ask(JoinGroup, version, { ...request, protocols: [protocol('other')] });
      await ask(JoinGroup, version, request);
    }
  },

  reasons: async ({ ask }) => {
    for (const [i, reason] of [null, '', 'because', 'x'.repeat(300)].entries()) {
      for (const version of [8, 9]) {
        const groupId = `g${version}${i}`;
        await ask(JoinGroup, version, { ...JOINING, groupId, reason, groupInstanceId: 'i' });
      }
    }
  },

  'the protocol that most like best, with equal votes': async (conversation) => {
    const { ask, askOn } = conversation;
    const names = ['range', 'roundrobin', 'sticky', 'cooperative-sticky', 'b', 'a'];
    for (const first of names) {
      for (const second of names) {
        if (first === second) continue;
        const groupId = `${first}-${second}`;
        const one = {
          ...JOINING,
          groupId,
          groupInstanceId: '1',
          protocols: [protocol(first, 1), protocol(second, 2)],
        };
        const protocols = [protocol(second, 3), protocol(first, 4)];
        const other = { ...one, groupInstanceId: '2', protocols };
        const { memberId } = await ask(JoinGroup, 9, one);
        const joining = askOn('other', JoinGroup, 9, other);
        await groupIs(conversation, groupId, 'PreparingRebalance', 2);
        await ask(JoinGroup, 9, { ...one, memberId });
        await joining;
      }
    }
  },
});
