import { TimelineMap } from './timeline-map.ts';
import type { CommittedOffset, TopicName } from './vocabulary.ts';

type ByPartition = TimelineMap<number, CommittedOffset>;
type ByTopic = TimelineMap<string, ByPartition>;

/**
 * What groups have committed: group, topic, partition. Entries are removed one by one, so that whoever
 * iterates sees none that is gone.
 */
export class OffsetStore {
  readonly #groups = new Map<string, ByTopic>();
  /** By name and id of a topic, how many entries it has. */
  readonly #topics = new Map<string, Map<string, number>>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  of(groupId: string): ReadonlyMap<string, ReadonlyMap<number, CommittedOffset>> | undefined {
    return this.#groups.get(groupId);
  }

  /** All of a group, in the order in which Kafka shows it. */
  inKafkaOrder<Shaped>(
    groupId: string,
    shape: (partitionIndex: number, offset: CommittedOffset) => Shaped,
  ): readonly { readonly name: string; readonly partitions: readonly Shaped[] }[] {
    const topics = this.#groups.get(groupId);
    if (topics === undefined) return [];
    return topics.inKafkaOrder((name, partitions) => {
      return { name, partitions: partitions.inKafkaOrder(shape) };
    });
  }

  groupIds(): IterableIterator<string> {
    return this.#groups.keys();
  }

  /** Each topic that has an entry, once for each of its ids. */
  *topics(): Iterable<TopicName> {
    for (const [name, ids] of this.#topics) {
      for (const topicId of ids.keys()) yield { name, topicId };
    }
  }

  set(groupId: string, topic: string, partitionIndex: number, value: CommittedOffset): void {
    let topics = this.#groups.get(groupId);
    if (topics === undefined) {
      topics = new TimelineMap();
      this.#groups.set(groupId, topics);
    }
    let partitions = topics.get(topic);
    if (partitions === undefined) {
      partitions = new TimelineMap();
      topics.set(topic, partitions);
    }
    const before = partitions.get(partitionIndex);
    partitions.set(partitionIndex, value);
    if (before === undefined) this.#size += 1;
    if (before?.topicId === value.topicId) return;
    this.#count(topic, value.topicId, 1);
    if (before !== undefined) this.#count(topic, before.topicId, -1);
  }

  delete(groupId: string, topic: string, partitionIndex: number): void {
    const topics = this.#groups.get(groupId);
    const partitions = topics?.get(topic);
    if (topics === undefined || partitions === undefined) return;
    const before = partitions.get(partitionIndex);
    if (before === undefined) return;
    partitions.delete(partitionIndex);
    this.#size -= 1;
    this.#count(topic, before.topicId, -1);
    if (partitions.size === 0) topics.delete(topic);
    if (topics.size === 0) this.#groups.delete(groupId);
  }

  #count(topic: string, topicId: string, change: number): void {
    let ids = this.#topics.get(topic);
    if (ids === undefined) {
      ids = new Map();
      this.#topics.set(topic, ids);
    }
    const count = (ids.get(topicId) ?? 0) + change;
    if (count > 0) ids.set(topicId, count);
    else ids.delete(topicId);
    if (ids.size === 0) this.#topics.delete(topic);
  }
}
