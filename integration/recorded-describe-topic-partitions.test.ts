import { DescribeTopicPartitions } from '../src/kafka-protocol/index.ts';
import { type AskOptions, type Conversation, recorded } from './support/recorded.ts';

type Cursor = readonly [string, number];

const describeTopics = (
  { ask }: Conversation,
  names: readonly string[],
  limit = 2000,
  cursor: Cursor | null = null,
  ours?: NonNullable<AskOptions['ours']>,
) => {
  const request = {
    topics: names.map((name) => ({ name })),
    responsePartitionLimit: limit,
    cursor: cursor === null ? null : { topicName: cursor[0], partitionIndex: cursor[1] },
  };
  return ask(DescribeTopicPartitions, 0, request, ours === undefined ? {} : { ours });
};

recorded('describe-topic-partitions', {
  'names that no topic has': async (conversation) => {
    await describeTopics(conversation, ['none']);
    await describeTopics(conversation, ['none', 'none', 'a', 'none']);
    const invalid = ['', 'a b', '..', '.', 'a/b', '\0', 'ä', 'y'.repeat(250)];
    for (const name of invalid) await describeTopics(conversation, [name]);
    await describeTopics(conversation, invalid);
    await describeTopics(conversation, [
      '__transaction_state',
      '__cluster_metadata',
      '__share_group_state',
    ]);
    for (const limit of [1, 0, 2]) {
      await describeTopics(conversation, ['none', 'other', ''], limit);
      await describeTopics(conversation, ['none', 'other', ''], limit, ['none', 0]);
    }
  },

  'all topics, and in which order': async (conversation) => {
    for (const name of ['b', 'a', 'B', 'a.c', 'a-b', 'a_b', '1']) await conversation.topic(name);
    await conversation.topic('c', 3);
    await describeTopics(conversation, ['c', 'b', 'a', 'B', 'none', 'c']);
    await describeTopics(conversation, ['a.c', 'a_b', 'a-b', '1', 'a', '']);
    await describeTopics(conversation, [], 7);
    await describeTopics(conversation, [], 1, ['c', 1]);
  },

  limits: async (conversation) => {
    await conversation.topic('a', 3);
    await conversation.topic('b', 2);
    await conversation.topic('c', 1);
    for (const limit of [-2147483648, -1, 0, 1, 2, 3, 4, 5, 6, 7, 2000, 2001, 2147483647]) {
      await describeTopics(conversation, ['a', 'b', 'c'], limit);
      await describeTopics(conversation, ['c', 'none', 'a'], limit);
      await describeTopics(conversation, ['a', '0', 'a b'], limit);
    }
  },

  cursors: async (conversation) => {
    await conversation.topic('a', 3);
    await conversation.topic('b', 2);
    const cursors: readonly Cursor[] = [
      ['a', -2147483648],
      ['a', -1],
      ['a', 0],
      ['a', 1],
      ['a', 2],
      ['a', 3],
      ['a', 4],
      ['b', 0],
      ['b', 1],
      ['b', 2],
      ['c', 0],
      ['0', 0],
      ['none', 0],
      ['none', 5],
      ['', 0],
      ['', -1],
      ['a b', 0],
    ];
    for (const cursor of cursors) {
      await describeTopics(conversation, ['a', 'b'], 2, cursor);
      await describeTopics(conversation, ['b'], 2, cursor);
      await describeTopics(conversation, ['b', 'none', 'a', 'b', 'a b'], 2000, cursor);
      await describeTopics(conversation, ['none'], 1, cursor);
      if (cursor[0] > '_') await describeTopics(conversation, [], 2, cursor);
    }
    // Kafka counts on beyond the largest number and sends its client to a place that it then refuses.
    const ours = { nextCursor: null };
    await describeTopics(conversation, ['a'], 2, ['a', 2147483647], ours);
  },
});
