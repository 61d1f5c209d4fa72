import {
  DeleteTopics,
  Metadata,
  OffsetCommit,
  OffsetFetch,
  ZERO_UUID,
} from '../src/kafka-protocol/index.ts';
import { joinAlone, STRANGE_GROUP_IDS, syncAlone } from './support/groups.ts';
import { until } from './support/patience.ts';
import { type Conversation, recorded } from './support/recorded.ts';

const VERSIONS = [1, 2, 3, 5, 7];
const BATCHED = [8, 9];
const UNKNOWN_ID = 'zzzzzzzzzzzzzzzzzzzzzA';

const topic = (name: string, ...partitionIndexes: readonly number[]) => {
  return { name, partitionIndexes };
};

/** Topics t and u of three partitions, of which a group has committed t-2, t-0 and u-1. */
async function committed(conversation: Conversation, groupId: string) {
  const t = await conversation.topic('t', 3);
  const u = await conversation.topic('u', 3);
  await commit(conversation, groupId, { t: [2, 0], u: [1] });
  return { t, u };
}

async function commit(
  { quietly }: Conversation,
  groupId: string,
  offsets: Readonly<Record<string, readonly number[]>>,
) {
  const topics = Object.entries(offsets).map(([name, partitions]) => ({
    name,
    partitions: partitions.map((partitionIndex) => ({
      partitionIndex,
      committedOffset: BigInt(partitionIndex + 10),
      committedLeaderEpoch: 3,
      committedMetadata: `m${partitionIndex}`,
    })),
  }));
  await quietly(OffsetCommit, 9, { groupId, topics });
}

