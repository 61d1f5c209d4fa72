import { type Items, LateItems } from '../../kafka-protocol/index.ts';
import { askedLate, BATCH_ITEMS } from '../base/index.ts';

/** How the partitions of a topic are asked about. */
export interface Question<Topic, Partition, Answer, Answered> {
  partitionsOf(topic: Topic): readonly Partition[];
  ask(topic: Topic, partition: Partition): Promise<Answer> | Answer;
  /** The topic as the answer shows it. */
  shape(topic: Topic, answers: Items<Answer>): Answered;
}

/**
 * Asks about the partitions of topics while the answer is written, some at a time; topics and answers stay in the
 * order of the request.
 */
export function askPartitions<Topic, Partition, Answer, Answered>(
  topics: readonly Topic[],
  question: Question<Topic, Partition, Answer, Answered>,
): LateItems<Answered> {
  const { partitionsOf, ask, shape } = question;
  return new LateItems(topics.length, function* () {
    for (const batch of batchesOf(topics, partitionsOf)) {
      const [topic] = batch;
      if (batch.length === 1 && topic !== undefined) {
        const answers = askedLate(partitionsOf(topic), (partition) => ask(topic, partition));
        yield shape(topic, answers);
        continue;
      }
      let answered: readonly (readonly Answer[])[] = [];
      const asked = batch.map((one) => {
        return Promise.all(partitionsOf(one).map((partition) => ask(one, partition)));
      });
      yield Promise.all(asked).then((all) => {
        answered = all;
      });
      for (const [i, one] of batch.entries()) yield shape(one, answered[i] ?? []);
    }
  });
}

/** Whole topics, as many as have no more partitions together than are asked about at once, or one. */
function* batchesOf<Topic>(
  topics: readonly Topic[],
  partitionsOf: (topic: Topic) => readonly unknown[],
): Iterable<readonly Topic[]> {
  let [batch, items]: [Topic[], number] = [[], 0];
  for (const topic of topics) {
    const own = Math.max(1, partitionsOf(topic).length);
    if (batch.length > 0 && items + own > BATCH_ITEMS) {
      yield batch;
      [batch, items] = [[], 0];
    }
    batch.push(topic);
    items += own;
  }
  if (batch.length > 0) yield batch;
}
