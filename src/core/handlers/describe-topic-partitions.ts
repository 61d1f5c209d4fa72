import {
  DescribeTopicPartitions,
  type DescribeTopicPartitionsRequest,
  type DescribeTopicPartitionsResponseTopic,
  type Draft,
  ErrorCode,
  ZERO_UUID,
} from '../../kafka-protocol/index.ts';
import { topicNameProblem } from '../controller/index.ts';
import { isInternalTopic } from '../metadata/index.ts';
import { OPERATIONS_NOT_ASKED, TOPIC_OPERATIONS } from './authorized-operations.ts';
import { describePartition } from './cluster-view.ts';
import { defineHandler, type RequestContext } from './handler.ts';

type Topic = Draft<DescribeTopicPartitionsResponseTopic>;

/** Topics in the order of their names, at most so many partitions an answer, with a cursor for the rest (KIP-966). */
export const describeTopicPartitions = defineHandler(DescribeTopicPartitions, {
  handle(request, ctx) {
    if (!isCursorValid(request)) return refuseAll(request, ErrorCode.INVALID_REQUEST);
    const wanted = names(request, ctx);
    // Kafka fails at a name without a character, unless the cursor passes over it.
    if (wanted.includes('')) return refuseAll(request, ErrorCode.UNKNOWN_SERVER_ERROR);
    // At least one: an answer without any would have the client ask for the same again.
    const asked = Math.max(1, request.responsePartitionLimit);
    let room = Math.min(asked, ctx.config.maxRequestPartitionSizeLimit);
    const topics: Topic[] = [];
    for (const name of wanted) {
      const first = name === request.cursor?.topicName ? request.cursor.partitionIndex : 0;
      if (room === 0) return { topics, nextCursor: { topicName: name, partitionIndex: first } };
      const { topic, next } = describe(name, first, room, ctx);
      topics.push(topic);
      room -= topic.partitions?.length ?? 0;
      if (next !== undefined)
        return { topics, nextCursor: { topicName: name, partitionIndex: next } };
    }
    return { topics, nextCursor: null };
  },
});

/** A cursor is a place within what is asked for: anywhere else the client would go in circles. */
function isCursorValid({ topics, cursor }: DescribeTopicPartitionsRequest): boolean {
  if (cursor === null) return true;
  const isAsked = topics.length === 0 || topics.some(({ name }) => name === cursor.topicName);
  return isAsked && cursor.partitionIndex >= 0;
}

function refuseAll({ topics }: DescribeTopicPartitionsRequest, errorCode: number) {
  const refused = topics.map(
    ({ name }): Topic => ({
      errorCode,
      name,
      topicId: ZERO_UUID,
      isInternal: false,
      partitions: [],
      topicAuthorizedOperations: OPERATIONS_NOT_ASKED,
    }),
  );
  return { topics: refused, nextCursor: null };
}

function names({ topics, cursor }: DescribeTopicPartitionsRequest, ctx: RequestContext): string[] {
  const all = topics.length === 0 ? [...ctx.metadata.image.topics()] : topics;
  const unique = [...new Set(all.map(({ name }) => name))].sort();
  const isAllowed = (name: string) => ctx.isAllowed('DESCRIBE', 'TOPIC', name);
  const visible = topics.length === 0 ? unique.filter(isAllowed) : unique;
  return cursor === null ? visible : visible.filter((name) => name >= cursor.topicName);
}

function describe(name: string, first: number, room: number, ctx: RequestContext) {
  const refuse = (errorCode: number) => {
    const topic: Topic = {
      errorCode,
      name,
      topicId: ZERO_UUID,
      isInternal: isInternalTopic(name),
      partitions: [],
      topicAuthorizedOperations: TOPIC_OPERATIONS,
    };
    return { topic, next: undefined };
  };
  if (!ctx.isAllowed('DESCRIBE', 'TOPIC', name))
    return refuse(ErrorCode.TOPIC_AUTHORIZATION_FAILED);
  const known = ctx.metadata.topicByName(name);
  if (known === undefined) {
    const isInvalid = topicNameProblem(name) !== undefined;
    return refuse(
      isInvalid ? ErrorCode.INVALID_TOPIC_EXCEPTION : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
    );
  }
  const partitions = known.partitions.slice(first, first + room).map((partition) => ({
    ...describePartition(known, partition, ctx),
    eligibleLeaderReplicas: [],
    lastKnownElr: [],
  }));
  const end = first + partitions.length;
  const topic: Topic = {
    errorCode: ErrorCode.NONE,
    name,
    topicId: known.id,
    isInternal: known.isInternal,
    partitions,
    topicAuthorizedOperations: TOPIC_OPERATIONS,
  };
  return { topic, next: end < known.partitions.length ? end : undefined };
}
