import type { LogConfig } from '../../engine/index.ts';
import type { BrokerConfig } from './broker-config.ts';
import type { SettingValue } from './setting.ts';
import type { SettingValues } from './setting-values.ts';
import { topicSettings } from './table.ts';
import { parseValue } from './value.ts';

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

/** The settings in force for a topic: its overrides, which were validated when they were stored, over the broker's. */
export function resolveTopicConfig(
  broker: BrokerConfig,
  overrides: ReadonlyMap<string, string>,
): TopicConfig {
  const values = topicValues(broker.values, overrides);
  const get = <V extends SettingValue>(name: string) => values.get(name) as V;
  const policy = get<readonly string[]>('cleanup.policy');
  return {
    segmentBytes: get<number | null>('internal.segment.bytes') ?? get<number>('segment.bytes'),
    segmentMs: get('segment.ms'),
    segmentJitterMs: get('segment.jitter.ms'),
    segmentIndexBytes: get('segment.index.bytes'),
    indexIntervalBytes: get('index.interval.bytes'),
    retentionMs: get('retention.ms'),
    retentionBytes: get('retention.bytes'),
    maxMessageBytes: get('max.message.bytes'),
    maxDecompressedMessageBytes: get('max.decompressed.message.bytes'),
    messageTimestampType: get<'CreateTime' | 'LogAppendTime'>('message.timestamp.type'),
    messageTimestampBeforeMaxMs: get('message.timestamp.before.max.ms'),
    messageTimestampAfterMaxMs: get('message.timestamp.after.max.ms'),
    cleanupPolicy: { isDelete: policy.includes('delete'), isCompact: policy.includes('compact') },
    flushMessages: get('flush.messages'),
    flushMs: get('flush.ms'),
    fileDeleteDelayMs: get('file.delete.delay.ms'),
    minInsyncReplicas: get('min.insync.replicas'),
    compressionType: get('compression.type'),
    deleteRetentionMs: get('delete.retention.ms'),
    uncleanLeaderElectionEnable: get('unclean.leader.election.enable'),
  };
}

/**
 * Every setting of a topic, parsed. An override that cannot be read gives way to the broker's value:
 * it can only have been stored by a version with other rules.
 */
export function topicValues(
  broker: SettingValues,
  overrides: ReadonlyMap<string, string>,
): ReadonlyMap<string, SettingValue> {
  const values = new Map<string, SettingValue>();
  for (const setting of topicSettings.values()) {
    const text = overrides.get(setting.name);
    const parsed = text === undefined ? undefined : parseValue(setting, text);
    values.set(setting.name, parsed?.isValid ? parsed.value : inherited(broker, setting.name));
  }
  return values;
}

/** The broker's values for what it can give in more than one unit. */
export function logDefaults(broker: SettingValues) {
  const ms = (name: string) => broker.get(name) as bigint | null;
  const scaled = (name: string, unitMs: number) => {
    const value = broker.get(name);
    return value === null ? undefined : BigInt(Number(value)) * BigInt(unitMs);
  };
  const retentionMs =
    ms('log.retention.ms') ??
    scaled('log.retention.minutes', 60_000) ??
    scaled('log.retention.hours', 3_600_000) ??
    -1n;
  return {
    retentionMs: retentionMs < 0n ? -1n : retentionMs,
    segmentMs: ms('log.roll.ms') ?? scaled('log.roll.hours', 3_600_000) ?? 0n,
    segmentJitterMs: ms('log.roll.jitter.ms') ?? scaled('log.roll.jitter.hours', 3_600_000) ?? 0n,
    flushMs: ms('log.flush.interval.ms') ?? ms('log.flush.scheduler.interval.ms') ?? 0n,
  };
}

function inherited(broker: SettingValues, name: string): SettingValue {
  switch (name) {
    case 'retention.ms':
      return logDefaults(broker).retentionMs;
    case 'segment.ms':
      return logDefaults(broker).segmentMs;
    case 'segment.jitter.ms':
      return logDefaults(broker).segmentJitterMs;
    case 'flush.ms':
      return logDefaults(broker).flushMs;
    default: {
      const setting = topicSettings.get(name);
      const synonym = setting?.synonyms[0];
      return synonym === undefined ? (setting?.default ?? null) : broker.get(synonym);
    }
  }
}
