import { OffsetForLeaderEpoch } from '../src/kafka-protocol/index.ts';
import { recorded } from './support/recorded.ts';
import { epochOf, filled } from './support/timed-records.ts';

recorded('offset-for-leader-epoch', {
  epochs: async (conversation) => {
    await filled(conversation);
    const epoch = await epochOf(conversation);
    for (const version of [2, 3, 4]) {
      for (const leaderEpoch of [-2147483648, -2, -1, epoch, epoch + 1, 2147483647]) {
        for (const currentLeaderEpoch of [-2147483648, -2, -1, epoch, epoch + 1]) {
          const partitions = [0, 1, 9].map((partition) => {
            return { partition, leaderEpoch, currentLeaderEpoch };
          });
          const topics = [{ topic: 't', partitions }];
          await conversation.ask(OffsetForLeaderEpoch, version, { topics });
        }
      }
    }
  },

  replicas: async (conversation) => {
    await filled(conversation);
    const leaderEpoch = await epochOf(conversation);
    for (const replicaId of [-2147483648, -3, -2, -1, 0, 1, 2]) {
      const topics = [{ topic: 't', partitions: [{ partition: 0, leaderEpoch }] }];
      await conversation.ask(OffsetForLeaderEpoch, 3, { replicaId, topics });
      await conversation.ask(OffsetForLeaderEpoch, 4, { replicaId, topics });
    }
  },

  'topics and partitions: missing, repeated, none': async (conversation) => {
    await filled(conversation);
    await conversation.topic('u');
    const leaderEpoch = await epochOf(conversation);
    const of = (topic: string, ...partitions: readonly number[]) => {
      return { topic, partitions: partitions.map((partition) => ({ partition, leaderEpoch })) };
    };
    for (const version of [2, 3, 4]) {
      for (const topics of [
        [],
        [of('t')],
        [of('none')],
        [of('', 0)],
        [of('b/d', 0), of('x'.repeat(250), 0)],
        [of('t', 3, -1, 0, 2147483647, 1)],
        [of('t', 0, 0, 1, 0)],
        [of('none', 0), of('u', 0), of('none-too', 0), of('t', 0)],
        [of('t', 0), of('u', 0), of('t', 1)],
        [of('t', 0), of('t', 0), of('none', 0), of('none', 1)],
      ]) {
        await conversation.ask(OffsetForLeaderEpoch, version, { topics });
      }
    }
  },
});
