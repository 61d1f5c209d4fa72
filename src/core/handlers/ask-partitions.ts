import { askInBatches, type Pace } from '../base/index.ts';

/** What was answered for the partitions of one topic. */
export interface AnsweredTopic<Topic, Answer> {
  readonly topic: Topic;
  readonly answers: readonly Answer[];
}

/** Asks about the partitions of topics, some at a time; topics and answers stay in the order of the request. */
export async function askPartitions<Topic, Partition, Answer>(
  topics: readonly Topic[],
  pace: Pace,
  partitionsOf: (topic: Topic) => readonly Partition[],
  ask: (topic: Topic, partition: Partition) => Promise<Answer> | Answer,
): Promise<readonly AnsweredTopic<Topic, Answer>[]> {
  const answered: { readonly topic: Topic; readonly answers: Answer[] }[] = [];
  function* questions() {
    for (const topic of topics) {
      const answers: Answer[] = [];
      answered.push({ topic, answers });
      for (const [i, partition] of partitionsOf(topic).entries()) {
        yield { topic, answers, i, partition };
      }
    }
  }
  await askInBatches(questions(), pace, async ({ topic, answers, i, partition }) => {
    answers[i] = await ask(topic, partition);
  });
  return answered;
}
