import {
  DescribeConfigs,
  type DescribeConfigsResource,
  type DescribeConfigsResult,
  type Draft,
  ErrorCode,
} from '../../kafka-protocol/index.ts';
import { mappedLate, shortened } from '../base/index.ts';
import {
  describeBrokerConfig,
  describeClientMetricsConfig,
  describeClusterConfig,
  describeGroupConfig,
  describeLoggers,
  describeTopicConfig,
  readInteger,
} from '../config/index.ts';
import { topicNameProblem } from '../controller/index.ts';
import { CLUSTER_NAME, defineHandler, type RequestContext } from './handler.ts';

type Result = Draft<DescribeConfigsResult>;
type Describe = (resource: DescribeConfigsResource, ctx: RequestContext) => Result;

/** Requests of more resources are answered without repetition. */
const REPEATED_MAX = 20;

/** By the number of the resource type on the wire. */
const describers: ReadonlyMap<number, Describe> = new Map([
  [2, describeTopic],
  [4, describeBroker],
  [8, describeBrokerLogger],
  [16, describeClientMetrics],
  [32, describeGroup],
]);

/**
 * The settings of topics, brokers, loggers, groups and subscriptions to client metrics, with their sources. Needs
 * DESCRIBE_CONFIGS on each. As in Kafka a resource of a type that does not exist refuses the whole request.
 */
export const describeConfigs = defineHandler(DescribeConfigs, {
  handle(request, ctx) {
    const { resources, includeSynonyms, includeDocumentation } = request;
    const odd = resources.find(({ resourceType }) => !describers.has(resourceType));
    if (odd !== undefined) {
      const message = `The request names a resource of type ${odd.resourceType}, which has no settings.`;
      const { INVALID_REQUEST } = ErrorCode;
      return { results: mappedLate(resources, (one) => refuse(one, INVALID_REQUEST, message)) };
    }
    const shown = (configs: Result['configs'] = []) =>
      configs.map((entry) => ({
        ...entry,
        synonyms: includeSynonyms ? (entry.synonyms ?? []) : [],
        // What has no text at all, a logger, does not have null instead of it either.
        documentation:
          includeDocumentation || entry.documentation === '' ? entry.documentation : null,
      }));
    const wanted = resources.length > REPEATED_MAX ? withoutRepetition(resources) : resources;
    const results = mappedLate(wanted, (resource) => {
      const result = describers.get(resource.resourceType)?.(resource, ctx) ?? {};
      return { ...result, configs: shown(result.configs) };
    });
    return { results };
  },
});

/** For a few bytes that name a resource again there would be all of its settings again, at any length. */
function withoutRepetition(
  resources: readonly DescribeConfigsResource[],
): readonly DescribeConfigsResource[] {
  const last = new Map<number, Map<string, DescribeConfigsResource>>();
  for (const resource of resources) {
    const ofType = last.get(resource.resourceType) ?? new Map();
    last.set(resource.resourceType, ofType.set(resource.resourceName, resource));
  }
  return resources.flatMap(({ resourceType, resourceName }) => {
    const ofType = last.get(resourceType);
    const wanted = ofType?.get(resourceName);
    ofType?.delete(resourceName);
    return wanted ?? [];
  });
}

function describeTopic(resource: DescribeConfigsResource, ctx: RequestContext): Result {
  const { resourceName: name, configurationKeys } = resource;
  if (!ctx.isAllowed('DESCRIBE_CONFIGS', 'TOPIC', name)) {
    return refuse(resource, ErrorCode.TOPIC_AUTHORIZATION_FAILED, notAllowed('this topic'));
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
  if (!isClusterAllowed(ctx)) return refuseCluster(resource);
  if (name === '') {
    return answer(resource, describeClusterConfig(ctx.config, keysOf(configurationKeys)));
  }
  const problem = brokerProblem(name, ctx.config.nodeId, ' An empty name stands for all brokers.');
  if (problem !== undefined) return refuse(resource, ErrorCode.INVALID_REQUEST, problem);
  return answer(resource, describeBrokerConfig(ctx.config, keysOf(configurationKeys)));
}

function describeBrokerLogger(resource: DescribeConfigsResource, ctx: RequestContext): Result {
  const { resourceName: name, configurationKeys } = resource;
  if (!isClusterAllowed(ctx)) return refuseCluster(resource);
  const problem =
    name === ''
      ? 'A broker is named by its id, and the name is empty.'
      : brokerProblem(name, ctx.config.nodeId, '');
  if (problem !== undefined) return refuse(resource, ErrorCode.INVALID_REQUEST, problem);
  return answer(resource, describeLoggers(keysOf(configurationKeys)));
}

function describeClientMetrics(resource: DescribeConfigsResource, ctx: RequestContext): Result {
  if (!isClusterAllowed(ctx)) return refuseCluster(resource);
  if (resource.resourceName === '') {
    const message = 'A subscription to client metrics is given by its name, and the name is empty.';
    return refuse(resource, ErrorCode.INVALID_REQUEST, message);
  }
  return answer(resource, describeClientMetricsConfig(keysOf(resource.configurationKeys)));
}

function describeGroup(resource: DescribeConfigsResource, ctx: RequestContext): Result {
  const { resourceName: name, configurationKeys } = resource;
  if (!ctx.isAllowed('DESCRIBE_CONFIGS', 'GROUP', name)) {
    return refuse(resource, ErrorCode.GROUP_AUTHORIZATION_FAILED, notAllowed('this group'));
  }
  if (name === '') {
    return refuse(
      resource,
      ErrorCode.INVALID_REQUEST,
      'A group is given by its name, and the name is empty.',
    );
  }
  return answer(resource, describeGroupConfig(ctx.config, keysOf(configurationKeys)));
}

function isClusterAllowed(ctx: RequestContext): boolean {
  return ctx.isAllowed('DESCRIBE_CONFIGS', 'CLUSTER', CLUSTER_NAME);
}

function refuseCluster(resource: DescribeConfigsResource): Result {
  const errorCode = ErrorCode.CLUSTER_AUTHORIZATION_FAILED;
  return refuse(resource, errorCode, notAllowed('the cluster'));
}

const notAllowed = (what: string): string => `Not allowed to read the settings of ${what}.`;

/** Why a name is not that of this broker; undefined when it is. */
function brokerProblem(name: string, nodeId: number, alternative: string): string | undefined {
  const id = readInteger(name, 31);
  if (id === undefined) {
    return `A broker is named by its id, a whole number, not '${shortened(name)}'.`;
  }
  if (id === nodeId) return undefined;
  return `This is broker ${nodeId}: it does not know the settings of broker ${id}.${alternative}`;
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
