import type { CommittedOffset } from './vocabulary.ts';

type ByPartition = Map<number, CommittedOffset>;
type ByTopic = Map<string, ByPartition>;

/**
 * What groups have committed: group, topic, partition. Entries are removed one by one, so that whoever
 * iterates sees none that is gone.
 */
export class OffsetStore {
  readonly #groups = new Map<string, ByTopic>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  of(groupId: string): ReadonlyMap<string, ReadonlyMap<number, CommittedOffset>> | undefined {
    return this.#groups.get(groupId);
  }

  groupIds(): IterableIterator<string> {
    return this.#groups.keys();
  }

  set(groupId: string, topic: string, partitionIndex: number, value: CommittedOffset): void {
    let topics = this.#groups.get(groupId);
    if (topics === undefined) {
      topics = new Map();
      this.#groups.set(groupId, topics);
    }
    let partitions = topics.get(topic);
    if (partitions === undefined) {
      partitions = new Map();
      topics.set(topic, partitions);
    }
    const before = partitions.size;
    partitions.set(partitionIndex, value);
    this.#size += partitions.size - before;
  }

  delete(groupId: string, topic: string, partitionIndex: number): void {
    const topics = this.#groups.get(groupId);
    const partitions = topics?.get(topic);
    if (topics === undefined || partitions === undefined) return;
    if (partitions.delete(partitionIndex)) this.#size -= 1;
    if (partitions.size === 0) topics.delete(topic);
    if (topics.size === 0) this.#groups.delete(groupId);
  }
}
