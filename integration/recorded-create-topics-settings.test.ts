import {
  CreateTopics,
  type CreateTopicsResponse,
  DescribeConfigs,
  ErrorCode,
  ZERO_UUID,
} from '../src/kafka-protocol/index.ts';
import { type Conversation, recorded } from './support/recorded.ts';

// Settings of topics that are created: which are taken, how they are shown, and how they are read.

type Entries = readonly (readonly [string, string | null])[];

const TOPIC = 2;
const TOPIC_CONFIG = 1;

const topic = (name: string, entries: Entries, numPartitions = 1) => ({
  name,
  numPartitions,
  replicationFactor: 1,
  configs: entries.map(([key, value]) => ({ name: key, value })),
});

/** Of the settings those of the topic itself, and how many there are. */
function ownSettings({ topics, ...answer }: CreateTopicsResponse) {
  const shown = topics.map(({ configs, ...one }) => ({
    ...one,
    settings: configs?.length ?? null,
    configs: (configs ?? []).filter(({ configSource }) => configSource === TOPIC_CONFIG),
  }));
  return { ...answer, topics: shown };
}

const check = ({ ask }: Conversation, version: number, entries: Entries) => {
  const request = { topics: [topic('t', entries)], timeoutMs: 10_000, validateOnly: true };
  return ask(CreateTopics, version, request, { view: ownSettings });
};

async function checkAll(conversation: Conversation, all: readonly Entries[]) {
  for (const entries of all) {
    for (const version of [2, 7]) await check(conversation, version, entries);
  }
}

/** What the broker reads in a text: creates a topic with it and asks for the setting. */
async function readBack(
  { ask, topic: create }: Conversation,
  name: string,
  texts: readonly string[],
) {
  for (const [i, text] of texts.entries()) {
    const resourceName = `t${i}`;
    await create(resourceName, 1, { [name]: text });
    const resource = { resourceType: TOPIC, resourceName, configurationKeys: [name] };
    await ask(DescribeConfigs, 4, { resources: [resource], includeSynonyms: true });
  }
}

const SERVER = { 'log.retention.hours': 168, 'log.segment.bytes': 1_073_741_824 };

