import type { Engine, PartitionHandle } from '../../engine/index.ts';
import type { Clock, Logger } from '../base/index.ts';
import type { Machine, RecordCodec, Vocabulary } from './machine.ts';

/** What the runtime of one coordinator partition needs. */
export interface CoordinatorOptions<V extends Vocabulary> {
  readonly engine: CoordinatorLog;
  readonly handle: PartitionHandle;
  /** For the operator's log, as in `__consumer_offsets-7`. */
  readonly name: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly codec: RecordCodec<V['Record']>;
  readonly createMachine: () => Machine<V>;
  readonly newId: () => string;
  /** Runs a task after everything that arrived in this turn of the event loop; `setImmediate`. */
  readonly defer: (task: () => void) => void;
  /** The largest batch the log takes (`max.message.bytes`), which may change. */
  readonly batchBytesMax: number;
  /** Several commands share a batch up to this size; absent: up to the largest. */
  readonly sharedBatchBytesMax?: number;
  /** A checkpoint is written each time this much log has been appended since the last; 0: never. */
  readonly checkpointBytes: number;
  /** The newest snapshot of the state, if there is one; the log is then replayed from its offset. */
  readonly loadSnapshot?: () => Promise<StateSnapshot<V['Record']> | undefined>;
  /**
   * Whether nobody else can lead the partition now: then what is known here is true, and a reply
   * waits for no read barrier. Absent: somebody might.
   */
  readonly isSoleReplica?: () => boolean;
  /**
   * Told of every record in log order once it is committed, at load and afterwards, before the
   * replies that depend on it leave. For who publishes an image of the state.
   */
  readonly onCommitted?: (records: readonly V['Record'][], endOffset: bigint) => void;
  /** Told when commands are accepted and when they are no longer. */
  readonly onServing?: (isServing: boolean) => void;
  /** Told of a load that failed; with true it is neither logged nor tried again. */
  readonly onLoadFailed?: (error: unknown) => boolean;
}

/** The state as of an offset, as records that make it. */
export interface StateSnapshot<R> {
  readonly offset: bigint;
  readonly records: Iterable<R>;
}

/** The part of the engine that a coordinator partition uses. */
export type CoordinatorLog = Pick<
  Engine,
  'append' | 'readLog' | 'readBarrier' | 'describeLogs' | 'deleteRecords'
>;

/** A command that was not executed, or whose effects were lost: with Kafka's error code. */
export class CoordinatorError extends Error {
  readonly errorCode: number;

  constructor(errorCode: number, message: string) {
    super(message);
    this.name = 'CoordinatorError';
    this.errorCode = errorCode;
  }
}

/** The codes of Kafka that the runtime itself needs. */
export const RuntimeErrorCode = {
  MESSAGE_TOO_LARGE: 10,
  COORDINATOR_LOAD_IN_PROGRESS: 14,
  NOT_COORDINATOR: 16,
} as const;
