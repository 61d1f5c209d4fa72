import { type DataPlane, loadAddon } from './addon.ts';
import { packLogConfig, packPartitionSpec, packTopology } from './commands.ts';
import {
  type Answer,
  type AppendCommand,
  type ConnectionId,
  type Engine,
  type EngineConfig,
  EngineError,
  type EngineReceiver,
  type LogConfig,
  type LogDescription,
  type LogSlice,
  type OffsetAnswer,
  type OffsetQuery,
  type OpenedPartition,
  type OpeningReceiver,
  type PartitionHandle,
  type PartitionSpec,
  type ProducerDescription,
  type Topology,
} from './engine.ts';
import { dispatchEntry } from './events.ts';
import {
  AnswerFlag,
  CommandKind,
  NO_HANDLE,
  OpenFlag,
  PackedReader,
  PackedWriter,
} from './packed.ts';

const DRAIN_BUFFER_BYTES = 1 << 18;
const DRAIN_BUDGET_MS = 4;
/** Answers that leave at once: waiting for more would only take memory. */
const ANSWER_BYTES = 1 << 18;
/** Start and end offset in front of the leader epoch in what tells of an opened partition. */
const LOG_OFFSETS_BYTES = 16;
const NO_PARTITION: PartitionHandle = { index: NO_HANDLE, generation: 0 };

interface Pending {
  readonly kind: number;
  resolve(done: Done): void;
  reject(error: Error): void;
}

/** Partitions that are opened together: how many were not heard of, and who waits for that. */
interface Opening {
  readonly receiver: OpeningReceiver;
  left: number;
  readonly end: () => void;
}

/** One of them. */
class OpeningOne implements Pending {
  readonly kind = CommandKind.openPartition;
  readonly #opening: Opening;
  readonly #place: number;

  constructor(opening: Opening, place: number) {
    this.#opening = opening;
    this.#place = place;
  }

  resolve({ handle, payload }: Done): void {
    payload.skip(LOG_OFFSETS_BYTES);
    this.#opening.receiver.opened(this.#place, handle, payload.i32());
    this.#end();
  }

  reject(error: Error): void {
    this.#opening.receiver.failed(this.#place, error);
    this.#end();
  }

  #end(): void {
    this.#opening.left -= 1;
    if (this.#opening.left === 0) this.#opening.end();
  }
}

/** The one event of a command: its handle and a reader over its payload, valid during the callback. */
export interface Done {
  readonly handle: PartitionHandle;
  readonly payload: PackedReader;
}

/** Starts the native half. Throws an `Error` with a `code` when the log directory cannot be used. */
export function createNativeEngine(
  config: EngineConfig,
  controlApis: readonly (readonly [key: number, min: number, max: number])[],
): Engine {
  return new NativeEngine(config, controlApis);
}

class NativeEngine implements Engine {
  readonly #plane: DataPlane;
  readonly #pending = new Map<number, Pending>();
  readonly #commands = new PackedWriter(1 << 16);
  readonly #answers = new PackedWriter(1 << 16);
  readonly #drainBuffer = new Uint8Array(DRAIN_BUFFER_BYTES);
  #receiver: EngineReceiver | undefined;
  #nextToken = 1;
  #isFlushScheduled = false;
  /** The native half does not hold the event loop; a broker that is not shut down does. */
  readonly #keepAlive = setInterval(nothing, 0x7fff_ffff);

  constructor(config: EngineConfig, controlApis: readonly (readonly [number, number, number])[]) {
    const { DataPlane } = loadAddon();
    const apis = controlApis.map(([key, min, max]) => [key, min, max] as const);
    this.#plane = new DataPlane({ ...config, controlApis: apis }, () => this.#onWake());
  }

  listen(listenerId: number): number {
    return this.#plane.listen(listenerId);
  }

  subscribe(receiver: EngineReceiver): void {
    this.#receiver = receiver;
  }

