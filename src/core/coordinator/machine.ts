import type { RecordPlace } from './record-batch.ts';

/**
 * The shape of every coordinator: a pure state machine over a replicated log (docs/design/seams.md).
 * `decide` reads and changes nothing; `replay` is the only place where logged state changes and is
 * also recovery; `note` applies soft state such as parked requests and deadlines. The runtime
 * replays the records of a command first and applies its notes after them.
 */
export interface Machine<V extends Vocabulary> {
  decide(command: V['Command'], input: Input): Effects<V>;
  replay(record: V['Record']): void;
  note(note: V['Note']): void;
  /**
   * Live state as records, for the checkpoint that lets older log be dropped. It is iterated while
   * commands go on; each record must be true at the moment it is yielded.
   */
  snapshot(): Iterable<V['Record']>;
  /** How many records `snapshot` yields; absent: not known. */
  liveRecords?(): number;
  /** Called after load: the deadlines that logged state implies, started afresh. */
  deadlinesAfterLoad(): readonly TimerChange<V>[];
}

/** The types one machine speaks. `Reply` is what a parked request or a query is answered with. */
export interface Vocabulary {
  readonly Command: { readonly kind: string };
  readonly Record: { readonly kind: string };
  readonly Note: { readonly kind: string };
  readonly Reply: unknown;
}

/** What a command may know of the world. `newId` makes a UUID; both come from the runtime. */
export interface Input {
  /** The wall clock, for timestamps in records. It may be set: what must wait a while is a timer with a delay. */
  readonly nowMs: number;
  /** The request this command came with; commands of timers have none. */
  readonly token: ReplyToken | undefined;
  readonly newId: () => string;
}

/** Names a request that waits for its reply. */
export type ReplyToken = number & { readonly brand: 'ReplyToken' };

export interface Effects<V extends Vocabulary> {
  readonly records: readonly V['Record'][];
  readonly replies: readonly { readonly token: ReplyToken; readonly reply: V['Reply'] }[];
  readonly timers: readonly TimerChange<V>[];
  readonly notes: readonly V['Note'][];
  /** The records may go into several batches: a crash between two of them does no harm. */
  readonly isDivisible?: boolean;
  /** Executed in place of all this, when the log does not take the records and the request was refused for it. */
  readonly ifUnwritten?: V['Command'];
}

/** Sets, moves or (delayMs undefined) clears the timer of that name; after the delay its command is executed. */
export interface TimerChange<V extends Vocabulary> {
  readonly name: string;
  readonly delayMs: number | undefined;
  readonly command?: V['Command'];
}

/** The effects of a command that changes nothing and answers nobody. */
export const NOTHING = { records: [], replies: [], timers: [], notes: [] } as const;

/** How the records of a machine stand in its log. `decode` skips (undefined) what it does not know. */
export interface RecordCodec<R> {
  encode(record: R, nowMs: number): EncodedRecord;
  /** As `encode`, of what one command may have by the ten thousand; false leaves a record to `encode`. */
  encodeInto?(record: R, sink: RecordSink): boolean;
  decode(key: Uint8Array | null, value: Uint8Array | null): R | undefined;
  /** As `decode`, of what a log has by the million; undefined leaves a record to `decode`. */
  decodeAt?(place: RecordPlace): R | undefined;
}

/** Where records are written without being made first. */
export interface RecordSink {
  /** The place of the next record, whose key and value have these lengths: the same object every time. */
  reserve(keyBytes: number, valueBytes: number): RecordPlace;
}

export interface EncodedRecord {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
}
