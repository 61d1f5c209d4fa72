import {
  ErrorCode,
  type Items,
  OffsetCommit,
  type OffsetCommitRequest,
  type OffsetCommitRequestTopic,
  ZERO_UUID,
} from '../../kafka-protocol/index.ts';
import { joined, mapInTurns, mappedLate } from '../base/index.ts';
import type { CommitReply, CommitTopic } from '../group/index.ts';
import { defineHandler, type RequestContext } from './handler.ts';

/** Needs READ on the group and on each topic. Partitions that do not exist are refused one by one. */
export const offsetCommit = defineHandler(OffsetCommit, {
  async handle(request, ctx) {
    const { groupId } = request;
    if (!ctx.isAllowed('READ', 'GROUP', groupId)) {
      return refuseAll(request, ErrorCode.GROUP_AUTHORIZATION_FAILED);
    }
    const plans = await mapInTurns(request.topics, ctx.pace, (topic) => plan(topic, ctx));
    const refused = new Answer(ctx.apiVersion >= 10);
    for (const { topic, isKnown, partitions } of plans) {
      // Of a topic that there is, no more is said here than which partitions there are not.
      if (!isKnown || partitions.length > 0) refused.add({ ...topic, partitions });
    }
    const topics = plans.flatMap(({ commit }) => (commit.partitions.length > 0 ? [commit] : []));
    if (topics.length === 0) return { topics: refused.topics() };
    const answered = await ctx.groups.commitOffsets({
      kind: 'commit',
      groupId,
      generationId: request.generationIdOrMemberEpoch,
      memberId: request.memberId,
      groupInstanceId: request.groupInstanceId,
      retentionTimeMs: request.retentionTimeMs,
      knowsGroupIdNotFound: ctx.apiVersion >= 9,
      topics,
    });
    const committed = topics.map((topic, i) => answerTo(topic, answered, i));
    // As in Kafka, topics named twice are one in the answer only when something was refused.
    if (refused.isEmpty) return { topics: committed };
    for (const topic of committed) refused.add(topic);
    return { topics: refused.topics() };
  },
  failed: refuseAll,
});

interface AnsweredTopic {
  readonly name: string;
  readonly topicId: string;
  readonly partitions: Items<AnsweredPartition>;
}

interface AnsweredPartition {
  readonly partitionIndex: number;
  readonly errorCode: number;
}

/** Topics in the order in which they come, each once. */
class Answer {
  readonly #isById: boolean;
  readonly #parts = new Map<string, AnsweredTopic[]>();

  constructor(isById: boolean) {
    this.#isById = isById;
  }

  get isEmpty(): boolean {
    return this.#parts.size === 0;
  }

  add(topic: AnsweredTopic): void {
    const key = this.#isById ? topic.topicId : topic.name;
    const parts = this.#parts.get(key);
    if (parts === undefined) this.#parts.set(key, [topic]);
    else parts.push(topic);
  }

  topics(): Items<AnsweredTopic> {
    return mappedLate([...this.#parts.values()], (parts) => {
      const partitions = joined(parts.map((part) => part.partitions));
      return { name: '', topicId: ZERO_UUID, ...parts[0], partitions };
    });
  }
}

interface Plan {
  readonly topic: OffsetCommitRequestTopic;
  /** What goes to the coordinator, under the topic's name. */
  readonly commit: CommitTopic;
  readonly isKnown: boolean;
  /** Those that were refused before. */
  readonly partitions: Items<AnsweredPartition>;
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
    partitions: eachRefused(topic.partitions, errorCode),
  });
  if (isById && image === undefined) return refuse(ErrorCode.UNKNOWN_TOPIC_ID);
  if (!ctx.isAllowed('READ', 'TOPIC', name)) return refuse(ErrorCode.TOPIC_AUTHORIZATION_FAILED);
  if (image === undefined) return refuse(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
  const exists = ({ partitionIndex }: { readonly partitionIndex: number }) =>
    image.partitions[partitionIndex] !== undefined;
  const missing = topic.partitions.filter((partition) => !exists(partition));
  const partitions = eachRefused(missing, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
  const commit = { name, topicId: image.id, partitions: topic.partitions.filter(exists) };
  return { topic, isKnown: true, commit, partitions };
}

/** The coordinator answers topics in their order, or all of them with one error. */
function answerTo(commit: CommitTopic, answered: CommitReply, index: number): AnsweredTopic {
  const { name, topicId } = commit;
  const { errorCode, topics } = answered;
  if (errorCode === ErrorCode.NONE) {
    return { name, topicId, partitions: topics[index]?.partitions ?? [] };
  }
  return { name, topicId, partitions: eachRefused(commit.partitions, errorCode) };
}

function refuseAll({ topics }: OffsetCommitRequest, errorCode: number) {
  return {
    topics: mappedLate(topics, ({ name, topicId, partitions }) => {
      return { name, topicId, partitions: eachRefused(partitions, errorCode) };
    }),
  };
}

function eachRefused(
  partitions: readonly { readonly partitionIndex: number }[],
  errorCode: number,
): Items<AnsweredPartition> {
  return mappedLate(partitions, ({ partitionIndex }) => ({ partitionIndex, errorCode }));
}