  respond(answer: Answer): void {
    const { connection, reqSeq, payload, muteMs } = answer;
    const flags =
      (answer.closeAfter === true ? AnswerFlag.closeAfter : 0) |
      (muteMs !== undefined ? AnswerFlag.mute : 0) |
      (payload === undefined ? AnswerFlag.noAnswer : 0);
    const start = this.#answers.begin();
    this.#answers.u32(connection.slot).u32(connection.gen).u32(reqSeq).u8(flags);
    if (muteMs !== undefined) this.#answers.u32(muteMs);
    if (payload !== undefined) this.#answers.raw(payload);
    this.#answers.end(start);
    if (this.#answers.length >= ANSWER_BYTES) this.#flushAnswers();
    else this.#scheduleFlush();
  }

  respondPart({ slot, gen }: ConnectionId, reqSeq: number, part: Uint8Array): void {
    const start = this.#answers.begin();
    this.#answers.u32(slot).u32(gen).u32(reqSeq).u8(AnswerFlag.part).raw(part);
    this.#answers.end(start);
    if (this.#answers.length >= ANSWER_BYTES) this.#flushAnswers();
    else this.#scheduleFlush();
  }

  hasAnswerRoom(): boolean {
    return this.#plane.hasAnswerRoom();
  }

  closeConnection(connection: ConnectionId): void {
    this.#plane.closeConnection(connection.slot, connection.gen);
  }

  publishTopology(topology: Topology): void {
    const writer = new PackedWriter();
    packTopology(writer, topology);
    this.#plane.publishTopology(writer.bytes.subarray(0, writer.length));
  }

  publishAnswer(apiKey: number, apiVersion: number, body: Uint8Array): void {
    this.#plane.publishAnswer(apiKey, apiVersion, body);
  }

  openPartition(spec: PartitionSpec): Promise<OpenedPartition> {
    return this.#submit(
      CommandKind.openPartition,
      NO_PARTITION,
      (writer) => packPartitionSpec(writer, spec),
      ({ handle, payload }) => ({
        handle,
        logStartOffset: payload.i64(),
        logEndOffset: payload.i64(),
        leaderEpoch: payload.i32(),
      }),
      openFlags(spec),
    );
  }

  openPartitions(specs: readonly PartitionSpec[], receiver: OpeningReceiver): Promise<void> {
    return new Promise((resolve) => {
      if (specs.length === 0) resolve();
      const opening = { receiver, left: specs.length, end: resolve };
      for (const [place, spec] of specs.entries()) {
        const start = this.#begin(NO_PARTITION, new OpeningOne(opening, place), openFlags(spec));
        packPartitionSpec(this.#commands, spec);
        this.#commands.end(start);
      }
    });
  }

  deletePartition(handle: PartitionHandle): Promise<void> {
    return this.#submit(CommandKind.deletePartition, handle, nothing, ignore);
  }

  configureLog(handle: PartitionHandle, config: LogConfig): Promise<void> {
    return this.#submit(
      CommandKind.configureLog,
      handle,
      (writer) => packLogConfig(writer, config),
      ignore,
    );
  }

  append(handle: PartitionHandle, command: AppendCommand): Promise<bigint> {
    return this.#submit(
      CommandKind.append,
      handle,
      (writer) =>
        writer.i32(command.leaderEpoch).i64(command.expectedBaseOffset).raw(command.batch),
      ({ payload }) => payload.i64(),
    );
  }

