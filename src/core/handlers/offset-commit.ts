import {
  ErrorCode,
  OffsetCommit,
  type OffsetCommitRequest,
  type OffsetCommitRequestTopic,
  ZERO_UUID,
} from '../../kafka-protocol/index.ts';
import { defineHandler, type RequestContext } from '../dispatch/handler.ts';
import type { CommitReply, CommitTopic } from '../group/index.ts';

/** Needs READ on the group and on each topic. Partitions that do not exist are refused one by one. */
export const offsetCommit = defineHandler(OffsetCommit, {
  async handle(request, ctx) {
    const { groupId } = request;
    if (!ctx.isAllowed('READ', 'GROUP', groupId)) {
      return refuseAll(request, ErrorCode.GROUP_AUTHORIZATION_FAILED);
    }
    const plans = request.topics.map((topic) => plan(topic, ctx));
    const topics = plans.flatMap(({ commit }) => (commit.partitions.length > 0 ? [commit] : []));
    const answered: CommitReply =
      topics.length === 0
        ? { kind: 'commit', errorCode: ErrorCode.NONE, topics: [] }
        : await ctx.groups.commitOffsets({
            kind: 'commit',
            groupId,
            generationId: request.generationIdOrMemberEpoch,
            memberId: request.memberId,
            groupInstanceId: request.groupInstanceId,
            retentionTimeMs: request.retentionTimeMs,
            knowsGroupIdNotFound: ctx.apiVersion >= 9,
            topics,
          });
    let next = 0;
    return {
      topics: plans.flatMap(({ topic, commit, refused, isKnown }) => {
        // Kafka echoes a topic of which nothing was said only when there is none of that name.
        if (isKnown && topic.partitions.length === 0) return [];
        const { name, topicId } = topic;
        const done = commit.partitions.length === 0 ? [] : answerTo(commit, answered, next++);
        // What was refused comes first, then the coordinator's answers in the order of the request.
        return { name, topicId, partitions: [...refused, ...done] };
      }),
    };
  },
  failed: refuseAll,
});

interface Plan {
  readonly topic: OffsetCommitRequestTopic;
  /** What goes to the coordinator, under the topic's name. */
  readonly commit: CommitTopic;
  readonly isKnown: boolean;
  /** Partitions that were refused before. */
  readonly refused: readonly { readonly partitionIndex: number; readonly errorCode: number }[];
}

function plan(topic: OffsetCommitRequestTopic, ctx: RequestContext): Plan {
  const isById = ctx.apiVersion >= 10;
  const image = isById
    ? ctx.metadata.topicById(topic.topicId)
    : ctx.metadata.topicByName(topic.name);
  const name = image?.name ?? topic.name;
  const refuse = (errorCode: number): Plan => ({
    topic,
    isKnown: false,
    commit: { name, topicId: ZERO_UUID, partitions: [] },
    refused: topic.partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })),
  });
  if (isById && image === undefined) return refuse(ErrorCode.UNKNOWN_TOPIC_ID);
  if (!ctx.isAllowed('READ', 'TOPIC', name)) return refuse(ErrorCode.TOPIC_AUTHORIZATION_FAILED);
  if (image === undefined) return refuse(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
  const exists = ({ partitionIndex }: { readonly partitionIndex: number }) =>
    image.partitions[partitionIndex] !== undefined;
  const partitions = topic.partitions.filter(exists);
  const errorCode = ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
  const refused = topic.partitions
    .filter((partition) => !exists(partition))
    .map(({ partitionIndex }) => ({ partitionIndex, errorCode }));
  return { topic, isKnown: true, commit: { name, topicId: image.id, partitions }, refused };
}

/** The coordinator answers topics in their order, or all of them with one error. */
function answerTo({ partitions }: CommitTopic, answered: CommitReply, index: number) {
  const { errorCode, topics } = answered;
  if (errorCode === ErrorCode.NONE) return topics[index]?.partitions ?? [];
  return partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode }));
}

function refuseAll({ topics }: OffsetCommitRequest, errorCode: number) {
  return {
    topics: topics.map(({ name, topicId, partitions }) => ({
      name,
      topicId,
      partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })),
    })),
  };
}
