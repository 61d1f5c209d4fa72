import type { LogConfig } from '../../engine/index.ts';

/**
 * The settings of one topic as the broker uses them: its own overrides over the broker's values.
 * Longs are bigint, because Kafka's "no limit" is 2^63 - 1. Kept in the order of the log first.
 */
export interface TopicConfig {
  readonly segmentBytes: number;
  readonly segmentMs: bigint;
  readonly segmentJitterMs: bigint;
  readonly segmentIndexBytes: number;
  readonly indexIntervalBytes: number;
  /** -1: kept for ever. */
  readonly retentionMs: bigint;
  /** -1: no limit. */
  readonly retentionBytes: bigint;
  readonly maxMessageBytes: number;
  readonly maxDecompressedMessageBytes: number;
  readonly messageTimestampType: 'CreateTime' | 'LogAppendTime';
  readonly messageTimestampBeforeMaxMs: bigint;
  readonly messageTimestampAfterMaxMs: bigint;
  readonly cleanupPolicy: { readonly isDelete: boolean; readonly isCompact: boolean };
  readonly flushMessages: bigint;
  readonly flushMs: bigint;
  readonly fileDeleteDelayMs: bigint;
  readonly minInsyncReplicas: number;
  readonly compressionType: string;
  readonly deleteRetentionMs: bigint;
  readonly uncleanLeaderElectionEnable: boolean;
}

/** What of a topic's settings the log of each of its partitions needs. Internal topics take no produce of clients. */
export function toLogConfig(config: TopicConfig, isInternal: boolean): LogConfig {
  return {
    segmentBytes: config.segmentBytes,
    segmentMs: config.segmentMs,
    segmentJitterMs: config.segmentJitterMs,
    indexIntervalBytes: config.indexIntervalBytes,
    segmentIndexBytes: config.segmentIndexBytes,
    retentionMs: config.retentionMs,
    retentionBytes: config.retentionBytes,
    maxMessageBytes: config.maxMessageBytes,
    timestampType: config.messageTimestampType,
    timestampBeforeMaxMs: config.messageTimestampBeforeMaxMs,
    timestampAfterMaxMs: config.messageTimestampAfterMaxMs,
    cleanup: config.cleanupPolicy,
    flushMessages: config.flushMessages,
    flushMs: config.flushMs,
    fileDeleteDelayMs: config.fileDeleteDelayMs,
    minInsyncReplicas: config.minInsyncReplicas,
    isInternal,
  };
}
