/**
 * What core sees of the native half. Every method returns at once; promises settle when the event of the
 * command arrives. A failed command rejects with `EngineError`, which carries Kafka's error code.
 * Layouts and meanings: docs/design/boundary.md.
 */
export interface Engine {
  /** Binds a listener and returns its port. Throws an `Error` with a `code` such as EADDRINUSE. */
  listen(listenerId: number): number;
  /** Registers the one receiver of requests and events. Call before the first `listen`. */
  subscribe(receiver: EngineReceiver): void;
  respond(answer: Answer): void;
  /** Part of an answer whose rest is given by `respond`, so that nobody has to hold all of it twice. Copied. */
  respondPart(connection: ConnectionId, reqSeq: number, part: Uint8Array): void;
  /** Whether clients have taken enough of long answers for another. When not, those who are slow make room. */
  hasAnswerRoom(): boolean;
  closeConnection(connection: ConnectionId): void;
  publishTopology(topology: Topology): void;
  /** A constant answer (header without correlation id, then body) that the native half gives by itself. */
  publishAnswer(apiKey: number, apiVersion: number, body: Uint8Array): void;

  openPartition(spec: PartitionSpec): Promise<OpenedPartition>;
  /** Opens many, at little cost for each; resolves when `receiver` has heard of all of them. */
  openPartitions(specs: readonly PartitionSpec[], receiver: OpeningReceiver): Promise<void>;
  deletePartition(handle: PartitionHandle): Promise<void>;
  configureLog(handle: PartitionHandle, config: LogConfig): Promise<void>;
  /** Resolves with the base offset when committed; see `EngineError.isUncertain` for failures. */
  append(handle: PartitionHandle, command: AppendCommand): Promise<bigint>;
  readLog(handle: PartitionHandle, offset: bigint, bytesMax: number): Promise<LogSlice>;
  listOffsets(handle: PartitionHandle, query: OffsetQuery): Promise<OffsetAnswer>;
  offsetForLeaderEpoch(
    handle: PartitionHandle,
    currentLeaderEpoch: number,
    leaderEpoch: number,
  ): Promise<{ readonly leaderEpoch: number; readonly endOffset: bigint }>;
  /** Offset -1 means the high watermark. Resolves with the new log start offset. */
  deleteRecords(handle: PartitionHandle, offset: bigint): Promise<bigint>;
  readBarrier(handle: PartitionHandle): Promise<bigint>;
  describeLogs(handles: readonly PartitionHandle[]): Promise<readonly LogDescription[]>;
  describeProducers(handle: PartitionHandle): Promise<readonly ProducerDescription[]>;
  writeSnapshot(handle: PartitionHandle, offset: bigint, bytes: Uint8Array): Promise<void>;
  /** Undefined when no snapshot was ever written. */
  readSnapshot(
    handle: PartitionHandle,
  ): Promise<{ readonly offset: bigint; readonly bytes: Uint8Array } | undefined>;
  /** Sets aside every folder that belongs to none of these partitions; resolves with their number. */
  sweepFolders(assigned: readonly { topicId: string; partitionIndex: number }[]): Promise<number>;

  /** Counters of the native half as JSON, parsed. */
  stats(): Record<string, number>;
  shutdown(deadlineMs: number): Promise<void>;
}

/** Callbacks of the engine; they run on the JavaScript thread and must not throw. */
export interface EngineReceiver {
  request(request: RequestFrame): void;
  connected(connection: ConnectionId, peer: Peer): void;
  disconnected(connection: ConnectionId): void;
  role(handle: PartitionHandle, role: Role): void;
  committed(handle: PartitionHandle, offset: bigint): void;
  closed(handle: PartitionHandle): void;
  failed(handle: PartitionHandle, reason: string): void;
  logDirectory(state: 'in-order' | 'short-of-space' | 'off-line', path: string): void;
  log(level: number, message: string): void;
}

export interface ConnectionId {
  readonly slot: number;
  readonly gen: number;
}

export interface Peer {
  readonly listenerId: number;
  readonly address: string;
  readonly port: number;
}

/** A control request. `frame` is a copy that the receiver owns: header and body, no length prefix. */
export interface RequestFrame {
  readonly connection: ConnectionId;
  readonly listenerId: number;
  readonly apiKey: number;
  readonly apiVersion: number;
  readonly correlationId: number;
  readonly reqSeq: number;
  readonly frame: Uint8Array;
}

/**
 * `payload` begins with the response header, or goes on where the parts given before end; absent: nothing is sent, not
 * even those, and the gate opens.
 */
export interface Answer {
  readonly connection: ConnectionId;
  readonly reqSeq: number;
  readonly payload?: Uint8Array;
  readonly closeAfter?: boolean;
  readonly muteMs?: number;
}

export interface PartitionHandle {
  readonly index: number;
  readonly generation: number;
}

