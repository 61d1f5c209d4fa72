import { describe, expect, test } from '@jest/globals';
import {
  ApiVersions,
  CreateTopics,
  DeleteRecords,
  DeleteTopics,
  DescribeCluster,
  DescribeConfigs,
  DescribeTopicPartitions,
  ErrorCode,
  InitProducerId,
  ListOffsets,
  Metadata,
  ZERO_UUID,
} from '../src/kafka-protocol/index.ts';
import { PATIENCE_MS } from './support/patience.ts';
import type { RawClient } from './support/raw-client.ts';
import { freshTopic } from './support/records.ts';
import { withBroker } from './support/with-broker.ts';

// What administrators and clients ask about the cluster and its topics.

let client: RawClient;

withBroker((_broker, connected) => {
  client = connected;
});

const TOPIC = 2;
const BROKER = 4;
const BROKER_LOGGER = 8;
const CLIENT_METRICS = 16;
const GROUP = 32;

async function configsOf(resourceType: number, resourceName: string, more: object = {}) {
  const resources = [{ resourceType, resourceName, configurationKeys: null, ...more }];
  const request = { resources, includeSynonyms: true, includeDocumentation: true };
  const { results } = await client.request(DescribeConfigs, 4, request);
  const result = results[0];
  if (result === undefined) throw new Error('no result');
  return result;
}

describe('DescribeConfigs', () => {
  test('says the settings of a topic, with their sources and synonyms', async () => {
    const topic = await freshTopic(client, { 'retention.ms': '60000' });
    const { errorCode, configs } = await configsOf(TOPIC, topic);
    expect(errorCode).toBe(ErrorCode.NONE);
    const retention = configs.find(({ name }) => name === 'retention.ms');
    expect(retention).toMatchObject({ value: '60000', configSource: 1, configType: 5 });
    expect(retention?.synonyms[0]).toEqual({ name: 'retention.ms', value: '60000', source: 1 });
    expect(configs.find(({ name }) => name === 'cleanup.policy')).toMatchObject({
      value: 'delete',
      configSource: 5,
    });
    expect(retention?.documentation?.length).toBeGreaterThan(10);
  });

  test('says only what was asked for', async () => {
    const topic = await freshTopic(client);
    const { configs } = await configsOf(TOPIC, topic, { configurationKeys: ['segment.bytes'] });
    expect(configs.map(({ name }) => name)).toEqual(['segment.bytes']);
  });

  test('says the settings of this broker', async () => {
    const { errorCode, configs } = await configsOf(BROKER, '1');
    expect(errorCode).toBe(ErrorCode.NONE);
    expect(configs.find(({ name }) => name === 'node.id')).toMatchObject({
      value: '1',
      readOnly: true,
    });
  });

  test('refuses a topic, a broker and a kind that it does not know', async () => {
    expect((await configsOf(TOPIC, 'missing')).errorCode).toBe(
      ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
    );
    expect((await configsOf(TOPIC, 'no/name')).errorCode).toBe(ErrorCode.INVALID_TOPIC_EXCEPTION);
    expect((await configsOf(BROKER, '77')).errorCode).toBe(ErrorCode.INVALID_REQUEST);
    expect((await configsOf(BROKER, 'x')).errorCode).toBe(ErrorCode.INVALID_REQUEST);
    const { errorCode, errorMessage } = await configsOf(99, 'x');
    expect([errorCode, errorMessage]).toEqual([ErrorCode.INVALID_REQUEST, expect.any(String)]);
  });

  test('a resource of a type that does not exist refuses the whole request', async () => {
    const resources = [
      { resourceType: 3, resourceName: 'x', configurationKeys: null },
      { resourceType: BROKER, resourceName: '1', configurationKeys: null },
    ];
    const { results } = await client.request(DescribeConfigs, 4, { resources });
    expect(results.map(({ errorCode }) => errorCode)).toEqual([
      ErrorCode.INVALID_REQUEST,
      ErrorCode.INVALID_REQUEST,
    ]);
    expect(results[1]?.configs).toEqual([]);
  });

  test('says the loggers of this broker and of no other', async () => {
    const keys = { configurationKeys: ['root', 'nope'] };
    const { errorCode, configs } = await configsOf(BROKER_LOGGER, '1', keys);
    expect(errorCode).toBe(ErrorCode.NONE);
    expect(configs).toEqual([
      {
        name: 'root',
        value: 'INFO',
        readOnly: expect.any(Boolean),
        configSource: 6,
        isSensitive: false,
        synonyms: [],
        configType: 0,
        documentation: '',
      },
    ]);
    for (const [name, message] of [
      ['', 'empty'],
      ['77', '77'],
      ['abc', 'abc'],
    ] as const) {
      expect(await configsOf(BROKER_LOGGER, name)).toMatchObject({
        errorCode: ErrorCode.INVALID_REQUEST,
        errorMessage: expect.stringContaining(message),
        configs: [],
      });
    }
  });

  test("says what a group has, which is the broker's", async () => {
    const { errorCode, configs } = await configsOf(GROUP, `none-${process.pid}`);
    expect([errorCode, configs.length]).toEqual([ErrorCode.NONE, 21]);
    const named = (name: string) => configs.find((entry) => entry.name === name);
    const broker = { name: 'group.consumer.session.timeout.ms', value: '45000', source: 5 };
    expect(named('consumer.session.timeout.ms')).toMatchObject({
      value: '45000',
      readOnly: false,
      configSource: 5,
      synonyms: [broker],
      configType: 3,
    });
    expect(named('share.isolation.level')?.synonyms).toEqual([
      { name: 'share.isolation.level', value: 'read_uncommitted', source: 5 },
    ]);
    expect(await configsOf(GROUP, '')).toMatchObject({
      errorCode: ErrorCode.INVALID_REQUEST,
      errorMessage: expect.stringContaining('empty'),
    });
  });

  test('says what a subscription to client metrics has', async () => {
    const { errorCode, configs } = await configsOf(CLIENT_METRICS, 'any');
    expect(errorCode).toBe(ErrorCode.NONE);
    const rows = configs.map(({ name, value, configSource, configType, synonyms }) => {
      return [name, value, configSource, configType, synonyms.length];
    });
    expect(rows.sort()).toEqual([
      ['interval.ms', '300000', 5, 3, 0],
      ['match', '', 5, 7, 0],
      ['metrics', '', 5, 7, 0],
    ]);
    expect(await configsOf(CLIENT_METRICS, '')).toMatchObject({
      errorCode: ErrorCode.INVALID_REQUEST,
      errorMessage: expect.stringContaining('empty'),
    });
  });
});

