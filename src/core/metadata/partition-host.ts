import type {
  Engine,
  LogConfig,
  PartitionHandle,
  PartitionSpec,
  Role,
  Topology,
  TopologyTopic,
} from '../../engine/index.ts';
import type { Clock, Logger, Timer } from '../base/index.ts';
import { type BrokerConfig, resolveTopicConfig, toLogConfig } from '../config/index.ts';
import type { LocalPartition, RemovedTopic } from './cluster-metadata.ts';
import { type Failure, FailureReport } from './failure-report.ts';
import type { ClusterImage, TopicImage } from './image.ts';

interface HostDeps {
  readonly engine: Engine;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly config: BrokerConfig;
  readonly onRole: (partition: LocalPartition, role: Role | undefined) => void;
  readonly onTopicRemoved: (topic: RemovedTopic) => void;
}

interface HostedTopic {
  readonly name: string;
  readonly isInternal: boolean;
  partitions: (LocalPartition | undefined)[];
  configText: string;
  /** As the native half has it; undefined before the first time. */
  published: TopologyTopic | undefined;
}

/** Opens, configures and closes what the image places on this broker, and publishes the topology for it. */
export class PartitionHost {
  readonly #deps: HostDeps;
  readonly #topics = new Map<string, HostedTopic>();
  readonly #byHandle = new HandleMap<LocalPartition>();
  /** Roles that arrived before the answer to open-partition did. */
  readonly #earlyRoles = new HandleMap<Role>();
  readonly #roleWaiters = new Set<() => void>();
  /** Topics of which a leader epoch is not the published one. */
  readonly #outdated = new Set<string>();
  #update: Timer | undefined;
  #brokers: Topology['brokers'] = [];
  #topologyEpoch = 0n;
  readonly #failures = new FailureReport();
  #isClosed = false;

  constructor(deps: HostDeps) {
    this.#deps = deps;
  }

  partition(topicId: string, index: number): LocalPartition | undefined {
    return this.#topics.get(topicId)?.partitions[index];
  }

  /**
   * Brings these topics in line with the image; resolves when the topology that says so is published, with the
   * topics of which something failed: a partition that is not open, or a log without its new settings.
   */
  async reconcile(
    topicIds: ReadonlySet<string>,
    image: ClusterImage,
  ): Promise<ReadonlySet<string>> {
    const removed: TopologyTopic[] = [];
    const deletions: PartitionHandle[] = [];
    const hosted: TopicImage[] = [];
    for (const id of topicIds) {
      const topic = image.topicById(id);
      if (topic === undefined) this.#forget(id, removed, deletions);
      else hosted.push(topic);
    }
    this.#brokers = this.#brokersOf(image);
    // What is gone goes first: a new topic may have its name, and so its folders.
    if (removed.length > 0) this.#publish(removed);
    await this.#delete(deletions);
    for (const { name, id } of removed) this.#deps.onTopicRemoved({ name, topicId: id });
    const failures = await this.#host(hosted);
    const news = this.#failures.note(topicIds, failures);
    if (news !== undefined && !this.#isClosed) {
      this.#deps.logger.error(news, 'partitions could not be opened or configured');
    }
    if (hosted.length > 0 || removed.length === 0) {
      this.#publish(hosted.map((topic) => this.#topologyTopic(topic)));
    }
    return new Set(failures.map(({ topicId }) => topicId));
  }

  /** What fails from now on does so because the broker stops. */
  close(): void {
    this.#isClosed = true;
    this.#update?.cancel();
  }

  role(handle: PartitionHandle, role: Role): void {
    const known = this.#byHandle.get(handle);
    if (known === undefined) {
      this.#earlyRoles.set(handle, role);
      return;
    }
    this.#setRole(known, role);
  }

