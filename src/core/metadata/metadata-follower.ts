import type { Engine, PartitionHandle } from '../../engine/index.ts';
import type { Clock, Logger, Timer } from '../base/index.ts';
import { ClusterImage } from './image.ts';
import { decodeBatches, decodeRecords, encodeBatches } from './record-codec.ts';
import type { MetadataRecord } from './records.ts';

const READ_BYTES = 1 << 20;
/** A snapshot is written when so many records or bytes were applied since the last one. */
const SNAPSHOT_RECORDS = 10_000;
const SNAPSHOT_BYTES = 10 << 20;
/** What failed, a partition on a disk that is off-line say, is tried again after so long. */
const RETRY_MS = 5_000;

interface FollowerDeps {
  readonly engine: Engine;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly handle: PartitionHandle;
  /**
   * Called with the topics that a stretch of records touched; the stretch counts as applied once it resolves.
   * The topics that it resolves with are not as the image has them: they come again a little later.
   */
  readonly onChanged: (
    topicIds: ReadonlySet<string>,
    image: ClusterImage,
  ) => Promise<ReadonlySet<string>>;
}

interface Waiter {
  readonly offset: bigint;
  readonly settle: (isApplied: boolean) => void;
}

/** Follows the committed metadata log into an image, one stretch at a time. */
export class MetadataFollower {
  #image = new ClusterImage();
  readonly #deps: FollowerDeps;
  readonly #waiters = new Set<Waiter>();
  /** Topics that records touched and `onChanged` was not told of yet; a failure does not lose them. */
  readonly #touched = new Set<string>();
  /** Topics for which `onChanged` wants to be called again. */
  readonly #unfinished = new Set<string>();
  #retry: Timer | undefined;
  #committed = 0n;
  #next: bigint | undefined;
  #applied = 0n;
  #isRunning = false;
  #isClosed = false;
  #recordsSinceSnapshot = 0;
  #bytesSinceSnapshot = 0;

  constructor(deps: FollowerDeps) {
    this.#deps = deps;
  }

  get image(): ClusterImage {
    return this.#image;
  }

  committed(offset: bigint): void {
    if (offset > this.#committed) this.#committed = offset;
    this.#wake();
  }

  /** Nothing is followed any more, and nothing tried again. */
  close(): void {
    this.#isClosed = true;
    this.#retry?.cancel();
  }

  waitUntilApplied(offset: bigint, deadlineMs: number): Promise<boolean> {
    if (this.#applied >= offset) return Promise.resolve(true);
    const { clock } = this.#deps;
    return new Promise((resolve) => {
      const settle = (isApplied: boolean) => {
        timer.cancel();
        this.#waiters.delete(waiter);
        resolve(isApplied);
      };
      const timer = clock.after(Math.max(0, deadlineMs - clock.monotonicMs()), () => settle(false));
      const waiter = { offset, settle };
      this.#waiters.add(waiter);
    });
  }

  #wake(): void {
    if (!this.#isRunning && this.#isBehind()) void this.#run();
  }

  #isBehind(): boolean {
    return !this.#isClosed && (this.#applied < this.#committed || this.#touched.size > 0);
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    try {
      while (this.#isBehind()) {
        await this.#replayUntil(this.#committed);
        await this.#tellChanges();
        this.#applied = this.#next ?? 0n;
        for (const waiter of this.#waiters) if (waiter.offset <= this.#applied) waiter.settle(true);
        this.#snapshotIfDue();
      }
    } catch (error) {
      if (!this.#isClosed) {
        this.#deps.logger.error({ err: error }, 'the metadata log could not be followed');
        this.#retryLater();
      }
    }
    this.#isRunning = false;
  }

  async #tellChanges(): Promise<void> {
    const touched = new Set(this.#touched);
    const unfinished = await this.#deps.onChanged(touched, this.image);
    for (const id of touched) {
      this.#touched.delete(id);
      this.#unfinished.delete(id);
    }
    for (const id of unfinished) this.#unfinished.add(id);
    if (this.#unfinished.size > 0) this.#retryLater();
  }

  #retryLater(): void {
    if (this.#isClosed) return;
    this.#retry ??= this.#deps.clock.after(RETRY_MS, () => {
      this.#retry = undefined;
      for (const id of this.#unfinished) this.#touched.add(id);
      this.#unfinished.clear();
      this.#wake();
    });
  }

  async #replayUntil(target: bigint): Promise<void> {
    const { engine, handle } = this.#deps;
    let next = this.#next ?? (await this.#begin());
    while (next < target) {
      const slice = await engine.readLog(handle, next, READ_BYTES);
      if (slice.nextOffset <= next) throw new Error(`nothing committed to read at ${next}`);
      // All of it is decoded before any of it is applied.
      for (const { record, offset } of [...decodeBatches(slice.batches)]) {
        if (offset < next) continue; // The batch began before the offset that was asked for.
        this.#apply(record);
        // A record that cannot be applied does not make those before it come twice.
        this.#next = offset + 1n;
      }
      this.#bytesSinceSnapshot += slice.batches.length;
      next = slice.nextOffset;
      this.#next = next;
    }
  }

  #apply(record: MetadataRecord): void {
    if ('topicId' in record) this.#touched.add(record.topicId);
    this.#image.apply(record);
    this.#recordsSinceSnapshot += 1;
  }

  // The engine drops the log that the two newest snapshots make superfluous.
  #snapshotIfDue(): void {
    const isDue =
      this.#recordsSinceSnapshot >= SNAPSHOT_RECORDS || this.#bytesSinceSnapshot >= SNAPSHOT_BYTES;
    if (!isDue) return;
    this.#recordsSinceSnapshot = 0;
    this.#bytesSinceSnapshot = 0;
    const { engine, handle, logger } = this.#deps;
    const offset = this.#applied;
    engine.writeSnapshot(handle, offset, encodeBatches(this.image.records())).then(
      () => logger.debug({ offset }, 'a snapshot of the metadata was written'),
      (err) => logger.warn({ err, offset }, 'a snapshot of the metadata was not written'),
    );
  }

  async #begin(): Promise<bigint> {
    const { engine, handle } = this.#deps;
    const snapshot = await engine.readSnapshot(handle);
    if (snapshot === undefined) return 0n;
    // What cannot be decoded leaves no image that has a part of it.
    const image = new ClusterImage();
    for (const record of decodeRecords(snapshot.bytes)) image.apply(record);
    this.#image = image;
    for (const { id } of image.topics()) this.#touched.add(id);
    this.#next = snapshot.offset;
    return snapshot.offset;
  }
}
