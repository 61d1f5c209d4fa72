import { ErrorCode, OffsetForLeaderEpoch } from '../../kafka-protocol/index.ts';
import { askPartitions } from './ask-partitions.ts';
import { defineHandler } from './handler.ts';

const NOTHING = { leaderEpoch: -1, endOffset: -1n };

/** Where an epoch ended, for consumers that check their position after a change of leader (KIP-320). */
export const offsetForLeaderEpoch = defineHandler(OffsetForLeaderEpoch, {
  handle(request, ctx) {
    const topics = askPartitions(request.topics, {
      partitionsOf: ({ partitions }) => partitions,
      async ask({ topic }, asked) {
        const { partition } = asked;
        if (!ctx.isAllowed('DESCRIBE', 'TOPIC', topic)) {
          return { partition, errorCode: ErrorCode.TOPIC_AUTHORIZATION_FAILED, ...NOTHING };
        }
        const found = await ctx.partitions.offsetForLeaderEpoch(topic, partition, asked);
        return { partition, ...found };
      },
      shape: ({ topic }, partitions) => ({ topic, partitions }),
    });
    return { topics };
  },
});
