import type { Engine, PartitionHandle, Role, Topology, TopologyTopic } from '../../engine/index.ts';
import type { Clock, Logger } from '../base/index.ts';
import { type BrokerConfig, resolveTopicConfig, toLogConfig } from '../config/index.ts';
import type { LocalPartition } from './cluster-metadata.ts';
import type { ClusterImage, PartitionImage, TopicImage } from './image.ts';

interface HostDeps {
  readonly engine: Engine;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly config: BrokerConfig;
  readonly onRole: (partition: LocalPartition, role: Role | undefined) => void;
  readonly onTopicRemoved: (name: string) => void;
}

interface HostedTopic {
  readonly name: string;
  readonly isInternal: boolean;
  readonly partitions: (LocalPartition | undefined)[];
  configText: string;
}

/** Opens, configures and closes what the image places on this broker, and publishes the topology for it. */
export class PartitionHost {
  readonly #deps: HostDeps;
  readonly #topics = new Map<string, HostedTopic>();
  readonly #byHandle = new Map<string, LocalPartition>();
  /** Roles that arrived before the answer to open-partition did. */
  readonly #earlyRoles = new Map<string, Role>();
  readonly #roleWaiters = new Set<() => void>();
  #topologyEpoch = 0n;

  constructor(deps: HostDeps) {
    this.#deps = deps;
  }

  partition(topicId: string, index: number): LocalPartition | undefined {
    return this.#topics.get(topicId)?.partitions[index];
  }

