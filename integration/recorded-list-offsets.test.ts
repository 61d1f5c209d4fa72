import { DeleteRecords, ListOffsets } from '../src/kafka-protocol/index.ts';
import { recorded } from './support/recorded.ts';
import { epochOf, filled } from './support/timed-records.ts';

const VERSIONS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11];
const SOME = [1, 4, 7, 11];
const LOWEST = -9223372036854775808n;
const HIGHEST = 9223372036854775807n;
const CONSUMER = -1;

const at = (partitionIndex: number, timestamp: bigint, more: object = {}) => {
  return { partitionIndex, timestamp, ...more };
};

recorded('list-offsets', {
  times: async (conversation) => {
    await filled(conversation);
    const times = [0n, 1n, 500n, 1000n, 1001n, 2000n, 2500n, 2501n, 3000n, 3001n, HIGHEST];
    for (const version of VERSIONS) {
      for (const time of times) {
        const partitions = [at(0, time), at(1, time), at(2, time)];
        const topics = [{ name: 't', partitions }];
        await conversation.ask(ListOffsets, version, { replicaId: CONSUMER, topics });
      }
    }
  },

  'times that stand for something': async (conversation) => {
    await filled(conversation);
    for (const version of VERSIONS) {
      for (const time of [-1n, -2n, -3n, -4n, -5n, -6n, -7n, -100n, LOWEST]) {
        const topics = [{ name: 't', partitions: [at(2, time), at(1, time), at(0, time)] }];
        await conversation.ask(ListOffsets, version, { replicaId: CONSUMER, topics });
      }
    }
  },

  'after records were deleted': async (conversation) => {
    await filled(conversation);
    const partitions = [{ partitionIndex: 0, offset: 2n }];
    const request = { topics: [{ name: 't', partitions }], timeoutMs: 5000 };
    await conversation.quietly(DeleteRecords, 2, request);
    for (const time of [-1n, -2n, -3n, -4n, -5n, 0n, 500n, 1000n, 2000n, 3000n, 3001n]) {
      const topics = [{ name: 't', partitions: [at(0, time)] }];
      await conversation.ask(ListOffsets, 11, { replicaId: CONSUMER, topics });
    }
  },

  'isolation levels, replicas and timeouts': async (conversation) => {
    await filled(conversation);
    for (const version of [2, 7, 10, 11]) {
      for (const time of [-1n, -2n, -3n, 500n, 9000n]) {
        const topics = [{ name: 't', partitions: [at(0, time)] }];
        for (const isolationLevel of [-128, -1, 0, 1, 2, 127]) {
          const request = { replicaId: CONSUMER, isolationLevel, topics };
          await conversation.ask(ListOffsets, version, request);
        }
        for (const replicaId of [-2147483648, -3, -2, 0, 1, 2]) {
          await conversation.ask(ListOffsets, version, { replicaId, topics });
        }
        if (version < 10) continue;
        for (const timeoutMs of [-1, 0, 2147483647]) {
          await conversation.ask(ListOffsets, version, { replicaId: CONSUMER, timeoutMs, topics });
        }
      }
    }
  },

  'epochs that a client believes in': async (conversation) => {
    await filled(conversation);
    const epoch = await epochOf(conversation);
    for (const version of [4, 7, 11]) {
      for (const currentLeaderEpoch of [-2147483648, -2, -1, epoch, epoch + 1, 2147483647]) {
        for (const time of [-1n, 500n]) {
          const partitions = [
            at(0, time, { currentLeaderEpoch }),
            at(9, time, { currentLeaderEpoch }),
          ];
          const topics = [{ name: 't', partitions }];
          await conversation.ask(ListOffsets, version, { replicaId: CONSUMER, topics });
        }
      }
    }
  },

  'topics and partitions: missing, repeated, none': async (conversation) => {
    await filled(conversation);
    await conversation.topic('u');
    const t = (...partitions: readonly ReturnType<typeof at>[]) => ({ name: 't', partitions });
    for (const version of SOME) {
      for (const topics of [
        [],
        [t()],
        [{ name: 'none' }],
        [{ name: '', partitions: [at(0, -1n)] }],
        [{ name: 'b/d', partitions: [at(0, -1n)] }],
        [{ name: 'x'.repeat(250), partitions: [at(0, -1n)] }],
        [t(at(3, -1n), at(-1, -1n), at(0, -1n), at(2147483647, 5n), at(1, -2n))],
        [t(at(0, -1n), at(0, -1n))],
        [t(at(0, -1n), at(1, -1n), at(0, -2n), at(2, -1n))],
        [t(at(0, -1n)), t(at(0, -2n)), t(at(1, -2n))],
        [{ name: 'u', partitions: [at(0, -1n)] }, { name: 'none', partitions: [at(0, -1n)] }, t()],
        [{ name: 'none', partitions: [at(0, -1n), at(0, -1n)] }, t(at(9, -1n), at(9, -1n))],
        [{ name: 'none', partitions: [at(0, -9n), at(1, -3n)] }, t(at(9, -9n), at(8, -3n))],
      ]) {
        await conversation.ask(ListOffsets, version, { replicaId: CONSUMER, topics });
      }
    }
  },

  'the order of many': async (conversation) => {
    await filled(conversation);
    const all = Array.from({ length: 30 }, (_, i) => at(i, -1n));
    for (const count of [4, 11, 12, 13, 23, 24, 25, 30]) {
      const topics = [{ name: 't', partitions: all.slice(0, count) }];
      await conversation.ask(ListOffsets, 7, { replicaId: CONSUMER, topics });
      const reversed = [{ name: 't', partitions: all.slice(0, count).toReversed() }];
      await conversation.ask(ListOffsets, 7, { replicaId: CONSUMER, topics: reversed });
    }
    const names = ['orders', 'a', 'b', 'topic-1', 'topic-2', 'topic-10', 'Aa', 'BB', 'payments'];
    for (let count = 2; count <= names.length; count++) {
      const topics = names.slice(0, count).map((name) => ({ name, partitions: all.slice(0, 2) }));
      await conversation.ask(ListOffsets, 7, { replicaId: CONSUMER, topics });
    }
  },
});
