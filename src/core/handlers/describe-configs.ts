import {
  DescribeConfigs,
  type DescribeConfigsResource,
  type DescribeConfigsResult,
  type Draft,
  ErrorCode,
} from '../../kafka-protocol/index.ts';
import { describeBrokerConfig, describeTopicConfig } from '../config/index.ts';
import { topicNameProblem } from '../controller/index.ts';
import { CLUSTER_NAME, defineHandler, type RequestContext } from '../dispatch/handler.ts';

type Result = Draft<DescribeConfigsResult>;

const TOPIC = 2;
const BROKER = 4;
const BROKER_LOGGER = 8;
const resourceNames = new Map([
  [TOPIC, 'TOPIC'],
  [BROKER, 'BROKER'],
  [BROKER_LOGGER, 'BROKER_LOGGER'],
  [16, 'CLIENT_METRICS'],
  [32, 'GROUP'],
]);

/** The settings of topics and of this broker with their sources. Needs DESCRIBE_CONFIGS on each. */
export const describeConfigs = defineHandler(DescribeConfigs, {
  handle(request, ctx) {
    const results = request.resources.map((resource) => {
      const result = describe(resource, ctx);
      const configs = (result.configs ?? []).map((entry) => ({
        ...entry,
        synonyms: request.includeSynonyms ? (entry.synonyms ?? []) : [],
        documentation: request.includeDocumentation ? (entry.documentation ?? null) : null,
      }));
      return { ...result, configs };
    });
    return { results };
  },
});

function describe(resource: DescribeConfigsResource, ctx: RequestContext): Result {
  switch (resource.resourceType) {
    case TOPIC:
      return describeTopic(resource, ctx);
    case BROKER:
      return describeBroker(resource, ctx);
    default: {
      const kind = resourceNames.get(resource.resourceType) ?? `${resource.resourceType}`;
      return refuse(resource, ErrorCode.INVALID_REQUEST, `Unsupported resource type: ${kind}`);
    }
  }
}

function describeTopic(resource: DescribeConfigsResource, ctx: RequestContext): Result {
  const { resourceName: name, configurationKeys } = resource;
  if (!ctx.isAllowed('DESCRIBE_CONFIGS', 'TOPIC', name)) {
    return refuse(resource, ErrorCode.TOPIC_AUTHORIZATION_FAILED, 'Topic authorization failed.');
  }
  const problem = topicNameProblem(name);
  if (problem !== undefined) return refuse(resource, ErrorCode.INVALID_TOPIC_EXCEPTION, problem);
  const topic = ctx.metadata.topicByName(name);
  if (topic === undefined) {
    return refuse(resource, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, '');
  }
  return answer(
    resource,
    describeTopicConfig(ctx.config, topic.configs, keysOf(configurationKeys)),
  );
}

function describeBroker(resource: DescribeConfigsResource, ctx: RequestContext): Result {
  const { resourceName: name, configurationKeys } = resource;
  if (!ctx.isAllowed('DESCRIBE_CONFIGS', 'CLUSTER', CLUSTER_NAME)) {
    return refuse(
      resource,
      ErrorCode.CLUSTER_AUTHORIZATION_FAILED,
      'Cluster authorization failed.',
    );
  }
  // The empty name means the dynamic defaults of the whole cluster, of which there are none.
  if (name === '') return answer(resource, []);
  const { nodeId } = ctx.config;
  if (name !== String(nodeId)) {
    const message = /^-?\d+$/.test(name)
      ? `Unexpected broker id, expected ${nodeId} or empty string, but received ${name}`
      : `Broker id must be an integer, but it is: ${name}`;
    return refuse(resource, ErrorCode.INVALID_REQUEST, message);
  }
  return answer(resource, describeBrokerConfig(ctx.config, keysOf(configurationKeys)));
}

function keysOf(keys: readonly string[] | null): ReadonlySet<string> | undefined {
  return keys === null || keys.length === 0 ? undefined : new Set(keys);
}

function answer(resource: DescribeConfigsResource, configs: Result['configs']): Result {
  const { resourceType, resourceName } = resource;
  const errorMessage = '';
  return { errorCode: ErrorCode.NONE, errorMessage, resourceType, resourceName, configs };
}

function refuse(
  resource: DescribeConfigsResource,
  errorCode: number,
  errorMessage: string,
): Result {
  const { resourceType, resourceName } = resource;
  return { errorCode, errorMessage, resourceType, resourceName, configs: [] };
}
