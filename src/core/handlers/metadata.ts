import {
  ErrorCode,
  Metadata,
  type MetadataRequest,
  type MetadataRequestTopic,
  type MetadataResponseTopic,
  ZERO_UUID,
} from '../../kafka-protocol/index.ts';
import { topicNameProblem } from '../controller/index.ts';
import { defineHandler, type RequestContext } from '../dispatch/handler.ts';
import { isInternalTopic, type TopicImage } from '../metadata/index.ts';
import {
  CLUSTER_OPERATIONS,
  OPERATIONS_NOT_ASKED,
  TOPIC_OPERATIONS,
} from './authorized-operations.ts';
import { brokersOf, describePartition } from './cluster-view.ts';

/** How long an answer waits for the leader of a topic that this very request creates. */
const AUTO_CREATE_WAIT_MS = 1000;
const TOPIC_IDS_SINCE = 10;
const NULL_NAMES_SINCE = 12;

/** Who the brokers are, and who leads which partition. Creates missing topics when asked and allowed. */
export const metadata = defineHandler(Metadata, {
  async handle(request, ctx) {
    const topics = isAll(request, ctx.apiVersion)
      ? [...ctx.metadata.image.topics()]
          .filter(({ name }) => ctx.isAllowed('DESCRIBE', 'TOPIC', name))
          .map((topic) => describe(topic, request, ctx))
      : await Promise.all(wantedTopics(request).map((topic) => resolve(topic, request, ctx)));
    return {
      brokers: brokersOf(ctx),
      clusterId: ctx.clusterId,
      controllerId: ctx.config.nodeId,
      topics,
      clusterAuthorizedOperations: request.includeClusterAuthorizedOperations
        ? CLUSTER_OPERATIONS
        : OPERATIONS_NOT_ASKED,
    };
  },
});

function isAll(request: MetadataRequest, version: number): boolean {
  return request.topics === null || (version === 0 && request.topics.length === 0);
}

// A request that names any topic by its id is one by ids: names beside them do not count, as in Kafka.
function wantedTopics({ topics }: MetadataRequest): readonly MetadataRequestTopic[] {
  const byId = (topics ?? []).filter(({ topicId }) => topicId !== ZERO_UUID);
  return byId.length > 0 ? byId : (topics ?? []);
}

async function resolve(
  wanted: MetadataRequestTopic,
  request: MetadataRequest,
  ctx: RequestContext,
): Promise<MetadataResponseTopic> {
  const { name, topicId } = wanted;
  if (topicId !== ZERO_UUID && ctx.apiVersion < NULL_NAMES_SINCE) {
    return refuse(name, ZERO_UUID, ErrorCode.INVALID_REQUEST, ctx);
  }
  if (name === null || topicId !== ZERO_UUID) return resolveById(topicId, request, ctx);
  if (!ctx.isAllowed('DESCRIBE', 'TOPIC', name)) {
    return refuse(name, ZERO_UUID, ErrorCode.TOPIC_AUTHORIZATION_FAILED, ctx);
  }
  const known = ctx.metadata.topicByName(name);
  if (known !== undefined) return describe(known, request, ctx);
  if (topicNameProblem(name) !== undefined) {
    return refuse(name, ZERO_UUID, ErrorCode.INVALID_TOPIC_EXCEPTION, ctx);
  }
  if (!request.allowAutoTopicCreation || !ctx.config.autoCreateTopicsEnable) {
    return refuse(name, ZERO_UUID, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, ctx);
  }
  return create(name, request, ctx);
}

function resolveById(topicId: string, request: MetadataRequest, ctx: RequestContext) {
  const topic = ctx.metadata.topicById(topicId);
  const isVisible = topic !== undefined && ctx.isAllowed('DESCRIBE', 'TOPIC', topic.name);
  if (!isVisible) return refuse(null, topicId, ErrorCode.UNKNOWN_TOPIC_ID, ctx);
  return describe(topic, request, ctx);
}

async function create(name: string, request: MetadataRequest, ctx: RequestContext) {
  const deadlineMs = ctx.deadlineMs(AUTO_CREATE_WAIT_MS);
  const errorCode = await ctx.controller.autoCreateTopic(name, deadlineMs);
  const topic = ctx.metadata.topicByName(name);
  if (topic !== undefined) return describe(topic, request, ctx);
  const isPending =
    errorCode === ErrorCode.NONE ||
    errorCode === ErrorCode.TOPIC_ALREADY_EXISTS ||
    errorCode === ErrorCode.REQUEST_TIMED_OUT;
  // The topic is on its way: the client asks again, as it does with Kafka.
  return refuse(name, ZERO_UUID, isPending ? ErrorCode.LEADER_NOT_AVAILABLE : errorCode, ctx);
}

function describe(
  topic: TopicImage,
  request: MetadataRequest,
  ctx: RequestContext,
): MetadataResponseTopic {
  const hasId = ctx.apiVersion >= TOPIC_IDS_SINCE;
  return {
    errorCode: ErrorCode.NONE,
    name: topic.name,
    topicId: hasId ? topic.id : ZERO_UUID,
    isInternal: topic.isInternal,
    partitions: topic.partitions.map((partition) => describePartition(topic, partition, ctx)),
    topicAuthorizedOperations: request.includeTopicAuthorizedOperations
      ? TOPIC_OPERATIONS
      : OPERATIONS_NOT_ASKED,
  };
}

function refuse(
  name: string | null,
  topicId: string,
  errorCode: number,
  ctx: RequestContext,
): MetadataResponseTopic {
  return {
    errorCode,
    name: name ?? (ctx.apiVersion >= NULL_NAMES_SINCE ? null : ''),
    topicId,
    isInternal: name !== null && isInternalTopic(name),
    partitions: [],
    topicAuthorizedOperations: OPERATIONS_NOT_ASKED,
  };
}
