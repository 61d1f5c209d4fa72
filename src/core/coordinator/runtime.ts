import { EngineError, type Role } from '../../engine/index.ts';
import { assert, type Timer } from '../base/index.ts';
import type { EncodedRecord, Machine, Vocabulary } from './machine.ts';
import { CoordinatorError, type CoordinatorOptions, RuntimeErrorCode } from './options.ts';
import {
  BATCH_OVERHEAD_BYTES,
  keyAt,
  readBatches,
  recordBytesMax,
  valueAt,
} from './record-batch.ts';
import { RunningMachine } from './running-machine.ts';

/** Small enough that the decoding of one slice does not hold up the event loop. */
const READ_BYTES = 128 * 1024;
const COPY_BYTES = 128 * 1024;
/** Log below this size is not worth a checkpoint at load. */
const WORTHWHILE_BYTES = 4 * 1024 * 1024;
const RETRY_MS = 500;
/** A checkpoint that failed, on a full disk say, is not tried again at once, and each time later: it has written copies. */
const CHECKPOINT_RETRY_MS = 60_000;
const CHECKPOINT_RETRY_MAX_MS = 3_600_000;

/**
 * One machine on one log partition, through its whole life: loaded when this broker leads the
 * partition, dropped when it no longer does or when anything failed, loaded again from the committed
 * log (docs/design/seams.md).
 */
export class CoordinatorPartition<V extends Vocabulary> {
  readonly #options: CoordinatorOptions<V>;
  #role: Role = { leaderEpoch: -1, isLeader: false, startOffset: 0n };
  #state: State<V> = { kind: 'follower' };
  #bytesSinceCheckpoint = 0;
  #recordsRead = 0;
  #isCheckpointing = false;
  #nextCheckpointMs = Number.NEGATIVE_INFINITY;
  #checkpointRetryMs = CHECKPOINT_RETRY_MS;

  constructor(options: CoordinatorOptions<V>) {
    this.#options = options;
  }

  get state(): State<V>['kind'] {
    return this.#state.kind;
  }

  /** Resolves when the reply may leave; rejects with `CoordinatorError`. */
  execute(command: V['Command']): Promise<V['Reply']> {
    const state = this.#state;
    if (state.kind === 'serving') {
      const reply = state.running.execute(command);
      this.#checkpointIfDue(state.running);
      return reply;
    }
    const { COORDINATOR_LOAD_IN_PROGRESS, NOT_COORDINATOR } = RuntimeErrorCode;
    const errorCode = state.kind === 'loading' ? COORDINATOR_LOAD_IN_PROGRESS : NOT_COORDINATOR;
    return Promise.reject(new CoordinatorError(errorCode, `${this.#options.name}: ${state.kind}`));
  }

  /** Executes a command that nobody waits for, if commands are accepted. */
  post(command: V['Command']): void {
    if (this.#state.kind === 'serving') this.#state.running.post(command);
  }

  /** This broker's role in the partition, from the engine's event. */
  role(role: Role): void {
    if (this.#state.kind === 'closed' || role.leaderEpoch < this.#role.leaderEpoch) return;
    const isSame =
      role.leaderEpoch === this.#role.leaderEpoch && role.isLeader === this.#role.isLeader;
    this.#role = role;
    if (isSame) return;
    this.#leaveState();
    this.#enter({ kind: 'follower' });
    if (role.isLeader) this.#load(role.startOffset);
  }

  /** The partition is gone from this broker, or the process stops. */
  close(): void {
    this.#leaveState();
    this.#enter({ kind: 'closed' });
  }

  #leaveState(): void {
    const state = this.#state;
    if (state.kind === 'serving') state.running.stop();
    if (state.kind === 'failed') state.retry?.cancel();
  }

  #enter(state: State<V>): void {
    const wasServing = this.#state.kind === 'serving';
    this.#state = state;
    const isServing = state.kind === 'serving';
    if (isServing !== wasServing) this.#options.onServing?.(isServing);
  }

