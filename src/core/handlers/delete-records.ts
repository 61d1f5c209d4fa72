import { DeleteRecords, type DeleteRecordsTopic, ErrorCode } from '../../kafka-protocol/index.ts';
import { defineHandler } from '../dispatch/handler.ts';
import { askPartitions } from './ask-partitions.ts';

/** A client's timeout is for other replicas to follow, of which there are none: the log here gets so long at least. */
const LEAST_TIME_MS = 1000;

/** By their partition. */
type Offsets = ReadonlyMap<number, bigint>;

/** Moves the log start offset of partitions this broker leads. Needs DELETE on each topic. */
export const deleteRecords = defineHandler(DeleteRecords, {
  handle(request, ctx) {
    const deadlineMs = ctx.deadlineMs(Math.max(LEAST_TIME_MS, request.timeoutMs));
    const topics = askPartitions([...offsetsByTopic(request.topics)], {
      partitionsOf: ([, offsets]) => [...offsets],
      async ask([name], [partitionIndex, offset]) {
        if (!ctx.isAllowed('DELETE', 'TOPIC', name)) {
          // Decided before any look-up, so the answer cannot reveal whether the topic exists.
          const errorCode = ErrorCode.TOPIC_AUTHORIZATION_FAILED;
          return { partitionIndex, lowWatermark: -1n, errorCode };
        }
        const result = await ctx.partitions.deleteRecords(name, partitionIndex, offset, deadlineMs);
        return { partitionIndex, ...result };
      },
      shape: ([name], partitions) => ({ name, partitions }),
    });
    return { topics };
  },
});

/** Each partition once, with the last offset that is said for it. A topic without any is not answered. */
function offsetsByTopic(topics: readonly DeleteRecordsTopic[]): ReadonlyMap<string, Offsets> {
  const byTopic = new Map<string, Map<number, bigint>>();
  for (const { name, partitions } of topics) {
    for (const { partitionIndex, offset } of partitions) {
      const offsets = byTopic.get(name) ?? new Map();
      byTopic.set(name, offsets.set(partitionIndex, offset));
    }
  }
  return byTopic;
}
