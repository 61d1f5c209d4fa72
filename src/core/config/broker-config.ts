import type { Endpoint, Listener } from './listeners.ts';
import type { SettingValues } from './setting-values.ts';

/**
 * The settings of one broker, checked and in the units the broker uses. Durations and sizes of the
 * broker itself are numbers (Kafka's longs clamped to 2^53 - 1); what a topic may override is in
 * `TopicConfig`, by `resolveTopicConfig`.
 */
export interface BrokerConfig {
  /** Every value with its source, for DescribeConfigs and for the defaults of topics. */
  readonly values: SettingValues;

  readonly nodeId: number;
  readonly rack: string | undefined;
  /** What clients connect to, in the order of the file. A listener's id is its place here. */
  readonly listeners: readonly Listener[];
  /** Bound, and closed to everyone until there is a cluster. Empty in a file without controller role. */
  readonly controllerListeners: readonly Listener[];
  /** By listener name. Port 0 stands for the port that was bound. */
  readonly advertisedListeners: readonly Endpoint[];
  readonly interBrokerListenerName: string;
  readonly logDir: string;

  readonly numPartitions: number;
  readonly defaultReplicationFactor: number;
  readonly autoCreateTopicsEnable: boolean;
  readonly deleteTopicEnable: boolean;
  readonly minInsyncReplicas: number;

  readonly offsetsTopicPartitions: number;
  readonly offsetsTopicReplicationFactor: number;
  readonly offsetsTopicSegmentBytes: number;
  readonly offsetsRetentionMinutes: number;
  readonly offsetsRetentionCheckIntervalMs: number;
  readonly offsetsCommitTimeoutMs: number;
  readonly offsetMetadataMaxBytes: number;
  readonly groupMinSessionTimeoutMs: number;
  readonly groupMaxSessionTimeoutMs: number;
  readonly groupMaxSize: number;
  readonly groupInitialRebalanceDelayMs: number;

  readonly connectionsMaxIdleMs: number;
  readonly maxConnections: number;
  readonly maxConnectionsPerIp: number;
  readonly socketRequestMaxBytes: number;
  readonly queuedMaxRequests: number;
  readonly requestTimeoutMs: number;
  readonly messageMaxBytes: number;
  readonly fetchMaxBytes: number;
  readonly maxIncrementalFetchSessionCacheSlots: number;
  readonly maxRequestPartitionSizeLimit: number;
  readonly producerIdExpirationMs: number;
  readonly producerIdExpirationCheckIntervalMs: number;
  readonly logRetentionCheckIntervalMs: number;

  /** Settings of our own, named in the documentation as such. Undefined: chosen from the machine. */
  readonly reactorThreads: number | undefined;
  readonly reactorSpinUs: number;
  readonly reactorCoalesceUs: number;
  readonly reactorReceiveBytes: number;
  /** By how much the thread of TypeScript stands back for reactors, as `nice` counts. */
  readonly controlNice: number;
  readonly producerCheckCompressed: boolean;
  readonly controlRequestMaxBytes: number;
  readonly controlResponseMaxBytes: number;
  readonly bufferPoolMib: number;
  readonly dirtyMib: number;
  /** Undefined: one percent of the disk. */
  readonly logDirMinFreeBytes: number | undefined;
}