  closed(handle: PartitionHandle): void {
    const known = this.#byHandle.get(handle);
    this.#byHandle.delete(handle);
    this.#earlyRoles.delete(handle);
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
    this.#byHandle.set(known.handle, changed);
    const hosted = this.#topics.get(known.topicId);
    if (hosted !== undefined) hosted.partitions[known.index] = changed;
    if (leaderEpoch !== known.leaderEpoch) this.#updateLater(known.topicId);
    this.#deps.onRole(changed, role);
    if (this.#roleWaiters.size > 0) for (const waiter of [...this.#roleWaiters]) waiter();
  }

  // Roles come by the hundred when a disk comes back: those of one turn of the event loop are one topology.
  #updateLater(topicId: string): void {
    this.#outdated.add(topicId);
    this.#update ??= this.#deps.clock.after(0, () => {
      this.#update = undefined;
      const topics = [...this.#outdated].flatMap((id) => this.#withEpochs(id));
      this.#outdated.clear();
      if (topics.length > 0) this.#publish(topics);
    });
  }

  /** What was published of a topic, with the leader epochs of now. What was not is about to be. */
  #withEpochs(topicId: string): readonly TopologyTopic[] {
    const hosted = this.#topics.get(topicId);
    if (hosted?.published === undefined) return [];
    const partitions = hosted.published.partitions.map((partition, index) => {
      if (partition.handle === undefined) return partition;
      const leaderEpoch = hosted.partitions[index]?.leaderEpoch ?? partition.leaderEpoch;
      return { ...partition, leaderEpoch };
    });
    hosted.published = { ...hosted.published, partitions };
    return [hosted.published];
  }

  /** The settings of a topic's logs. Most topics have the same, and they are worked out once. */
  #logConfigs(): (topic: TopicImage, configText: string) => LogConfig {
    const known = new Map<string, LogConfig>();
    return ({ configs, isInternal }, configText) => {
      const key = `${isInternal} ${configText}`;
      let config = known.get(key);
      if (config === undefined) {
        config = toLogConfig(resolveTopicConfig(this.#deps.config, configs), isInternal);
        known.set(key, config);
      }
      return config;
    };
  }

  /**
   * Configures and opens what the image has of these topics; resolves with what failed. All that is to be opened is one
   * list: a promise and what belongs to it for each of ten thousand topics would be most of a start's garbage.
   */
  async #host(topics: readonly TopicImage[]): Promise<readonly Failure[]> {
    const configOf = this.#logConfigs();
    const configured: Promise<readonly Failure[]>[] = [];
    const specs: PartitionSpec[] = [];
    for (const topic of topics) {
      const configText = JSON.stringify([...topic.configs]);
      const config = configOf(topic, configText);
      const hosted = this.#hosted(topic, configText);
      if (hosted.configText !== configText) {
        configured.push(this.#configure(topic.id, hosted, config, configText));
      }
      this.#addMissing(specs, topic, config);
    }
    const failures = (await Promise.all(configured)).flat();
    await this.#deps.engine.openPartitions(specs, {
      opened: (place, handle, leaderEpoch) => this.#opened(specs[place], handle, leaderEpoch),
      failed: (place, error) => this.#failed(failures, specs[place], error),
    });
    return failures;
  }

  /** What is known of a topic, with a place for each of its partitions. */
  #hosted({ id, name, isInternal, partitions }: TopicImage, configText: string): HostedTopic {
    let hosted = this.#topics.get(id);
    if (hosted === undefined) {
      hosted = { name, isInternal, partitions: [], configText, published: undefined };
      this.#topics.set(id, hosted);
    }
    // They are opened in any order; an array that is filled so becomes a slow one. One that grows has room to spare.
    const missing = partitions.length - hosted.partitions.length;
    if (missing > 0) hosted.partitions = hosted.partitions.concat(Array(missing).fill(undefined));
    return hosted;
  }

  /** Adds what is placed here and is not open. */
  #addMissing(specs: PartitionSpec[], topic: TopicImage, config: LogConfig): void {
    const { nodeId } = this.#deps.config;
    const { id: topicId, name: topicName } = topic;
    for (const { index: partitionIndex, groupId, replicas } of topic.partitions) {
      if (!replicas.includes(nodeId) || this.partition(topicId, partitionIndex) !== undefined)
        continue;
      specs.push({ topicId, topicName, partitionIndex, groupId, config });
    }
  }

  #opened(spec: PartitionSpec | undefined, handle: PartitionHandle, leaderEpoch: number): void {
    if (spec === undefined) return;
    const { topicId, topicName, partitionIndex: index } = spec;
    const opened = { topicId, topicName, index, handle, leaderEpoch, isLeader: false };
    this.#byHandle.set(handle, opened);
    const hosted = this.#topics.get(topicId);
    if (hosted !== undefined) hosted.partitions[index] = opened;
    const early = this.#earlyRoles.get(handle);
    if (early === undefined) return;
    this.#earlyRoles.delete(handle);
    this.#setRole(opened, early);
  }

  #failed(failures: Failure[], spec: PartitionSpec | undefined, error: unknown): void {
    if (spec === undefined) return;
    const { topicId, topicName, partitionIndex } = spec;
    failures.push({ topicId, partition: `${topicName}-${partitionIndex}`, error });
  }

  /** Gives the logs of a topic that are open its new settings; resolves with what failed. */
  async #configure(
    topicId: string,
    hosted: HostedTopic,
    config: LogConfig,
    configText: string,
  ): Promise<readonly Failure[]> {
    const { engine } = this.#deps;
    const failures: Failure[] = [];
    const open = hosted.partitions.filter((partition) => partition !== undefined);
    await Promise.all(
      open.map(({ handle, index }) => {
        return engine.configureLog(handle, config).catch((error) => {
          failures.push({ topicId, partition: `${hosted.name}-${index}`, error });
        });
      }),
    );
    if (failures.length === 0) hosted.configText = configText;
    return failures;
  }

  // A handle that the engine does not know is gone already.
  async #delete(handles: readonly PartitionHandle[]): Promise<void> {
    const { engine, logger } = this.#deps;
    await Promise.all(
      handles.map((handle) => {
        return engine.deletePartition(handle).catch((err: unknown) => {
          logger.warn({ err, handle }, 'a partition was not deleted');
        });
      }),
    );
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

  #topologyTopic(topic: TopicImage): TopologyTopic {
    const { id, name, isInternal } = topic;
    const hosted = this.#topics.get(id);
    const partitions = topic.partitions.map(({ index, replicas }) => {
      const local = hosted?.partitions[index];
      const leaderId = replicas[0] ?? -1;
      return { handle: local?.handle, leaderId, leaderEpoch: local?.leaderEpoch ?? -1 };
    });
    const published = { id, name, isInternal, partitions };
    this.#outdated.delete(id);
    if (hosted !== undefined) hosted.published = published;
    return published;
  }

  #brokersOf(image: ClusterImage): Topology['brokers'] {
    const ids = new Map(this.#deps.config.listeners.map(({ name }, id) => [name, id]));
    return [...image.brokers()].map(({ nodeId, rack, endpoints }) => ({
      nodeId,
      rack: rack ?? '',
      endpoints: endpoints.flatMap(({ name, host, port }) => {
        const listenerId = ids.get(name);
        return listenerId === undefined ? [] : [{ listenerId, host, port }];
      }),
    }));
  }

  #publish(topics: readonly TopologyTopic[]): void {
    this.#topologyEpoch += 1n;
    const [epoch, brokers] = [this.#topologyEpoch, this.#brokers];
    this.#deps.engine.publishTopology({ epoch, kind: 'delta', topics, brokers });
  }
}

/** By handle. An index is used again only when its handle is closed: there is one generation of it at a time. */
class HandleMap<Value> {
  readonly #byIndex = new Map<number, { readonly generation: number; readonly value: Value }>();

  get({ index, generation }: PartitionHandle): Value | undefined {
    const known = this.#byIndex.get(index);
    return known?.generation === generation ? known.value : undefined;
  }

  set({ index, generation }: PartitionHandle, value: Value): void {
    this.#byIndex.set(index, { generation, value });
  }

  delete(handle: PartitionHandle): void {
    if (this.get(handle) !== undefined) this.#byIndex.delete(handle.index);
  }
}
