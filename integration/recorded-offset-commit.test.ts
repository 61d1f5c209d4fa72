import { JoinGroup, OffsetCommit, OffsetFetch, ZERO_UUID } from '../src/kafka-protocol/index.ts';
import {
  groupIs,
  JOINING,
  joinAlone,
  MEMBER_IDS,
  STRANGE_GROUP_IDS,
  syncAlone,
} from './support/groups.ts';
import { type Conversation, recorded } from './support/recorded.ts';

const VERSIONS = [2, 5, 7, 9];
const GENERATIONS = [-2147483648, -2, -1, 0, 1, 2, 2147483647];
const UNKNOWN_ID = 'zzzzzzzzzzzzzzzzzzzzzA';

const at = (partitionIndex: number, committedOffset: bigint, more: object = {}) => {
  return { partitionIndex, committedOffset, ...more };
};
const topic = (name: string, ...partitions: readonly ReturnType<typeof at>[]) => {
  return { name, partitions };
};

/** Everything that the group has. */
function stored({ ask }: Conversation, groupId: string) {
  return ask(OffsetFetch, 9, { groups: [{ groupId, topics: null }] });
}

recorded('offset-commit', {
  'strange group ids': async (conversation) => {
    const { name, id: topicId } = await conversation.topic('t');
    for (const groupId of STRANGE_GROUP_IDS) {
      for (const version of [2, 9]) {
        const request = { groupId, topics: [topic(name, at(0, 5n))] };
        await conversation.ask(OffsetCommit, version, request);
        await conversation.ask(OffsetCommit, version, { ...request, memberId: 'm' });
      }
      const topics = [{ topicId, partitions: [at(0, 6n)] }];
      await conversation.ask(OffsetCommit, 10, { groupId, topics });
      await stored(conversation, groupId);
    }
  },

  'nothing to commit': async (conversation) => {
    await conversation.topic('t');
    const lists = [[], [topic('t')], [topic('none')], [topic('')], [topic('t'), topic('none')]];
    for (const groupId of ['', 'g']) {
      for (const version of VERSIONS) {
        for (const topics of lists) {
          await conversation.ask(OffsetCommit, version, { groupId, topics });
          const request = { groupId, generationIdOrMemberEpoch: 1, memberId: 'm', topics };
          await conversation.ask(OffsetCommit, version, request);
        }
      }
      await conversation.ask(OffsetCommit, 10, { groupId });
    }
    await stored(conversation, 'g');
  },

  'members of a group that does not exist': async (conversation) => {
    await conversation.topic('t');
    const topics = [topic('t', at(0, 1n)), topic('none', at(0, 1n))];
    for (const version of [2, 8, 9]) {
      for (const generationIdOrMemberEpoch of GENERATIONS) {
        if (generationIdOrMemberEpoch === -1) continue;
        for (const memberId of MEMBER_IDS) {
          const groupId = `g${version}${generationIdOrMemberEpoch}${memberId}`;
          const request = { groupId, generationIdOrMemberEpoch, memberId, topics };
          await conversation.ask(OffsetCommit, version, request);
        }
      }
    }
  },

  'from outside, with members and instances that are not there': async (conversation) => {
    await conversation.topic('t');
    const topics = [topic('t', at(0, 1n))];
    for (const groupId of ['new', 'new', 'other']) {
      for (const memberId of MEMBER_IDS) {
        await conversation.ask(OffsetCommit, 2, { groupId, memberId, topics });
        for (const groupInstanceId of [null, '', 'i']) {
          const request = { groupId, memberId, groupInstanceId, topics };
          await conversation.ask(OffsetCommit, 7, request);
          await conversation.ask(OffsetCommit, 9, request);
          const member = { ...request, generationIdOrMemberEpoch: 0 };
          await conversation.ask(OffsetCommit, 9, member);
        }
      }
    }
  },

  'members and generations of a group, stable and not': async (conversation) => {
    const { ask } = conversation;
    await conversation.topic('t');
    const topics = [topic('t', at(0, 1n)), topic('none', at(0, 1n))];
    const commitAll = async (memberId: string) => {
      for (const version of [2, 9]) {
        for (const generationIdOrMemberEpoch of GENERATIONS) {
          for (const name of [memberId, ...MEMBER_IDS]) {
            const request = { groupId: 'g', generationIdOrMemberEpoch, memberId: name, topics };
            await ask(OffsetCommit, version, request);
          }
        }
      }
    };
    const member = await joinAlone(conversation, { groupId: 'g' });
    await commitAll(member.memberId);
    await syncAlone(conversation, 'g', member);
    await commitAll(member.memberId);
    const { memberId } = await ask(JoinGroup, 9, { ...JOINING, groupId: 'g' });
    const joining = conversation.askOn('b', JoinGroup, 9, { ...JOINING, groupId: 'g', memberId });
    await groupIs(conversation, 'g', 'PreparingRebalance', 2);
    await commitAll(member.memberId);
    await ask(JoinGroup, 9, { ...JOINING, groupId: 'g', memberId: member.memberId });
    await joining;
  },

  'instance ids of a stable group': async (conversation) => {
    await conversation.topic('t');
    const member = await joinAlone(conversation, { groupId: 'g', groupInstanceId: 'i' });
    await syncAlone(conversation, 'g', member, 'i');
    const topics = [topic('t', at(0, 1n))];
    for (const groupInstanceId of [null, '', 'i', 'other']) {
      for (const memberId of [member.memberId, '', 'other']) {
        for (const generationIdOrMemberEpoch of [-1, 0, 1, 2]) {
          const request = { groupId: 'g', memberId, generationIdOrMemberEpoch, topics };
          await conversation.ask(OffsetCommit, 7, { ...request, groupInstanceId });
          await conversation.ask(OffsetCommit, 9, { ...request, groupInstanceId });
        }
      }
    }
  },

  'partitions and topics that do not exist, and the order of answers': async (conversation) => {
    await conversation.topic('t', 3);
    await conversation.topic('u');
    for (const version of VERSIONS) {
      for (const topics of [
        [topic('t', at(3, 1n), at(0, 2n), at(-1, 3n), at(2, 4n), at(2147483647, 5n), at(1, 6n))],
        [topic('none', at(0, 1n), at(-1, 2n)), topic('t', at(0, 7n)), topic('', at(0, 3n))],
        [topic('u', at(0, 1n)), topic('b/d', at(0, 1n)), topic('t', at(9, 1n)), topic('u')],
        [topic('none', at(0, 1n)), topic('also-none', at(1, 1n)), topic('none', at(0, 1n))],
        [topic('t', at(9, 1n)), topic('u', at(0, 1n)), topic('t', at(0, 3n), at(8, 1n))],
        [
          topic('x'.repeat(249), at(0, 1n)),
          topic('u', at(0, 1n)),
          topic('x'.repeat(250), at(0, 1n)),
        ],
        [
          topic('none'),
          topic('t'),
          topic('u', at(0, 5n)),
          topic('also-none'),
          topic('t', at(1, 1n)),
        ],
      ]) {
        await conversation.ask(OffsetCommit, version, { groupId: 'g', topics });
        await stored(conversation, 'g');
      }
    }
  },

  'partitions and topics named more than once': async (conversation) => {
    await conversation.topic('t', 3);
    await conversation.topic('u', 3);
    for (const version of VERSIONS) {
      for (const topics of [
        [topic('t', at(0, 1n), at(0, 2n), at(0, 3n))],
        [topic('t', at(0, 9n)), topic('u', at(0, 1n)), topic('t', at(0, 8n), at(1, 7n))],
        [topic('t', at(2, 1n), at(1, 2n)), topic('t', at(1, 3n)), topic('u', at(0, 1n))],
        [topic('t', at(5, 1n), at(5, 2n)), topic('t', at(5, 3n))],
      ]) {
        await conversation.ask(OffsetCommit, version, { groupId: 'g', topics });
        await stored(conversation, 'g');
      }
    }
  },

  'offsets, epochs and metadata': async (conversation) => {
    await conversation.topic('t', 1);
    const large = 9223372036854775807n;
    for (const version of VERSIONS) {
      for (const offset of [-9223372036854775808n, -2n, -1n, 0n, 1n, large]) {
        for (const committedMetadata of [null, '', 'm']) {
          const topics = [topic('t', at(0, offset, { committedMetadata }))];
          await conversation.ask(OffsetCommit, version, { groupId: 'g', topics });
          await stored(conversation, 'g');
        }
      }
    }
    for (const committedLeaderEpoch of [-2147483648, -2, -1, 0, 7, 2147483647]) {
      const topics = [topic('t', at(0, 1n, { committedLeaderEpoch }))];
      await conversation.ask(OffsetCommit, 6, { groupId: 'g', topics });
      await stored(conversation, 'g');
      await conversation.ask(OffsetCommit, 9, { groupId: 'g', topics });
      await stored(conversation, 'g');
    }
  },

  'metadata that is too large': async (conversation) => {
    await conversation.topic('t', 6);
    const of = (length: number, character = 'x') => {
      return { committedMetadata: character.repeat(length) };
    };
    for (const version of VERSIONS) {
      const topics = [
        topic('t', at(0, 1n, of(4097)), at(1, 1n, of(4096)), at(2, 1n, of(4096, 'ü'))),
        topic('t', at(3, 1n, of(4097, 'ü')), at(4, 1n, of(30_000)), at(5, 1n), at(9, 1n, of(5000))),
      ];
      await conversation.ask(OffsetCommit, version, { groupId: 'g', topics });
    }
    await stored(conversation, 'g');
  },

  retention: async (conversation) => {
    await conversation.topic('t', 1);
    const times = [-9223372036854775808n, -2n, -1n, 0n, 1n, 1000n, 9223372036854775807n];
    for (const version of [2, 3, 4]) {
      for (const retentionTimeMs of times) {
        const groupId = `g${version}${retentionTimeMs}`;
        const topics = [topic('t', at(0, 1n))];
        await conversation.ask(OffsetCommit, version, { groupId, retentionTimeMs, topics });
        await stored(conversation, groupId);
      }
    }
  },

  'topics by id': async (conversation) => {
    const { id } = await conversation.topic('t', 3);
    const { id: other } = await conversation.topic('u', 3);
    const byId = (topicId: string, ...partitions: readonly ReturnType<typeof at>[]) => {
      return { topicId, partitions };
    };
    for (const topics of [
      [byId(ZERO_UUID, at(0, 1n))],
      [byId(UNKNOWN_ID, at(0, 1n), at(1, 2n))],
      [byId(id)],
      [byId(UNKNOWN_ID)],
      [byId(ZERO_UUID)],
      [byId(id, at(0, 1n), at(3, 2n), at(1, 3n), at(-1, 4n))],
      [byId(UNKNOWN_ID, at(0, 1n)), byId(id, at(0, 4n)), byId(ZERO_UUID, at(0, 1n))],
      [byId(id, at(0, 1n)), byId(other, at(0, 1n)), byId(id, at(0, 2n), at(2, 2n))],
      [byId(other, at(7, 1n)), byId(UNKNOWN_ID, at(0, 1n)), byId(other, at(1, 1n))],
    ]) {
      await conversation.ask(OffsetCommit, 10, { groupId: 'g', topics });
      const request = { groupId: 'g', generationIdOrMemberEpoch: 3, memberId: 'm', topics };
      await conversation.ask(OffsetCommit, 10, request);
      await stored(conversation, 'g');
    }
  },
});
