/** Replicated state machines: their shape, and the runtime that runs one on a log partition. */
export {
  type Effects,
  type EncodedRecord,
  type Input,
  type Machine,
  NOTHING,
  type RecordCodec,
  type RecordSink,
  type ReplyToken,
  type TimerChange,
  type Vocabulary,
} from './machine.ts';
export {
  CoordinatorError,
  type CoordinatorLog,
  type CoordinatorOptions,
  type StateSnapshot,
} from './options.ts';
export { BatchBuilder, keyAt, type RecordPlace, readBatches, valueAt } from './record-batch.ts';
export { CoordinatorPartition } from './runtime.ts';