export interface PartitionSpec {
  readonly topicId: string;
  readonly topicName: string;
  readonly partitionIndex: number;
  /** Raft group, never reused; 0 is the metadata log. */
  readonly groupId: bigint;
  readonly config: LogConfig;
  readonly watchCommits?: boolean;
  /** Always acknowledge after fdatasync, whatever `flushMessages` says (the metadata log). */
  readonly fsyncAlways?: boolean;
}

/** Hears of each of the partitions that are opened together; `place` is that in the list. */
export interface OpeningReceiver {
  opened(place: number, handle: PartitionHandle, leaderEpoch: number): void;
  failed(place: number, error: Error): void;
}

export interface OpenedPartition {
  readonly handle: PartitionHandle;
  readonly logStartOffset: bigint;
  readonly logEndOffset: bigint;
  readonly leaderEpoch: number;
}

export interface LogConfig {
  readonly segmentBytes: number;
  readonly segmentMs: bigint;
  readonly segmentJitterMs: bigint;
  readonly indexIntervalBytes: number;
  readonly segmentIndexBytes: number;
  readonly retentionMs: bigint;
  readonly retentionBytes: bigint;
  readonly maxMessageBytes: number;
  readonly timestampType: 'CreateTime' | 'LogAppendTime';
  readonly timestampBeforeMaxMs: bigint;
  readonly timestampAfterMaxMs: bigint;
  readonly cleanup: { readonly isDelete: boolean; readonly isCompact: boolean };
  readonly flushMessages: bigint;
  readonly flushMs: bigint;
  readonly fileDeleteDelayMs: bigint;
  readonly minInsyncReplicas: number;
  readonly isInternal: boolean;
}

export interface AppendCommand {
  readonly leaderEpoch: number;
  /** Refused with OFFSET_OUT_OF_RANGE when the log end differs; -1n takes any. */
  readonly expectedBaseOffset: bigint;
  /** One uncompressed v2 batch. */
  readonly batch: Uint8Array;
}

export interface LogSlice {
  readonly nextOffset: bigint;
  readonly highWatermark: bigint;
  readonly batches: Uint8Array;
}

export interface OffsetQuery {
  /** Milliseconds, or -1n latest, -2n earliest, -3n max timestamp, -4n earliest local. */
  readonly timestamp: bigint;
  readonly currentLeaderEpoch: number;
  readonly isolation: 'read_uncommitted' | 'read_committed';
}

export interface OffsetAnswer {
  readonly offset: bigint;
  readonly timestamp: bigint;
  readonly leaderEpoch: number;
}

export interface LogDescription {
  readonly sizeBytes: bigint;
  readonly logStartOffset: bigint;
  readonly logEndOffset: bigint;
  readonly highWatermark: bigint;
}

export interface ProducerDescription {
  readonly producerId: bigint;
  readonly producerEpoch: number;
  readonly lastSequence: number;
  readonly lastTimestamp: bigint;
}

/** `startOffset` is the first offset of the term; sent once the term's first entry has committed. */
export interface Role {
  readonly leaderEpoch: number;
  readonly isLeader: boolean;
  readonly startOffset: bigint;
}

export interface Topology {
  readonly epoch: bigint;
  readonly kind: 'whole' | 'delta';
  readonly topics: readonly TopologyTopic[];
  readonly brokers: readonly TopologyBroker[];
}

export interface TopologyTopic {
  readonly id: string;
  readonly name: string;
  readonly isRemoved?: boolean;
  readonly isInternal: boolean;
  readonly partitions: readonly {
    readonly handle: PartitionHandle | undefined;
    readonly leaderId: number;
    readonly leaderEpoch: number;
  }[];
}

export interface TopologyBroker {
  readonly nodeId: number;
  readonly rack: string;
  readonly endpoints: readonly {
    readonly listenerId: number;
    readonly host: string;
    readonly port: number;
  }[];
}

/** A command that failed, with Kafka's error code. */
export class EngineError extends Error {
  readonly errorCode: number;

  constructor(errorCode: number, message: string) {
    super(message);
    this.name = 'EngineError';
    this.errorCode = errorCode;
  }
}

export interface NativeListener {
  readonly id: number;
  /** `closed`: the address is bound, connections are closed at once. */
  readonly kind: 'kafka' | 'closed';
  readonly host: string;
  readonly port: number;
}

export interface EngineConfig {
  readonly nodeId: number;
  readonly logDir: string;
  readonly listeners: readonly NativeListener[];
  readonly reactors: number;
  readonly spinUs: number;
  readonly coalesceUs: number;
  readonly recvBytes: number;
  readonly maxRequestBytes: number;
  /** For every request but Produce and Fetch. */
  readonly maxControlRequestBytes: number;
  readonly poolMib: number;
  readonly dirtyMib: number;
  readonly connectionsMaxIdleMs: number;
  readonly maxConnectionsPerIp: number;
  readonly maxConnections: number;
  readonly fetchMaxBytes: number;
  readonly fetchSessionSlots: number;
  readonly producerIdExpirationMs: number;
  readonly producerIdExpirationCheckMs: number;
  readonly producerCheckCompressed: boolean;
  readonly minFreeBytes: number;
  readonly retentionCheckMs: number;
}
