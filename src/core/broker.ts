import { randomUUID } from 'node:crypto';
import {
  type Engine,
  EngineError,
  type EngineReceiver,
  type OpenedPartition,
  type Role,
} from '../engine/index.ts';
import { ApiVersions, ErrorCode, encode } from '../kafka-protocol/index.ts';
import { type Clock, type Logger, systemClock, systemPace } from './base/index.ts';
import { type BrokerConfig, validateTopicConfig } from './config/index.ts';
import { ControllerClient, partitionsMax } from './controller/index.ts';
import {
  advertisedApis,
  createDispatcher,
  type Dispatcher,
  handlerTable,
} from './dispatch/index.ts';
import { GroupCoordinator } from './group/index.ts';
import { apiVersionsAnswer, IDENTITY_SINCE } from './handlers/api-versions.ts';
import { ClusterMetadata, type LocalPartition, METADATA_TOPIC_ID } from './metadata/index.ts';
import { METADATA_BATCH_BYTES_MAX, metadataPartition } from './metadata-partition.ts';
import { Partitions } from './partitions.ts';

export interface BrokerIdentity {
  readonly clusterId: string;
  readonly directoryId: string;
}

export interface BrokerDeps {
  readonly config: BrokerConfig;
  readonly identity: BrokerIdentity;
  readonly engine: Engine;
  readonly logger: Logger;
  readonly clock?: Clock;
  /** Files and sockets that the process may have open; undefined: nobody knows. */
  readonly openFilesMax?: number | undefined;
  /** Collects all garbage at once; called when a request is done that has left much. */
  readonly collectGarbage?: () => void;
}

export interface Broker {
  /** The client listeners with the ports that were bound. */
  readonly listeners: readonly BoundListener[];
  close(): Promise<void>;
}

export interface BoundListener {
  readonly name: string;
  readonly host: string;
  readonly port: number;
}

/** The metadata log is not what a start can be made from; the data folder has to be looked at by somebody. */
export class MetadataLogError extends Error {
  constructor(problem: string, options: ErrorOptions) {
    super(`the metadata log in ${METADATA_FOLDER} ${problem}`, options);
    this.name = 'MetadataLogError';
  }
}

const METADATA_FOLDER = `${metadataPartition.topicName}-${metadataPartition.partitionIndex}`;
const SHUTDOWN_MS = 900;
const GROUP_TOPIC = '__consumer_offsets';

/**
 * Starts a broker on an engine: replays the metadata log, opens what is placed here, binds the listeners, registers,
 * and only then serves requests. Rejects, with nothing left running, when a listener cannot be bound or the metadata
 * log cannot be read.
 */
export async function startBroker(deps: BrokerDeps): Promise<Broker> {
  const { engine } = deps;
  const assembly = new Assembly(deps);
  try {
    return await assembly.start();
  } catch (error) {
    await engine.shutdown(SHUTDOWN_MS);
    throw error;
  }
}

class Assembly {
  readonly #deps: BrokerDeps;
  readonly #clock: Clock;
  #metadataLog: OpenedPartition | undefined;
  #metadata: ClusterMetadata | undefined;
  #controller: ControllerClient | undefined;
  #groups: GroupCoordinator | undefined;
  #dispatcher: Dispatcher | undefined;
  #earlyRole: Role | undefined;
  /** The controller has read the metadata log; before, what is wrong with that is its to say. */
  #isFollowing = false;

  constructor(deps: BrokerDeps) {
    this.#deps = deps;
    this.#clock = deps.clock ?? systemClock;
  }

