import {
  CreateTopics,
  type CreateTopicsRequest,
  type Draft,
  Metadata,
} from '../src/kafka-protocol/index.ts';
import { byName } from './support/answers.ts';
import { type Conversation, recorded } from './support/recorded.ts';

type Topic = NonNullable<Draft<CreateTopicsRequest>['topics']>[number];
type More = Partial<Draft<CreateTopicsRequest>>;

const VERSIONS = [2, 4, 7];
const BY_HAND = { numPartitions: -1, replicationFactor: -1 };

const topic = (name: string, more: Partial<Topic> = {}): Topic => {
  return { name, numPartitions: 1, replicationFactor: 1, ...more };
};
const byHand = (
  name: string,
  placed: readonly (readonly [number, readonly number[]])[],
  more: Partial<Topic> = {},
): Topic => {
  const assignments = placed.map(([partitionIndex, brokerIds]) => ({ partitionIndex, brokerIds }));
  return topic(name, { ...BY_HAND, assignments, ...more });
};
const each = (count: number, brokerId: number) =>
  Array.from({ length: count }, (_, i) => [i, [brokerId]] as const);

/** The settings of a topic have a test of their own: here only how many there are. */
const create = (
  { ask }: Conversation,
  version: number,
  topics: readonly Topic[],
  more: More = {},
  instead?: string,
) =>
  ask(
    CreateTopics,
    version,
    { topics, timeoutMs: 10_000, ...more },
    {
      ...(instead === undefined ? {} : { instead }),
      view: ({ topics: results, ...answer }) => ({
        ...answer,
        topics: results.map((one) => ({ ...one, configs: one.configs?.length ?? null })),
      }),
    },
  );

const onlyChecked = { validateOnly: true };