describe('DescribeCluster and Metadata', () => {
  test('name the one broker in every version', async () => {
    for (const version of [0, 1, 2]) {
      const { errorCode, clusterId, brokers } = await client.request(DescribeCluster, version, {});
      expect([errorCode, clusterId.length, brokers.length]).toEqual([0, 22, 1]);
    }
    const asked = { includeClusterAuthorizedOperations: true };
    const { clusterAuthorizedOperations } = await client.request(DescribeCluster, 1, asked);
    expect(clusterAuthorizedOperations).toBeGreaterThan(0);
  });

  test('know no controllers behind this listener', async () => {
    const { errorCode } = await client.request(DescribeCluster, 1, { endpointType: 2 });
    expect(errorCode).toBe(ErrorCode.MISMATCHED_ENDPOINT_TYPE);
    const other = await client.request(DescribeCluster, 1, { endpointType: 9 });
    expect(other.errorCode).toBe(ErrorCode.UNSUPPORTED_ENDPOINT_TYPE);
  });

  test('find topics by name and by id', async () => {
    const name = await freshTopic(client, {}, 2);
    const byName = await client.request(Metadata, 12, { topics: [{ name }] });
    const topicId = byName.topics[0]?.topicId ?? ZERO_UUID;
    expect(topicId).not.toBe(ZERO_UUID);
    const byId = await client.request(Metadata, 12, { topics: [{ name: null, topicId }] });
    expect(byId.topics[0]).toMatchObject({ errorCode: 0, name, isInternal: false });
    expect(byId.topics[0]?.partitions).toHaveLength(2);
    // A request that names one topic by its id is one by ids.
    const both = [{ name: `never-${process.pid}` }, { name: null, topicId }];
    const mixed = await client.request(Metadata, 12, { topics: both });
    expect(mixed.topics.map((topic) => topic.name)).toEqual([name]);
    const unknown = { name: null, topicId: 'zzzzzzzzzzzzzzzzzzzzzw' };
    const missing = await client.request(Metadata, 12, { topics: [unknown] });
    expect(missing.topics[0]).toMatchObject({ errorCode: ErrorCode.UNKNOWN_TOPIC_ID, name: null });
    const all = await client.request(Metadata, 0, { topics: [] });
    expect(all.topics.map((topic) => topic.name)).toContain(name);
  });

  test('create no topic that was not asked for or may not exist', async () => {
    const topics = [{ name: `never-${process.pid}` }];
    const request = { topics, allowAutoTopicCreation: false };
    const missing = await client.request(Metadata, 12, request);
    expect(missing.topics[0]?.errorCode).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
    const invalid = await client.request(Metadata, 12, { topics: [{ name: 'no/name' }] });
    expect(invalid.topics[0]?.errorCode).toBe(ErrorCode.INVALID_TOPIC_EXCEPTION);
  });

  test('say which operations are allowed when asked', async () => {
    const name = await freshTopic(client);
    const request = { topics: [{ name }], includeTopicAuthorizedOperations: true };
    const { topics } = await client.request(Metadata, 9, request);
    expect(topics[0]?.topicAuthorizedOperations).toBeGreaterThan(0);
  });
});