  async start(): Promise<Broker> {
    const { engine, config, identity, logger, collectGarbage } = this.#deps;
    engine.subscribe(this.#receiver());
    const log = await engine.openPartition(metadataPartition).catch((cause) => {
      throw new MetadataLogError(`cannot be opened: ${messageOf(cause)}`, { cause });
    });
    this.#metadataLog = log;
    const metadata = this.#createMetadata(log);
    const controller = this.#createController(log, metadata);
    const groups = this.#createGroups(metadata, controller);
    const partitions = new Partitions({ engine, metadata, config, clock: this.#clock });
    const { clusterId } = identity;
    const clock = this.#clock;
    const answering = { metadata, controller, partitions, groups };
    const services = { config, clusterId, clock, pace: systemPace, ...answering };
    const dispatcher = createDispatcher(engine, handlerTable, services, logger, collectGarbage);
    this.#dispatcher = dispatcher;
    if (this.#earlyRole !== undefined) controller.role(this.#earlyRole);

    await controller.whenServing().catch((cause) => {
      throw new MetadataLogError(`cannot be read: ${problemOf(cause)}`, { cause });
    });
    await this.#replay(log, metadata);
    const listeners = this.#listen();
    this.#publishApiVersions();
    await controller.registerBroker(this.#registration(listeners));
    dispatcher.open();
    return { listeners, close: () => this.#close() };
  }

  // Requests that arrive before the broker is registered wait in the dispatcher.
  #listen(): readonly BoundListener[] {
    const { engine, config } = this.#deps;
    const listeners = config.listeners.map(({ name, host }, id) => {
      return { name, host, port: engine.listen(id) };
    });
    const firstClosed = config.listeners.length;
    for (const [i] of config.controllerListeners.entries()) engine.listen(firstClosed + i);
    return listeners;
  }

  async #replay(log: OpenedPartition, metadata: ClusterMetadata): Promise<void> {
    const { engine } = this.#deps;
    this.#isFollowing = true;
    const committed = await engine.readBarrier(log.handle);
    metadata.committed(committed);
    await metadata.waitUntilApplied(committed, Number.MAX_SAFE_INTEGER);
    const assigned = [{ topicId: METADATA_TOPIC_ID, partitionIndex: 0 }];
    for (const { id, partitions } of metadata.image.topics()) {
      for (const { index } of partitions) assigned.push({ topicId: id, partitionIndex: index });
    }
    this.#warnOfTooMany(assigned.length);
    await engine.sweepFolders(assigned);
  }

  #warnOfTooMany(partitions: number): void {
    const { logger, openFilesMax } = this.#deps;
    const max = partitionsMax(openFilesMax);
    if (partitions <= max) return;
    const fields = { partitions, partitionsMax: max, openFilesMax };
    logger.error(
      fields,
      'the limit of open files (ulimit -n) is too low for the partitions there are',
    );
  }

  #publishApiVersions(): void {
    const advertised = advertisedApis();
    for (let version = ApiVersions.minVersion; version < IDENTITY_SINCE; version++) {
      const body = encode(ApiVersions.response, apiVersionsAnswer(advertised, version), version);
      this.#deps.engine.publishAnswer(ApiVersions.key, version, body);
    }
  }

  #registration(listeners: readonly BoundListener[]) {
    const { config, identity } = this.#deps;
    const endpoints = config.advertisedListeners.map(({ name, host, port }) => {
      const bound = listeners.find((listener) => listener.name === name);
      return { name, host, port: port === 0 ? (bound?.port ?? 0) : port };
    });
    return {
      kind: 'broker',
      nodeId: config.nodeId,
      incarnationId: newUuid(),
      directoryId: identity.directoryId,
      rack: config.rack ?? null,
      endpoints,
    } as const;
  }

  #createMetadata({ handle }: OpenedPartition): ClusterMetadata {
    const { engine, config, logger } = this.#deps;
    const onRole = (partition: LocalPartition, role: Role | undefined) => {
      if (partition.topicName !== GROUP_TOPIC) return;
      if (role === undefined) this.#groups?.closed(partition.index, partition.handle);
      else this.#groups?.role(partition.index, partition.handle, role);
    };
    this.#metadata = new ClusterMetadata({
      engine,
      clock: this.#clock,
      logger,
      config,
      handle,
      onRole,
      onTopicRemoved: (topic) => this.#groups?.topicDeleted(topic),
    });
    return this.#metadata;
  }

  #createController({ handle }: OpenedPartition, metadata: ClusterMetadata): ControllerClient {
    const { engine, config, logger, openFilesMax } = this.#deps;
    this.#controller = new ControllerClient({
      engine,
      handle,
      clock: this.#clock,
      logger,
      config,
      metadata,
      batchBytesMax: METADATA_BATCH_BYTES_MAX,
      newId: newUuid,
      rules: {
        numPartitions: config.numPartitions,
        defaultReplicationFactor: config.defaultReplicationFactor,
        partitionsMax: partitionsMax(openFilesMax),
        validateTopicConfig: (overrides) => validateTopicConfig(config, overrides),
      },
    });
    return this.#controller;
  }

  #createGroups(metadata: ClusterMetadata, controller: ControllerClient): GroupCoordinator {
    const { engine, config, logger } = this.#deps;
    this.#groups = new GroupCoordinator({
      engine,
      clock: this.#clock,
      logger,
      config,
      metadata,
      controller,
      newId: newUuid,
    });
    return this.#groups;
  }

  #receiver(): EngineReceiver {
    const { logger } = this.#deps;
    const isMetadataLog = (index: number) => index === (this.#metadataLog?.handle.index ?? 0);
    return {
      request: (request) => this.#dispatcher?.request(request),
      connected: (connection, peer) => this.#dispatcher?.connected(connection, peer),
      disconnected: (connection) => this.#dispatcher?.disconnected(connection),
      role: (handle, role) => {
        if (!isMetadataLog(handle.index)) this.#metadata?.role(handle, role);
        else if (this.#controller === undefined) this.#earlyRole = role;
        else this.#controller.role(role);
      },
      committed: (handle, offset) => {
        if (this.#isFollowing && isMetadataLog(handle.index)) this.#metadata?.committed(offset);
      },
      closed: (handle) => this.#metadata?.closed(handle),
      failed: (handle, reason) => logger.error({ handle, reason }, 'a partition went off-line'),
      logDirectory: (state, path) => {
        if (state === 'in-order') logger.info({ path }, 'the log directory is in order again');
        else logger.error({ path, state }, 'the log directory takes no appends');
      },
      log: (level, message) => {
        if (level >= 50) logger.error({}, message);
        else if (level >= 40) logger.warn({}, message);
        else logger.info({}, message);
      },
    };
  }

  async #close(): Promise<void> {
    this.#metadata?.close();
    this.#groups?.close();
    this.#controller?.close();
    await this.#deps.engine.shutdown(SHUTDOWN_MS);
  }
}

function problemOf(error: unknown): string {
  if (error instanceof EngineError && error.errorCode === ErrorCode.KAFKA_STORAGE_ERROR) {
    return 'a part of it is damaged';
  }
  return messageOf(error);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

// Kafka's text of a 16-byte id never begins with a dash, which a command line would take for an option.
function newUuid(): string {
  for (;;) {
    const text = Buffer.from(randomUUID().replaceAll('-', ''), 'hex').toString('base64url');
    if (!text.startsWith('-')) return text;
  }
}
