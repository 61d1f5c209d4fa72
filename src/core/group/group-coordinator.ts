import type { PartitionHandle, Role } from '../../engine/index.ts';
import {
  type DescribedGroup,
  type Draft,
  ErrorCode,
  type LateItems,
  ZERO_UUID,
} from '../../kafka-protocol/index.ts';
import {
  askedLate,
  askInTurns,
  assert,
  type Clock,
  inConcurrentHashMapOrder,
  inHashSetOrder,
  javaHash,
  type Logger,
  mappedLate,
  type Pace,
  partitionHasher,
} from '../base/index.ts';
import {
  CoordinatorError,
  type CoordinatorLog,
  CoordinatorPartition,
} from '../coordinator/index.ts';
import { GroupMachine } from './group-machine.ts';
import { syncRefusal } from './membership.ts';
import { byPartition, partitionFor } from './partition-for.ts';
import { createGroupRecordCodec } from './record-codec.ts';
import type {
  CommitCommand,
  CommitReply,
  DeletedGroup,
  FetchCommand,
  FetchReply,
  GroupCommand,
  GroupReply,
  GroupSettings,
  GroupVocabulary,
  HeartbeatCommand,
  JoinCommand,
  JoinReply,
  LeaveCommand,
  LeaveReply,
  SyncCommand,
  SyncReply,
  TopicName,
} from './vocabulary.ts';

export const OFFSETS_TOPIC = '__consumer_offsets';
/** To share larger batches gains nothing; what one command has may take all that the topic takes. */
const SHARED_BATCH_BYTES_MAX = 1024 * 1024;
const CHECKPOINT_BYTES = 100 * 1024 * 1024;

export interface GroupCoordinatorDeps {
  readonly engine: CoordinatorLog;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly config: GroupSettings & { readonly messageMaxBytes: number };
  readonly metadata: OffsetsTopics;
  readonly controller: TopicCreation;
  /** Kafka's text of a random 16-byte id. */
  readonly newId: () => string;
  /** Runs a task at the end of this turn of the event loop; `setImmediate` when absent. */
  readonly defer?: (task: () => void) => void;
}

/** What the coordinator asks of the cluster's image. */
export interface OffsetsTopics {
  topicByName(name: string): OffsetsTopic | undefined;
  partition(topicId: string, index: number): { readonly isLeader: boolean } | undefined;
}

interface OffsetsTopic {
  readonly id: string;
  /** Its own settings, which were validated when they were stored. */
  readonly configs: ReadonlyMap<string, string>;
  readonly partitions: readonly { readonly index: number; readonly replicas: readonly number[] }[];
}

/** Makes the offsets topic. Resolves with an error code. */
export interface TopicCreation {
  autoCreateTopic(name: string, deadlineMs: number): Promise<number>;
}

/** Classic groups and their offsets on this broker: one coordinator for each partition it leads. */
export class GroupCoordinator {
  readonly #deps: GroupCoordinatorDeps;
  readonly #partitions = new Map<number, CoordinatorPartition<GroupVocabulary>>();
  readonly #handles = new Map<number, PartitionHandle>();
  /** The offsets topic is being made. */
  #creation: Promise<void> | undefined;

  constructor(deps: GroupCoordinatorDeps) {
    this.#deps = deps;
  }

  /** This broker's role in a partition of the offsets topic. */
  role(partitionIndex: number, handle: PartitionHandle, role: Role): void {
    let partition = this.#partitions.get(partitionIndex);
    // The offsets topic was deleted and made again: its terms begin anew.
    if (partition !== undefined && !this.#isOf(partitionIndex, handle)) {
      if (!role.isLeader) return;
      partition.close();
      partition = undefined;
    }
    if (partition === undefined) {
      partition = this.#createPartition(partitionIndex, handle);
      this.#partitions.set(partitionIndex, partition);
      this.#handles.set(partitionIndex, handle);
    }
    partition.role(role);
  }

