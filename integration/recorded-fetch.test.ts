import {
  type Draft,
  ErrorCode,
  Fetch,
  type FetchRequest,
  type FetchResponse,
  Produce,
  readBatches,
  ZERO_UUID,
} from '../src/kafka-protocol/index.ts';
import { until } from './support/patience.ts';
import { type Conversation, recorded } from './support/recorded.ts';
import { batchOf } from './support/records.ts';

type Topics = NonNullable<Draft<FetchRequest>['topics']>;
type Partition = NonNullable<Topics[number]['partitions']>[number];

const BY_NAME = [4, 7, 11, 12];
const BY_ID = [13, 16, 18];
const SESSIONS_SINCE = 7;
const UNKNOWN_ID = 'AAAAAAAAAAAAAAAAAAAAZQ';
const METADATA_ID = 'AAAAAAAAAAAAAAAAAAAAAQ';
const ENOUGH = 1 << 20;

/** Kafka answers in an order of its own; where batches begin is what matters of their bytes. */
function view({ responses, ...answer }: FetchResponse) {
  const topics = responses.map(({ partitions, ...topic }) => ({
    ...topic,
    partitions: partitions
      .map(({ records, ...partition }) => ({
        ...partition,
        logStartOffset: isBelow(partition) ? null : partition.logStartOffset,
        records: records === null ? null : readBatches(records).map((batch) => batch.baseOffset),
      }))
      .sort((a, b) => a.partitionIndex - b.partitionIndex),
  }));
  const key = ({ topic, partitions: [first] }: (typeof topics)[number]) =>
    `${topic} ${first?.errorCode} ${first?.partitionIndex}`;
  return { ...answer, responses: topics.sort((a, b) => (key(a) < key(b) ? -1 : 1)) };
}

/** Out of range a consumer is told here where the log starts; Kafka says -1. */
const isBelow = ({ errorCode }: { readonly errorCode: number }) =>
  errorCode === ErrorCode.OFFSET_OUT_OF_RANGE;

const at = (partition = 0, fetchOffset = 0n, more: Partial<Partition> = {}): Partition => {
  return { partition, fetchOffset, partitionMaxBytes: ENOUGH, ...more };
};

function fetchFrom(
  { ask }: Conversation,
  version: number,
  topics: Topics,
  more: Partial<Draft<FetchRequest>> = {},
) {
  const request = { maxWaitMs: 0, minBytes: 0, maxBytes: ENOUGH, topics, ...more };
  return ask(Fetch, version, { isolationLevel: 0, ...request }, { view });
}

/** A topic of two partitions, the first of which has three batches of two records. */
async function filled({ topic, quietly }: Conversation, name = 't'): Promise<string> {
  const { id } = await topic(name, 2, { 'retention.ms': '-1' });
  for (let i = 0; i < 3; i++) {
    await until('a produced batch', async () => {
      const records = batchOf(['a', 'b'], { timestamp: 1n });
      const topicData = [{ name, partitionData: [{ index: 0, records }] }];
      const { responses } = await quietly(Produce, 9, { acks: -1, timeoutMs: 5000, topicData });
      return responses[0]?.partitionResponses[0]?.errorCode === ErrorCode.NONE;
    });
  }
  await until('a leader of the other partition', async () => {
    const topics = [{ topic: name, partitions: [at(1)] }];
    const request = { maxWaitMs: 0, minBytes: 0, maxBytes: ENOUGH, isolationLevel: 0, topics };
    const { responses } = await quietly(Fetch, 12, request);
    return responses[0]?.partitions[0]?.errorCode === ErrorCode.NONE;
  });
  return id;
}

