import type { Engine, PartitionHandle, Role } from '../../engine/index.ts';
import type { Clock, Logger } from '../base/index.ts';
import type { BrokerConfig } from '../config/index.ts';
import type { ClusterImage, TopicImage } from './image.ts';
import { MetadataFollower } from './metadata-follower.ts';
import { PartitionHost } from './partition-host.ts';

/** One replica that this broker has open. */
export interface LocalPartition {
  readonly topicId: string;
  readonly topicName: string;
  readonly index: number;
  readonly handle: PartitionHandle;
  readonly leaderEpoch: number;
  readonly isLeader: boolean;
}

/** A topic that is gone. */
export interface RemovedTopic {
  readonly name: string;
  readonly topicId: string;
}

export interface ClusterMetadataDeps {
  readonly engine: Engine;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly config: BrokerConfig;
  /** The metadata log. */
  readonly handle: PartitionHandle;
  /** Told of each role of a partition that is open here, and of its end (role undefined). */
  readonly onRole: (partition: LocalPartition, role: Role | undefined) => void;
  /** Told of each topic that is gone, after its partitions are. */
  readonly onTopicRemoved: (topic: RemovedTopic) => void;
}

/**
 * The cluster as this broker knows it: the image replayed from the committed metadata log, and the partitions
 * that are open here. Answers may lag behind the controller's, as in Kafka.
 */
export class ClusterMetadata {
  readonly #host: PartitionHost;
  readonly #follower: MetadataFollower;
  readonly #clock: Clock;

  constructor(deps: ClusterMetadataDeps) {
    this.#clock = deps.clock;
    this.#host = new PartitionHost(deps);
    this.#follower = new MetadataFollower({
      ...deps,
      onChanged: (topicIds, image) => this.#host.reconcile(topicIds, image),
    });
  }

  get image(): ClusterImage {
    return this.#follower.image;
  }

  topicByName(name: string): TopicImage | undefined {
    return this.image.topicByName(name);
  }

  topicById(id: string): TopicImage | undefined {
    return this.image.topicById(id);
  }

  /** The replica that is open here, or undefined. */
  partition(topicId: string, index: number): LocalPartition | undefined {
    return this.#host.partition(topicId, index);
  }

  /** The broker stops: nothing is opened any more. */
  close(): void {
    this.#follower.close();
    this.#host.close();
  }

  /** A committed offset of the metadata log: what lies below will be applied. */
  committed(offset: bigint): void {
    this.#follower.committed(offset);
  }

  role(handle: PartitionHandle, role: Role): void {
    this.#host.role(handle, role);
  }

  closed(handle: PartitionHandle): void {
    this.#host.closed(handle);
  }

  /** Resolves with true once everything below `offset` is applied here, with false at the deadline. */
  waitUntilApplied(offset: bigint, deadlineMs: number): Promise<boolean> {
    return this.#follower.waitUntilApplied(offset, deadlineMs);
  }

  /** Resolves when every partition of the topic that is placed here has a leader, or at the deadline. */
  async waitForLeaders(topicId: string, deadlineMs: number): Promise<void> {
    for (;;) {
      const topic = this.image.topicById(topicId);
      if (topic === undefined || this.#hasLeaders(topic)) return;
      const isInTime = await this.#host.nextRole(deadlineMs - this.#clock.monotonicMs());
      if (!isInTime) return;
    }
  }

  #hasLeaders(topic: TopicImage): boolean {
    return topic.partitions.every(
      ({ index }) => this.partition(topic.id, index)?.isLeader === true,
    );
  }
}
