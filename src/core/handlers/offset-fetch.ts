import {
  ErrorCode,
  OffsetFetch,
  type OffsetFetchRequest,
  ZERO_UUID,
} from '../../kafka-protocol/index.ts';
import { askedLate, mapInTurns } from '../base/index.ts';
import type { FetchedOffset } from '../group/index.ts';
import { defineHandler, type RequestContext } from './handler.ts';

/**
 * Needs DESCRIBE on each group and topic. `requireStable` asks for nothing more than what every
 * answer gives: it waits until all that was written before it is committed.
 */
export const offsetFetch = defineHandler(OffsetFetch, {
  async handle(request, ctx) {
    if (ctx.apiVersion >= 8) {
      return { groups: askedLate(request.groups, (group) => fetchGroup(group, ctx)) };
    }
    const { topics, errorCode } = await fetchGroup(onlyGroup(request), ctx);
    return { topics, errorCode };
  },
  failed: (request, errorCode) => ({
    errorCode,
    groups: request.groups.map(({ groupId }) => ({ groupId, errorCode })),
  }),
});

interface AskedGroup {
  readonly groupId: string;
  /** Null: all that the group has committed. */
  readonly topics: readonly AskedTopic[] | null;
}

interface AskedTopic {
  readonly name: string;
  readonly topicId: string;
  readonly partitionIndexes: readonly number[];
}

interface AnsweredTopic {
  readonly name: string;
  readonly topicId: string;
  readonly partitions: readonly FetchedOffset[];
}

/** Before version 8 (KIP-709) a request asks for one group. */
function onlyGroup({ groupId, topics }: OffsetFetchRequest): AskedGroup {
  return { groupId, topics: topics?.map((topic) => ({ ...topic, topicId: ZERO_UUID })) ?? null };
}

async function fetchGroup(group: AskedGroup, ctx: RequestContext) {
  const { groupId } = group;
  if (!ctx.isAllowed('DESCRIBE', 'GROUP', groupId)) {
    return refuse(group, ErrorCode.GROUP_AUTHORIZATION_FAILED, ctx);
  }
  const plans =
    group.topics === null
      ? undefined
      : await mapInTurns(group.topics, ctx.pace, (topic) => plan(topic, ctx));
  const known = plans?.filter(({ errorCode }) => errorCode === ErrorCode.NONE);
  const reply = await ctx.groups.fetchOffsets({
    kind: 'fetch',
    groupId,
    topics: known?.map(({ name, topic }) => ({ name, ...without(topic) })),
  });
  const { errorCode } = reply;
  if (errorCode !== ErrorCode.NONE) return refuse(group, errorCode, ctx);
  if (plans === undefined) {
    const visible = reply.topics.flatMap((topic) => visibleTopic(topic, ctx));
    return { groupId, errorCode, topics: visible };
  }
  let next = 0;
  const answerTo = ({ topic, name }: Plan): AnsweredTopic => {
    const isCurrent = currentIn(name, ctx);
    const partitions = (reply.topics[next++]?.partitions ?? []).map((fetched) => {
      return isCurrent(fetched) ? fetched : noOffset(fetched.partitionIndex, ErrorCode.NONE);
    });
    return { name: topic.name, topicId: topic.topicId, partitions };
  };
  const answered = await mapInTurns(known ?? [], ctx.pace, answerTo);
  // As in Kafka, topics that are refused come last.
  const refused = plans.flatMap(({ topic, errorCode }) => {
    return errorCode === ErrorCode.NONE ? [] : [refuseTopic(topic, errorCode)];
  });
  return { groupId, errorCode, topics: [...answered, ...refused] };
}

const without = ({ partitionIndexes }: AskedTopic) => ({ partitionIndexes });

interface Plan {
  readonly topic: AskedTopic;
  readonly name: string;
  readonly errorCode: number;
}

function plan(topic: AskedTopic, ctx: RequestContext): Plan {
  const isById = ctx.apiVersion >= 10;
  const name = isById ? ctx.metadata.topicById(topic.topicId)?.name : topic.name;
  if (name === undefined) return { topic, name: '', errorCode: ErrorCode.UNKNOWN_TOPIC_ID };
  const isAllowed = ctx.isAllowed('DESCRIBE', 'TOPIC', name);
  const errorCode = isAllowed ? ErrorCode.NONE : ErrorCode.TOPIC_AUTHORIZATION_FAILED;
  return { topic, name, errorCode };
}

/** Of everything a group has: topics that the principal may see and, by id, that still exist. */
function visibleTopic(
  topic: { readonly name: string; readonly partitions: readonly FetchedOffset[] },
  ctx: RequestContext,
): AnsweredTopic[] {
  const { name, partitions } = topic;
  if (!ctx.isAllowed('DESCRIBE', 'TOPIC', name)) return [];
  const topicId = ctx.metadata.topicByName(name)?.id;
  if (ctx.apiVersion >= 10 && topicId === undefined) return [];
  const current = partitions.filter(currentIn(name, ctx));
  return current.length === 0 ? [] : [{ name, topicId: topicId ?? ZERO_UUID, partitions: current }];
}

/** Whether an offset is one of the topic that has the name now, not of a deleted one that had it. */
function currentIn(name: string, ctx: RequestContext): (fetched: FetchedOffset) => boolean {
  const id = ctx.metadata.topicByName(name)?.id;
  return ({ topicId }) => id === undefined || topicId === ZERO_UUID || topicId === id;
}

/** Version 1 has no error for the whole: it stands at each partition. */
function refuse({ groupId, topics }: AskedGroup, errorCode: number, ctx: RequestContext) {
  if (ctx.apiVersion >= 2) return { groupId, errorCode, topics: [] };
  return {
    groupId,
    errorCode,
    topics: topics?.map((topic) => refuseTopic(topic, errorCode)) ?? [],
  };
}

const refuseTopic = (topic: AskedTopic, errorCode: number): AnsweredTopic => ({
  name: topic.name,
  topicId: topic.topicId,
  partitions: topic.partitionIndexes.map((partitionIndex) => noOffset(partitionIndex, errorCode)),
});

const noOffset = (partitionIndex: number, errorCode: number): FetchedOffset => ({
  partitionIndex,
  committedOffset: -1n,
  committedLeaderEpoch: -1,
  metadata: '',
  errorCode,
  topicId: ZERO_UUID,
});