  /** The partition is gone; a newer one of the same index goes on. */
  closed(partitionIndex: number, handle: PartitionHandle): void {
    if (!this.#isOf(partitionIndex, handle)) return;
    this.#partitions.get(partitionIndex)?.close();
    this.#partitions.delete(partitionIndex);
    this.#handles.delete(partitionIndex);
  }

  #isOf(partitionIndex: number, { index, generation }: PartitionHandle): boolean {
    const known = this.#handles.get(partitionIndex);
    return known?.index === index && known.generation === generation;
  }

  close(): void {
    for (const partition of this.#partitions.values()) partition.close();
    this.#partitions.clear();
    this.#handles.clear();
  }

  /**
   * A topic is gone: what groups had committed for it is dropped. Partitions that are not loaded now
   * look for such topics when they are.
   */
  topicDeleted(topic: TopicName): void {
    // What does not say which topic of the name it is for was committed for this one.
    const topics = [topic, { name: topic.name, topicId: ZERO_UUID }];
    for (const partition of this.#partitions.values()) {
      partition.post({ kind: 'topics-deleted', topics });
    }
  }

  /**
   * NONE when this broker coordinates the group. The offsets topic is created when it is not there;
   * until it has a leader the answer is COORDINATOR_NOT_AVAILABLE.
   */
  locate(groupId: string, deadlineMs: number): number {
    const { metadata } = this.#deps;
    const topic = metadata.topicByName(OFFSETS_TOPIC);
    if (topic === undefined) {
      this.#creation ??= this.#createTopic(deadlineMs);
      return ErrorCode.COORDINATOR_NOT_AVAILABLE;
    }
    const index = partitionFor(groupId, topic.partitions.length);
    const isLed = metadata.partition(topic.id, index)?.isLeader === true;
    return isLed ? ErrorCode.NONE : ErrorCode.COORDINATOR_NOT_AVAILABLE;
  }

  async #createTopic(deadlineMs: number): Promise<void> {
    const { controller, logger } = this.#deps;
    try {
      const errorCode = await controller.autoCreateTopic(OFFSETS_TOPIC, deadlineMs);
      if (errorCode !== ErrorCode.NONE && errorCode !== ErrorCode.TOPIC_ALREADY_EXISTS) {
        logger.warn({ errorCode }, 'the offsets topic was not created');
      }
    } catch (error) {
      logger.error({ err: error }, 'the offsets topic was not created');
    }
    this.#creation = undefined;
  }

  async join(command: JoinCommand): Promise<JoinReply> {
    const { groupId, memberId, sessionTimeoutMs } = command;
    const { groupMinSessionTimeoutMs, groupMaxSessionTimeoutMs } = this.#deps.config;
    const refuse = (errorCode: number): JoinReply => ({ kind: 'join', errorCode, memberId });
    if (groupId === '') return refuse(ErrorCode.INVALID_GROUP_ID);
    if (
      sessionTimeoutMs < groupMinSessionTimeoutMs ||
      sessionTimeoutMs > groupMaxSessionTimeoutMs
    ) {
      return refuse(ErrorCode.INVALID_SESSION_TIMEOUT);
    }
    return this.#ask(groupId, command, 'join', refuse);
  }

  async sync(command: SyncCommand): Promise<SyncReply> {
    if (command.groupId === '') return syncRefusal(ErrorCode.INVALID_GROUP_ID);
    return this.#ask(command.groupId, command, 'sync', syncRefusal);
  }