describe('DescribeTopicPartitions', () => {
  const ask = (topics: readonly string[], more: object = {}) =>
    client.request(DescribeTopicPartitions, 0, {
      topics: topics.map((name) => ({ name })),
      responsePartitionLimit: 2000,
      cursor: null,
      ...more,
    });

  test('goes on where the cursor of the last answer says', async () => {
    const name = await freshTopic(client, {}, 5);
    const first = await ask([name], { responsePartitionLimit: 3 });
    expect(first.topics[0]?.partitions.map(({ partitionIndex }) => partitionIndex)).toEqual([
      0, 1, 2,
    ]);
    expect(first.nextCursor).toEqual({ topicName: name, partitionIndex: 3 });
    const second = await ask([name], { responsePartitionLimit: 3, cursor: first.nextCursor });
    expect(second.topics[0]?.partitions.map(({ partitionIndex }) => partitionIndex)).toEqual([
      3, 4,
    ]);
    expect(second.nextCursor).toBeNull();
  });

  test('says all topics in the order of their names, and which it does not know', async () => {
    await freshTopic(client);
    const all = (await ask([])).topics.map(({ name }) => name ?? '');
    expect(all).toEqual([...all].sort());
    const missing = await ask(['missing', 'no/name']);
    const codes = missing.topics.map(({ errorCode }) => errorCode);
    expect(codes).toEqual([
      ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
      ErrorCode.INVALID_TOPIC_EXCEPTION,
    ]);
  });
});

