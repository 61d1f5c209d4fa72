import { ErrorCode, OffsetForLeaderEpoch } from '../../kafka-protocol/index.ts';
import { defineHandler } from '../dispatch/handler.ts';

const NOTHING = { leaderEpoch: -1, endOffset: -1n };

/** Where an epoch ended, for consumers that check their position after a change of leader (KIP-320). */
export const offsetForLeaderEpoch = defineHandler(OffsetForLeaderEpoch, {
  async handle(request, ctx) {
    const topics = request.topics.map(async ({ topic, partitions }) => {
      const isAllowed = ctx.isAllowed('DESCRIBE', 'TOPIC', topic);
      const answers = partitions.map(async (asked) => {
        const { partition } = asked;
        const refused = { partition, errorCode: ErrorCode.TOPIC_AUTHORIZATION_FAILED, ...NOTHING };
        if (!isAllowed) return refused;
        const found = await ctx.partitions.offsetForLeaderEpoch(topic, partition, asked);
        return { partition, ...found };
      });
      return { topic, partitions: await Promise.all(answers) };
    });
    return { topics: await Promise.all(topics) };
  },
});
