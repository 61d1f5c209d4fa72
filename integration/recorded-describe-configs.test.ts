import {
  DescribeConfigs,
  type DescribeConfigsRequest,
  type DescribeConfigsResponse,
  type Draft,
} from '../src/kafka-protocol/index.ts';
import { type Conversation, recorded } from './support/recorded.ts';

type Resource = NonNullable<Draft<DescribeConfigsRequest>['resources']>[number];

const VERSIONS = [1, 3, 4];
const [TOPIC, BROKER, LOGGER, METRICS, GROUP] = [2, 4, 8, 16, 32] as const;

const of = (
  resourceType: number,
  resourceName: string,
  configurationKeys: readonly string[] | null = ['segment.bytes'],
): Resource => ({ resourceType, resourceName, configurationKeys });

const BROKER_IDS: readonly string[] = [
  '2',
  '-1',
  '01',
  '+1',
  ' 1',
  '1 ',
  '1.0',
  'x',
  '2147483648',
  '-2147483649',
  '0x1',
  '١',
  '1',
];

/** Settings come in an order of their own in Kafka. */
function view({ results, ...answer }: DescribeConfigsResponse) {
  const sorted = results.map(({ configs, ...result }) => ({
    ...result,
    configs: [...configs].sort((a, b) => (a.name < b.name ? -1 : 1)),
  }));
  return { ...answer, results: sorted };
}

async function describeAll(
  { ask }: Conversation,
  requests: readonly (readonly Resource[])[],
  more: Partial<Draft<DescribeConfigsRequest>> = {},
  versions: readonly number[] = VERSIONS,
) {
  for (const version of versions) {
    for (const resources of requests) {
      await ask(DescribeConfigs, version, { resources, ...more }, { view });
    }
  }
}

const SERVER = { 'log.retention.hours': 168, 'log.segment.bytes': 1_073_741_824 };

