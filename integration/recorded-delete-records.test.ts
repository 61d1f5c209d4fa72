import { DeleteRecords, ErrorCode, Produce } from '../src/kafka-protocol/index.ts';
import { byPartition } from './support/answers.ts';
import { until } from './support/patience.ts';
import { type Conversation, recorded } from './support/recorded.ts';
import { batchOf } from './support/records.ts';

const VERSIONS = [0, 1, 2];
const SMALLEST = -9223372036854775808n;
const LARGEST = 9223372036854775807n;

type Wanted = readonly (readonly [string, readonly (readonly [number, bigint])[]])[];

const deleteAt = ({ ask }: Conversation, version: number, wanted: Wanted, timeoutMs = 5000) => {
  const topics = wanted.map(([name, offsets]) => ({
    name,
    partitions: offsets.map(([partitionIndex, offset]) => ({ partitionIndex, offset })),
  }));
  return ask(DeleteRecords, version, { topics, timeoutMs }, { view: byPartition });
};
const deleteIn = async (conversation: Conversation, wanted: Wanted, timeoutMs?: number) => {
  for (const version of VERSIONS) await deleteAt(conversation, version, wanted, timeoutMs);
};

/** A topic of three partitions, the first of which has ten records in batches of two. */
async function filled({ topic, quietly }: Conversation): Promise<void> {
  await topic('t', 3);
  for (let i = 0; i < 5; i++) {
    // Kafka's broker may not know yet that it leads.
    await until('a produced batch', async () => {
      const partitionData = [{ index: 0, records: batchOf(['a', 'b']) }];
      const topicData = [{ name: 't', partitionData }];
      const request = { acks: -1, timeoutMs: 5000, topicData };
      const { responses } = await quietly(Produce, 9, request);
      return responses[0]?.partitionResponses[0]?.errorCode === ErrorCode.NONE;
    });
  }
}

recorded('delete-records', {
  'topics and partitions that are not there': async (conversation) => {
    await conversation.topic('t', 3);
    await deleteIn(conversation, []);
    await deleteIn(conversation, [['t', []]]);
    await deleteIn(conversation, [['none', []]]);
    const both = [
      [0, 0n],
      [-1, 0n],
    ] as const;
    await deleteIn(conversation, [['none', both]]);
    await deleteIn(
      conversation,
      ['', 'a b', '__cluster_metadata', 'y'.repeat(250)].map((name) => [name, both]),
    );
    await deleteIn(conversation, [
      [
        't',
        [
          [3, 0n],
          [-1, 0n],
          [2147483647, 0n],
          [-2147483648, 0n],
          [1, 0n],
        ],
      ],
    ]);
  },

  'topics of the broker': (conversation) =>
    deleteIn(conversation, [
      [
        '__consumer_offsets',
        [
          [0, 0n],
          [1, -1n],
          [99, 0n],
        ],
      ],
    ]),

  offsets: async (conversation) => {
    await filled(conversation);
    for (const offset of [0n, 11n, 100n, -2n, SMALLEST, LARGEST]) {
      await deleteIn(conversation, [['t', [[0, offset]]]]);
    }
    for (const offset of [3n, 1n, 0n, 3n, 10n, 9n, -1n, 11n]) {
      await deleteIn(conversation, [['t', [[0, offset]]]]);
    }
  },

  'offsets of an empty partition': async (conversation) => {
    await conversation.topic('t');
    for (const offset of [0n, 1n, -1n, -2n]) await deleteIn(conversation, [['t', [[0, offset]]]]);
  },

  'partitions that come twice': async (conversation) => {
    await filled(conversation);
    await deleteIn(conversation, [
      [
        't',
        [
          [0, 4n],
          [0, 5n],
        ],
      ],
    ]);
    await deleteIn(conversation, [
      [
        't',
        [
          [0, 6n],
          [0, 5n],
        ],
      ],
    ]);
    await deleteIn(conversation, [
      [
        't',
        [
          [0, 6n],
          [0, 50n],
        ],
      ],
    ]);
    await deleteIn(conversation, [
      [
        't',
        [
          [0, 50n],
          [0, 6n],
        ],
      ],
    ]);
    await deleteIn(conversation, [
      ['t', [[0, 6n]]],
      ['none', [[0, 0n]]],
      [
        't',
        [
          [1, 0n],
          [0, 7n],
        ],
      ],
    ]);
    await deleteIn(conversation, [
      [
        't',
        [
          [2, 0n],
          [0, 7n],
          [9, 0n],
        ],
      ],
      ['none', [[1, 0n]]],
    ]);
  },

  'what the policy of the topic allows': async (conversation) => {
    const policies = { d: 'delete', c: 'compact', b: 'compact,delete', n: '' };
    for (const [name, policy] of Object.entries(policies)) {
      await conversation.topic(name, 1, { 'cleanup.policy': policy });
    }
    for (const offset of [0n, -1n, 50n]) {
      await deleteIn(
        conversation,
        Object.keys(policies).map((name) => [
          name,
          [
            [0, offset],
            [1, 0n],
          ],
        ]),
      );
    }
  },

  'without any time': async (conversation) => {
    await filled(conversation);
    for (const [i, timeoutMs] of [0, -1, -2147483648].entries()) {
      const offset = BigInt(2 * i + 1);
      await deleteAt(
        conversation,
        2,
        [
          [
            't',
            [
              [0, offset],
              [1, 0n],
            ],
          ],
          ['none', [[0, 0n]]],
        ],
        timeoutMs,
      );
      await deleteIn(conversation, [['t', [[0, offset]]]], timeoutMs);
    }
  },
});