recorded('fetch', {
  'nothing to read': async (conversation) => {
    const topicId = await filled(conversation);
    for (const version of BY_NAME) {
      await fetchFrom(conversation, version, []);
      await fetchFrom(conversation, version, [{ topic: 't', partitions: [] }]);
      await fetchFrom(conversation, version, [{ topic: 'none', partitions: [] }]);
    }
    for (const version of BY_ID) {
      await fetchFrom(conversation, version, []);
      await fetchFrom(conversation, version, [{ topicId, partitions: [] }]);
      await fetchFrom(conversation, version, [{ topicId: UNKNOWN_ID, partitions: [] }]);
    }
  },

  'topics and partitions that are not there': async (conversation) => {
    const topicId = await filled(conversation);
    const indexes = [2, -1, 2147483647, -2147483648];
    for (const version of BY_NAME) {
      for (const topic of ['none', '', 'a b', '__cluster_metadata', 'y'.repeat(250)]) {
        await fetchFrom(conversation, version, [{ topic, partitions: [at()] }]);
      }
      for (const index of indexes) {
        await fetchFrom(conversation, version, [{ topic: 't', partitions: [at(index)] }]);
      }
    }
    for (const version of BY_ID) {
      for (const id of [UNKNOWN_ID, ZERO_UUID, METADATA_ID]) {
        await fetchFrom(conversation, version, [{ topicId: id, partitions: [at()] }]);
      }
      for (const index of indexes) {
        await fetchFrom(conversation, version, [{ topicId, partitions: [at(index)] }]);
      }
      await fetchFrom(conversation, version, [
        { topicId: UNKNOWN_ID, partitions: [at()] },
        { topicId, partitions: [at()] },
      ]);
    }
  },

  offsets: async (conversation) => {
    const topicId = await filled(conversation);
    const offsets = [0n, 1n, 5n, 6n, 7n, -1n, -2n, -9223372036854775808n, 9223372036854775807n];
    for (const offset of offsets) {
      for (const version of BY_NAME) {
        await fetchFrom(conversation, version, [{ topic: 't', partitions: [at(0, offset)] }]);
      }
      const both = [at(0, offset), at(1, offset)];
      await fetchFrom(conversation, 18, [{ topicId, partitions: both }]);
      const committed = { isolationLevel: 1 };
      await fetchFrom(conversation, 12, [{ topic: 't', partitions: both }], committed);
    }
  },

  'limits of bytes and of time': async (conversation) => {
    await filled(conversation);
    // Kafka's broker fails at those below zero, which here are as good as zero.
    const limits = [0, 1, 76, 78, 200, 2147483647];
    for (const version of [4, 12]) {
      for (const maxBytes of limits) {
        await fetchFrom(conversation, version, [{ topic: 't', partitions: [at()] }], { maxBytes });
      }
      for (const partitionMaxBytes of limits) {
        const partitions = [at(0, 0n, { partitionMaxBytes })];
        await fetchFrom(conversation, version, [{ topic: 't', partitions }]);
      }
      for (const minBytes of [-1, 0, 1, 2147483647]) {
        for (const maxWaitMs of [-2147483648, -1, 0, 1]) {
          const more = { minBytes, maxWaitMs };
          await fetchFrom(conversation, version, [{ topic: 't', partitions: [at(0, 6n)] }], more);
        }
      }
      // Kafka's broker fails at others, which here read what is not committed.
      for (const isolationLevel of [0, 1]) {
        const partitions = [at(), at(1)];
        await fetchFrom(conversation, version, [{ topic: 't', partitions }], { isolationLevel });
      }
    }
  },

  'what comes twice': async (conversation) => {
    const topicId = await filled(conversation);
    for (const version of BY_NAME) {
      await fetchFrom(conversation, version, [{ topic: 't', partitions: [at(0, 0n), at(0, 4n)] }]);
      await fetchFrom(conversation, version, [
        { topic: 't', partitions: [at(0, 0n)] },
        { topic: 't', partitions: [at(1, 0n)] },
      ]);
    }
    await fetchFrom(conversation, 18, [{ topicId, partitions: [at(0, 0n), at(0, 4n)] }]);
  },

  'epochs of leaders': async (conversation) => {
    await filled(conversation);
    for (const version of [9, 11, 12]) {
      for (const currentLeaderEpoch of [-2147483648, -2, -1, 1000, 2147483647]) {
        const partitions = [at(0, 0n, { currentLeaderEpoch })];
        await fetchFrom(conversation, version, [{ topic: 't', partitions }]);
      }
    }
    for (const lastFetchedEpoch of [-2147483648, -2, -1, 1000, 2147483647]) {
      const partitions = [at(0, 1n, { lastFetchedEpoch })];
      await fetchFrom(conversation, 12, [{ topic: 't', partitions }]);
    }
  },

  'sessions that are not there': async (conversation) => {
    await filled(conversation);
    const topics = [{ topic: 't', partitions: [at()] }];
    for (const version of [SESSIONS_SINCE, 11, 12]) {
      // Kafka's cache fails at numbers near the limits.
      for (const sessionId of [-1, 0, 5, 1000]) {
        for (const sessionEpoch of [-2147483648, -2, -1, 1, 2147483647]) {
          const instead = { sessionId, sessionEpoch };
          await fetchFrom(conversation, version, sessionEpoch === 1 ? topics : [], instead);
        }
      }
    }
  },

  'sessions and their epochs': async (conversation) => {
    const topicId = await filled(conversation);
    for (const version of [7, 12, 18]) {
      const key = version < 13 ? { topic: 't' } : { topicId };
      const topics = [{ ...key, partitions: [at(), at(1)] }];
      const next = (
        sessionId: number,
        sessionEpoch: number,
        more: Partial<Draft<FetchRequest>> = {},
      ) => fetchFrom(conversation, version, [], { sessionId, sessionEpoch, ...more });
      const { sessionId } = await fetchFrom(conversation, version, topics, { sessionEpoch: 0 });
      await next(sessionId, 2);
      await next(sessionId, 1);
      await next(sessionId, 1);
      // Of no partitions there is a session in Kafka, and none here.
      await next(sessionId, 0, { topics });
      await next(sessionId, 1);
      const again = await fetchFrom(conversation, version, topics, { sessionEpoch: 0 });
      const forgotten = [{ ...key, partitions: [0, 7] }];
      await next(again.sessionId, 1, { forgottenTopicsData: forgotten });
      await next(again.sessionId, 2, { topics: [{ ...key, partitions: [at(5)] }] });
      await next(again.sessionId, 3);
      const odd = version < 13 ? { topic: 'none' } : { topicId: UNKNOWN_ID };
      await next(again.sessionId, 4, { topics: [{ ...odd, partitions: [at()] }] });
      await next(again.sessionId, 5, { forgottenTopicsData: [{ ...odd, partitions: [0] }] });
      await next(again.sessionId, -1);
      await next(again.sessionId, 6);
    }
  },

  'topics of the broker': async (conversation) => {
    for (const version of BY_NAME) {
      const topics = [{ topic: '__consumer_offsets', partitions: [at(99)] }];
      await fetchFrom(conversation, version, topics);
    }
  },
});
