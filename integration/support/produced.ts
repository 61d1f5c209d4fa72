import {
  type Draft,
  ErrorCode,
  Produce,
  type ProduceRequest,
  type ProduceResponse,
} from '../../src/kafka-protocol/index.ts';
import { until } from './patience.ts';
import type { Conversation } from './recorded.ts';
import { batchOf } from './records.ts';

type TopicData = NonNullable<Draft<ProduceRequest>['topicData']>;
type PartitionData = NonNullable<TopicData[number]['partitionData']>;

/** Settings with which a topic keeps records of any time. */
export const FOR_EVER = { 'retention.ms': '-1' };

export const batch = batchOf(['a', 'b'], { timestamp: 1n });

export const one = (index = 0, records: Uint8Array = batch): PartitionData => [{ index, records }];

/** Asks to append; what is recorded of the answer is in an order that does not depend on the broker. */
export const produceTo = (
  { ask }: Conversation,
  version: number,
  topicData: TopicData,
  options: Omit<Draft<ProduceRequest>, 'topicData'> = {},
) => ask(Produce, version, { acks: -1, timeoutMs: 5000, ...options, topicData }, { view });

/** Kafka answers in an order of its own. */
function view({ responses, ...answer }: ProduceResponse) {
  const sorted = responses.map(({ partitionResponses, ...topic }) => ({
    ...topic,
    partitionResponses: [...partitionResponses].sort((a, b) => a.index - b.index),
  }));
  return { ...answer, responses: sorted.sort((a, b) => (a.name < b.name ? -1 : 1)) };
}

/** A topic whose leaders take records. Returns its id. */
export async function writable(
  conversation: Conversation,
  name: string,
  partitions = 1,
): Promise<string> {
  const { id } = await conversation.topic(name, partitions, FOR_EVER);
  for (let index = 0; index < partitions; index++) {
    await until('a produced batch', async () => {
      const topicData = [{ name, partitionData: one(index) }];
      const request = { acks: -1, timeoutMs: 5000, topicData };
      const { responses } = await conversation.quietly(Produce, 9, request);
      return responses[0]?.partitionResponses[0]?.errorCode === ErrorCode.NONE;
    });
  }
  return id;
}
