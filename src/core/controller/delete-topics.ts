import { ErrorCode } from '../../kafka-protocol/index.ts';
import type { ClusterImage, MetadataRecord } from '../metadata/index.ts';
import type { Decision } from './controller-machine.ts';
import type { DeletedTopic, DeleteTopicsCommand } from './vocabulary.ts';

const NO_ID = 'AAAAAAAAAAAAAAAAAAAAAA';

/** Decides each topic by itself; a topic named twice is deleted once. */
export function decideDeleteTopics(image: ClusterImage, command: DeleteTopicsCommand): Decision {
  const records: MetadataRecord[] = [];
  const removed = new Set<string>();
  const topics = command.topics.map(({ name, topicId }): DeletedTopic => {
    const topic = name === null ? image.topicById(topicId ?? NO_ID) : image.topicByName(name);
    if (topic === undefined) {
      const errorCode =
        name === null ? ErrorCode.UNKNOWN_TOPIC_ID : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
      const errorMessage =
        name === null ? 'There is no topic of this id.' : 'There is no topic of this name.';
      return { name, topicId: topicId ?? NO_ID, errorCode, errorMessage };
    }
    if (!removed.has(topic.id)) records.push({ kind: 'topic-removed', topicId: topic.id });
    removed.add(topic.id);
    return { name: topic.name, topicId: topic.id, errorCode: ErrorCode.NONE, errorMessage: null };
  });
  return { records, reply: { kind: 'topics-deleted', topics } };
}