  readLog(handle: PartitionHandle, offset: bigint, bytesMax: number): Promise<LogSlice> {
    return this.#submit(
      CommandKind.readLog,
      handle,
      (writer) => writer.i64(offset).u32(bytesMax),
      ({ payload }) => ({
        nextOffset: payload.i64(),
        highWatermark: payload.i64(),
        batches: payload.rest(),
      }),
    );
  }

  listOffsets(handle: PartitionHandle, query: OffsetQuery): Promise<OffsetAnswer> {
    return this.#submit(
      CommandKind.listOffsets,
      handle,
      (writer) =>
        writer
          .i64(query.timestamp)
          .i32(query.currentLeaderEpoch)
          .u8(query.isolation === 'read_committed' ? 1 : 0),
      ({ payload }) => ({
        offset: payload.i64(),
        timestamp: payload.i64(),
        leaderEpoch: payload.i32(),
      }),
    );
  }

  offsetForLeaderEpoch(handle: PartitionHandle, currentLeaderEpoch: number, leaderEpoch: number) {
    return this.#submit(
      CommandKind.offsetForLeaderEpoch,
      handle,
      (writer) => writer.i32(currentLeaderEpoch).i32(leaderEpoch),
      ({ payload }) => ({ leaderEpoch: payload.i32(), endOffset: payload.i64() }),
    );
  }

  deleteRecords(handle: PartitionHandle, offset: bigint): Promise<bigint> {
    return this.#submit(
      CommandKind.deleteRecords,
      handle,
      (writer) => writer.i64(offset),
      ({ payload }) => payload.i64(),
    );
  }

  readBarrier(handle: PartitionHandle): Promise<bigint> {
    return this.#submit(CommandKind.readBarrier, handle, nothing, ({ payload }) => payload.i64());
  }

  describeLogs(handles: readonly PartitionHandle[]): Promise<readonly LogDescription[]> {
    return this.#submit(
      CommandKind.describeLogs,
      NO_PARTITION,
      (writer) => {
        writer.u32(handles.length);
        for (const { index, generation } of handles) writer.u32(index).u32(generation);
      },
      ({ payload }) =>
        handles.map(() => ({
          sizeBytes: payload.i64(),
          logStartOffset: payload.i64(),
          logEndOffset: payload.i64(),
          highWatermark: payload.i64(),
        })),
    );
  }

  describeProducers(handle: PartitionHandle): Promise<readonly ProducerDescription[]> {
    return this.#submit(CommandKind.describeProducers, handle, nothing, ({ payload }) =>
      Array.from({ length: payload.u32() }, () => ({
        producerId: payload.i64(),
        producerEpoch: payload.i32(),
        lastSequence: payload.i32(),
        lastTimestamp: payload.i64(),
      })),
    );
  }

  writeSnapshot(handle: PartitionHandle, offset: bigint, bytes: Uint8Array): Promise<void> {
    return this.#submit(
      CommandKind.writeSnapshot,
      handle,
      (writer) => writer.i64(offset).raw(bytes),
      ignore,
    );
  }

  readSnapshot(handle: PartitionHandle) {
    return this.#submit(CommandKind.readSnapshot, handle, nothing, ({ payload }) => {
      const offset = payload.i64();
      return offset < 0n ? undefined : { offset, bytes: payload.rest() };
    });
  }

  sweepFolders(assigned: readonly { topicId: string; partitionIndex: number }[]): Promise<number> {
    return this.#submit(
      CommandKind.sweepFolders,
      NO_PARTITION,
      (writer) => {
        writer.u32(assigned.length);
        for (const { topicId, partitionIndex } of assigned) {
          writer.uuid(topicId).i32(partitionIndex);
        }
      },
      ({ payload }) => payload.u32(),
    );
  }

  stats(): Record<string, number> {
    return JSON.parse(this.#plane.stats()) as Record<string, number>;
  }

  async shutdown(deadlineMs: number): Promise<void> {
    this.#flush();
    await this.#plane.shutdown(deadlineMs);
    this.#onWake();
    clearInterval(this.#keepAlive);
  }

  #submit<Result>(
    kind: number,
    handle: PartitionHandle,
    pack: (writer: PackedWriter) => unknown,
    unpack: (done: Done) => Result,
    flags = 0,
  ): Promise<Result> {
    return new Promise((resolve, reject) => {
      const pending = { kind, resolve: (done: Done) => resolve(unpack(done)), reject };
      const start = this.#begin(handle, pending, flags);
      pack(this.#commands);
      this.#commands.end(start);
    });
  }

  /** Begins a command; what it needs is packed behind, and its entry ended with what this returns. */
  #begin(handle: PartitionHandle, pending: Pending, flags: number): number {
    const token = this.#nextToken;
    this.#nextToken = token === 0xffffffff ? 1 : token + 1;
    this.#pending.set(token, pending);
    const start = this.#commands.begin();
    this.#commands.u16(pending.kind).u16(flags).u32(token);
    this.#commands.u32(handle.index).u32(handle.generation);
    this.#scheduleFlush();
    return start;
  }

  // Everything that one turn of the event loop brought leaves together, right after its callbacks.
  #scheduleFlush(): void {
    if (this.#isFlushScheduled) return;
    this.#isFlushScheduled = true;
    setImmediate(() => this.#flush());
  }

  #flush(): void {
    this.#isFlushScheduled = false;
    this.#flushAnswers();
    while (this.#commands.length > 0) {
      const taken = this.#plane.submit(this.#commands.bytes, this.#commands.length);
      if (taken === 0) break; // Full: the next wake-up submits the rest.
      this.#commands.consume(taken);
    }
  }

  #flushAnswers(): void {
    if (this.#answers.length === 0) return;
    this.#plane.respond(this.#answers.bytes, this.#answers.length);
    this.#answers.reset();
  }

  #onWake(): void {
    const deadline = performance.now() + DRAIN_BUDGET_MS;
    for (;;) {
      const length = this.#plane.drain(this.#drainBuffer);
      if (length === 0) break;
      if (length > 0) this.#receive(this.#drainBuffer, length);
      else this.#receiveLarge(-length);
      if (performance.now() > deadline) {
        setImmediate(() => this.#onWake());
        break;
      }
    }
    if (this.#commands.length > 0) this.#scheduleFlush();
  }

  /** An entry that is too large for the buffer has one of its own, which need not be copied. */
  #receiveLarge(length: number): void {
    const bytes = new Uint8Array(length);
    this.#receive(bytes, this.#plane.drain(bytes), true);
  }

  #receive(bytes: Uint8Array, length: number, isOwned = false): void {
    const receiver = this.#receiver;
    if (receiver === undefined) throw new Error('drained before subscribe');
    const settle = (token: number, errorCode: number, done: Done) =>
      this.#settle(token, errorCode, done);
    // One reader goes from entry to entry: what keeps bytes has copied them, or is their owner.
    const entry = new PackedReader(bytes, 0, 0, isOwned);
    while (entry.nextEntry(length)) dispatchEntry(entry, receiver, settle);
  }

  #settle(token: number, errorCode: number, done: Done): void {
    const pending = this.#pending.get(token);
    if (pending === undefined) return;
    this.#pending.delete(token);
    if (errorCode === 0) pending.resolve(done);
    else pending.reject(new EngineError(errorCode, reasonOf(pending.kind, errorCode, done)));
  }
}

function reasonOf(kind: number, errorCode: number, { payload }: Done): string {
  const hasReason = kind === CommandKind.openPartition && payload.remaining > 0;
  return hasReason ? payload.str() : `the engine answered error ${errorCode}`;
}

function openFlags({ watchCommits, fsyncAlways }: PartitionSpec): number {
  return (
    (watchCommits === true ? OpenFlag.watchCommits : 0) |
    (fsyncAlways === true ? OpenFlag.fsyncAlways : 0)
  );
}

function nothing(): void {}

function ignore(): void {}
