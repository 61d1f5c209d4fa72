import {
  type CreatableTopic,
  type CreatableTopicResult,
  CreateTopics,
  type Draft,
  ErrorCode,
} from '../../kafka-protocol/index.ts';
import { describeTopicConfig } from '../config/index.ts';
import type { CreatedTopic } from '../controller/index.ts';
import { CLUSTER_NAME, defineHandler, type RequestContext } from '../dispatch/handler.ts';

type Result = Draft<CreatableTopicResult>;

/** Creates topics. Needs CREATE on the cluster or on each topic. Counts of -1 since version 4, ids since 7. */
export const createTopics = defineHandler(CreateTopics, {
  async handle(request, ctx) {
    const seen = countNames(request.topics);
    const refused = new Map<string, Result>();
    const wanted: CreatableTopic[] = [];
    for (const topic of request.topics) {
      const refusal = refuseEarly(topic, seen, ctx);
      if (refusal === undefined) wanted.push(topic);
      else refused.set(topic.name, refusal);
    }
    const deadlineMs = ctx.deadlineMs(request.timeoutMs);
    const { validateOnly } = request;
    const created =
      wanted.length === 0
        ? []
        : await ctx.controller.createTopics(wanted, { validateOnly, deadlineMs });
    return { topics: [...refused.values(), ...created.map((topic) => describe(topic, ctx))] };
  },
});

function countNames(topics: readonly CreatableTopic[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { name } of topics) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

function refuseEarly(
  { name }: CreatableTopic,
  seen: ReadonlyMap<string, number>,
  ctx: RequestContext,
): Result | undefined {
  if ((seen.get(name) ?? 0) > 1) {
    return refusal(name, ErrorCode.INVALID_REQUEST, 'Duplicate topic name.');
  }
  if (name === '__cluster_metadata') {
    const message = `Creation of internal topic ${name} is prohibited.`;
    return refusal(name, ErrorCode.INVALID_REQUEST, message);
  }
  const isAllowed =
    ctx.isAllowed('CREATE', 'CLUSTER', CLUSTER_NAME) || ctx.isAllowed('CREATE', 'TOPIC', name);
  if (isAllowed) return undefined;
  return refusal(name, ErrorCode.TOPIC_AUTHORIZATION_FAILED, 'Authorization failed.');
}

function refusal(name: string, errorCode: number, errorMessage: string | null): Result {
  return { name, errorCode, errorMessage, configs: [] };
}

function describe(topic: CreatedTopic, ctx: RequestContext): Result {
  const { name, errorCode, errorMessage } = topic;
  // Kafka has no words for a creation that is not done in time.
  if (errorCode === ErrorCode.REQUEST_TIMED_OUT) return refusal(name, errorCode, null);
  if (errorCode !== ErrorCode.NONE) return refusal(name, errorCode, errorMessage ?? '');
  const described = [...describeTopicConfig(ctx.config, topic.configs)];
  described.sort((a, b) => (a.name < b.name ? -1 : 1));
  const configs = described.map((entry) => ({
    name: entry.name,
    value: entry.value,
    readOnly: entry.readOnly,
    configSource: entry.configSource,
    isSensitive: entry.isSensitive,
  }));
  return {
    name,
    topicId: topic.topicId,
    errorCode,
    errorMessage: null,
    numPartitions: topic.numPartitions,
    replicationFactor: topic.replicationFactor,
    configs,
  };
}