recorded(
  'describe-configs',
  {
    'topics that are not there': async (conversation) => {
      const names = [
        'none',
        '',
        'a b',
        '..',
        '\0',
        'y'.repeat(250),
        '__transaction_state',
        '__cluster_metadata',
      ];
      await describeAll(conversation, [[], ...names.map((name) => [of(TOPIC, name)])]);
      await describeAll(conversation, [names.map((name) => of(TOPIC, name, null))]);
    },

    'brokers that are not there': async (conversation) => {
      const requests = BROKER_IDS.map((id) => [of(BROKER, id, ['node.id'])]);
      await describeAll(conversation, requests, {}, [1, 4]);
    },

    loggers: async ({ ask }) => {
      for (const id of [...BROKER_IDS, '']) {
        const isHere = ['01', '+1', '١', '1'].includes(id);
        // No request changes a level here, so it is read-only.
        const root = {
          name: 'root',
          value: 'INFO',
          readOnly: true,
          configSource: 6,
          isSensitive: false,
          synonyms: [],
          configType: 0,
          documentation: '',
        };
        const found = {
          errorCode: 0,
          errorMessage: '',
          resourceType: LOGGER,
          resourceName: id,
          configs: [root],
        };
        const options = isHere ? { view, ours: { results: [found] } } : { view };
        for (const extra of [false, true]) {
          const extras = { includeSynonyms: extra, includeDocumentation: extra };
          const request = { resources: [of(LOGGER, id, ['root'])], ...extras };
          await ask(DescribeConfigs, 4, request, options);
        }
        await ask(DescribeConfigs, 1, { resources: [of(LOGGER, id, ['none'])] }, { view });
      }
    },

    'types that do not exist': async (conversation) => {
      for (const type of [-128, -1, 0, 1, 3, 5, 7, 9, 64, 127]) {
        await describeAll(conversation, [[of(type, 'x')]], {}, [1, 4]);
      }
      await conversation.topic('t');
      await describeAll(conversation, [
        [of(TOPIC, 't'), of(3, 'x'), of(TOPIC, 't'), of(BROKER, '1')],
        [of(TOPIC, 'none'), of(0, '')],
      ]);
    },

    'groups and metrics of clients': async (conversation) => {
      for (const type of [METRICS, GROUP]) {
        const keys = type === METRICS ? ['interval.ms', 'none'] : ['consumer.session.timeout.ms'];
        const names = ['', 'any', ' ', 'y'.repeat(300)];
        await describeAll(
          conversation,
          names.map((name) => [of(type, name, keys)]),
        );
      }
      const extras = { includeSynonyms: true, includeDocumentation: true };
      await describeAll(
        conversation,
        [[of(METRICS, 'any', null)], [of(GROUP, 'any', null)]],
        extras,
        [4],
      );
    },

    'keys that come twice, are empty or unknown': async (conversation) => {
      await conversation.topic('t', 1, { 'retention.ms': '5' });
      const keys: readonly (readonly string[] | null)[] = [
        ['retention.ms', 'retention.ms'],
        [''],
        ['none', 'retention.ms'],
        ['RETENTION.MS'],
        [' retention.ms'],
        ['log.retention.ms'],
        ['internal.segment.bytes'],
        ['message.format.version'],
      ];
      await describeAll(
        conversation,
        keys.map((some) => [of(TOPIC, 't', some)]),
      );
      const ofBroker = [
        ['node.id', 'node.id'],
        ['broker.id'],
        [''],
        ['none'],
        ['retention.ms'],
        ['log.retention.hours', 'log.retention.ms', 'log.retention.minutes'],
        ['log.segment.bytes'],
      ];
      await describeAll(
        conversation,
        ofBroker.map((some) => [of(BROKER, '1', some)]),
      );
      await describeAll(
        conversation,
        [['min.insync.replicas'], ['node.id'], ['none'], []].map((some) => [of(BROKER, '', some)]),
      );
    },

    'no keys': async (conversation) => {
      await conversation.topic('t', 1, { 'retention.ms': '5' });
      for (const keys of [[], null]) {
        await describeAll(
          conversation,
          [[of(TOPIC, 't', keys)], [of(BROKER, '', keys)]],
          {},
          [1, 4],
        );
      }
    },

    'resources that come twice, and the order of answers': async (conversation) => {
      await conversation.topic('t');
      await conversation.topic('u');
      await describeAll(conversation, [
        [of(TOPIC, 't'), of(TOPIC, 't')],
        [of(TOPIC, 't', ['retention.ms']), of(TOPIC, 'u'), of(TOPIC, 't', ['segment.bytes'])],
        [of(TOPIC, 't', ['retention.ms']), of(TOPIC, 't', null)],
        [of(TOPIC, 'none'), of(TOPIC, 'none')],
        [of(TOPIC, 'u'), of(BROKER, '1', ['node.id']), of(TOPIC, 'none'), of(TOPIC, 't')],
        [of(BROKER, '1', ['node.id']), of(BROKER, '01', ['node.id']), of(BROKER, '', ['node.id'])],
      ]);
    },

    'synonyms and documentation': async (conversation) => {
      const own = { 'retention.ms': '5', 'segment.bytes': '1048576', 'cleanup.policy': 'compact' };
      await conversation.topic('t', 1, own);
      await conversation.topic('u');
      for (const includeSynonyms of [false, true]) {
        await describeAll(conversation, [[of(TOPIC, 't', Object.keys(own))]], { includeSynonyms });
        for (const includeDocumentation of [false, true]) {
          const extras = { includeSynonyms, includeDocumentation };
          const resources = [
            of(TOPIC, 't', Object.keys(own)),
            of(BROKER, '1', [
              'log.retention.ms',
              'log.retention.hours',
              'node.id',
              'ssl.keystore.password',
            ]),
            of(BROKER, '', null),
            of(METRICS, 'any', ['match']),
            of(GROUP, 'any', ['share.isolation.level']),
          ];
          await describeAll(
            conversation,
            resources.map((one) => [one]),
            extras,
            [3, 4],
          );
        }
      }
      await describeAll(conversation, [[of(TOPIC, 'u', null)]], { includeSynonyms: true }, [4]);
    },
  },
  { settings: SERVER },
);
