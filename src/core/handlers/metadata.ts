import {
  ErrorCode,
  type LateDraft,
  Metadata,
  type MetadataRequest,
  type MetadataRequestTopic,
  type MetadataResponse,
  type MetadataResponseTopic,
  ZERO_UUID,
} from '../../kafka-protocol/index.ts';
import {
  inHashSetOrder,
  inScalaTreeOrder,
  javaHash,
  mapInTurns,
  mappedLate,
} from '../base/index.ts';
import { topicNameProblem } from '../controller/index.ts';
import { isInternalTopic, METADATA_TOPIC, type TopicImage } from '../metadata/index.ts';
import {
  CLUSTER_OPERATIONS,
  OPERATIONS_NOT_ASKED,
  TOPIC_OPERATIONS,
} from './authorized-operations.ts';
import { brokersOf, describePartition } from './cluster-view.ts';
import { defineHandler, type RequestContext } from './handler.ts';

/** How long an answer waits for the leader of a topic that this very request creates. */
const AUTO_CREATE_WAIT_MS = 1000;
const TOPIC_IDS_SINCE = 10;
const NULL_NAMES_SINCE = 12;
/** Of so many a Scala set keeps the order in which they came. */
const SMALL_SET = 4;

/** Who the brokers are, and who leads which partition. Creates missing topics when asked and allowed. */
export const metadata = defineHandler(Metadata, {
  async handle(request, ctx) {
    const problem = problemOf(request, ctx.apiVersion);
    if (problem !== undefined) return refuseAll(request, problem);
    const topics = isAll(request, ctx.apiVersion)
      ? mappedLate(visibleTopics(ctx), (topic) => describe(topic, request, ctx))
      : await resolveAll(request, ctx);
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

/** What such a version cannot ask for, as Kafka tells its own clients when they do. */
function problemOf({ topics }: MetadataRequest, version: number): number | undefined {
  if (version < NULL_NAMES_SINCE) {
    const isById = topics?.some(({ topicId, name }) => topicId !== ZERO_UUID || name === null);
    return isById ? ErrorCode.INVALID_REQUEST : undefined;
  }
  // A request by ids passes over what else is in it.
  if (topics?.some(({ topicId }) => topicId !== ZERO_UUID)) return undefined;
  const isNothing = topics?.some(({ name }) => name === null);
  return isNothing ? ErrorCode.UNKNOWN_SERVER_ERROR : undefined;
}

/** The error at each topic and nothing of the cluster. */
function refuseAll({ topics }: MetadataRequest, errorCode: number): LateDraft<MetadataResponse> {
  const refused = mappedLate(topics ?? [], ({ name, topicId }) => ({
    errorCode,
    name: name ?? '',
    topicId,
    isInternal: false,
    partitions: [],
    topicAuthorizedOperations: OPERATIONS_NOT_ASKED,
  }));
  const cluster = { brokers: [], clusterId: null, controllerId: -1, errorCode };
  return { ...cluster, topics: refused, clusterAuthorizedOperations: OPERATIONS_NOT_ASKED };
}

function isAll(request: MetadataRequest, version: number): boolean {
  return request.topics === null || (version === 0 && request.topics.length === 0);
}

function visibleTopics(ctx: RequestContext): readonly TopicImage[] {
  const all = [...ctx.metadata.image.topics()];
  return all.filter(({ name }) => ctx.isAllowed('DESCRIBE', 'TOPIC', name));
}

/**
 * A request that names any topic by its id is one by ids: names beside them do not count. Nothing is answered twice.
 * In Kafka's order, which comes out of its sets: topics by name, then the names that none has; unknown ids are first.
 */
async function wantedTopics({ topics }: MetadataRequest, ctx: RequestContext) {
  const byId = (topics ?? []).filter(({ topicId }) => topicId !== ZERO_UUID);
  if (byId.length === 0) {
    const nameOf = ({ name }: MetadataRequestTopic) => name ?? '';
    const wanted = await lastOfEach(topics ?? [], nameOf, ctx);
    const [known, unknown] = await divided(inSetOrder(wanted, nameOf), ctx, (topic) => {
      return ctx.metadata.topicByName(nameOf(topic)) !== undefined;
    });
    return [...known, ...inHashSetOrder(unknown, (topic) => javaHash(nameOf(topic)))];
  }
  const nameOf = ({ topicId }: MetadataRequestTopic) => ctx.metadata.topicById(topicId)?.name ?? '';
  const wanted = await lastOfEach(byId, ({ topicId }) => topicId, ctx);
  const [known, unknown] = await divided(wanted, ctx, (topic) => nameOf(topic) !== '');
  return [...unknown, ...inSetOrder(known, nameOf)];
}

type NameOf = (topic: MetadataRequestTopic) => string;

async function lastOfEach(
  topics: readonly MetadataRequestTopic[],
  keyOf: NameOf,
  ctx: RequestContext,
): Promise<readonly MetadataRequestTopic[]> {
  const byKey = new Map<string, MetadataRequestTopic>();
  await mapInTurns(topics, ctx.pace, (topic) => void byKey.set(keyOf(topic), topic));
  return [...byKey.values()];
}

function inSetOrder(topics: readonly MetadataRequestTopic[], nameOf: NameOf) {
  const isSmall = topics.length <= SMALL_SET;
  return isSmall ? topics : inScalaTreeOrder(topics, (topic) => javaHash(nameOf(topic)));
}

async function divided(
  topics: readonly MetadataRequestTopic[],
  ctx: RequestContext,
  isKnown: (topic: MetadataRequestTopic) => boolean,
) {
  const [known, unknown]: [MetadataRequestTopic[], MetadataRequestTopic[]] = [[], []];
  await mapInTurns(topics, ctx.pace, (topic) => (isKnown(topic) ? known : unknown).push(topic));
  return [known, unknown] as const;
}

/** Missing topics are made together: each creation for itself would look through all that there are. */
async function resolveAll(request: MetadataRequest, ctx: RequestContext) {
  const wanted = await wantedTopics(request, ctx);
  const codes = await createMissing(wanted, request, ctx);
  return mappedLate(wanted, (topic) => resolve(topic, request, codes, ctx));
}

/** Error codes of those that were to be created. */
async function createMissing(
  wanted: readonly MetadataRequestTopic[],
  request: MetadataRequest,
  ctx: RequestContext,
): Promise<ReadonlyMap<string, number>> {
  const missing: string[] = [];
  if (request.allowAutoTopicCreation && ctx.config.autoCreateTopicsEnable) {
    await mapInTurns(wanted, ctx.pace, ({ name, topicId }) => {
      const isNamed = name !== null && topicId === ZERO_UUID;
      if (isNamed && isCreatable(name, ctx)) missing.push(name);
    });
  }
  if (missing.length === 0) return new Map();
  return ctx.controller.autoCreateTopics(missing, ctx.deadlineMs(AUTO_CREATE_WAIT_MS));
}

function isCreatable(name: string, ctx: RequestContext): boolean {
  return (
    name !== METADATA_TOPIC &&
    ctx.isAllowed('DESCRIBE', 'TOPIC', name) &&
    ctx.metadata.topicByName(name) === undefined &&
    topicNameProblem(name) === undefined
  );
}

function resolve(
  { name, topicId }: MetadataRequestTopic,
  request: MetadataRequest,
  codes: ReadonlyMap<string, number>,
  ctx: RequestContext,
): MetadataResponseTopic {
  if (name === null || topicId !== ZERO_UUID) return resolveById(topicId, request, ctx);
  if (!ctx.isAllowed('DESCRIBE', 'TOPIC', name)) {
    return refuse(name, ZERO_UUID, ErrorCode.TOPIC_AUTHORIZATION_FAILED);
  }
  const known = ctx.metadata.topicByName(name);
  if (known !== undefined) return describe(known, request, ctx);
  if (topicNameProblem(name) !== undefined) {
    return refuse(name, ZERO_UUID, ErrorCode.INVALID_TOPIC_EXCEPTION, operationsOn(request));
  }
  // As with Kafka the client asks again: the topic may be on its way. Only our own limit is worth a word of its own.
  const isLimit = codes.get(name) === ErrorCode.POLICY_VIOLATION;
  const errorCode = isLimit ? ErrorCode.POLICY_VIOLATION : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
  return refuse(name, ZERO_UUID, errorCode, operationsOn(request));
}

function resolveById(topicId: string, request: MetadataRequest, ctx: RequestContext) {
  const topic = ctx.metadata.topicById(topicId);
  const isVisible = topic !== undefined && ctx.isAllowed('DESCRIBE', 'TOPIC', topic.name);
  if (!isVisible) return refuse(null, topicId, ErrorCode.UNKNOWN_TOPIC_ID);
  return describe(topic, request, ctx);
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
    topicAuthorizedOperations: operationsOn(request),
  };
}

/** Also of topics that do not exist: what one might do to them. */
function operationsOn(request: MetadataRequest): number {
  return request.includeTopicAuthorizedOperations ? TOPIC_OPERATIONS : OPERATIONS_NOT_ASKED;
}

function refuse(
  name: string | null,
  topicId: string,
  errorCode: number,
  topicAuthorizedOperations = OPERATIONS_NOT_ASKED,
): MetadataResponseTopic {
  const isInternal = name !== null && isInternalTopic(name);
  return { errorCode, name, topicId, isInternal, partitions: [], topicAuthorizedOperations };
}
