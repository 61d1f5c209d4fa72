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
    return { topics: plans.map((planned) => merge(planned, answered)) };
  },
  failed: refuseAll,
});

interface Plan {
  readonly topic: OffsetCommitRequestTopic;
  /** What goes to the coordinator, under the topic's name. */
  readonly commit: CommitTopic;
  /** Partitions that were refused before. */
  readonly errors: ReadonlyMap<number, number>;
}

function plan(topic: OffsetCommitRequestTopic, ctx: RequestContext): Plan {
  const isById = ctx.apiVersion >= 10;
  const image = isById
    ? ctx.metadata.topicById(topic.topicId)
    : ctx.metadata.topicByName(topic.name);
  const name = image?.name ?? topic.name;
  const refuse = (errorCode: number): Plan => ({
    topic,
    commit: { name, topicId: ZERO_UUID, partitions: [] },
    errors: new Map(topic.partitions.map(({ partitionIndex }) => [partitionIndex, errorCode])),
  });
  if (isById && image === undefined) return refuse(ErrorCode.UNKNOWN_TOPIC_ID);
  if (!ctx.isAllowed('READ', 'TOPIC', name)) return refuse(ErrorCode.TOPIC_AUTHORIZATION_FAILED);
  if (image === undefined) return refuse(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
  const errors = new Map<number, number>();
  const partitions = topic.partitions.filter(({ partitionIndex }) => {
    if (image.partitions[partitionIndex] !== undefined) return true;
    errors.set(partitionIndex, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
    return false;
  });
  // Offsets are kept by name. The id goes into the record, as far as the client named it.
  const topicId = isById ? image.id : ZERO_UUID;
  return { topic, commit: { name, topicId, partitions }, errors };
}

function merge({ topic, commit, errors }: Plan, answered: CommitReply) {
  const committed = answered.topics.find(({ name }) => name === commit.name);
  const partitions = topic.partitions.map(({ partitionIndex }) => {
    const done = committed?.partitions.find((one) => one.partitionIndex === partitionIndex);
    const errorCode = errors.get(partitionIndex) ?? done?.errorCode ?? answered.errorCode;
    return { partitionIndex, errorCode };
  });
  return { name: topic.name, topicId: topic.topicId, partitions };
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
