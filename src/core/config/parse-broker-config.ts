import type { BrokerConfig } from './broker-config.ts';
import { crossCheck, logDirs } from './cross-checks.ts';
import { type Addresses, readListeners } from './listeners.ts';
import type { ConfigProblem } from './problem.ts';
import { checkRolesAndQuorum } from './quorum.ts';
import { readValues, type SettingValues } from './setting-values.ts';
import { judgeUnknownNames } from './unknown-names.ts';

/** A configuration with what deserves a warning, or every reason why it is refused. */
export type ParsedBrokerConfig =
  | {
      readonly kind: 'accepted';
      readonly config: BrokerConfig;
      readonly warnings: readonly string[];
    }
  | { readonly kind: 'refused'; readonly problems: readonly ConfigProblem[] };

/** What defaults depend on: the name to advertise, and the memory this process may use. */
export interface Machine {
  readonly hostName: string;
  readonly memoryBytes: number;
}

/**
 * Turns the text of `server.properties` into the broker's configuration. Nothing is half accepted:
 * with one problem there is no configuration.
 */
export function parseBrokerConfig(
  properties: ReadonlyMap<string, string>,
  machine: Machine,
): ParsedBrokerConfig {
  const { values, problems } = readValues(properties);
  const unknown = judgeUnknownNames(properties.keys());
  // Rules between settings mean nothing while a single one cannot be read.
  const first = [...unknown.problems, ...problems];
  if (first.length > 0) return { kind: 'refused', problems: first };
  const outcome = readListeners(values, machine.hostName);
  if ('problem' in outcome) return { kind: 'refused', problems: [outcome.problem] };
  const { addresses } = outcome;
  const rest = [
    ...checkRolesAndQuorum(values, addresses.controllerListeners),
    ...crossCheck(values),
  ];
  if (rest.length > 0) return { kind: 'refused', problems: rest };
  return {
    kind: 'accepted',
    config: typed(values, addresses, machine),
    warnings: unknown.warnings,
  };
}

function typed(
  values: SettingValues,
  addresses: Addresses,
  { memoryBytes }: Machine,
): BrokerConfig {
  const number = (name: string) => values.number(name);
  return {
    values,
    nodeId: number('node.id'),
    rack: values.optionalText('broker.rack'),
    ...addresses,
    logDir: logDirs(values)[0] ?? '',

    numPartitions: number('num.partitions'),
    defaultReplicationFactor: number('default.replication.factor'),
    autoCreateTopicsEnable: values.boolean('auto.create.topics.enable'),
    deleteTopicEnable: values.boolean('delete.topic.enable'),
    minInsyncReplicas: number('min.insync.replicas'),

    offsetsTopicPartitions: number('offsets.topic.num.partitions'),
    offsetsTopicReplicationFactor: number('offsets.topic.replication.factor'),
    offsetsTopicSegmentBytes: number('offsets.topic.segment.bytes'),
    offsetsRetentionMinutes: number('offsets.retention.minutes'),
    offsetsRetentionCheckIntervalMs: number('offsets.retention.check.interval.ms'),
    offsetsCommitTimeoutMs: number('offsets.commit.timeout.ms'),
    offsetMetadataMaxBytes: number('offset.metadata.max.bytes'),
    groupMinSessionTimeoutMs: number('group.min.session.timeout.ms'),
    groupMaxSessionTimeoutMs: number('group.max.session.timeout.ms'),
    groupMaxSize: number('group.max.size'),
    groupInitialRebalanceDelayMs: number('group.initial.rebalance.delay.ms'),

    connectionsMaxIdleMs: number('connections.max.idle.ms'),
    maxConnections: number('max.connections'),
    maxConnectionsPerIp: number('max.connections.per.ip'),
    socketRequestMaxBytes: number('socket.request.max.bytes'),
    queuedMaxRequests: number('queued.max.requests'),
    requestTimeoutMs: number('request.timeout.ms'),
    messageMaxBytes: number('message.max.bytes'),
    fetchMaxBytes: number('fetch.max.bytes'),
    maxIncrementalFetchSessionCacheSlots: number('max.incremental.fetch.session.cache.slots'),
    maxRequestPartitionSizeLimit: number('max.request.partition.size.limit'),
    producerIdExpirationMs: number('producer.id.expiration.ms'),
    producerIdExpirationCheckIntervalMs: number('producer.id.expiration.check.interval.ms'),
    logRetentionCheckIntervalMs: number('log.retention.check.interval.ms'),

    reactorThreads: values.optionalNumber('reactor.threads'),
    reactorSpinUs: number('reactor.spin.us'),
    reactorCoalesceUs: number('reactor.coalesce.us'),
    reactorReceiveBytes: number('reactor.receive.bytes'),
    controlNice: number('control.nice'),
    producerCheckCompressed: values.boolean('producer.check.compressed'),
    controlRequestMaxBytes: number('control.request.max.bytes'),
    controlResponseMaxBytes: number('control.response.max.bytes'),
    bufferPoolMib: values.optionalNumber('reactor.pool.mib') ?? quarterMib(memoryBytes),
    dirtyMib: values.optionalNumber('log.dirty.mib') ?? eighthMib(memoryBytes),
    logDirMinFreeBytes: values.optionalNumber('log.dir.min.free.bytes'),
  };
}

// Linux begins to write by itself at a tenth, and slows writers down from three twentieths on (vm.dirty_background_ratio
// and vm.dirty_ratio as they come). Between the two clients are no longer read.
function eighthMib(memoryBytes: number): number {
  return Math.max(256, Math.floor(memoryBytes / 8 / 2 ** 20));
}

function quarterMib(memoryBytes: number): number {
  return Math.max(16, Math.floor(memoryBytes / 4 / 2 ** 20));
}
