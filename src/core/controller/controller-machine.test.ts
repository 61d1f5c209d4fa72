import { describe, expect, test } from '@jest/globals';
import { ErrorCode } from '../../kafka-protocol/index.ts';
import type { ReplyToken } from '../coordinator/index.ts';
import { ControllerMachine } from './controller-machine.ts';
import { partitionsMax } from './partitions-max.ts';
import { broker } from './testing/started.ts';
import type { ControllerCommand, ControllerReply, NewTopic } from './vocabulary.ts';

const token = 1 as ReplyToken;
const PARTITIONS_MAX = 30_000;

class Controller {
  readonly machine = new ControllerMachine({
    numPartitions: 3,
    defaultReplicationFactor: 1,
    partitionsMax: PARTITIONS_MAX,
    validateTopicConfig: (overrides) => (overrides.has('bad') ? 'no setting bad' : undefined),
  });
  #ids = 0;

  constructor() {
    this.run({ kind: 'register-broker', broker });
  }

  run(command: ControllerCommand): ControllerReply {
    const newId = () => `id${++this.#ids}`;
    const before = JSON.stringify([...this.machine.snapshot()], bigints);
    const effects = this.machine.decide(command, { nowMs: 0, token, newId });
    expect(JSON.stringify([...this.machine.snapshot()], bigints)).toBe(before);
    for (const record of effects.records) this.machine.replay(record);
    const [reply] = effects.replies;
    if (reply === undefined) throw new Error('no reply');
    return reply.reply;
  }

  create(topic: Partial<NewTopic> & { name: string }, validateOnly = false) {
    const counts = { numPartitions: -1, replicationFactor: -1, assignments: [], configs: [] };
    const topics = [{ ...counts, ...topic }];
    const reply = this.run({ kind: 'create-topics', topics, validateOnly });
    if (reply.kind !== 'topics-created') throw new Error(reply.kind);
    return reply.topics[0];
  }
}

const bigints = (_: string, value: unknown) => (typeof value === 'bigint' ? `${value}` : value);

describe('the partitions there may be', () => {
  test('are what fits into the limit of open files', () => {
    expect([256, 1024, 1_048_576].map(partitionsMax)).toEqual([160, 736, 1_047_520]);
    expect([partitionsMax(0), partitionsMax(undefined)]).toEqual([0, Number.POSITIVE_INFINITY]);
  });

  test('are created, and none beyond', () => {
    const controller = new Controller();
    for (const name of ['a', 'b', 'c']) controller.create({ name, numPartitions: 9_999 });
    expect(controller.create({ name: 'cc', numPartitions: 2 })?.errorCode).toBe(0);
    expect(controller.create({ name: 'd', numPartitions: 2 })).toMatchObject({
      errorCode: ErrorCode.POLICY_VIOLATION,
      errorMessage: expect.stringContaining('leaves room for 30000 partitions: there are 29999'),
    });
    expect(controller.create({ name: 'd', numPartitions: 2 }, true)?.errorCode).toBe(44);
    // Those of one request are counted together.
    const one = { numPartitions: 1, replicationFactor: -1, assignments: [], configs: [] };
    const topics = ['d', 'e'].map((name) => ({ ...one, name }));
    const reply = controller.run({ kind: 'create-topics', topics, validateOnly: false });
    expect(reply).toMatchObject({ topics: [{ errorCode: 0 }, { errorCode: 44 }] });
  });
});