  #load(endOffset: bigint): void {
    const loading: State<V> = { kind: 'loading' };
    this.#enter(loading);
    const isCurrent = () => this.#state === loading;
    this.#readAll(endOffset, isCurrent).then(
      (loaded) => {
        if (loaded === undefined || !isCurrent()) return;
        this.#serve(loaded.machine, loaded.endOffset);
      },
      (error) => {
        if (!isCurrent()) return;
        if (this.#options.onLoadFailed?.(error) === true) return this.#fail(false);
        const fields = { err: error, coordinator: this.#options.name };
        this.#options.logger.error(fields, 'a coordinator could not be loaded');
        // Reading again may help when the disk failed; a record that cannot be replayed stays so.
        this.#fail(error instanceof EngineError);
      },
    );
  }

  #fail(isRetried: boolean): void {
    const retry = isRetried ? this.#options.clock.after(RETRY_MS, () => this.#reload()) : undefined;
    this.#enter({ kind: 'failed', retry });
  }

  /**
   * Loads again in the same term. An append whose outcome was not known may still commit: only when
   * the whole log is committed is it known what there is to load.
   */
  async #reload(): Promise<void> {
    const { engine, handle } = this.#options;
    const failed = this.#state;
    const [log] = await engine.describeLogs([handle]).catch(() => []);
    if (this.#state !== failed) return;
    if (log !== undefined && log.logEndOffset >= 0n && log.logEndOffset === log.highWatermark) {
      this.#load(log.logEndOffset);
    } else {
      this.#fail(true);
    }
  }

  /** Replays the committed log up to `endOffset`; undefined when the role was lost meanwhile. */
  async #readAll(endOffset: bigint, isCurrent: () => boolean): Promise<Loaded<V> | undefined> {
    const { engine, handle, codec, createMachine, loadSnapshot, onCommitted } = this.#options;
    const machine = createMachine();
    const [log] = await engine.describeLogs([handle]);
    assert(log !== undefined && log.logStartOffset >= 0n, 'the partition of a role is open');
    this.#bytesSinceCheckpoint = 0;
    this.#recordsRead = 0;
    const snapshot = await loadSnapshot?.();
    if (!isCurrent()) return undefined;
    if (loadSnapshot !== undefined && snapshot === undefined && log.logStartOffset > 0n) {
      throw new Error(`what was before its offset ${log.logStartOffset} is in no snapshot`);
    }
    for (const record of snapshot?.records ?? []) machine.replay(record);
    let offset = snapshot?.offset ?? log.logStartOffset;
    assert(offset >= log.logStartOffset, 'the log goes on where the snapshot ends');
    while (offset < endOffset) {
      const slice = await engine.readLog(handle, offset, READ_BYTES);
      if (!isCurrent()) return undefined;
      assert(slice.nextOffset > offset, 'the log is readable up to the start of the term');
      this.#bytesSinceCheckpoint += slice.batches.length;
      const records: V['Record'][] = [];
      // The slice may begin inside a batch.
      readBatches(slice.batches, offset, (place) => {
        const record = codec.decodeAt?.(place) ?? codec.decode(keyAt(place), valueAt(place));
        if (record === undefined) return;
        machine.replay(record);
        this.#recordsRead += 1;
        if (onCommitted !== undefined) records.push(record);
      });
      offset = slice.nextOffset;
      if (records.length > 0) onCommitted?.(records, offset);
    }
    return isCurrent() ? { machine, endOffset: offset } : undefined;
  }

  #serve(machine: Machine<V>, endOffset: bigint): void {
    const start = { leaderEpoch: this.#role.leaderEpoch, endOffset };
    const running = new RunningMachine(this.#options, machine, start, () => this.#broken(running));
    this.#enter({ kind: 'serving', machine, running });
    if (this.#mayCheckpoint() && this.#isLogMostlyDead(machine)) {
      this.#checkpoint(machine, running);
    }
  }

  /** Whether a copy of the live state would leave less than half of the log that was just read. */
  #isLogMostlyDead(machine: Machine<V>): boolean {
    if (this.#bytesSinceCheckpoint < WORTHWHILE_BYTES) return false;
    return this.#recordsRead >= 2 * (machine.liveRecords?.() ?? 0);
  }

  /** After a failure the log is read again, a little later: a disk that is full stays so for a while. */
  #broken(running: RunningMachine<V>): void {
    if (this.#state.kind !== 'serving' || this.#state.running !== running) return;
    this.#fail(true);
  }

  #checkpointIfDue(running: RunningMachine<V>): void {
    const { checkpointBytes } = this.#options;
    if (this.#bytesSinceCheckpoint + running.bytesAppended < checkpointBytes) return;
    if (!this.#mayCheckpoint() || this.#state.kind !== 'serving') return;
    this.#checkpoint(this.#state.machine, running);
  }

  #mayCheckpoint(): boolean {
    const { checkpointBytes, clock } = this.#options;
    return (
      checkpointBytes > 0 && !this.#isCheckpointing && clock.monotonicMs() >= this.#nextCheckpointMs
    );
  }

  /**
   * Appends the live state as records while commands go on: what changes a key after its copy comes
   * later in the log. Once all copies are committed the log before the first is dropped.
   */
  #checkpoint(machine: Machine<V>, running: RunningMachine<V>): void {
    this.#isCheckpointing = true;
    const startOffset = running.nextOffset;
    const { logger, name: coordinator } = this.#options;
    this.#appendCopies(machine, running)
      .then(() => this.#options.engine.deleteRecords(this.#options.handle, startOffset))
      .then(
        () => {
          logger.debug({ coordinator, startOffset }, 'a checkpoint was written');
          this.#checkpointRetryMs = CHECKPOINT_RETRY_MS;
          const isSame = this.#state.kind === 'serving' && this.#state.running === running;
          if (isSame) this.#bytesSinceCheckpoint = -running.bytesAppended;
        },
        (error) => {
          logger.warn({ coordinator, err: error }, 'a checkpoint was not written');
          this.#nextCheckpointMs = this.#options.clock.monotonicMs() + this.#checkpointRetryMs;
          this.#checkpointRetryMs = Math.min(this.#checkpointRetryMs * 2, CHECKPOINT_RETRY_MAX_MS);
        },
      )
      .finally(() => {
        this.#isCheckpointing = false;
      });
  }

  async #appendCopies(machine: Machine<V>, running: RunningMachine<V>): Promise<void> {
    const { codec, clock, batchBytesMax } = this.#options;
    const bytesMax = Math.min(COPY_BYTES, batchBytesMax / 2);
    let copies: EncodedRecord[] = [];
    let bytes = 0;
    for (const record of machine.snapshot()) {
      const copy = codec.encode(record, clock.nowMs());
      if (BATCH_OVERHEAD_BYTES + recordBytesMax(copy) > batchBytesMax) {
        throw new RangeError('a record is larger than the log takes now');
      }
      copies.push(copy);
      bytes += recordBytesMax(copy);
      if (bytes < bytesMax) continue;
      await running.appendCopy(copies);
      copies = [];
      bytes = 0;
    }
    if (copies.length > 0) await running.appendCopy(copies);
  }
}

type State<V extends Vocabulary> =
  | { readonly kind: 'follower' | 'loading' | 'closed' }
  | { readonly kind: 'failed'; readonly retry: Timer | undefined }
  | {
      readonly kind: 'serving';
      readonly machine: Machine<V>;
      readonly running: RunningMachine<V>;
    };

interface Loaded<V extends Vocabulary> {
  readonly machine: Machine<V>;
  readonly endOffset: bigint;
}
