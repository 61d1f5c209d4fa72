import { type Engine, EngineError, type PartitionHandle, type Role } from '../../engine/index.ts';
import { ErrorCode } from '../../kafka-protocol/index.ts';
import { type Clock, type Logger, withDeadline } from '../base/index.ts';
import type { BrokerConfig } from '../config/index.ts';
import { CoordinatorError, CoordinatorPartition } from '../coordinator/index.ts';
import {
  type BrokerRecord,
  type ClusterMetadata,
  decodeMetadataRecord,
  decodeRecords,
  encodeMetadataRecord,
} from '../metadata/index.ts';
import {
  ControllerMachine,
  type ControllerRules,
  type ControllerVocabulary,
} from './controller-machine.ts';
import { REQUEST_RECORDS_MAX } from './create-topics.ts';
import { internalTopic } from './internal-topics.ts';
import type {
  ControllerCommand,
  ControllerReply,
  CreatedTopic,
  DeletedTopic,
  NewTopic,
  RefusedCommand,
} from './vocabulary.ts';

export interface ControllerClientDeps {
  readonly engine: Engine;
  readonly handle: PartitionHandle;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly config: BrokerConfig;
  readonly metadata: ClusterMetadata;
  readonly rules: ControllerRules;
  readonly batchBytesMax: number;
  readonly newId: () => string;
}

/** Topics of one command when a request names many. */
const CHUNK_TOPICS = 500;
const BROKER_DEFAULTS = { numPartitions: -1, replicationFactor: -1, assignments: [], configs: [] };

/** The topic itself and its settings, when it is an internal one. */
const OTHER_RECORDS_OF_TOPIC = 4;

/** One result for each topic, or one error for all of them. */
export type CreationOutcome =
  | { readonly kind: 'topics-created'; readonly topics: readonly CreatedTopic[] }
  | RefusedCommand;

/** The same for deletions. */
export type DeletionOutcome =
  | { readonly kind: 'topics-deleted'; readonly topics: readonly DeletedTopic[] }
  | RefusedCommand;

type ReplyOf<Kind extends ControllerReply['kind']> = Extract<ControllerReply, { kind: Kind }>;

/** The way of this broker to the active controller, which is in the same process while there is one broker. */
export class ControllerClient {
  readonly #deps: ControllerClientDeps;
  readonly #controller: CoordinatorPartition<ControllerVocabulary>;
  readonly #creations = new Map<string, Promise<number>>();
  readonly #serving: Promise<void>;
  #producerIds = { next: 0n, end: 0n };
  #allocation: Promise<void> | undefined;