describe('the controller', () => {
  test('creates a topic with the default counts', () => {
    const controller = new Controller();
    const created = controller.create({ name: 'a' });
    expect(created).toMatchObject({
      errorCode: 0,
      numPartitions: 3,
      replicationFactor: 1,
      topicId: 'id1',
    });
  });

  test('only says what it would do when asked to validate', () => {
    const controller = new Controller();
    expect(controller.create({ name: 'a' }, true)?.errorCode).toBe(ErrorCode.NONE);
    expect(controller.create({ name: 'a' })?.errorCode).toBe(ErrorCode.NONE);
  });

  test.each<[string, Partial<NewTopic> & { name: string }, number]>([
    ['a name that exists', { name: 'taken' }, ErrorCode.TOPIC_ALREADY_EXISTS],
    ['an empty name', { name: '' }, ErrorCode.INVALID_TOPIC_EXCEPTION],
    ['a name with a slash', { name: 'a/b' }, ErrorCode.INVALID_TOPIC_EXCEPTION],
    ['a name of two dots', { name: '..' }, ErrorCode.INVALID_TOPIC_EXCEPTION],
    ['a name of 250 characters', { name: 'x'.repeat(250) }, ErrorCode.INVALID_TOPIC_EXCEPTION],
    ['a name that collides', { name: 'with_dot' }, ErrorCode.INVALID_TOPIC_EXCEPTION],
    ['no partitions', { name: 'a', numPartitions: 0 }, ErrorCode.INVALID_PARTITIONS],
    ['no replicas', { name: 'a', replicationFactor: 0 }, ErrorCode.INVALID_REPLICATION_FACTOR],
    [
      'more replicas than brokers',
      { name: 'a', replicationFactor: 2 },
      ErrorCode.INVALID_REPLICATION_FACTOR,
    ],
    [
      'an unknown setting',
      { name: 'a', configs: [{ name: 'bad', value: '1' }] },
      ErrorCode.INVALID_CONFIG,
    ],
    [
      'a setting without a value',
      { name: 'a', configs: [{ name: 'x', value: null }] },
      ErrorCode.INVALID_CONFIG,
    ],
    [
      'a broker that is not there',
      { name: 'a', assignments: [{ partitionIndex: 0, brokerIds: [7] }] },
      ErrorCode.INVALID_REPLICA_ASSIGNMENT,
    ],
    [
      'a hole in the partitions',
      { name: 'a', assignments: [{ partitionIndex: 1, brokerIds: [1] }] },
      ErrorCode.INVALID_REPLICA_ASSIGNMENT,
    ],
    [
      'a count beside an assignment',
      { name: 'a', numPartitions: 1, assignments: [{ partitionIndex: 0, brokerIds: [1] }] },
      ErrorCode.INVALID_REQUEST,
    ],
    [
      'a factor beside an assignment',
      { name: 'a', replicationFactor: 1, assignments: [{ partitionIndex: 0, brokerIds: [1] }] },
      ErrorCode.INVALID_REQUEST,
    ],
  ])('refuses %s', (_, topic, errorCode) => {
    const controller = new Controller();
    controller.create({ name: 'taken' });
    controller.create({ name: 'with.dot' });
    expect(controller.create(topic)?.errorCode).toBe(errorCode);
  });

  test.each<[string, readonly (readonly [number, readonly number[]])[]]>([
    [
      'Partition 0 is assigned more than once',
      [
        [0, [1]],
        [0, [1]],
      ],
    ],
    [
      'Partition 2 stands in place of 1',
      [
        [0, [1]],
        [2, [1]],
      ],
    ],
    ['Partition 0 has no broker', [[0, []]]],
    ['Partition 0 has broker 1 more than once', [[0, [1, 1]]]],
    [
      'Partition 1 has 2 replicas, those before it 1',
      [
        [0, [1]],
        [1, [2, 1]],
      ],
    ],
    ['Partition 0 has broker 7, which is not registered', [[0, [1, 7]]]],
  ])('refuses an assignment: %s', (message, placed) => {
    const controller = new Controller();
    controller.run({ kind: 'register-broker', broker: { ...broker, nodeId: 2 } });
    const assignments = placed.map(([partitionIndex, brokerIds]) => ({
      partitionIndex,
      brokerIds,
    }));
    expect(controller.create({ name: 'a', assignments })).toMatchObject({
      errorCode: ErrorCode.INVALID_REPLICA_ASSIGNMENT,
      errorMessage: expect.stringContaining(message),
    });
  });

  test('says no more of what is very long than an answer can hold', () => {
    const long = 'x'.repeat(32_767);
    for (const topic of [{ name: long }, { name: 'a', configs: [{ name: long, value: null }] }]) {
      const { errorMessage } = new Controller().create(topic) ?? {};
      expect(errorMessage).toContain('xxx');
      expect(errorMessage?.length).toBeLessThan(500);
    }
  });

  const counts = { numPartitions: -1, replicationFactor: -1, assignments: [], configs: [] };
  const createAll = (topics: readonly Partial<NewTopic>[]) => {
    const controller = new Controller();
    controller.create({ name: 'taken' });
    const all = topics.map((topic, i) => ({ ...counts, name: `t${i}`, ...topic }));
    return controller.run({ kind: 'create-topics', topics: all, validateOnly: false });
  };

  test.each<[string, readonly Partial<NewTopic>[]]>([
    ['one topic', [{ numPartitions: 10_001, replicationFactor: 0 }]],
    ['names that cannot be', [{ name: '', numPartitions: 10_000 }, { numPartitions: 1 }]],
    ['topics that exist', [{ name: 'taken', numPartitions: 10_000 }, { numPartitions: 1 }]],
    ['default counts', [{ numPartitions: 9_998 }, {}]],
    ['counts below zero', [{ numPartitions: 10_001 }, { numPartitions: -5 }]],
    [
      'manual assignments',
      [
        {
          assignments: Array.from({ length: 10_001 }, () => ({ partitionIndex: 0, brokerIds: [] })),
        },
      ],
    ],
    ['records for the topics', [{ numPartitions: 5_000 }, { numPartitions: 5_000 }]],
    [
      'records for settings',
      [{ numPartitions: 9_998, configs: ['x', 'y'].map((name) => ({ name, value: '1' })) }],
    ],
  ])('refuses a request that is too large as a whole, with %s', (_, topics) => {
    const errorCode = ErrorCode.POLICY_VIOLATION;
    expect(createAll(topics)).toMatchObject({ kind: 'refused', errorCode });
  });

  test('counts no records of what it does not create', () => {
    const topics = [{ numPartitions: 9_999 }, { numPartitions: 1, replicationFactor: 9 }];
    expect(createAll(topics)).toMatchObject({
      topics: [{ errorCode: 0 }, { errorCode: ErrorCode.INVALID_REPLICATION_FACTOR }],
    });
  });

  test('looks for collisions among the topics that are there, not in the request', () => {
    const topics = ['a.b_c', 'a_b.c', 'a_b_c'].map((name) => ({ name }));
    const created = { errorCode: 0 };
    expect(createAll(topics)).toMatchObject({ topics: [created, created, created] });
  });

  test('says what is wrong with the settings before what is wrong with the counts', () => {
    const configs = [{ name: 'bad', value: '1' }];
    const [refused] = [new Controller().create({ name: 'a', numPartitions: 0, configs })];
    expect(refused?.errorCode).toBe(ErrorCode.INVALID_CONFIG);
  });

  test('deletes by name and by id, and says which topic it does not know', () => {
    const controller = new Controller();
    controller.create({ name: 'a' });
    controller.create({ name: 'b' });
    const reply = controller.run({
      kind: 'delete-topics',
      topics: [
        { name: 'a', topicId: null },
        { name: null, topicId: 'id2' },
        { name: 'c', topicId: null },
        { name: null, topicId: 'id9' },
      ],
    });
    expect(reply).toMatchObject({
      topics: [
        { name: 'a', topicId: 'id1', errorCode: ErrorCode.NONE },
        { name: 'b', topicId: 'id2', errorCode: ErrorCode.NONE },
        { name: 'c', errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION },
        { name: null, topicId: 'id9', errorCode: ErrorCode.UNKNOWN_TOPIC_ID },
      ],
    });
  });

  test('C-025: a topic that is created again has a new id and a group of its own', () => {
    const controller = new Controller();
    const first = controller.create({ name: 'a' });
    controller.run({ kind: 'delete-topics', topics: [{ name: 'a', topicId: null }] });
    const second = controller.create({ name: 'a' });
    expect(second?.topicId).not.toBe(first?.topicId);
    const groups = [...controller.machine.snapshot()].flatMap((r) =>
      r.kind === 'partition' ? [r.groupId] : [],
    );
    expect(groups).toEqual([4n, 5n, 6n]);
  });

  test('never gives a producer id twice', () => {
    const controller = new Controller();
    const blocks = [1, 2].map(() => controller.run({ kind: 'allocate-producer-ids' }));
    expect(blocks).toEqual([
      { kind: 'producer-ids', first: 0n, count: 1000n },
      { kind: 'producer-ids', first: 1000n, count: 1000n },
    ]);
  });
});
