import {
  DeleteRecords,
  Fetch,
  InitProducerId,
  ListOffsets,
  OffsetForLeaderEpoch,
  Produce,
} from '../../src/kafka-protocol/index.ts';
import { damagedRecords, records } from './batches.ts';
import { type Generator, requestsOf } from './step.ts';
import { leaderEpoch, type PerBroker, producerId, type Template, topicId } from './template.ts';
import { PRODUCERS, type World } from './world.ts';

/** Requests about records and producers. */
export const dataRequests: readonly Generator[] = [
  requestsOf(Produce, 10, produce),
  requestsOf(Fetch, 8, fetch),
  requestsOf(ListOffsets, 6, listOffsets),
  requestsOf(DeleteRecords, 1.5, (_, world) => deleteRecords(world)),
  requestsOf(OffsetForLeaderEpoch, 3, offsetForLeaderEpoch),
  requestsOf(InitProducerId, 2, initProducerId),
];

function produce(version: number, world: World): Template {
  const { choices } = world;
  const isDamaged = choices.chance(0.15);
  const most = isDamaged ? 1 : 2;
  const partition = () => ({
    index: world.partition(),
    records: isDamaged ? damagedRecords(world) : records(world),
  });
  return {
    transactionalId: null,
    acks: choices.pick(1, 1, 1, -1, -1, -1, 2, -2),
    timeoutMs: 3000,
    topicData: choices.list(1, most, () => ({
      ...world.topicRef(version, 13),
      partitionData: choices.list(1, most, partition),
    })),
  };
}

// The records of the internal topic are each broker's own, so it is not read.
function fetch(version: number, world: World): Template {
  const { choices } = world;
  const partition = () => ({
    partition: world.partition(),
    ...(version >= 9 ? { currentLeaderEpoch: world.epoch() } : {}),
    fetchOffset: world.offset(),
    ...(version >= 12 ? { lastFetchedEpoch: lastFetchedEpoch(world) } : {}),
    partitionMaxBytes: choices.pick(1 << 20, 1 << 20, 1, 0),
  });
  const topic = () => ({
    ...notInternal(world.topicRef(version, 13, 'topic'), 'topic'),
    partitions: choices.list(1, 2, partition),
  });
  const isOfNoTopic = version >= 13 && choices.chance(0.01);
  const session = {
    sessionId: choices.pick(0, 0, 0, 12345),
    sessionEpoch: choices.pick(-1, -1, 1),
  };
  return {
    maxWaitMs: 0,
    minBytes: choices.pick(0, 1),
    maxBytes: choices.pick(1 << 20, 1, 0),
    isolationLevel: choices.pick(0, 0, 1),
    ...(version >= 7 ? session : {}),
    topics: isOfNoTopic
      ? [{ topicId: topicId('zero'), partitions: [partition()] }]
      : choices.list(0, 2, topic),
  };
}

function lastFetchedEpoch({ choices }: World): number | PerBroker {
  return choices.pick<number | PerBroker>(-1, -1, -1, leaderEpoch(0), leaderEpoch(3));
}

function listOffsets(version: number, world: World): Template {
  const { choices, now } = world;
  const times = [
    -1n,
    -2n,
    -3n,
    -4n,
    -5n,
    -6n,
    -7n,
    0n,
    now,
    now + 5n,
    now + 6n,
    1n << 50n,
  ] as const;
  const partition = () => ({
    partitionIndex: world.partition(),
    ...(version >= 4 ? { currentLeaderEpoch: world.epoch() } : {}),
    timestamp: choices.pick(...times),
  });
  return {
    replicaId: choices.pick(-1, -1, -1, -2, 1),
    ...(version >= 2 ? { isolationLevel: choices.pick(0, 1) } : {}),
    topics: choices.list(1, 2, () => ({
      ...notInternal({ name: world.topicName() }, 'name'),
      partitions: choices.list(1, 2, partition),
    })),
  };
}

function notInternal(topic: Template, field: string): Template {
  return topic[field] === '__consumer_offsets' ? { ...topic, [field]: 'ok' } : topic;
}

function deleteRecords(world: World): Template {
  const { choices } = world;
  const partition = () => ({
    partitionIndex: world.partition(),
    offset: choices.pick(0n, 1n, 2n, -1n, -2n, 1000n),
  });
  const topic = () => ({
    ...notInternal({ name: world.topicName() }, 'name'),
    partitions: choices.list(1, 2, partition),
  });
  return { topics: choices.list(0, 2, topic), timeoutMs: 3000 };
}

function offsetForLeaderEpoch(version: number, world: World): Template {
  const { choices } = world;
  const epoch = () =>
    choices.pick<number | PerBroker>(
      leaderEpoch(0),
      leaderEpoch(0),
      leaderEpoch(1),
      leaderEpoch(5),
      -1,
    );
  const partition = () => ({
    partition: world.partition(),
    currentLeaderEpoch: world.epoch(),
    leaderEpoch: epoch(),
  });
  return {
    ...(version >= 3 ? { replicaId: choices.pick(-1, -2, 1) } : {}),
    topics: choices.list(1, 2, () => ({
      ...notInternal({ topic: world.topicName() }, 'topic'),
      partitions: choices.list(1, 2, partition),
    })),
  };
}

function initProducerId(version: number, { choices }: World): Template {
  const current = () => ({
    producerId: choices.pick<bigint | PerBroker>(
      -1n,
      -1n,
      producerId(choices.below(PRODUCERS)),
      999_999n,
    ),
    producerEpoch: choices.pick(-1, -1, 0, 1, 32_766, 32_767),
  });
  return {
    transactionalId: choices.pick(null, null, null, ''),
    transactionTimeoutMs: choices.pick(1000, 60_000, 0, -1),
    ...(version >= 3 ? current() : {}),
  };
}