  constructor(deps: ControllerClientDeps) {
    this.#deps = deps;
    let onFirstServing: () => void;
    let onLoadFailed: (error: unknown) => void;
    let wasServing = false;
    this.#serving = new Promise((resolve, reject) => {
      onFirstServing = resolve;
      onLoadFailed = reject;
    });
    this.#serving.catch(() => {}); // It is for whoever waits for it.
    this.#controller = new CoordinatorPartition<ControllerVocabulary>({
      engine: deps.engine,
      handle: deps.handle,
      name: '__cluster_metadata-0',
      clock: deps.clock,
      logger: deps.logger,
      codec: {
        encode: (record) => ({ key: null, value: encodeMetadataRecord(record) }),
        decode: (_, value) => (value === null ? undefined : decodeMetadataRecord(value)),
      },
      createMachine: () => new ControllerMachine(deps.rules),
      newId: deps.newId,
      defer: (task) => void setImmediate(task),
      batchBytesMax: deps.batchBytesMax,
      checkpointBytes: 0,
      loadSnapshot: async () => {
        const snapshot = await deps.engine.readSnapshot(deps.handle);
        if (snapshot === undefined) return undefined;
        return { offset: snapshot.offset, records: decodeRecords(snapshot.bytes) };
      },
      onServing: (isServing) => {
        if (!isServing) return;
        wasServing = true;
        onFirstServing();
      },
      onLoadFailed: (error) => {
        onLoadFailed(error);
        return !wasServing;
      },
    });
  }

  role(role: Role): void {
    this.#controller.role(role);
  }

  close(): void {
    this.#controller.close();
  }

  /** Resolves once the controller takes commands for the first time; rejects when its log cannot be read then. */
  whenServing(): Promise<void> {
    return this.#serving;
  }

  async registerBroker(broker: BrokerRecord): Promise<void> {
    await this.#execute({ kind: 'register-broker', broker }, 'done');
    await this.#untilApplied(Number.MAX_SAFE_INTEGER);
  }

  /**
   * One result for each topic, in their order. REQUEST_TIMED_OUT for all when they are not applied in time; when
   * there is no time at all, nothing is begun.
   */
  async createTopics(
    topics: readonly NewTopic[],
    options: { readonly validateOnly: boolean; readonly deadlineMs: number },
  ): Promise<CreationOutcome> {
    const { validateOnly, deadlineMs } = options;
    const creation = async (): Promise<CreationOutcome> => {
      this.#refuseLate(deadlineMs);
      const command = { kind: 'create-topics', topics, validateOnly } as const;
      const reply = await this.#execute(command, 'topics-created');
      const isAnyCreated = reply.topics.some(({ errorCode }) => errorCode === ErrorCode.NONE);
      if (!validateOnly && isAnyCreated) await this.#untilLed(reply.topics, deadlineMs);
      return reply;
    };
    try {
      return await withDeadline(creation(), deadlineMs, this.#deps.clock, timedOut);
    } catch (error) {
      return failureOf(error, this.#deps.logger);
    }
  }

  /** The same as for `createTopics`, though what has begun when the time is over may be deleted in part. */
  async deleteTopics(
    topics: readonly { readonly name: string | null; readonly topicId: string | null }[],
    deadlineMs: number,
  ): Promise<DeletionOutcome> {
    const deletion = async (): Promise<DeletionOutcome> => {
      this.#refuseLate(deadlineMs);
      const deleted: DeletedTopic[] = [];
      for (const chunk of chunksOf(topics, CHUNK_TOPICS)) {
        const command = { kind: 'delete-topics', topics: chunk } as const;
        deleted.push(...(await this.#execute(command, 'topics-deleted')).topics);
      }
      await this.#untilApplied(deadlineMs);
      return { kind: 'topics-deleted', topics: deleted };
    };
    try {
      return await withDeadline(deletion(), deadlineMs, this.#deps.clock, timedOut);
    } catch (error) {
      return failureOf(error, this.#deps.logger);
    }
  }

  /** Creates a topic that somebody asked about, with the defaults or as the internal topic it is. */
  async autoCreateTopic(name: string, deadlineMs: number): Promise<number> {
    const codes = await this.autoCreateTopics([name], deadlineMs);
    return codes.get(name) ?? ErrorCode.UNKNOWN_SERVER_ERROR;
  }

  /**
   * The same for many, some at a time, with an error code for each. What cannot be begun before the deadline is
   * left to the next request.
   */
  async autoCreateTopics(
    names: readonly string[],
    deadlineMs: number,
  ): Promise<ReadonlyMap<string, number>> {
    const codes = new Map<string, number>();
    for (const chunk of chunksOf(names, this.#topicsAtOnce())) {
      const isLate = codes.size > 0 && this.#deps.clock.monotonicMs() >= deadlineMs;
      const created = isLate ? [] : this.#autoCreate(chunk, deadlineMs);
      await Promise.all(created);
      for (const [i, name] of chunk.entries()) {
        codes.set(name, (await created[i]) ?? ErrorCode.REQUEST_TIMED_OUT);
      }
    }
    return codes;
  }

  #topicsAtOnce(): number {
    const { numPartitions, offsetsTopicPartitions } = this.#deps.config;
    const records = Math.max(numPartitions, offsetsTopicPartitions) + OTHER_RECORDS_OF_TOPIC;
    return Math.max(1, Math.min(CHUNK_TOPICS, Math.floor(REQUEST_RECORDS_MAX / records)));
  }

  /** An error code for each name, whoever creates it. */
  #autoCreate(names: readonly string[], deadlineMs: number): readonly Promise<number>[] {
    const fresh = names.filter((name) => !this.#creations.has(name));
    const topics = fresh.map((name) => {
      return internalTopic(name, this.#deps.config) ?? { name, ...BROKER_DEFAULTS };
    });
    const creation =
      topics.length === 0
        ? Promise.resolve({ kind: 'topics-created', topics: [] } as const)
        : this.createTopics(topics, { validateOnly: false, deadlineMs });
    for (const [i, name] of fresh.entries()) {
      const one = creation
        .then((created) => (created.kind === 'refused' ? created : created.topics[i]))
        .then((created) => created?.errorCode ?? ErrorCode.UNKNOWN_SERVER_ERROR)
        .finally(() => this.#creations.delete(name));
      this.#creations.set(name, one);
    }
    return names.map((name) => this.#creations.get(name) ?? Promise.resolve(ErrorCode.NONE));
  }

  /**
   * A producer id that was never given before, or undefined while the controller gives none. Ids come in
   * blocks, so a restart leaves a gap.
   */
  async nextProducerId(): Promise<bigint | undefined> {
    while (this.#producerIds.next >= this.#producerIds.end) {
      this.#allocation ??= this.#allocate().finally(() => {
        this.#allocation = undefined;
      });
      try {
        await this.#allocation;
      } catch (error) {
        if (!(error instanceof CoordinatorError)) throw error;
        return undefined;
      }
    }
    const id = this.#producerIds.next;
    this.#producerIds = { ...this.#producerIds, next: id + 1n };
    return id;
  }

  async #allocate(): Promise<void> {
    const command = { kind: 'allocate-producer-ids' } as const;
    const { first, count } = await this.#execute(command, 'producer-ids');
    this.#producerIds = { next: first, end: first + count };
  }

  #refuseLate(deadlineMs: number): void {
    if (this.#deps.clock.monotonicMs() >= deadlineMs) throw timedOut();
  }

  async #untilLed(topics: readonly CreatedTopic[], deadlineMs: number): Promise<void> {
    await this.#untilApplied(deadlineMs);
    const created = topics.filter(({ errorCode }) => errorCode === ErrorCode.NONE);
    const { metadata } = this.#deps;
    await Promise.all(created.map(({ topicId }) => metadata.waitForLeaders(topicId, deadlineMs)));
  }

  // Every broker that is alive has applied what is committed now; with one broker that is this one.
  async #untilApplied(deadlineMs: number): Promise<void> {
    const { engine, handle, metadata } = this.#deps;
    const committed = await engine.readBarrier(handle);
    metadata.committed(committed);
    if (!(await metadata.waitUntilApplied(committed, deadlineMs))) throw timedOut();
  }

  async #execute<Kind extends ControllerReply['kind']>(
    command: ControllerCommand,
    kind: Kind,
  ): Promise<ReplyOf<Kind>> {
    const reply = await this.#controller.execute(command);
    if (reply.kind === 'refused') throw new CommandRefused(reply);
    if (reply.kind !== kind) throw new Error(`${command.kind} was answered by ${reply.kind}`);
    return reply as ReplyOf<Kind>;
  }
}

/** The controller decides a command in one go, and answers nobody else meanwhile. */
function* chunksOf<Item>(items: readonly Item[], size: number): Iterable<readonly Item[]> {
  for (let i = 0; i < items.length; i += size) yield items.slice(i, i + size);
}

class CommandRefused extends Error {
  readonly reply: RefusedCommand;

  constructor(reply: RefusedCommand) {
    super(`refused with ${reply.errorCode}`);
    this.reply = reply;
  }
}

function timedOut(): CoordinatorError {
  const { REQUEST_TIMED_OUT } = ErrorCode;
  return new CoordinatorError(REQUEST_TIMED_OUT, 'The deadline has passed.');
}

/** The codes of the metadata log that mean: the controller is not here, or no longer. */
const notHere = new Set<number>([
  ErrorCode.NOT_LEADER_OR_FOLLOWER,
  ErrorCode.FENCED_LEADER_EPOCH,
  ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
]);

/** What a client is told of a command that failed as a whole. Never throws: the client gets an answer. */
function failureOf(error: unknown, logger: Logger): RefusedCommand {
  if (error instanceof CommandRefused) return error.reply;
  if (error instanceof CoordinatorError) {
    const { errorCode, message } = error;
    if (errorCode === ErrorCode.REQUEST_TIMED_OUT) return refused(errorCode, message);
    if (errorCode === ErrorCode.MESSAGE_TOO_LARGE) {
      const message = 'The records of this request do not fit into one batch.';
      return refused(ErrorCode.POLICY_VIOLATION, message);
    }
    return refused(ErrorCode.NOT_CONTROLLER, message);
  }
  if (error instanceof EngineError) {
    const errorCode = notHere.has(error.errorCode) ? ErrorCode.NOT_CONTROLLER : error.errorCode;
    return refused(errorCode, error.message);
  }
  logger.error({ err: error }, 'a command of the controller failed');
  const message = 'The broker failed at this request; its log says why.';
  return refused(ErrorCode.UNKNOWN_SERVER_ERROR, message);
}

function refused(errorCode: number, errorMessage: string): RefusedCommand {
  return { kind: 'refused', errorCode, errorMessage };
}
