import {
  type CreatableTopic,
  type CreatableTopicResult,
  CreateTopics,
  type CreateTopicsRequest,
  type Draft,
  ErrorCode,
} from '../../kafka-protocol/index.ts';
import { joined, mappedLate } from '../base/index.ts';
import { type BrokerConfig, describeNewTopicConfig } from '../config/index.ts';
import type { CreatedTopic, CreationOutcome, RefusedCommand } from '../controller/index.ts';
import { METADATA_TOPIC } from '../metadata/index.ts';
import { CLUSTER_NAME, defineHandler, type RequestContext } from './handler.ts';

type Result = Draft<CreatableTopicResult>;

/** Creates topics. Needs CREATE on the cluster or on each topic. Counts of -1 since version 4, ids since 7. */
export const createTopics = defineHandler(CreateTopics, {
  async handle(request, ctx) {
    const refused = new Map(refuseEarly(request.topics, ctx));
    const wanted = request.topics.filter(({ name }) => !refused.has(name));
    const outcome = await create(wanted, request, ctx);
    if (outcome.kind === 'refused') {
      return { topics: mappedLate(request.topics, ({ name }) => refuseWhole(name, outcome)) };
    }
    const configsOf = describer(ctx.config);
    const created = mappedLate(outcome.topics, (topic) => describe(topic, configsOf));
    return { topics: joined([created, [...refused.values()]]) };
  },
});

async function create(
  wanted: readonly CreatableTopic[],
  { timeoutMs, validateOnly }: CreateTopicsRequest,
  ctx: RequestContext,
): Promise<CreationOutcome> {
  if (wanted.length === 0) return { kind: 'topics-created', topics: [] };
  const deadlineMs = ctx.deadlineMs(timeoutMs);
  return ctx.controller.createTopics(wanted, { validateOnly, deadlineMs });
}

/** What the controller is not asked for: names that come twice first, and each of them once. */
function* refuseEarly(
  topics: readonly CreatableTopic[],
  ctx: RequestContext,
): Iterable<readonly [string, Result]> {
  const seen = new Set<string>();
  const twice = new Set<string>();
  for (const { name } of topics) (seen.has(name) ? twice : seen).add(name);
  for (const name of twice) {
    yield [
      name,
      refusal(name, ErrorCode.INVALID_REQUEST, 'The request has this name more than once.'),
    ];
  }
  const isAllAllowed = ctx.isAllowed('CREATE', 'CLUSTER', CLUSTER_NAME);
  for (const name of seen) {
    if (twice.has(name)) continue;
    if (name === METADATA_TOPIC) {
      const message = `${name} belongs to the broker: nobody else creates it.`;
      yield [name, refusal(name, ErrorCode.INVALID_REQUEST, message)];
    } else if (!isAllAllowed && !ctx.isAllowed('CREATE', 'TOPIC', name)) {
      const message = 'Not allowed to create this topic.';
      yield [name, refusal(name, ErrorCode.TOPIC_AUTHORIZATION_FAILED, message)];
    }
  }
}

/** Kafka has no words for a creation that is not done in time. */
function refuseWhole(name: string, { errorCode, errorMessage }: RefusedCommand): Result {
  const isLate = errorCode === ErrorCode.REQUEST_TIMED_OUT;
  return refusal(name, errorCode, isLate ? null : errorMessage);
}

function refusal(name: string, errorCode: number, errorMessage: string | null): Result {
  return { name, errorCode, errorMessage, configs: [] };
}

type Configs = NonNullable<Result['configs']>;
type Overrides = CreatedTopic['configs'];

/** The settings of topics as an answer has them. Most of the topics of one request have the same. */
function describer(config: BrokerConfig): (overrides: Overrides) => Configs {
  const known = new Map<string, Configs>();
  return (overrides) => {
    const key = JSON.stringify([...overrides]);
    const configs = known.get(key) ?? describeConfigs(config, overrides);
    known.set(key, configs);
    return configs;
  };
}

function describeConfigs(config: BrokerConfig, overrides: Overrides): Configs {
  const described = [...describeNewTopicConfig(config, overrides)];
  described.sort((a, b) => (a.name < b.name ? -1 : 1));
  return described.map(({ name, value, readOnly, configSource, isSensitive }) => {
    return { name, value, readOnly, configSource, isSensitive };
  });
}

function describe(topic: CreatedTopic, configsOf: (overrides: Overrides) => Configs): Result {
  const { name, errorCode, errorMessage } = topic;
  if (errorCode !== ErrorCode.NONE) return refusal(name, errorCode, errorMessage ?? '');
  return {
    name,
    topicId: topic.topicId,
    errorCode,
    errorMessage: null,
    numPartitions: topic.numPartitions,
    replicationFactor: topic.replicationFactor,
    configs: configsOf(topic.configs),
  };
}
