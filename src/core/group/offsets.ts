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
  readonly #topics = new Map<string, TopicIndex>();
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
    for (const [name, { ids }] of this.#topics) {
      for (const topicId of ids.keys()) yield { name, topicId };
    }
  }

  /** Who has committed for a topic of this name. */
  groupsOf(topic: string): Iterable<string> {
    return this.#topics.get(topic)?.groupIds ?? [];
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
      this.#indexOf(topic).groupIds.add(groupId);
    }
    const before = partitions.get(partitionIndex);
    partitions.set(partitionIndex, value);
    if (before === undefined) this.#size += 1;
    if (before?.topicId === value.topicId) return;
    const { ids } = this.#indexOf(topic);
    count(ids, value.topicId, 1);
    if (before !== undefined) count(ids, before.topicId, -1);
  }

  delete(groupId: string, topic: string, partitionIndex: number): void {
    const topics = this.#groups.get(groupId);
    const partitions = topics?.get(topic);
    if (topics === undefined || partitions === undefined) return;
    const before = partitions.get(partitionIndex);
    if (before === undefined) return;
    partitions.delete(partitionIndex);
    this.#size -= 1;
    const { ids, groupIds } = this.#indexOf(topic);
    count(ids, before.topicId, -1);
    if (partitions.size === 0) {
      topics.delete(topic);
      groupIds.delete(groupId);
    }
    if (topics.size === 0) this.#groups.delete(groupId);
    if (groupIds.size === 0) this.#topics.delete(topic);
  }

  #indexOf(topic: string): TopicIndex {
    let index = this.#topics.get(topic);
    if (index === undefined) {
      index = { ids: new Map(), groupIds: new Set() };
      this.#topics.set(topic, index);
    }
    return index;
  }
}

/** What is kept of a topic's name beside its entries. */
interface TopicIndex {
  /** How many entries there are of each of its ids. */
  readonly ids: Map<string, number>;
  /** Groups with an entry. */
  readonly groupIds: Set<string>;
}

function count(ids: Map<string, number>, topicId: string, change: number): void {
  const entries = (ids.get(topicId) ?? 0) + change;
  if (entries > 0) ids.set(topicId, entries);
  else ids.delete(topicId);
}
