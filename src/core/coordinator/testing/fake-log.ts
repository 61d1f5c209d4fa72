import {
  type AppendCommand,
  EngineError,
  type LogDescription,
  type LogSlice,
  type PartitionHandle,
} from '../../../engine/index.ts';
import type { CoordinatorLog } from '../options.ts';

/**
 * The engine as one coordinator partition sees it: one log in memory. Nothing settles by itself: a
 * test commits, refuses or loses what was asked, in its own order.
 */
export class FakeLog implements CoordinatorLog {
  /** Every operation that has not settled yet, oldest first. */
  readonly pending: Pending[] = [];
  readonly deletedBefore: bigint[] = [];
  /** Reads settle at once unless this is set; then they wait in `pending`. */
  isReadHeld = false;
  readFailure: EngineError | undefined;
  deleteFailure: EngineError | undefined;
  /** Records at the end of the log that are not committed yet. */
  uncommitted = 0n;
  #batches: { baseOffset: bigint; count: number; bytes: Uint8Array }[] = [];
  #endOffset = 0n;
  #startOffset = 0n;

  get endOffset(): bigint {
    return this.#endOffset;
  }

  /** Batches committed so far. */
  get batchCounts(): readonly number[] {
    return this.#batches.map(({ count }) => count);
  }

  append(_handle: PartitionHandle, command: AppendCommand): Promise<bigint> {
    return this.#ask('append', () => {
      const { batch, expectedBaseOffset } = command;
      if (expectedBaseOffset !== this.#endOffset) throw new EngineError(1, 'another base offset');
      const stamped = Uint8Array.from(batch);
      const view = new DataView(stamped.buffer);
      const count = view.getInt32(57);
      const baseOffset = this.#endOffset;
      view.setBigInt64(0, baseOffset);
      this.#batches.push({ baseOffset, count, bytes: stamped });
      this.#endOffset += BigInt(count);
      return baseOffset;
    });
  }

  readBarrier(): Promise<bigint> {
    return this.#ask('barrier', () => this.#endOffset);
  }

  async describeLogs(): Promise<readonly LogDescription[]> {
    const end = this.#endOffset;
    const start = this.#startOffset;
    const logEndOffset = end + this.uncommitted;
    return [{ sizeBytes: 0n, logStartOffset: start, logEndOffset, highWatermark: end }];
  }

  readLog(_handle: PartitionHandle, offset: bigint, bytesMax: number): Promise<LogSlice> {
    if (this.readFailure !== undefined) return Promise.reject(this.readFailure);
    const read = () => this.#read(offset, bytesMax);
    return this.isReadHeld ? this.#ask('read', read) : Promise.resolve().then(read);
  }

  async deleteRecords(_handle: PartitionHandle, offset: bigint): Promise<bigint> {
    if (this.deleteFailure !== undefined) throw this.deleteFailure;
    this.deletedBefore.push(offset);
    this.#startOffset = offset;
    return offset;
  }

  /** Settles the oldest pending operation as it should be and lets what waits for it run. */
  async settleOne(): Promise<void> {
    this.pending.shift()?.settle();
    await turns();
  }

  async settleAll(): Promise<void> {
    await turns();
    while (this.pending.length > 0) await this.settleOne();
    await turns();
  }

  async failOne(error: EngineError): Promise<void> {
    this.pending.shift()?.fail(error);
    await turns();
  }

  #read(offset: bigint, bytesMax: number): LogSlice {
    if (offset < this.#startOffset) throw new EngineError(1, 'dropped');
    const chosen: Uint8Array[] = [];
    let nextOffset = offset;
    let bytes = 0;
    for (const batch of this.#batches) {
      if (batch.baseOffset + BigInt(batch.count) <= offset) continue;
      if (chosen.length > 0 && bytes + batch.bytes.length > bytesMax) break;
      chosen.push(batch.bytes);
      bytes += batch.bytes.length;
      nextOffset = batch.baseOffset + BigInt(batch.count);
    }
    return { nextOffset, highWatermark: this.#endOffset, batches: Buffer.concat(chosen) };
  }

  #ask<T>(kind: Pending['kind'], act: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      const settle = () => {
        try {
          resolve(act());
        } catch (error) {
          reject(error as Error);
        }
      };
      this.pending.push({ kind, settle, fail: reject });
    });
  }
}

interface Pending {
  readonly kind: 'append' | 'barrier' | 'read';
  readonly settle: () => void;
  readonly fail: (error: Error) => void;
}

/** Lets every promise that is ready run. */
export async function turns(count = 20): Promise<void> {
  for (let i = 0; i < count; i += 1) await Promise.resolve();
}
