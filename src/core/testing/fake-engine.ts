import {
  type Answer,
  type AppendCommand,
  type ConnectionId,
  type Engine,
  EngineError,
  type EngineReceiver,
  type LogConfig,
  type OpenedPartition,
  type OpeningReceiver,
  type PartitionHandle,
  type PartitionSpec,
  type Topology,
} from '../../engine/index.ts';

const OFFSET_OUT_OF_RANGE = 1;

/** What was asked of a fake engine, in its order. */
export type Call =
  | { readonly kind: 'open'; readonly spec: PartitionSpec }
  | { readonly kind: 'delete'; readonly handle: PartitionHandle }
  | { readonly kind: 'configure'; readonly handle: PartitionHandle; readonly config: LogConfig }
  | { readonly kind: 'publish'; readonly topology: Topology }
  | { readonly kind: 'respond'; readonly answer: Answer };

/**
 * An engine that keeps batches in memory, commits at once and remembers what it was asked: enough for whoever
 * follows a log or opens partitions. Handles count up from 0.
 */
export class FakeEngine implements Engine {
  readonly calls: Call[] = [];
  snapshot: { readonly offset: bigint; readonly bytes: Uint8Array } | undefined;
  receiver: EngineReceiver | undefined;
  /** Where the one log begins. */
  logStartOffset = 0n;
  hasRoom = true;
  readonly #parts = new Map<number, Uint8Array[]>();
  #opened = 0;
  #batches: {
    readonly baseOffset: bigint;
    readonly endOffset: bigint;
    readonly bytes: Uint8Array;
  }[] = [];

  get endOffset(): bigint {
    return this.#batches.at(-1)?.endOffset ?? 0n;
  }

  /** Puts a batch of so many records at the end of the one log there is. */
  put(batch: Uint8Array): bigint {
    const baseOffset = this.endOffset;
    const bytes = Uint8Array.from(batch);
    const view = new DataView(bytes.buffer);
    view.setBigInt64(0, baseOffset);
    const endOffset = baseOffset + BigInt(view.getInt32(23)) + 1n;
    this.#batches.push({ baseOffset, endOffset, bytes });
    return baseOffset;
  }

  /** Another engine with the same log and snapshot, of which nothing was asked yet. */
  restarted(): FakeEngine {
    const engine = new FakeEngine();
    engine.snapshot = this.snapshot;
    engine.logStartOffset = this.logStartOffset;
    engine.#batches = [...this.#batches];
    return engine;
  }

  listen(): number {
    return 9092;
  }

  subscribe(receiver: EngineReceiver): void {
    this.receiver = receiver;
  }

  /** An answer is remembered whole, its parts before its payload. */
  respond(answer: Answer): void {
    const { connection, payload } = answer;
    const parts = this.#parts.get(connection.slot) ?? [];
    this.#parts.delete(connection.slot);
    const whole = parts.length === 0 || payload === undefined ? {} : wholeOf([...parts, payload]);
    this.calls.push({ kind: 'respond', answer: { ...answer, ...whole } });
  }

  respondPart({ slot }: ConnectionId, _reqSeq: number, part: Uint8Array): void {
    const parts = this.#parts.get(slot) ?? [];
    parts.push(Uint8Array.from(part));
    this.#parts.set(slot, parts);
  }

  hasAnswerRoom(): boolean {
    return this.hasRoom;
  }

  closeConnection(): void {}

  publishTopology(topology: Topology): void {
    this.calls.push({ kind: 'publish', topology });
  }

  publishAnswer(): void {}

  async openPartition(spec: PartitionSpec): Promise<OpenedPartition> {
    this.calls.push({ kind: 'open', spec });
    const handle = { index: this.#opened++, generation: 1 };
    return { handle, logStartOffset: 0n, logEndOffset: 0n, leaderEpoch: 1 };
  }

  async openPartitions(specs: readonly PartitionSpec[], receiver: OpeningReceiver): Promise<void> {
    const open = (spec: PartitionSpec, place: number) =>
      this.openPartition(spec).then(
        ({ handle, leaderEpoch }) => receiver.opened(place, handle, leaderEpoch),
        (error) => receiver.failed(place, error),
      );
    await Promise.all(specs.map(open));
  }

  async deletePartition(handle: PartitionHandle): Promise<void> {
    this.calls.push({ kind: 'delete', handle });
  }

  async configureLog(handle: PartitionHandle, config: LogConfig): Promise<void> {
    this.calls.push({ kind: 'configure', handle, config });
  }

  async append(_: PartitionHandle, { batch }: AppendCommand): Promise<bigint> {
    return this.put(batch);
  }

  async readLog(_: PartitionHandle, offset: bigint) {
    if (offset < this.logStartOffset) throw new EngineError(OFFSET_OUT_OF_RANGE, 'dropped');
    const batch = this.#batches.find(({ endOffset }) => endOffset > offset);
    const highWatermark = this.endOffset;
    if (batch === undefined)
      return { nextOffset: offset, highWatermark, batches: new Uint8Array() };
    return { nextOffset: batch.endOffset, highWatermark, batches: batch.bytes };
  }

  async listOffsets() {
    return { offset: this.endOffset, timestamp: -1n, leaderEpoch: 1 };
  }

  async offsetForLeaderEpoch() {
    return { leaderEpoch: 1, endOffset: this.endOffset };
  }

  async deleteRecords(_: PartitionHandle, offset: bigint): Promise<bigint> {
    return offset;
  }

  async readBarrier(): Promise<bigint> {
    return this.endOffset;
  }

  async describeLogs(handles: readonly PartitionHandle[]) {
    const { logStartOffset, endOffset: end } = this;
    return handles.map(() => {
      return { sizeBytes: 0n, logStartOffset, logEndOffset: end, highWatermark: end };
    });
  }

  async describeProducers() {
    return [];
  }

  async writeSnapshot(_: PartitionHandle, offset: bigint, bytes: Uint8Array): Promise<void> {
    this.snapshot = { offset, bytes };
  }

  async readSnapshot() {
    return this.snapshot;
  }

  async sweepFolders(): Promise<number> {
    return 0;
  }

  stats(): Record<string, number> {
    return {};
  }

  async shutdown(): Promise<void> {}
}

function wholeOf(parts: readonly Uint8Array[]): { readonly payload: Uint8Array } {
  return { payload: Buffer.concat(parts) };
}