  async heartbeat(command: HeartbeatCommand): Promise<number> {
    if (command.groupId === '') return ErrorCode.INVALID_GROUP_ID;
    const reply = await this.#ask(command.groupId, command, 'heartbeat', (errorCode) => {
      // Who still sends heartbeats to a coordinator that is being loaded has done its part.
      const isLoading = errorCode === ErrorCode.COORDINATOR_LOAD_IN_PROGRESS;
      return { kind: 'heartbeat', errorCode: isLoading ? ErrorCode.NONE : errorCode };
    });
    return reply.errorCode ?? ErrorCode.NONE;
  }

  async leave(command: LeaveCommand): Promise<LeaveReply> {
    const refuse = (errorCode: number): LeaveReply => ({ kind: 'leave', errorCode, members: [] });
    if (command.groupId === '') return refuse(ErrorCode.INVALID_GROUP_ID);
    return this.#ask(command.groupId, command, 'leave', refuse);
  }

  async commitOffsets(command: CommitCommand): Promise<CommitReply> {
    return this.#ask(command.groupId, command, 'commit', (errorCode) => {
      return { kind: 'commit', errorCode, topics: [] };
    });
  }

  async fetchOffsets(command: FetchCommand): Promise<FetchReply> {
    return this.#ask(command.groupId, command, 'fetch', (errorCode) => {
      return { kind: 'fetch', errorCode, topics: [] };
    });
  }

  /** In Kafka's order. A group that does not exist is Dead, with GROUP_ID_NOT_FOUND. */
  describeGroups(
    groupIds: readonly string[],
    shape: (group: Draft<DescribedGroup>) => Draft<DescribedGroup> = (group) => group,
  ): LateItems<Draft<DescribedGroup>> {
    return askedLate(this.#byPartition(groupIds).flat(), async (groupId) => {
      const command = { kind: 'describe', groupIds: [groupId] } as const;
      const { groups } = await this.#ask(groupId, command, 'describe', (errorCode) => {
        return { kind: 'describe', groups: [{ groupId, errorCode }] };
      });
      return shape(onlyOne(groups));
    });
  }

  async listGroups(states: readonly string[], types: readonly string[]) {
    const hashOf = partitionHasher(OFFSETS_TOPIC);
    const partitions = inConcurrentHashMapOrder([...this.#partitions], ([index]) => hashOf(index));
    const replies = partitions.map(async ([, partition]) => {
      try {
        const reply = await partition.execute({ kind: 'list', states, types });
        return { errorCode: ErrorCode.NONE, groups: expectKind(reply, 'list').groups };
      } catch (error) {
        const errorCode = errorCodeOf(error);
        // Another broker lists the groups of a partition that is no longer led here.
        const isElsewhere = errorCode === ErrorCode.NOT_COORDINATOR;
        return { errorCode: isElsewhere ? ErrorCode.NONE : errorCode, groups: [] };
      }
    });
    const lists = await Promise.all(replies);
    const failed = lists.find(({ errorCode }) => errorCode !== ErrorCode.NONE);
    if (failed !== undefined) return { errorCode: failed.errorCode, groups: [] };
    return { errorCode: ErrorCode.NONE, groups: lists.flatMap(({ groups }) => groups) };
  }

  /** Resolves when all are deleted. Of each only its error is kept until it is written. */
  async deleteGroups(groupIds: readonly string[], pace: Pace): Promise<LateItems<DeletedGroup>> {
    // Kafka answers those of one partition in the order of a set.
    const sets = this.#byPartition(groupIds).map((those) => inHashSetOrder(those, javaHash));
    const ordered = sets.flat();
    const errorCodes = new Int16Array(ordered.length);
    await askInTurns(
      ordered,
      pace,
      (groupId) => this.#deleteGroup(groupId),
      (errorCode, i) => {
        errorCodes[i] = errorCode;
      },
    );
    return mappedLate(ordered, (groupId, i) => {
      return { groupId, errorCode: errorCodes[i] ?? ErrorCode.NONE, errorMessage: null };
    });
  }

  async #deleteGroup(groupId: string): Promise<number> {
    const command = { kind: 'delete-groups', groupIds: [groupId] } as const;
    const { results } = await this.#ask(groupId, command, 'delete-groups', (errorCode) => {
      const results = [{ groupId, errorCode, errorMessage: null }];
      return { kind: 'delete-groups', results };
    });
    return onlyOne(results).errorCode;
  }

  #byPartition(groupIds: readonly string[]): readonly (readonly string[])[] {
    const topic = this.#deps.metadata.topicByName(OFFSETS_TOPIC);
    if (topic === undefined) return [groupIds];
    return byPartition(groupIds, OFFSETS_TOPIC, topic.partitions.length);
  }

  /** Executes a command where the group lives; what is not led or loaded here is an error code. */
  async #ask<Kind extends GroupReply['kind']>(
    groupId: string,
    command: GroupCommand,
    kind: Kind,
    refuse: (errorCode: number) => ReplyOf<Kind>,
  ): Promise<ReplyOf<Kind>> {
    const topic = this.#deps.metadata.topicByName(OFFSETS_TOPIC);
    const index = topic === undefined ? -1 : partitionFor(groupId, topic.partitions.length);
    const partition = this.#partitions.get(index);
    if (partition === undefined) return refuse(ErrorCode.NOT_COORDINATOR);
    try {
      return expectKind(await partition.execute(command), kind);
    } catch (error) {
      return refuse(errorCodeOf(error));
    }
  }

  #createPartition(index: number, handle: PartitionHandle): CoordinatorPartition<GroupVocabulary> {
    const { engine, clock, logger, config, metadata, newId, defer } = this.#deps;
    const batchBytesMax = () => {
      const own = metadata.topicByName(OFFSETS_TOPIC)?.configs.get('max.message.bytes');
      return own === undefined ? config.messageMaxBytes : Number(own);
    };
    const partition = new CoordinatorPartition<GroupVocabulary>({
      engine,
      handle,
      name: `${OFFSETS_TOPIC}-${index}`,
      clock,
      logger,
      codec: createGroupRecordCodec(),
      createMachine: () => new GroupMachine(config, batchBytesMax),
      newId: () => asUuid(newId()),
      defer: defer ?? ((task) => void setImmediate(task)),
      get batchBytesMax() {
        return batchBytesMax();
      },
      sharedBatchBytesMax: SHARED_BATCH_BYTES_MAX,
      checkpointBytes: CHECKPOINT_BYTES,
      isSoleReplica: () => {
        return metadata.topicByName(OFFSETS_TOPIC)?.partitions[index]?.replicas.length === 1;
      },
      onServing: (isServing) => {
        if (isServing) void this.#dropDeletedTopics(partition);
      },
    });
    return partition;
  }

  /**
   * A topic may have been deleted while the partition was not loaded here, or just before a crash. Offsets
   * were committed when the image knew their topic, and the image only goes forward: what it does not
   * know now is gone. Of offsets without a topic id only the name can be looked for.
   */
  async #dropDeletedTopics(partition: CoordinatorPartition<GroupVocabulary>): Promise<void> {
    const { metadata, logger } = this.#deps;
    try {
      const reply = await partition.execute({ kind: 'committed-topics' });
      const topics = expectKind(reply, 'committed-topics').topics.filter(({ name, topicId }) => {
        const topic = metadata.topicByName(name);
        return topic === undefined || (topicId !== ZERO_UUID && topicId !== topic.id);
      });
      if (topics.length > 0) partition.post({ kind: 'topics-deleted', topics });
    } catch (error) {
      // The partition is not led any more, or is loaded again and then looks again.
      logger.debug({ err: error }, 'offsets of deleted topics were not looked for');
    }
  }
}

type ReplyOf<Kind extends GroupReply['kind']> = Extract<GroupReply, { readonly kind: Kind }>;

function expectKind<Kind extends GroupReply['kind']>(reply: GroupReply, kind: Kind): ReplyOf<Kind> {
  if (reply.kind !== kind) throw new Error(`a ${reply.kind} reply to a ${kind} command`);
  return reply as ReplyOf<Kind>;
}

function onlyOne<T>(answers: readonly T[]): T {
  const [answer] = answers;
  assert(answer !== undefined, 'one group, one answer');
  return answer;
}

/** What a client is told; a command too large for the log is the server's fault. */
function errorCodeOf(error: unknown): number {
  if (!(error instanceof CoordinatorError)) throw error;
  const isTooLarge = error.errorCode === ErrorCode.MESSAGE_TOO_LARGE;
  return isTooLarge ? ErrorCode.UNKNOWN_SERVER_ERROR : error.errorCode;
}

/** Member ids carry a UUID in the usual notation. */
function asUuid(id: string): string {
  const hex = Buffer.from(id, 'base64url').toString('hex');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
