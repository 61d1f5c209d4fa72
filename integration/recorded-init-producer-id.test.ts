import { InitProducerId } from '../src/kafka-protocol/index.ts';
import { until } from './support/patience.ts';
import { type Conversation, recorded } from './support/recorded.ts';

const VERSIONS = [0, 1, 2, 3, 5];
const HIGHEST = 9223372036854775807n;
const NONE = { producerId: '-1n', producerEpoch: -1 };

/** The broker first asks its controller for a block of ids, and says so meanwhile. */
function idsReady({ quietly }: Conversation): Promise<void> {
  return until('producer ids', async () => {
    const request = { transactionalId: null, transactionTimeoutMs: 60_000 };
    return (await quietly(InitProducerId, 5, request)).errorCode === 0;
  });
}

recorded('init-producer-id', {
  'timeouts of who is not transactional': async (conversation) => {
    const { ask } = conversation;
    await idsReady(conversation);
    for (const version of VERSIONS) {
      for (const transactionTimeoutMs of [-2147483648, -1, 0, 1, 60_000, 2147483647]) {
        await ask(InitProducerId, version, { transactionalId: null, transactionTimeoutMs });
      }
    }
  },

  'ids and epochs that a producer says it has': async (conversation) => {
    const { ask } = conversation;
    await idsReady(conversation);
    for (const version of [3, 4, 5]) {
      for (const producerId of [-9223372036854775808n, -2n, -1n, 5_000_000_000n, HIGHEST]) {
        for (const producerEpoch of [-32768, -2, -1, 0, 1, 32767]) {
          const request = { transactionalId: null, transactionTimeoutMs: 60_000 };
          await ask(InitProducerId, version, { ...request, producerId, producerEpoch });
        }
      }
    }
  },

  'an empty transactional id': async ({ ask }) => {
    for (const version of VERSIONS) {
      for (const transactionTimeoutMs of [-1, 0, 60_000, 2147483647]) {
        await ask(InitProducerId, version, { transactionalId: '', transactionTimeoutMs });
      }
    }
    const ids = { producerId: 5n, producerEpoch: -1 };
    await ask(InitProducerId, 3, { transactionalId: '', transactionTimeoutMs: 60_000, ...ids });
    await ask(InitProducerId, 5, { transactionalId: '', transactionTimeoutMs: 60_000, ...ids });
  },

  // There are no transactions: a client that wants them shall fail, and not ask for ever.
  'a transactional id': async ({ ask }) => {
    for (const version of VERSIONS) {
      const request = { transactionalId: 't', transactionTimeoutMs: 60_000 };
      await ask(InitProducerId, version, request, { ours: { errorCode: 42, ...NONE } });
    }
  },
});
