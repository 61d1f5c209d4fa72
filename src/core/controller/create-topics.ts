import { ErrorCode } from '../../kafka-protocol/index.ts';
import { shortened } from '../base/index.ts';
import type { Input } from '../coordinator/index.ts';
import type { ClusterImage, MetadataRecord } from '../metadata/index.ts';
import type { ControllerRules, Decision } from './controller-machine.ts';
import { collisionKey, topicNameProblem } from './topic-names.ts';
import type { CreatedTopic, CreateTopicsCommand, NewTopic } from './vocabulary.ts';

/** Partitions that one request may ask for, and records that it may lead to. */
export const REQUEST_RECORDS_MAX = 10_000;
const NO_ID = 'AAAAAAAAAAAAAAAAAAAAAA';

/**
 * Decides each topic by itself: one that is refused leaves the others as they are. Only a request that is too large
 * is refused as a whole.
 */
export function decideCreateTopics(
  image: ClusterImage,
  rules: ControllerRules,
  command: CreateTopicsCommand,
  input: Input,
): Decision {
  if (partitionsAsked(command.topics, rules.numPartitions) > REQUEST_RECORDS_MAX) {
    return tooLarge('The topics of one request may not have more than 10,000 partitions.');
  }
  const planner = new Planner(image, rules, input);
  const topics = command.topics.map((topic) => planner.create(topic));
  if (planner.records.length > REQUEST_RECORDS_MAX) {
    return tooLarge('One request may not lead to more than 10,000 records of metadata.');
  }
  const records = command.validateOnly ? [] : planner.records;
  return { records, reply: { kind: 'topics-created', topics } };
}

/** What is asked for, whether the topics could be created or not. Counts that make no sense count for nothing. */
function partitionsAsked(topics: readonly NewTopic[], numPartitions: number): number {
  const counts = topics.map((topic) => {
    if (topic.assignments.length > 0) return topic.assignments.length;
    return topic.numPartitions === -1 ? numPartitions : Math.max(0, topic.numPartitions);
  });
  return counts.reduce((sum, count) => sum + count, 0);
}

function tooLarge(errorMessage: string): Decision {
  const errorCode = ErrorCode.POLICY_VIOLATION;
  return { records: [], reply: { kind: 'refused', errorCode, errorMessage } };
}

class Refusal extends Error {
  readonly errorCode: number;

  constructor(errorCode: number, message: string) {
    super(message);
    this.errorCode = errorCode;
  }
}

class Planner {
  readonly records: MetadataRecord[] = [];
  readonly #image: ClusterImage;
  readonly #rules: ControllerRules;
  readonly #input: Input;
  readonly #names = new Set<string>();
  readonly #collisions = new Map<string, string>();
  #nextGroupId: bigint;
  #partitionsThere = 0;

  constructor(image: ClusterImage, rules: ControllerRules, input: Input) {
    this.#image = image;
    this.#rules = rules;
    this.#input = input;
    this.#nextGroupId = image.nextGroupId;
    for (const { name, partitions } of image.topics()) {
      this.#names.add(name);
      const key = collisionKey(name);
      if (key !== undefined) this.#collisions.set(key, name);
      this.#partitionsThere += partitions.length;
    }
  }

  create(topic: NewTopic): CreatedTopic {
    try {
      const problem = topicNameProblem(topic.name);
      if (problem !== undefined) throw new Refusal(ErrorCode.INVALID_TOPIC_EXCEPTION, problem);
      this.#refuseTaken(topic.name);
      const configs = this.#configs(topic);
      const placement = this.#place(topic);
      return this.#plan(topic.name, placement, configs);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return refused(topic.name, error.errorCode, error.message);
    }
  }