recorded(
  'create-topics-settings',
  {
    'all settings of a new topic': async ({ ask }) => {
      const own: Entries = [['retention.bytes', '5']];
      for (const version of [2, 5, 7]) {
        const request = { topics: [topic('t', own)], timeoutMs: 10_000, validateOnly: true };
        await ask(CreateTopics, version, request);
      }
    },

    'names that no topic has': (conversation) =>
      checkAll(conversation, [
        [['nope', '1']],
        [['nope', null]],
        [['', '1']],
        [['', '']],
        [[' retention.ms', '5']],
        [['Retention.ms', '5']],
        [['log.retention.ms', '5']],
        [['message.format.version', '3.0']],
        [['message.timestamp.difference.max.ms', '1']],
        [['message.downconversion.enable', 'true']],
      ]),

    'no value, and several at once': async (conversation) => {
      const name = 'retention.ms';
      await checkAll(conversation, [
        [[name, null]],
        [
          [name, null],
          ['nope', '1'],
        ],
        [
          [name, null],
          [name, '5'],
        ],
        [
          [name, '5'],
          [name, null],
        ],
        [
          [name, '1'],
          [name, '1'],
        ],
        [
          [name, '1000'],
          [name, '2000'],
        ],
        [
          [name, 'x'],
          [name, '2000'],
        ],
        [
          [name, '2000'],
          [name, 'x'],
        ],
        [
          ['zzz', '1'],
          [name, 'x'],
        ],
        [
          ['min.compaction.lag.ms', '10'],
          ['max.compaction.lag.ms', '5'],
        ],
        [
          ['local.retention.ms', '500'],
          [name, '5'],
        ],
        [
          ['local.retention.bytes', '50'],
          ['retention.bytes', '5'],
        ],
        [
          ['remote.copy.lag.ms', '500'],
          [name, '5'],
        ],
      ]);
      const two = [topic('a', [['nope', '5']]), topic('b', [[name, '7']])];
      const request = { topics: two, timeoutMs: 10_000, validateOnly: true };
      await conversation.ask(CreateTopics, 7, request, { view: ownSettings });
    },

    'limits of values': (conversation) =>
      checkAll(
        conversation,
        Object.entries({
          'retention.ms': ['-1', '-2', '9223372036854775807', '9223372036854775808'],
          'segment.bytes': ['1', '14', '1048576', '2147483648'],
          'internal.segment.bytes': ['1', '-1'],
          'segment.ms': ['0'],
          'segment.jitter.ms': ['-1'],
          'segment.index.bytes': ['3'],
          'index.interval.bytes': ['-1'],
          'max.message.bytes': ['0', '-1'],
          'max.decompressed.message.bytes': ['0'],
          'flush.messages': ['0'],
          'flush.ms': ['-1'],
          'file.delete.delay.ms': ['-1'],
          'min.insync.replicas': ['0', '2', '99999999999'],
          'max.compaction.lag.ms': ['0'],
          'min.cleanable.dirty.ratio': ['1.5', '-0.1', 'NaN', 'Infinity'],
          'message.timestamp.before.max.ms': ['-1'],
          'message.timestamp.after.max.ms': ['0'],
          'compression.gzip.level': ['0', '9', '-1'],
          'compression.zstd.level': ['23'],
          'compression.lz4.level': ['18'],
          'local.retention.ms': ['5', '-3'],
          'remote.copy.lag.ms': ['-2'],
          'remote.copy.lag.bytes': ['5'],
        }).flatMap(([name, values]) => values.map((value): Entries => [[name, value]])),
      ),

    'words and lists': (conversation) =>
      checkAll(
        conversation,
        Object.entries({
          'cleanup.policy': [
            'delete,compact',
            ' delete , compact ',
            'delete,delete',
            'delete\t,\u000bcompact',
            'delete\u00a0,compact',
            '\u0000delete',
            '',
            ' ',
            ',',
            'delete,',
            ',delete',
            'delete,,compact',
            'x',
            'DELETE',
            'x'.repeat(30_000),
          ],
          preallocate: ['TRUE', ' true ', 'yes', '', '1', 'constructor'],
          'unclean.leader.election.enable': ['true'],
          'compression.type': ['bzip', 'GZIP', ' producer '],
          'message.timestamp.type': ['createtime', 'LogAppendTime', ''],
          'leader.replication.throttled.replicas': ['*', '0:1,1:1', '0:1, 1:1', 'x', '', '*,0:1'],
          'remote.storage.enable': ['false', 'true'],
          'remote.log.copy.disable': ['true'],
          'remote.log.delete.on.disable': ['true'],
          'errors.deadletterqueue.group.enable': ['true'],
        }).flatMap(([name, values]) => values.map((value): Entries => [[name, value]])),
      ),

    // The broker does not compress, and takes no topic of which it would only pretend to.
    'compression by the broker': async ({ ask }) => {
      const configs = [{ name: 'compression.type', value: 'zstd' }];
      const one = { name: 't', numPartitions: 1, replicationFactor: 1, configs };
      const request = { topics: [one], timeoutMs: 10_000, validateOnly: true };
      const refused = {
        name: 't',
        topicId: ZERO_UUID,
        errorCode: ErrorCode.INVALID_CONFIG,
        errorMessage: '<text>',
        topicConfigErrorCode: 0,
        numPartitions: -1,
        replicationFactor: -1,
        settings: 0,
        configs: [],
      };
      await ask(CreateTopics, 7, request, { view: ownSettings, ours: { topics: [refused] } });
    },

    numbers: async (conversation) => {
      const numbers = [
        '',
        '  7 ',
        '+7',
        '007',
        '-0',
        '1.5',
        '0x10',
        '1_0',
        '1 0',
        '1,0',
        '+-5',
        'abc',
      ];
      const scripts = ['٣', '１٠1', '߁߀', '𝟏', '\u00a05', '\u00015\t'];
      for (const text of [...numbers, ...scripts, '0'.repeat(30)]) {
        await check(conversation, 7, [['retention.ms', text]]);
        await check(conversation, 7, [['index.interval.bytes', text]]);
      }
    },

    fractions: async (conversation) => {
      const decimal = [
        '',
        '.5',
        '1.',
        '.',
        '5.e-1',
        '.5E0D',
        '0.25f',
        '-0',
        '0_5',
        '0. 5',
        '+',
        '0.٣',
      ];
      const hexadecimal = ['0x1p-2', '0X.8P0', '0x8p-4f', '0x8', '0x.p1', '-0x0p5'];
      const words = ['+NaN', '-NaN', 'NaNf', 'nan', '-Infinity', 'infinity', 'inf'];
      for (const text of [...decimal, ...hexadecimal, ...words, ' 0.5\u0000']) {
        await check(conversation, 7, [['min.cleanable.dirty.ratio', text]]);
      }
    },

    'what was read in a number': (conversation) =>
      readBack(conversation, 'retention.ms', ['  7 ', '+7', '007', '１٠1', '\u00015\t', '-0']),

    'what was read in a fraction': (conversation) =>
      readBack(conversation, 'min.cleanable.dirty.ratio', [
        '1e-1',
        '0.25f',
        '-0',
        '0x1p-2',
        '1e-5',
        '0.000123',
        'NaN',
        '1',
      ]),

    'what was read in a list': (conversation) =>
      readBack(conversation, 'cleanup.policy', [
        ' delete , compact ',
        'compact,delete',
        'delete,delete',
        '\u0000delete',
        '',
      ]),
  },
  { settings: SERVER },
);