describe('topics', () => {
  const create = async (topic: object, validateOnly = false) => {
    const defaults = { numPartitions: 1, replicationFactor: 1 };
    const topics = [{ ...defaults, name: 'x', ...topic }];
    const answer = await client.request(CreateTopics, 7, {
      topics,
      timeoutMs: PATIENCE_MS,
      validateOnly,
    });
    return answer.topics[0];
  };
  const unique = () => `admin-${process.pid}-${Math.random().toString(36).slice(2)}`;

  test('are only checked when that is all that was asked', async () => {
    const name = unique();
    expect(await create({ name }, true)).toMatchObject({ errorCode: 0 });
    expect(await create({ name })).toMatchObject({ errorCode: 0, numPartitions: 1 });
    expect(await create({ name })).toMatchObject({ errorCode: ErrorCode.TOPIC_ALREADY_EXISTS });
  });

  test('of which one is refused leave the others as they are', async () => {
    const names = [unique(), unique()];
    const defaults = { numPartitions: 1, replicationFactor: 1 };
    const topics = [
      { ...defaults, name: names[0] ?? '' },
      { ...defaults, name: names[1] ?? '', configs: [{ name: 'no.such', value: '1' }] },
    ];
    const answer = await client.request(CreateTopics, 5, { topics, timeoutMs: PATIENCE_MS });
    const codes = new Map(answer.topics.map(({ name, errorCode }) => [name, errorCode]));
    expect(names.map((name) => codes.get(name))).toEqual([0, ErrorCode.INVALID_CONFIG]);
  });

  test('named twice in one request are refused', async () => {
    const name = unique();
    const topic = { name, numPartitions: 1, replicationFactor: 1 };
    const request = { topics: [topic, topic], timeoutMs: PATIENCE_MS };
    const answer = await client.request(CreateTopics, 5, request);
    expect(answer.topics.map(({ errorCode }) => errorCode)).toEqual([ErrorCode.INVALID_REQUEST]);
    const metadata = await create({ name: '__cluster_metadata' });
    expect(metadata?.errorCode).not.toBe(ErrorCode.NONE);
  });

  test('are deleted by name and by id', async () => {
    const [one, two] = [await create({ name: unique() }), await create({ name: unique() })];
    const topics = [
      { name: one?.name ?? '', topicId: ZERO_UUID },
      { name: null, topicId: two?.topicId ?? '' },
      { name: 'missing', topicId: ZERO_UUID },
      { name: null, topicId: 'zzzzzzzzzzzzzzzzzzzzzw' },
    ];
    const { responses } = await client.request(DeleteTopics, 6, { topics, timeoutMs: PATIENCE_MS });
    const codes = responses.map(({ errorCode }) => errorCode).sort((a, b) => a - b);
    const { UNKNOWN_TOPIC_OR_PARTITION, UNKNOWN_TOPIC_ID } = ErrorCode;
    expect(codes).toEqual([0, 0, UNKNOWN_TOPIC_OR_PARTITION, UNKNOWN_TOPIC_ID]);
  });

  test('that are deleted by half a name are refused', async () => {
    const topics = [{ name: null, topicId: ZERO_UUID }];
    const { responses } = await client.request(DeleteTopics, 6, { topics, timeoutMs: PATIENCE_MS });
    expect(responses[0]?.errorCode).toBe(ErrorCode.INVALID_REQUEST);
  });

  test('that are compacted keep their records', async () => {
    const name = await freshTopic(client, { 'cleanup.policy': 'compact' });
    const partitions = [{ partitionIndex: 0, offset: 0n }];
    const ask = async (topic: string) => {
      const topics = [{ name: topic, partitions }];
      const answer = await client.request(DeleteRecords, 2, { topics, timeoutMs: PATIENCE_MS });
      return answer.topics[0]?.partitions[0]?.errorCode;
    };
    expect(await ask(name)).toBe(ErrorCode.POLICY_VIOLATION);
    expect(await ask('missing')).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
  });
});

test('a transactional producer is refused: there are no transactions yet', async () => {
  if (process.env.INTEGRATION_PORT !== undefined) return;
  const request = { transactionalId: 't', transactionTimeoutMs: 1000 };
  const { errorCode, producerId } = await client.request(InitProducerId, 4, request);
  expect([errorCode, producerId]).toEqual([ErrorCode.INVALID_REQUEST, -1n]);
});

test('a client that takes this broker for another is told so', async () => {
  const names = { clientSoftwareName: 'raw', clientSoftwareVersion: '1' };
  const ask = async (more: object) => {
    return (await client.request(ApiVersions, 5, { ...names, ...more })).errorCode;
  };
  const { clusterId } = await client.request(Metadata, 9, { topics: [] });
  const { NONE, INVALID_REQUEST, REBOOTSTRAP_REQUIRED } = ErrorCode;
  expect(await ask({})).toBe(NONE);
  expect(await ask({ nodeId: 1 })).toBe(INVALID_REQUEST);
  expect(await ask({ clusterId })).toBe(INVALID_REQUEST);
  expect(await ask({ clusterId, nodeId: 1 })).toBe(NONE);
  expect(await ask({ clusterId, nodeId: 9 })).toBe(REBOOTSTRAP_REQUIRED);
  expect(await ask({ clusterId: 'another', nodeId: 1 })).toBe(REBOOTSTRAP_REQUIRED);
});

