import {
  ConsumerProtocolSubscription,
  DeleteGroups,
  DescribeGroups,
  encode,
  Heartbeat,
  LeaveGroup,
  ListGroups,
  OffsetCommit,
  OffsetFetch,
} from '../src/kafka-protocol/index.ts';
import { groupIs, type Joined, joinAlone, syncAlone } from './support/groups.ts';
import { until } from './support/patience.ts';
import { type Conversation, recorded } from './support/recorded.ts';

/** Kept as long as the broker keeps offsets: a week. */
const AS_EVER = -1n;
const NOT_FOR_LONG = 1n;
/** Static members join with one request: between two of them a group without members or offsets could go. */
const STATIC = { groupInstanceId: 'i' } as const;
const NOBODY: Joined = { memberId: '', generationId: -1 };

/** Commits one offset, in the last version that says how long it is kept. */
function commit(
  { ask }: Conversation,
  groupId: string,
  [name, partitionIndex]: readonly [string, number],
  retentionTimeMs: bigint,
  { memberId, generationId }: Joined = NOBODY,
) {
  const topics = [{ name, partitions: [{ partitionIndex, committedOffset: 7n }] }];
  const member = { memberId, generationIdOrMemberEpoch: generationId };
  return ask(OffsetCommit, 4, { groupId, ...member, retentionTimeMs, topics });
}

/** Everything that is left. */
async function left({ ask }: Conversation, groupId: string): Promise<void> {
  await ask(OffsetFetch, 9, { groups: [{ groupId, topics: null }] });
  await ask(DescribeGroups, 6, { groups: [groupId] });
}

function gone({ quietly }: Conversation, groupId: string, name: string): Promise<void> {
  const topics = [{ name, partitionIndexes: [0] }];
  return until(`${name} of ${groupId} to be gone`, async () => {
    const { groups } = await quietly(OffsetFetch, 9, { groups: [{ groupId, topics }] });
    return groups[0]?.topics[0]?.partitions[0]?.committedOffset === -1n;
  });
}

function reading(topic: string) {
  const subscription = encode(ConsumerProtocolSubscription, { topics: [topic] }, 0);
  const metadata = Buffer.concat([Buffer.from([0, 0]), subscription]);
  return { protocols: [{ name: 'range', metadata }] };
}

recorded(
  'offset-expiry',
  {
    'of a group that only stores offsets': async (conversation) => {
      await conversation.topic('t', 2);
      await commit(conversation, 'g', ['t', 1], AS_EVER);
      await commit(conversation, 'g', ['t', 0], NOT_FOR_LONG);
      await gone(conversation, 'g', 't');
      await left(conversation, 'g');
    },

    'of the last offset of such a group': async (conversation) => {
      const { ask } = conversation;
      await conversation.topic('t');
      await commit(conversation, 'g', ['t', 0], NOT_FOR_LONG);
      await groupIs(conversation, 'g', 'Dead', 0);
      await left(conversation, 'g');
      await ask(ListGroups, 5, {});
      await ask(Heartbeat, 4, { groupId: 'g', memberId: 'm', generationId: 1 });
      await ask(DeleteGroups, 2, { groupsNames: ['g'] });
      await commit(conversation, 'g', ['t', 0], AS_EVER);
      await left(conversation, 'g');
    },

    'of a group that all have left': async (conversation) => {
      await conversation.topic('t', 2);
      for (const [groupId, retentionTimeMs] of [
        ['kept', AS_EVER],
        ['gone', NOT_FOR_LONG],
      ] as const) {
        const member = await joinAlone(conversation, { groupId, ...STATIC, ...reading('t') });
        await syncAlone(conversation, groupId, member, STATIC.groupInstanceId);
        await commit(conversation, groupId, ['t', 0], retentionTimeMs, member);
        const members = [{ memberId: member.memberId }];
        await conversation.ask(LeaveGroup, 3, { groupId, members });
      }
      await groupIs(conversation, 'gone', 'Dead', 0);
      await left(conversation, 'gone');
      await left(conversation, 'kept');
      await conversation.ask(ListGroups, 5, {});
    },

    'of what a member does not read': async (conversation) => {
      await conversation.topic('t');
      await conversation.topic('u');
      const member = await joinAlone(conversation, { groupId: 'g', ...STATIC, ...reading('t') });
      await syncAlone(conversation, 'g', member, STATIC.groupInstanceId);
      await commit(conversation, 'g', ['t', 0], NOT_FOR_LONG, member);
      await commit(conversation, 'g', ['u', 0], NOT_FOR_LONG, member);
      await gone(conversation, 'g', 'u');
      await left(conversation, 'g');
    },

    'where nobody knows what the members read': async (conversation) => {
      await conversation.topic('t');
      const members = [
        // Metadata that is none, and members that are not consumers.
        {
          groupId: 'A',
          protocolType: 'consumer',
          protocols: [{ name: 'range', metadata: Uint8Array.of(9) }],
        },
        { groupId: 's', protocolType: 'connect', ...reading('u') },
      ];
      for (const request of members) {
        const { groupId, protocolType } = request;
        const member = await joinAlone(conversation, { ...request, ...STATIC });
        await syncAlone(conversation, groupId, member, STATIC.groupInstanceId, protocolType);
        await commit(conversation, groupId, ['t', 0], NOT_FOR_LONG, member);
      }
      // Of the same partition of the topic of offsets: what goes in one round would have gone by then.
      await commit(conversation, 'al', ['t', 0], NOT_FOR_LONG);
      await groupIs(conversation, 'al', 'Dead', 0);
      for (const { groupId } of members) await left(conversation, groupId);
    },
  },
  { settings: { 'offsets.retention.check.interval.ms': 500 } },
);