recorded('create-topics', {
  'names that cannot be': async (conversation) => {
    const names = ['', '.', '..', 'a/b', 'a b', 'ä', 'a\0b', 'a\n', 'a:b', 'a$', 'y'.repeat(250)];
    for (const version of VERSIONS) {
      for (const name of [...names, '__cluster_metadata']) {
        await create(conversation, version, [topic(name)]);
      }
      await create(conversation, version, []);
    }
    await create(conversation, 4, [topic('y'.repeat(30_000))]);
  },

  'names that can be': async (conversation) => {
    for (const version of VERSIONS) {
      for (const name of ['y'.repeat(249), '...', '-', '__transaction_state']) {
        await create(conversation, version, [topic(name)], onlyChecked);
      }
    }
  },

  'names that come twice': async (conversation) => {
    for (const version of VERSIONS) {
      await create(conversation, version, [topic('a'), topic('a')]);
      const more = [topic('a'), topic('b'), topic('a', { numPartitions: 3 })];
      await create(conversation, version, more, onlyChecked);
    }
    await create(conversation, 7, [topic(''), topic(''), topic('')]);
    const metadata = topic('__cluster_metadata');
    await create(conversation, 7, [metadata, metadata]);
    await create(conversation, 7, [metadata, topic('z'), topic('a'), topic('z'), topic('y')]);
  },

  'names that collide': async (conversation) => {
    await create(conversation, 7, [topic('c.x'), topic('c_x')]);
    await create(conversation, 7, [topic('c_x'), topic('c.x')]);
    await create(conversation, 7, [topic('d.x_y'), topic('d_x.y'), topic('d.x.y')]);
    for (const version of VERSIONS) {
      await create(conversation, version, [topic('d_x_y'), topic('d-x-y')], onlyChecked);
      await create(conversation, version, [topic('e.x'), topic('e_x')], onlyChecked);
    }
  },

  'topics that exist': async (conversation) => {
    await conversation.topic('there');
    const bad = { configs: [{ name: 'nope', value: '1' }] };
    for (const version of VERSIONS) {
      await create(conversation, version, [topic('there')]);
      await create(conversation, version, [topic('there')], onlyChecked);
      await create(conversation, version, [topic('there', bad), topic('b', { numPartitions: 0 })]);
      await create(conversation, version, [topic('there', { numPartitions: 0 })]);
      await create(conversation, version, [
        topic('a b', { numPartitions: 0, replicationFactor: 9 }),
      ]);
    }
  },

  'answers come in the order of the request': async (conversation) => {
    for (const version of VERSIONS) {
      const odd = ['z', '', 'b', 'm', '__cluster_metadata', 'a', 'twice', 'twice', 'k'];
      const topics = odd.map((name) => topic(name, name === 'b' ? { numPartitions: 0 } : {}));
      await create(conversation, version, topics, onlyChecked);
    }
  },

  'numbers of partitions and replicas': async (conversation) => {
    for (const numPartitions of [-2147483648, -2, -1, 0, 1, 10_000, 10_001, 2147483647]) {
      for (const replicationFactor of [-32768, -2, -1, 0, 1, 2, 32767]) {
        const counts = { numPartitions, replicationFactor };
        for (const version of [2, 4, 7]) {
          await create(conversation, version, [topic('t', counts)], onlyChecked);
        }
      }
    }
    await create(conversation, 7, [topic('t', { numPartitions: -1, replicationFactor: -1 })]);
  },

  'partitions and records of a whole request': async (conversation) => {
    await conversation.topic('there');
    const of = (numPartitions: number, name = `n${numPartitions}`, more: Partial<Topic> = {}) =>
      topic(name, { numPartitions, ...more });
    const isRefused = { replicationFactor: 9 };
    const settings = (...values: readonly string[]) => ({
      configs: values.map((value, i) => ({ name: i === 0 ? 'retention.ms' : 'segment.ms', value })),
    });
    const unknown = { configs: [{ name: 'nope', value: '1' }] };
    const requests: readonly (readonly Topic[])[] = [
      [of(9999)],
      [of(9999), of(0)],
      [of(9999), of(1, '')],
      [of(9999), of(1, 'there')],
      [of(9999), of(1, 'n', unknown)],
      [of(9999), of(1, 'n', isRefused)],
      [of(10_000, '')],
      [of(10_001, '')],
      [of(10_001, 'there')],
      [of(10_001, 'n', unknown)],
      [of(10_000), of(-2)],
      [of(10_005, 'n', isRefused), of(-10)],
      [of(-10), of(10_005, 'n', isRefused)],
      [of(0), of(10_000, 'n', isRefused)],
      [of(-1), of(9998)],
      [of(-1, 'a', isRefused), of(10_000, 'b', isRefused)],
      [of(5000), of(5000, 'n')],
      [of(9000, ''), of(9000, 'n')],
      [of(9000, 'there'), of(9000, 'n')],
      [of(9998, 'n', settings('1'))],
      [of(9998, 'n', settings('1', '5'))],
      [of(9998, 'twice'), of(9998, 'twice'), of(9998)],
      [of(9998, 'twice'), of(9998, 'twice'), of(10_000), of(1, '__cluster_metadata'), of(1)],
      [of(9998, '__cluster_metadata'), of(9998)],
      [
        byHand('h', [
          [0, [1]],
          [1, [1]],
        ]),
        of(9998),
      ],
      [
        byHand(
          'h',
          [
            [0, [1]],
            [1, [1]],
          ],
          { numPartitions: 10_000 },
        ),
      ],
      [
        byHand(
          'h',
          [
            [0, [1]],
            [1, [1]],
          ],
          { numPartitions: 5 },
        ),
        of(9998),
      ],
    ];
    for (const topics of requests) await create(conversation, 7, topics, onlyChecked);
  },

  'too many partitions by hand': async (conversation) => {
    const sizes = [
      [9999, 1],
      [10_000, 1],
      [10_000, 9],
      [10_001, 9],
    ] as const;
    for (const [count, brokerId] of sizes) {
      const instead = `${count} partitions on broker ${brokerId}`;
      await create(conversation, 4, [byHand('h', each(count, brokerId))], onlyChecked, instead);
    }
  },

  'partitions by hand': async (conversation) => {
    const placements: Readonly<Record<string, readonly (readonly [number, readonly number[]])[]>> =
      {
        unordered: [
          [1, [1]],
          [0, [1]],
        ],
        gap: [
          [0, [1]],
          [2, [1]],
        ],
        'from 1': [[1, [1]]],
        negative: [[-1, [1]]],
        'negative and 0': [
          [-1, [1]],
          [0, [1]],
        ],
        'no replicas': [[0, []]],
        'no replicas later': [
          [0, [1]],
          [1, []],
        ],
        'unknown broker': [[0, [9]]],
        'unknown broker later': [
          [0, [1]],
          [1, [7]],
        ],
        'negative broker': [[0, [-1]]],
        'broker twice': [[0, [1, 1]]],
        'unknown broker twice': [[0, [9, 9]]],
        'more replicas later': [
          [0, [1]],
          [1, [1, 2]],
        ],
        'fewer replicas later': [
          [0, [9, 8]],
          [1, [1]],
        ],
        'more and unknown': [
          [0, [1]],
          [1, [9, 8]],
        ],
        'one of two unknown': [[0, [1, 2]]],
        'partition twice': [
          [0, [1]],
          [0, [1]],
        ],
        'twice and a gap': [
          [0, [1]],
          [0, [1]],
          [5, [1]],
        ],
        'twice and unknown': [
          [0, [1]],
          [0, [9]],
        ],
        'gap and unknown': [[1, [9]]],
        largest: [[2147483647, [1]]],
        smallest: [[-2147483648, [1]]],
      };
    for (const version of VERSIONS) {
      for (const [name, placed] of Object.entries(placements)) {
        await create(
          conversation,
          version,
          [byHand(name.replaceAll(' ', '-'), placed)],
          onlyChecked,
        );
      }
    }
    await create(conversation, 7, [byHand('created', placements.unordered ?? [])]);
  },

  'partitions by hand beside something else': async (conversation) => {
    const good = [
      [0, [1]],
      [1, [1]],
    ] as const;
    for (const numPartitions of [-2, -1, 0, 1, 2]) {
      for (const replicationFactor of [-2, -1, 0, 1]) {
        const topics = [byHand('t', good, { numPartitions, replicationFactor })];
        for (const version of VERSIONS) await create(conversation, version, topics, onlyChecked);
      }
    }
    const configs = [{ name: 'nope', value: '1' }];
    const bad = [[0, [9]]] as const;
    await create(conversation, 7, [byHand('t', bad, { numPartitions: 1, replicationFactor: 1 })]);
    await create(conversation, 7, [byHand('t', bad, { configs })]);
    await create(conversation, 7, [byHand('a b', bad)]);
    await create(conversation, 7, [topic('t', { configs, numPartitions: 0 })]);
    await create(conversation, 7, [topic('t', { configs, replicationFactor: 9 })]);
  },

  'without any time': async (conversation) => {
    const odd = ['', 't4', 't5', 't5', '__cluster_metadata'].map((name) => topic(name));
    const metadata = topic('__cluster_metadata');
    for (const timeoutMs of [0, -1, -2147483648]) {
      for (const version of VERSIONS) {
        await create(conversation, version, [topic('late')], { timeoutMs });
        await create(conversation, version, odd, { timeoutMs });
      }
      await create(conversation, 7, [], { timeoutMs });
      await create(conversation, 7, [topic('late')], { timeoutMs, validateOnly: true });
      await create(conversation, 7, [topic('t'), metadata, topic('t')], { timeoutMs });
    }
    await create(conversation, 7, [topic('in-time')], { timeoutMs: 2147483647 });
    const request = { topics: [{ name: 'late' }], allowAutoTopicCreation: false };
    await conversation.ask(Metadata, 12, request, { view: byName('topics') });
  },
});