describe('as Apache Kafka, field by field', () => {
  const describeAt = (names: readonly string[], cursor: object | null, limit = 10) =>
    client.request(DescribeTopicPartitions, 0, {
      topics: names.map((name) => ({ name })),
      responsePartitionLimit: limit,
      cursor: cursor as { topicName: string; partitionIndex: number } | null,
    });

  test('a cursor that is no place in what is asked for is refused', async () => {
    const [one, two] = [await freshTopic(client), await freshTopic(client)];
    const refused = (name: string) => ({
      errorCode: ErrorCode.INVALID_REQUEST,
      name,
      topicId: ZERO_UUID,
      isInternal: false,
      partitions: [],
      topicAuthorizedOperations: -(2 ** 31),
    });
    for (const cursor of [
      { topicName: one, partitionIndex: -1 },
      { topicName: 'zz-none', partitionIndex: 0 },
    ]) {
      const { topics, nextCursor } = await describeAt([one, two], cursor);
      expect([topics, nextCursor]).toEqual([[one, two].sort().map(refused), null]);
    }
    const { topics } = await describeAt([two], { topicName: one, partitionIndex: 0 });
    expect(topics).toEqual([refused(two)]);
  });

  test.each([0, -5])('a limit of %d partitions is one of one', async (limit) => {
    const topic = await freshTopic(client, {}, 3);
    const { topics, nextCursor } = await describeAt([topic], null, limit);
    expect(topics[0]?.partitions).toHaveLength(1);
    expect(nextCursor).toEqual({ topicName: topic, partitionIndex: 1 });
  });

  test('a producer has both an id and an epoch, or none', async () => {
    const ask = (producerId: bigint, producerEpoch: number) => {
      const request = { transactionalId: null, transactionTimeoutMs: 1, producerId, producerEpoch };
      return client.request(InitProducerId, 4, request);
    };
    const refused = { errorCode: ErrorCode.INVALID_REQUEST, producerId: -1n, producerEpoch: -1 };
    expect(await ask(-1n, 3)).toMatchObject(refused);
    expect(await ask(5n, -1)).toMatchObject(refused);
  });

  test('a topic that is to be deleted by name and by id stays', async () => {
    const [topic, other] = [await freshTopic(client), await freshTopic(client)];
    const asked = await client.request(Metadata, 12, {
      topics: [{ name: topic, topicId: ZERO_UUID }],
    });
    const topicId = asked.topics[0]?.topicId ?? ZERO_UUID;
    const byName = (name: string) => ({ name, topicId: ZERO_UUID });
    const topics = [{ name: null, topicId }, byName(topic), byName(other)];
    const { responses } = await client.request(DeleteTopics, 6, { topics, timeoutMs: PATIENCE_MS });
    const errorMessage = expect.any(String);
    const refused = { name: topic, topicId, errorCode: ErrorCode.INVALID_REQUEST, errorMessage };
    expect(responses).toHaveLength(2);
    expect(responses).toContainEqual(refused);
    const left = await client.request(Metadata, 12, {
      topics: [byName(topic)],
      allowAutoTopicCreation: false,
    });
    expect(left.topics[0]?.errorCode).toBe(ErrorCode.NONE);
  });

  test('Metadata that asks for what its version cannot is told nothing of the cluster', async () => {
    const topicId = 'AAAAAAAAAAAAAAAAAAAAZQ';
    const cases = [
      [10, { name: 't', topicId }, ErrorCode.INVALID_REQUEST],
      [12, { name: null, topicId: ZERO_UUID }, ErrorCode.UNKNOWN_SERVER_ERROR],
    ] as const;
    for (const [version, topic, errorCode] of cases) {
      const topics = [topic, { name: 'other', topicId: ZERO_UUID }];
      const answer = await client.request(Metadata, version, { topics });
      expect(answer).toMatchObject({ brokers: [], controllerId: -1, clusterId: null });
      expect(
        answer.topics.map(({ name, topicId, errorCode }) => [name, topicId, errorCode]),
      ).toEqual([
        [topic.name ?? '', topic.topicId, errorCode],
        ['other', ZERO_UUID, errorCode],
      ]);
    }
  });

  test('what one may do to a topic is told of those that do not exist as well', async () => {
    const topics = ['none-of-it', 'a b'].map((name) => ({ name, topicId: ZERO_UUID }));
    const more = { allowAutoTopicCreation: false, includeTopicAuthorizedOperations: true };
    const byName = await client.request(Metadata, 12, { topics, ...more });
    expect(byName.topics.map((topic) => topic.topicAuthorizedOperations)).toEqual([3576, 3576]);
    const unknown = [{ name: null, topicId: 'AAAAAAAAAAAAAAAAAAAAZQ' }];
    const byId = await client.request(Metadata, 12, { topics: unknown, ...more });
    expect(byId.topics[0]?.topicAuthorizedOperations).toBe(-(2 ** 31));
  });

  test('what is asked for twice, or of no partition, is answered once or not at all', async () => {
    const topic = await freshTopic(client);
    const partition = { partitionIndex: 0, currentLeaderEpoch: -1, timestamp: -1n };
    const ask = (partitions: readonly (typeof partition)[]) =>
      client.request(ListOffsets, 7, { topics: [{ name: topic, partitions }] });
    expect((await ask([])).topics).toEqual([]);
    const [answer] = (await ask([partition, partition])).topics;
    expect(answer?.partitions.map(({ errorCode }) => errorCode)).toEqual([
      ErrorCode.INVALID_REQUEST,
    ]);
  });

  test('topics are created with their settings in order, and refused in the same words', async () => {
    const name = `o${process.pid}-${Date.now() % 1e6}`;
    const byHand = { partitionIndex: 0, brokerIds: [1] };
    const topics = [
      { name, numPartitions: 1, replicationFactor: 1 },
      {
        name: `${name}-twice`,
        numPartitions: -1,
        replicationFactor: -1,
        assignments: [byHand, byHand],
      },
    ];
    const answer = await client.request(CreateTopics, 7, { topics, timeoutMs: PATIENCE_MS });
    const created = answer.topics.find((topic) => topic.name === name);
    const order = (created?.configs ?? []).map((config) => config.name);
    expect(order).toEqual([...order].sort());
    expect(answer.topics.find((topic) => topic.name !== name)).toMatchObject({
      errorCode: ErrorCode.INVALID_REPLICA_ASSIGNMENT,
      errorMessage: expect.stringMatching(/partition 0/i),
    });
    const late = { topics: [{ name: `${name}-late`, numPartitions: 1, replicationFactor: 1 }] };
    const timedOut = await client.request(CreateTopics, 7, { ...late, timeoutMs: 0 });
    expect(timedOut.topics[0]).toMatchObject({
      errorCode: ErrorCode.REQUEST_TIMED_OUT,
      errorMessage: null,
    });
  });

  test('what is refused is as long as a text may be, and the answer says so', async () => {
    if (process.env.INTEGRATION_PORT !== undefined) return; // Kafka's answer is too long to be sent.
    const long = 'x'.repeat(32_767);
    const counts = { numPartitions: 1, replicationFactor: 1, assignments: [] };
    const topics = [
      { ...counts, name: long, configs: [] },
      { ...counts, name: 'a', configs: [{ name: 'retention.ms', value: long }] },
      { ...counts, name: 'b', configs: [{ name: long, value: '1' }] },
    ];
    const created = await client.request(CreateTopics, 7, { topics, timeoutMs: PATIENCE_MS });
    expect(created.topics.map(({ errorCode }) => errorCode)).toEqual([
      ErrorCode.INVALID_TOPIC_EXCEPTION,
      ErrorCode.INVALID_CONFIG,
      ErrorCode.INVALID_CONFIG,
    ]);
    expect((await configsOf(BROKER, long)).errorCode).toBe(ErrorCode.INVALID_REQUEST);
  });

  test('the one default that a cluster has for all brokers is min.insync.replicas', async () => {
    const { configs } = await configsOf(BROKER, '');
    const cluster = { name: 'min.insync.replicas', value: '1', source: 3 };
    expect(configs).toHaveLength(1);
    const expected = { name: cluster.name, value: '1', configSource: 3, readOnly: false };
    expect(configs[0]).toMatchObject({ ...expected, synonyms: [cluster] });
    const own = await configsOf(BROKER, '1', { configurationKeys: [cluster.name] });
    const synonyms = [cluster, { ...cluster, source: 5 }];
    expect(own.configs).toMatchObject([{ ...expected, synonyms }]);
    const topic = await freshTopic(client);
    const asked = await configsOf(TOPIC, topic, { configurationKeys: [cluster.name] });
    expect(asked.configs).toMatchObject([{ ...expected, synonyms }]);
  });
});
