import { DeleteRecords, type DeleteRecordsTopic, ErrorCode } from '../../kafka-protocol/index.ts';
import { defineHandler, type RequestContext } from '../dispatch/handler.ts';

/** Moves the log start offset of partitions this broker leads. Needs DELETE on each topic. */
export const deleteRecords = defineHandler(DeleteRecords, {
  async handle(request, ctx) {
    const deadlineMs = ctx.deadlineMs(request.timeoutMs);
    const topics = request.topics.map((topic) => deleteFromTopic(topic, deadlineMs, ctx));
    return { topics: await Promise.all(topics) };
  },
});

async function deleteFromTopic(topic: DeleteRecordsTopic, deadlineMs: number, ctx: RequestContext) {
  const { name, partitions } = topic;
  if (!ctx.isAllowed('DELETE', 'TOPIC', name)) {
    // Decided before any look-up, so the answer cannot reveal whether the topic exists.
    const errorCode = ErrorCode.TOPIC_AUTHORIZATION_FAILED;
    const refuse = (partitionIndex: number) => ({ partitionIndex, lowWatermark: -1n, errorCode });
    return { name, partitions: partitions.map((p) => refuse(p.partitionIndex)) };
  }
  const results = partitions.map(async ({ partitionIndex, offset }) => {
    const result = await ctx.partitions.deleteRecords(name, partitionIndex, offset, deadlineMs);
    return { partitionIndex, ...result };
  });
  return { name, partitions: await Promise.all(results) };
}