  #plan(name: string, placement: readonly (readonly number[])[], configs: Map<string, string>) {
    this.#names.add(name);
    this.#partitionsThere += placement.length;
    const topicId = this.#input.newId();
    this.records.push({ kind: 'topic', topicId, name });
    for (const [partitionIndex, replicas] of placement.entries()) {
      const groupId = this.#nextGroupId++;
      this.records.push({ kind: 'partition', topicId, partitionIndex, groupId, replicas });
    }
    for (const [key, value] of configs) {
      this.records.push({ kind: 'topic-config', topicId, name: key, value });
    }
    return {
      name,
      errorCode: ErrorCode.NONE,
      errorMessage: null,
      topicId,
      numPartitions: placement.length,
      replicationFactor: placement[0]?.length ?? 0,
      configs,
    };
  }

  // As in Kafka two names of one request do not collide, only with what is there already.
  #refuseTaken(name: string): void {
    if (this.#names.has(name)) {
      throw new Refusal(ErrorCode.TOPIC_ALREADY_EXISTS, `A topic '${name}' already exists.`);
    }
    const key = collisionKey(name);
    const other = key === undefined ? undefined : this.#collisions.get(key);
    if (other !== undefined) {
      const why = "their metrics would have one name, in which '.' and '_' are the same";
      const message = `Topic '${name}' cannot be beside '${other}': ${why}.`;
      throw new Refusal(ErrorCode.INVALID_TOPIC_EXCEPTION, message);
    }
  }

  #place(topic: NewTopic): readonly (readonly number[])[] {
    const placement =
      topic.assignments.length > 0 ? this.#placeByHand(topic) : this.#placeByCounts(topic);
    this.#refuseTooMany(placement.length);
    return placement;
  }

  // Each has a file open for as long as it is there: beyond the limit none of them would work.
  #refuseTooMany(partitions: number): void {
    const { partitionsMax } = this.#rules;
    if (this.#partitionsThere + partitions > partitionsMax) {
      const message = `The limit of open files leaves room for ${partitionsMax} partitions: there are ${this.#partitionsThere}, and ${partitions} more do not fit. Raise the limit (ulimit -n) and restart the broker.`;
      throw new Refusal(ErrorCode.POLICY_VIOLATION, message);
    }
  }

  #placeByHand({ assignments, numPartitions, replicationFactor }: NewTopic) {
    const rule = 'has to be -1 where brokers are assigned, not';
    if (replicationFactor !== -1) {
      const message = `The replication factor ${rule} ${replicationFactor}.`;
      throw new Refusal(ErrorCode.INVALID_REQUEST, message);
    }
    if (numPartitions !== -1) {
      const message = `The number of partitions ${rule} ${numPartitions}.`;
      throw new Refusal(ErrorCode.INVALID_REQUEST, message);
    }
    const sorted = [...assignments].sort((a, b) => a.partitionIndex - b.partitionIndex);
    const factor = sorted[0]?.brokerIds.length;
    const twice = sorted.find((one, i) => one.partitionIndex === sorted[i + 1]?.partitionIndex);
    if (twice !== undefined) {
      badAssignment(`Partition ${twice.partitionIndex} is assigned more than once.`);
    }
    return sorted.map(({ partitionIndex, brokerIds }, i) => {
      const partition = `Partition ${partitionIndex}`;
      if (partitionIndex !== i) {
        badAssignment(`${partition} stands in place of ${i}: they are numbered 0, 1, 2 and so on.`);
      }
      if (brokerIds.length === 0) badAssignment(`${partition} has no broker.`);
      const again = repeated(brokerIds);
      if (again !== undefined) badAssignment(`${partition} has broker ${again} more than once.`);
      if (brokerIds.length !== factor) {
        badAssignment(`${partition} has ${brokerIds.length} replicas, those before it ${factor}.`);
      }
      for (const id of brokerIds) {
        if (this.#image.broker(id) !== undefined) continue;
        badAssignment(`${partition} has broker ${id}, which is not registered.`);
      }
      return brokerIds;
    });
  }

  #placeByCounts(topic: NewTopic): readonly (readonly number[])[] {
    const { numPartitions, replicationFactor } = topic;
    if (replicationFactor !== -1 && replicationFactor <= 0) {
      const message = `A replication factor is at least 1, or -1 for the default, not ${replicationFactor}.`;
      throw new Refusal(ErrorCode.INVALID_REPLICATION_FACTOR, message);
    }
    if (numPartitions !== -1 && numPartitions <= 0) {
      const message = `A topic has at least 1 partition, not ${numPartitions}; -1 stands for the default.`;
      throw new Refusal(ErrorCode.INVALID_PARTITIONS, message);
    }
    const partitions = numPartitions === -1 ? this.#rules.numPartitions : numPartitions;
    const factor =
      replicationFactor === -1 ? this.#rules.defaultReplicationFactor : replicationFactor;
    const brokers = [...this.#image.brokers()].map(({ nodeId }) => nodeId);
    if (factor > brokers.length) {
      const message = `A replication factor of ${factor} needs as many brokers, and only ${brokers.length} broker(s) are registered.`;
      throw new Refusal(ErrorCode.INVALID_REPLICATION_FACTOR, message);
    }
    return Array.from({ length: partitions }, (_, i) =>
      Array.from({ length: factor }, (_, k) => brokers[(i + k) % brokers.length] ?? 0),
    );
  }

  #configs(topic: NewTopic): Map<string, string> {
    const configs = new Map<string, string>();
    for (const { name, value } of topic.configs) {
      if (value === null) {
        const message = `No value is given for ${shortened(name)}.`;
        throw new Refusal(ErrorCode.INVALID_CONFIG, message);
      }
      configs.set(name, value);
    }
    const problem = this.#rules.validateTopicConfig(configs);
    if (problem !== undefined) throw new Refusal(ErrorCode.INVALID_CONFIG, problem);
    return configs;
  }
}

function badAssignment(message: string): never {
  throw new Refusal(ErrorCode.INVALID_REPLICA_ASSIGNMENT, message);
}

function repeated(ids: readonly number[]): number | undefined {
  const seen = new Set<number>();
  return ids.find((id) => seen.size === seen.add(id).size);
}

function refused(name: string, errorCode: number, errorMessage: string): CreatedTopic {
  return {
    name,
    errorCode,
    errorMessage,
    topicId: NO_ID,
    numPartitions: -1,
    replicationFactor: -1,
    configs: new Map(),
  };
}