recorded('offset-fetch', {
  'strange group ids': async ({ ask }) => {
    for (const groupId of STRANGE_GROUP_IDS) {
      for (const version of VERSIONS) {
        await ask(OffsetFetch, version, { groupId, topics: [topic('t', 0)] });
      }
      for (const version of [...BATCHED, 10]) {
        await ask(OffsetFetch, version, { groups: [{ groupId, topics: null }] });
      }
    }
  },

  'topics and partitions of one group': async (conversation) => {
    await committed(conversation, 'g');
    for (const topics of [
      [],
      [topic('t')],
      [topic('none')],
      [topic('')],
      [topic('t', 0, 1, 2, 3, -1, 2147483647)],
      [topic('t', 2, 2, 0, 0)],
      [topic('u', 1), topic('t', 0), topic('u', 1, 0)],
      [topic('none', 0, 1), topic('t', 0), topic('b/d', 0), topic('', 0), topic('u', 1)],
      [topic('x'.repeat(250), 0), topic('t', 2)],
    ]) {
      for (const groupId of ['g', 'none', '']) {
        for (const version of VERSIONS) {
          await conversation.ask(OffsetFetch, version, { groupId, topics });
        }
        for (const version of BATCHED) {
          await conversation.ask(OffsetFetch, version, { groups: [{ groupId, topics }] });
        }
      }
    }
  },

  'everything of one group': async (conversation) => {
    await committed(conversation, 'g');
    for (const groupId of ['g', 'none', '']) {
      for (const version of VERSIONS.slice(1)) {
        await conversation.ask(OffsetFetch, version, { groupId, topics: null });
      }
      for (const version of [...BATCHED, 10]) {
        const groups = [{ groupId, topics: null }];
        await conversation.ask(OffsetFetch, version, { groups });
        await conversation.ask(OffsetFetch, version, { groups, requireStable: true });
      }
    }
  },

  'the order of everything': async (conversation) => {
    const names = ['orders', 'a', 'b', 'topic-1', 'topic-2', 'topic-10', 'Aa', 'BB', 'payments'];
    for (const name of names) await conversation.topic(name, 9);
    for (let count = 1; count <= names.length; count++) {
      const offsets = names.slice(0, count).map((name) => [name, [8, 3, 5, 1].slice(count % 3)]);
      await commit(conversation, `g${count}`, Object.fromEntries(offsets));
      await conversation.ask(OffsetFetch, 9, { groups: [{ groupId: `g${count}`, topics: null }] });
    }
    await commit(conversation, 'g', { a: [0, 1, 2, 3, 4, 5, 6, 7, 8] });
    await conversation.ask(OffsetFetch, 5, { groupId: 'g', topics: null });
    await commit(conversation, 'g', { b: [8, 7, 6, 5, 4, 3, 2, 1, 0], orders: [1, 0] });
    await conversation.ask(OffsetFetch, 5, { groupId: 'g', topics: null });
  },

  'many groups': async (conversation) => {
    await committed(conversation, 'g');
    await commit(conversation, 'h', { u: [0] });
    const g = { groupId: 'g', topics: [topic('t', 0, 1)] };
    const all = { groupId: 'g', topics: null };
    const h = { groupId: 'h', topics: [topic('u', 0), topic('none', 0)] };
    const none = { groupId: 'none', topics: [topic('t', 0)] };
    const empty = { groupId: '', topics: [topic('t', 0)] };
    for (const version of BATCHED) {
      for (const groups of [
        [],
        [g, h],
        [h, g],
        [g, g],
        [g, all],
        [all, g],
        [none, empty, h, g, empty],
        [{ groupId: 'h', topics: [] }, g],
        [{ groupId: '', topics: null }, all],
      ]) {
        await conversation.ask(OffsetFetch, version, { groups });
      }
    }
  },

  'members and epochs': async (conversation) => {
    await committed(conversation, 'g');
    const member = await joinAlone(conversation, { groupId: 'h' });
    await syncAlone(conversation, 'h', member);
    for (const groupId of ['g', 'h', 'none', '']) {
      for (const memberId of [null, '', 'm', member.memberId]) {
        for (const memberEpoch of [-2147483648, -2, -1, 0, 1, 2147483647]) {
          for (const topics of [null, [topic('t', 0)]]) {
            const groups = [{ groupId, memberId, memberEpoch, topics }];
            await conversation.ask(OffsetFetch, 9, { groups });
          }
        }
      }
    }
  },

  'topics by id': async (conversation) => {
    const { t, u } = await committed(conversation, 'g');
    const byId = (topicId: string, ...partitionIndexes: readonly number[]) => {
      return { topicId, partitionIndexes };
    };
    for (const topics of [
      null,
      [],
      [byId(ZERO_UUID, 0)],
      [byId(UNKNOWN_ID, 0, 1)],
      [byId(UNKNOWN_ID)],
      [byId(t.id)],
      [byId(t.id, 2, 1, 0, 7, -1), byId(UNKNOWN_ID, 0), byId(u.id, 1)],
      [byId(t.id, 0), byId(t.id, 0, 2)],
      [byId(ZERO_UUID, 0), byId(u.id, 0), byId(UNKNOWN_ID, 0), byId(t.id, 0)],
    ]) {
      for (const groupId of ['g', 'none', '']) {
        await conversation.ask(OffsetFetch, 10, { groups: [{ groupId, topics }] });
      }
      const group = { groupId: 'g', topics };
      await conversation.ask(OffsetFetch, 10, {
        groups: [group, { groupId: 'none', topics }, group],
      });
    }
  },

  'a topic that was deleted': async (conversation) => {
    const { t } = await committed(conversation, 'g');
    await conversation.quietly(DeleteTopics, 5, { topicNames: ['t'], timeoutMs: 5000 });
    await until('no topic t', async () => {
      const { topics } = await conversation.quietly(Metadata, 12, {
        topics: [{ name: 't' }],
        allowAutoTopicCreation: false,
      });
      return topics[0]?.errorCode === 3;
    });
    await until('no offsets of t', async () => {
      const groups = [{ groupId: 'g', topics: [topic('t', 0)] }];
      const answer = await conversation.quietly(OffsetFetch, 9, { groups });
      return answer.groups[0]?.topics[0]?.partitions[0]?.committedOffset === -1n;
    });
    await conversation.ask(OffsetFetch, 1, { groupId: 'g', topics: [topic('t', 0, 2)] });
    const groups = [{ groupId: 'g', topics: null }];
    await conversation.ask(OffsetFetch, 9, { groups });
    await conversation.ask(OffsetFetch, 10, { groups });
    const topics = [{ topicId: t.id, partitionIndexes: [0] }];
    await conversation.ask(OffsetFetch, 10, { groups: [{ groupId: 'g', topics }] });
  },
});
