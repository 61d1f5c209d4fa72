import { buildBatch, ListOffsets, Produce } from '../../src/kafka-protocol/index.ts';
import { PATIENCE_MS } from './patience.ts';
import type { Conversation } from './recorded.ts';

/** Topic t of three partitions. The first has two batches with times out of order, the second nothing, the third one record. */
export async function filled(conversation: Conversation): Promise<void> {
  await conversation.topic('t', 3, { 'retention.ms': '-1' });
  await produce(conversation, 0, [1000n, 3000n, 2000n]);
  await produce(conversation, 0, [2500n, 500n]);
  await produce(conversation, 2, [0n]);
}

async function produce({ quietly }: Conversation, index: number, times: readonly bigint[]) {
  const [timestamp = 0n] = times;
  const drafts = times.map((time) => ({ key: null, value: Buffer.from('v'), timestamp: time }));
  const records = buildBatch(drafts, { timestamp });
  const topicData = [{ name: 't', partitionData: [{ index, records }] }];
  const request = { acks: -1, timeoutMs: PATIENCE_MS, topicData };
  const { responses } = await quietly(Produce, 9, request);
  const errorCode = responses[0]?.partitionResponses[0]?.errorCode;
  if (errorCode !== 0) throw new Error(`Produce: ${errorCode}`);
}

/** The leader epoch that the broker has for every partition of topic t. */
export async function epochOf({ quietly }: Conversation): Promise<number> {
  const topics = [{ name: 't', partitions: [{ partitionIndex: 0, timestamp: -1n }] }];
  const answer = await quietly(ListOffsets, 7, { replicaId: -1, topics });
  return answer.topics[0]?.partitions[0]?.leaderEpoch ?? -1;
}
