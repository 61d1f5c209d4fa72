import type { Engine, PartitionHandle } from '../../engine/index.ts';
import type { Clock, Logger } from '../base/index.ts';
import { ClusterImage } from './image.ts';
import { decodeBatches, encodeBatches } from './record-codec.ts';
import type { MetadataRecord } from './records.ts';

const READ_BYTES = 1 << 20;
/** A snapshot is written when so many records or bytes were applied since the last one. */
const SNAPSHOT_RECORDS = 10_000;
const SNAPSHOT_BYTES = 10 << 20;

interface FollowerDeps {
  readonly engine: Engine;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly handle: PartitionHandle;
  /** Called with the topics that a stretch of records touched; the stretch counts as applied once it resolves. */
  readonly onChanged: (topicIds: ReadonlySet<string>, image: ClusterImage) => Promise<void>;
}

interface Waiter {
  readonly offset: bigint;
  readonly settle: (isApplied: boolean) => void;
}

/** Follows the committed metadata log into an image, one stretch at a time. */
export class MetadataFollower {
  readonly image = new ClusterImage();
  readonly #deps: FollowerDeps;
  readonly #waiters = new Set<Waiter>();
  #committed = 0n;
  #next: bigint | undefined;
  #applied = 0n;
  #isRunning = false;
  #recordsSinceSnapshot = 0;
  #bytesSinceSnapshot = 0;

  constructor(deps: FollowerDeps) {
    this.#deps = deps;
  }

  committed(offset: bigint): void {
    if (offset > this.#committed) this.#committed = offset;
    if (this.#isRunning || this.#applied >= this.#committed) return;
    this.#isRunning = true;
    this.#run().finally(() => {
      this.#isRunning = false;
    });
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
      const timer = clock.after(Math.max(0, deadlineMs - clock.nowMs()), () => settle(false));
      const waiter = { offset, settle };
      this.#waiters.add(waiter);
    });
  }

  async #run(): Promise<void> {
    try {
      while (this.#applied < this.#committed) {
        const touched = await this.#replayUntil(this.#committed);
        await this.#deps.onChanged(touched, this.image);
        this.#applied = this.#next ?? 0n;
        for (const waiter of this.#waiters) if (waiter.offset <= this.#applied) waiter.settle(true);
        this.#snapshotIfDue();
      }
    } catch (error) {
      this.#deps.logger.error({ err: error }, 'the metadata log could not be followed');
    }
  }

  async #replayUntil(target: bigint): Promise<Set<string>> {
    const { engine, handle } = this.#deps;
    const touched = new Set<string>();
    let next = this.#next ?? (await this.#begin(touched));
    while (next < target) {
      const slice = await engine.readLog(handle, next, READ_BYTES);
      for (const { record, offset } of decodeBatches(slice.batches)) {
        if (offset < next) continue; // The batch began before the offset that was asked for.
        this.image.apply(record);
        this.#recordsSinceSnapshot += 1;
        noteTouched(touched, record);
      }
      this.#bytesSinceSnapshot += slice.batches.length;
      if (slice.nextOffset <= next) break;
      next = slice.nextOffset;
      this.#next = next;
    }
    return touched;
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

  async #begin(touched: Set<string>): Promise<bigint> {
    const { engine, handle } = this.#deps;
    const snapshot = await engine.readSnapshot(handle);
    if (snapshot === undefined) return 0n;
    for (const { record } of decodeBatches(snapshot.bytes)) {
      this.image.apply(record);
      noteTouched(touched, record);
    }
    this.#next = snapshot.offset;
    return snapshot.offset;
  }
}

function noteTouched(touched: Set<string>, record: MetadataRecord): void {
  if ('topicId' in record) touched.add(record.topicId);
}