  /** Brings these topics in line with the image; resolves when the topology that says so is published. */
  async reconcile(topicIds: ReadonlySet<string>, image: ClusterImage): Promise<void> {
    const published: TopologyTopic[] = [];
    const deletions: PartitionHandle[] = [];
    const openings: Promise<void>[] = [];
    for (const id of topicIds) {
      const topic = image.topicById(id);
      if (topic === undefined) this.#forget(id, published, deletions);
      else openings.push(this.#host(topic).then((entry) => void published.push(entry)));
    }
    await Promise.all(openings);
    this.#publish(published, image);
    await Promise.all(deletions.map((handle) => this.#deps.engine.deletePartition(handle)));
    for (const { name, isRemoved } of published) {
      if (isRemoved === true) this.#deps.onTopicRemoved(name);
    }
  }

  role(handle: PartitionHandle, role: Role): void {
    const known = this.#byHandle.get(keyOf(handle));
    if (known === undefined) {
      this.#earlyRoles.set(keyOf(handle), role);
      return;
    }
    this.#setRole(known, role);
  }

  closed(handle: PartitionHandle): void {
    const known = this.#byHandle.get(keyOf(handle));
    this.#byHandle.delete(keyOf(handle));
    if (known !== undefined) this.#deps.onRole(known, undefined);
  }

  /** Resolves with true at the next change of any role, with false after `timeoutMs`. */
  nextRole(timeoutMs: number): Promise<boolean> {
    if (timeoutMs <= 0) return Promise.resolve(false);
    return new Promise((resolve) => {
      const settle = (isRole: boolean) => {
        timer.cancel();
        this.#roleWaiters.delete(onRole);
        resolve(isRole);
      };
      const onRole = () => settle(true);
      const timer = this.#deps.clock.after(timeoutMs, () => settle(false));
      this.#roleWaiters.add(onRole);
    });
  }

  #setRole(known: LocalPartition, role: Role): void {
    const { leaderEpoch, isLeader } = role;
    const changed = { ...known, leaderEpoch, isLeader };
    this.#byHandle.set(keyOf(known.handle), changed);
    const hosted = this.#topics.get(known.topicId);
    if (hosted !== undefined) hosted.partitions[known.index] = changed;
    this.#deps.onRole(changed, role);
    for (const waiter of [...this.#roleWaiters]) waiter();
  }

  async #host(topic: TopicImage): Promise<TopologyTopic> {
    const overrides = topic.configs;
    const configText = JSON.stringify([...overrides]);
    let hosted = this.#topics.get(topic.id);
    if (hosted === undefined) {
      hosted = { name: topic.name, isInternal: topic.isInternal, partitions: [], configText };
      this.#topics.set(topic.id, hosted);
    } else if (hosted.configText !== configText) {
      hosted.configText = configText;
      await this.#configure(topic, hosted);
    }
    await Promise.all(topic.partitions.map((partition) => this.#open(topic, partition)));
    return this.#topologyTopic(topic, hosted);
  }

  async #open(topic: TopicImage, partition: PartitionImage): Promise<void> {
    const { nodeId } = this.#deps.config;
    const isOpen = this.partition(topic.id, partition.index) !== undefined;
    if (isOpen || !partition.replicas.includes(nodeId)) return;
    const config = resolveTopicConfig(this.#deps.config, topic.configs);
    try {
      const { handle, leaderEpoch } = await this.#deps.engine.openPartition({
        topicId: topic.id,
        topicName: topic.name,
        partitionIndex: partition.index,
        groupId: partition.groupId,
        config: toLogConfig(config, topic.isInternal),
      });
      this.#opened(topic, partition.index, handle, leaderEpoch);
    } catch (error) {
      const where = `${topic.name}-${partition.index}`;
      this.#deps.logger.error({ err: error, partition: where }, 'a partition could not be opened');
    }
  }

  #opened(topic: TopicImage, index: number, handle: PartitionHandle, leaderEpoch: number): void {
    const { id: topicId, name: topicName } = topic;
    const opened = { topicId, topicName, index, handle, leaderEpoch, isLeader: false };
    this.#byHandle.set(keyOf(handle), opened);
    const hosted = this.#topics.get(topicId);
    if (hosted !== undefined) hosted.partitions[index] = opened;
    const early = this.#earlyRoles.get(keyOf(handle));
    if (early === undefined) return;
    this.#earlyRoles.delete(keyOf(handle));
    this.#setRole(opened, early);
  }

  async #configure(topic: TopicImage, hosted: HostedTopic): Promise<void> {
    const config = toLogConfig(
      resolveTopicConfig(this.#deps.config, topic.configs),
      topic.isInternal,
    );
    const open = hosted.partitions.filter((partition) => partition !== undefined);
    await Promise.all(open.map(({ handle }) => this.#deps.engine.configureLog(handle, config)));
  }

  #forget(id: string, published: TopologyTopic[], deletions: PartitionHandle[]): void {
    const hosted = this.#topics.get(id);
    if (hosted === undefined) return;
    this.#topics.delete(id);
    const { name, isInternal } = hosted;
    published.push({ id, name, isInternal, isRemoved: true, partitions: [] });
    for (const partition of hosted.partitions) {
      if (partition !== undefined) deletions.push(partition.handle);
    }
  }

  #topologyTopic(topic: TopicImage, hosted: HostedTopic): TopologyTopic {
    const { id, name, isInternal } = topic;
    const partitions = topic.partitions.map(({ index, replicas }) => {
      const local = hosted.partitions[index];
      const leaderId = replicas[0] ?? -1;
      return { handle: local?.handle, leaderId, leaderEpoch: local?.leaderEpoch ?? -1 };
    });
    return { id, name, isInternal, partitions };
  }

  #publish(topics: readonly TopologyTopic[], image: ClusterImage): void {
    this.#topologyEpoch += 1n;
    const ids = new Map(this.#deps.config.listeners.map(({ name }, id) => [name, id]));
    const brokers = [...image.brokers()].map(({ nodeId, rack, endpoints }) => ({
      nodeId,
      rack: rack ?? '',
      endpoints: endpoints.flatMap(({ name, host, port }) => {
        const listenerId = ids.get(name);
        return listenerId === undefined ? [] : [{ listenerId, host, port }];
      }),
    }));
    const topology: Topology = { epoch: this.#topologyEpoch, kind: 'delta', topics, brokers };
    this.#deps.engine.publishTopology(topology);
  }
}

function keyOf({ index, generation }: PartitionHandle): string {
  return `${index}:${generation}`;
}
