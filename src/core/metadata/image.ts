import type { MetadataRecord, PartitionRecord, TopicConfigRecord } from './records.ts';

/** The metadata group itself; partitions of topics count from 1. */
export const METADATA_GROUP_ID = 0n;
/** The name under which Kafka keeps its metadata log: no topic may have it. */
export const METADATA_TOPIC = '__cluster_metadata';
/** The id that Kafka gives the topic of its own metadata log. */
export const METADATA_TOPIC_ID = 'AAAAAAAAAAAAAAAAAAAAAQ';

export interface BrokerImage {
  readonly nodeId: number;
  readonly incarnationId: string;
  readonly directoryId: string;
  readonly rack: string | null;
  readonly endpoints: readonly {
    readonly name: string;
    readonly host: string;
    readonly port: number;
  }[];
}

export interface PartitionImage {
  readonly index: number;
  readonly groupId: bigint;
  readonly replicas: readonly number[];
}

export interface TopicImage {
  readonly id: string;
  readonly name: string;
  readonly isInternal: boolean;
  /** In order of their index, without holes. */
  readonly partitions: readonly PartitionImage[];
  /** Overrides of the topic, as text. */
  readonly configs: ReadonlyMap<string, string>;
}

interface MutableTopic extends TopicImage {
  partitions: PartitionImage[];
  configs: ReadonlyMap<string, string>;
}

/** Of most topics. An empty map for each of them would be a third of what all topics take. */
const NO_CONFIGS: ReadonlyMap<string, string> = new Map();

const internalTopics = new Set([
  '__consumer_offsets',
  '__transaction_state',
  '__share_group_state',
]);

/** True for the topics that belong to the broker: clients may read them, not write them. */
export function isInternalTopic(name: string): boolean {
  return internalTopics.has(name);
}

/** What the metadata log says, up to some offset. Changed only by `apply`; the same on every replica. */
export class ClusterImage {
  readonly #topicsById = new Map<string, MutableTopic>();
  readonly #topicsByName = new Map<string, MutableTopic>();
  readonly #brokers = new Map<number, BrokerImage>();
  readonly #features = new Map<string, number>();
  #nextProducerId = 0n;
  #nextGroupId = METADATA_GROUP_ID + 1n;

  topicByName(name: string): TopicImage | undefined {
    return this.#topicsByName.get(name);
  }

  topicById(id: string): TopicImage | undefined {
    return this.#topicsById.get(id);
  }

  /** In the order of creation. */
  topics(): IterableIterator<TopicImage> {
    return this.#topicsById.values();
  }

  broker(nodeId: number): BrokerImage | undefined {
    return this.#brokers.get(nodeId);
  }

  brokers(): IterableIterator<BrokerImage> {
    return this.#brokers.values();
  }

  get features(): ReadonlyMap<string, number> {
    return this.#features;
  }

  get nextProducerId(): bigint {
    return this.#nextProducerId;
  }

  get nextGroupId(): bigint {
    return this.#nextGroupId;
  }

  apply(record: MetadataRecord): void {
    switch (record.kind) {
      case 'feature':
        this.#features.set(record.name, record.level);
        break;
      case 'broker': {
        const { kind: _, ...broker } = record;
        this.#brokers.set(record.nodeId, broker);
        break;
      }
      case 'topic':
        this.#addTopic(record.topicId, record.name);
        break;
      case 'partition':
        this.#addPartition(record);
        break;
      case 'topic-config':
        this.#configure(record);
        break;
      case 'topic-removed': {
        const topic = this.#topic(record.topicId);
        this.#topicsById.delete(record.topicId);
        this.#topicsByName.delete(topic.name);
        break;
      }
      case 'producer-ids':
        this.#nextProducerId = record.nextProducerId;
        break;
      case 'group-ids':
        this.#nextGroupId = record.nextGroupId;
        break;
      default:
        unknownRecord(record);
    }
  }

  /** The image as records that make the same image when applied to an empty one. */
  *records(): Iterable<MetadataRecord> {
    for (const [name, level] of this.#features) yield { kind: 'feature', name, level };
    for (const broker of this.#brokers.values()) yield { kind: 'broker', ...broker };
    yield { kind: 'producer-ids', nextProducerId: this.#nextProducerId };
    for (const topic of this.#topicsById.values()) yield* topicRecords(topic);
    yield { kind: 'group-ids', nextGroupId: this.#nextGroupId };
  }

  #addTopic(id: string, name: string): void {
    if (this.#topicsByName.has(name)) throw new Error(`topic ${name} exists already`);
    const isInternal = isInternalTopic(name);
    const topic = { id, name, isInternal, partitions: [], configs: NO_CONFIGS };
    this.#topicsById.set(id, topic);
    this.#topicsByName.set(name, topic);
  }

  #addPartition(record: PartitionRecord): void {
    const topic = this.#topic(record.topicId);
    const { partitionIndex: index, groupId, replicas } = record;
    if (index !== topic.partitions.length) throw new Error(`partition ${index} is out of order`);
    const partition = { index, groupId, replicas };
    // An array that grows has room for seventeen; most topics have one partition.
    if (index === 0) topic.partitions = [partition];
    else topic.partitions.push(partition);
    if (groupId >= this.#nextGroupId) this.#nextGroupId = groupId + 1n;
  }

  #configure({ topicId, name, value }: TopicConfigRecord): void {
    const topic = this.#topic(topicId);
    const configs = new Map(topic.configs);
    if (value === null) configs.delete(name);
    else configs.set(name, value);
    topic.configs = configs.size === 0 ? NO_CONFIGS : configs;
  }

  #topic(id: string): MutableTopic {
    const topic = this.#topicsById.get(id);
    if (topic === undefined) throw new Error(`no topic has the id ${id}`);
    return topic;
  }
}

function* topicRecords(topic: TopicImage): Iterable<MetadataRecord> {
  yield { kind: 'topic', topicId: topic.id, name: topic.name };
  for (const { index, groupId, replicas } of topic.partitions) {
    yield { kind: 'partition', topicId: topic.id, partitionIndex: index, groupId, replicas };
  }
  for (const [name, value] of topic.configs) {
    yield { kind: 'topic-config', topicId: topic.id, name, value };
  }
}

function unknownRecord(record: never): never {
  throw new Error(`unknown metadata record ${JSON.stringify(record)}`);
}
