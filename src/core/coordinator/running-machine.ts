import { assert } from '../base/index.ts';
import { addWhole, type Encoding, encodeAll, type Outcome } from './add-records.ts';
import type { Effects, EncodedRecord, Input, Machine, ReplyToken, Vocabulary } from './machine.ts';
import { CoordinatorError, type CoordinatorOptions, RuntimeErrorCode } from './options.ts';
import { BatchBuilder, recordBytesMax } from './record-batch.ts';
import { NamedTimers } from './timers.ts';
import { WaitingRequests } from './waiting-requests.ts';

/**
 * A loaded machine in one term. Commands are executed as they come; what those of one turn of the
 * event loop decided leaves as one batch; replies wait until it is committed, in order. It ends for
 * good with the first failure: every request is refused, and `onBroken` is called when the last append
 * has settled.
 */
export class RunningMachine<V extends Vocabulary> {
  readonly #options: CoordinatorOptions<V>;
  readonly #machine: Machine<V>;
  readonly #leaderEpoch: number;
  readonly #timers: NamedTimers<V>;
  readonly #waiting = new WaitingRequests<V>();
  readonly #flights: Turn<V>[] = [];
  readonly #onBroken: () => void;
  #turn: Turn<V> | undefined;
  #isFlushDue = false;
  #isStopped = false;
  #nextOffset: bigint;
  #bytesAppended = 0;
  #underway = 0;
  #onSettled: (() => void) | undefined;

  constructor(
    options: CoordinatorOptions<V>,
    machine: Machine<V>,
    start: { readonly leaderEpoch: number; readonly endOffset: bigint },
    onBroken: () => void,
  ) {
    this.#options = options;
    this.#machine = machine;
    this.#leaderEpoch = start.leaderEpoch;
    this.#nextOffset = start.endOffset;
    this.#onBroken = onBroken;
    this.#timers = new NamedTimers(options.clock, (command) => this.post(command));
    for (const change of machine.deadlinesAfterLoad()) {
      this.#timers.apply(change);
    }
  }

  /** The offset that the next record will have. */
  get nextOffset(): bigint {
    return this.#nextOffset;
  }

  /** Bytes of all batches sent. */
  get bytesAppended(): number {
    return this.#bytesAppended;
  }

  /** Resolves with the reply once it may leave; rejects with `CoordinatorError`. */
  execute(command: V['Command']): Promise<V['Reply']> {
    return new Promise((resolve, reject) => {
      this.#run(command, this.#waiting.add(resolve, reject));
    });
  }

  /** Executes a command that nobody waits for. */
  post(command: V['Command']): void {
    this.#run(command, undefined);
  }

  /** Appends records that are already part of the state, and resolves once they are committed. */
  appendCopy(records: readonly EncodedRecord[]): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#isStopped) return reject(this.#notCoordinator());
      const turn = this.#pack(records, []);
      turn.copies.push({ resolve, reject });
    });
  }

  /** Refuses all requests and drops the state. `whenSettled` is called once no append is under way. */
  stop(whenSettled?: () => void): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#timers.clear();
    const error = this.#notCoordinator();
    for (const turn of this.#flights) for (const copy of turn.copies) copy.reject(error);
    for (const copy of this.#turn?.copies ?? []) copy.reject(error);
    this.#turn = undefined;
    this.#flights.length = 0;
    this.#waiting.refuseAll(error);
    if (whenSettled === undefined) return;
    this.#onSettled = whenSettled;
    this.#reportIfSettled();
  }

  #run(command: V['Command'], token: ReplyToken | undefined): void {
    if (this.#isStopped) {
      this.#waiting.refuse(token, this.#notCoordinator());
      return;
    }
    try {
      const effects = this.#machine.decide(command, this.#input(token));
      this.#apply(effects, token, command.kind);
    } catch (error) {
      const fields = { err: error, command: command.kind, coordinator: this.#options.name };
      this.#options.logger.error(fields, 'a coordinator failed and is loaded again');
      this.stop(this.#onBroken);
    }
  }

  #apply(effects: Effects<V>, token: ReplyToken | undefined, kind: string): void {
    const { records, replies, timers, notes } = effects;
    if (records.length > 0) {
      if (!this.#write(records, effects.isDivisible === true, kind)) {
        const { MESSAGE_TOO_LARGE } = RuntimeErrorCode;
        this.#waiting.refuse(
          token,
          new CoordinatorError(MESSAGE_TOO_LARGE, 'too large for the log'),
        );
        if (effects.ifUnwritten !== undefined) this.post(effects.ifUnwritten);
        return;
      }
      for (const record of records) this.#machine.replay(record);
    }
    for (const note of notes) this.#machine.note(note);
    for (const change of timers) this.#timers.apply(change);
    if (replies.length === 0) return;
    const isNothingUnderway = this.#turn === undefined && this.#flights.length === 0;
    if (isNothingUnderway && this.#options.isSoleReplica?.() === true) {
      this.#waiting.answer(replies);
      return;
    }
    const waiting = this.#currentTurn().replies;
    for (const reply of replies) waiting.push(reply);
  }

  /** False when the log cannot take what a client sent: only its own command is refused for it. */
  #write(records: readonly V['Record'][], isDivisible: boolean, command: string): boolean {
    const { codec, clock, logger, name: coordinator } = this.#options;
    const encoding = { codec, nowMs: clock.nowMs() };
    const outcome = isDivisible
      ? this.#writeInParts(records, encoding)
      : this.#writeWhole(records, encoding);
    if (outcome === 'written') return true;
    const fields = { command, coordinator };
    if (outcome === 'too-large') {
      logger.warn(fields, 'the records of one command are larger than a batch');
    } else logger.warn({ err: outcome.error, ...fields }, 'a record cannot be written');
    return false;
  }

  /** In this turn's batch, or in one that is begun for them. */
  #writeWhole(records: readonly V['Record'][], encoding: Encoding<V['Record']>): Outcome {
    const { batchBytesMax } = this.#options;
    let turn = this.#currentTurn();
    const bytesMax = turn.batch.count > 0 ? this.#sharedBatchBytesMax : batchBytesMax;
    let outcome = addWhole(turn.batch, records, encoding, bytesMax);
    if (outcome === 'too-large' && turn.batch.count > 0) {
      turn = this.#nextTurn();
      outcome = addWhole(turn.batch, records, encoding, batchBytesMax);
    }
    if (outcome !== 'written') return outcome;
    for (const record of records) turn.records.push(record);
    this.#nextOffset += BigInt(records.length);
    return outcome;
  }

  /** All are encoded before the first is in a batch, which may leave before the last is in one. */
  #writeInParts(records: readonly V['Record'][], encoding: Encoding<V['Record']>): Outcome {
    const encoded = encodeAll(records, encoding);
    if ('kind' in encoded) return encoded;
    this.#pack(encoded, records);
    return 'written';
  }

  /** Adds records to this turn's batch, beginning a new one where all of them would not fit. */
  #pack(encoded: readonly EncodedRecord[], records: readonly V['Record'][]): Turn<V> {
    let turn = this.#currentTurn();
    let bytes = 0;
    for (const record of encoded) bytes += recordBytesMax(record);
    const bytesMax = this.#sharedBatchBytesMax;
    if (turn.batch.sizeBytes + bytes > bytesMax && turn.batch.count > 0) {
      turn = this.#nextTurn();
    }
    for (const [i, record] of encoded.entries()) {
      if (turn.batch.sizeBytes + recordBytesMax(record) > bytesMax) {
        if (turn.batch.count > 0) turn = this.#nextTurn();
      }
      turn.batch.add(record);
      const decided = records[i];
      if (decided !== undefined) turn.records.push(decided);
      this.#nextOffset += 1n;
    }
    return turn;
  }

  get #sharedBatchBytesMax(): number {
    const { batchBytesMax, sharedBatchBytesMax = batchBytesMax } = this.#options;
    return Math.min(sharedBatchBytesMax, batchBytesMax);
  }

  #nextTurn(): Turn<V> {
    this.#flush();
    return this.#currentTurn();
  }

  #currentTurn(): Turn<V> {
    this.#turn ??= {
      batch: new BatchBuilder(),
      baseOffset: this.#nextOffset,
      records: [],
      replies: [],
      copies: [],
      isDone: false,
    };
    if (!this.#isFlushDue) {
      this.#isFlushDue = true;
      this.#options.defer(() => {
        this.#isFlushDue = false;
        this.#flush();
      });
    }
    return this.#turn;
  }

  /** Sends this turn's batch, or a read barrier when there are only replies. */
  #flush(): void {
    const turn = this.#turn;
    if (turn === undefined || this.#isStopped) return;
    this.#turn = undefined;
    // Begun for a command that was refused.
    if (turn.batch.count === 0 && turn.replies.length === 0) return;
    this.#flights.push(turn);
    if (turn.batch.count === 0 && this.#options.isSoleReplica?.() === true) {
      turn.isDone = true;
      this.#release();
      return;
    }
    this.#underway += 1;
    if (turn.batch.count > 0) this.#bytesAppended += turn.batch.sizeBytes;
    const { engine, handle, clock } = this.#options;
    const sent =
      turn.batch.count === 0
        ? engine.readBarrier(handle)
        : engine.append(handle, {
            leaderEpoch: this.#leaderEpoch,
            expectedBaseOffset: turn.baseOffset,
            batch: turn.batch.finish(clock.nowMs()),
          });
    sent.then(
      (offset) => this.#landed(turn, offset),
      (error) => this.#failed(error),
    );
  }

  #landed(turn: Turn<V>, offset: bigint): void {
    this.#underway -= 1;
    if (turn.batch.count > 0) {
      assert(offset === turn.baseOffset, 'a batch lands where its records were replayed');
    }
    turn.isDone = true;
    if (!this.#isStopped) this.#release();
    this.#reportIfSettled();
  }

  #failed(error: unknown): void {
    this.#underway -= 1;
    if (!this.#isStopped) {
      const fields = { err: error, coordinator: this.#options.name };
      this.#options.logger.warn(fields, 'an append failed: the coordinator is unloaded');
    }
    this.stop(this.#onBroken);
    this.#reportIfSettled();
  }

  /** Replies leave in the order in which they were decided. */
  #release(): void {
    for (let turn = this.#flights[0]; turn?.isDone; turn = this.#flights[0]) {
      this.#flights.shift();
      if (turn.records.length > 0) {
        const end = turn.baseOffset + BigInt(turn.batch.count);
        this.#options.onCommitted?.(turn.records, end);
      }
      for (const copy of turn.copies) copy.resolve();
      this.#waiting.answer(turn.replies);
    }
  }

  #reportIfSettled(): void {
    if (this.#underway > 0 || this.#onSettled === undefined) return;
    const report = this.#onSettled;
    this.#onSettled = undefined;
    report();
  }

  #input(token: ReplyToken | undefined): Input {
    return { nowMs: this.#options.clock.nowMs(), token, newId: this.#options.newId };
  }

  #notCoordinator(): CoordinatorError {
    const { NOT_COORDINATOR } = RuntimeErrorCode;
    return new CoordinatorError(NOT_COORDINATOR, `${this.#options.name} is not led here`);
  }
}

interface Turn<V extends Vocabulary> {
  readonly batch: BatchBuilder;
  readonly baseOffset: bigint;
  readonly records: V['Record'][];
  readonly replies: { readonly token: ReplyToken; readonly reply: V['Reply'] }[];
  readonly copies: { resolve: () => void; reject: (error: CoordinatorError) => void }[];
  isDone: boolean;
}
