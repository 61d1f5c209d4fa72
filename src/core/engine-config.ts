import { availableParallelism } from 'node:os';
import type { EngineConfig } from '../engine/index.ts';
import type { BrokerConfig } from './config/index.ts';
import { advertisedApis } from './dispatch/index.ts';

const REACTORS_MAX = 8;
const ONE_PERCENT = -1;

/** What the native half must know of the configuration; listener ids are places in the two lists, clients' first. */
export function engineConfigOf(config: BrokerConfig): EngineConfig {
  const clients = config.listeners.map(({ host, port }, id) => {
    return { id, kind: 'kafka', host, port } as const;
  });
  const controllers = config.controllerListeners.map(({ host, port }, i) => {
    return { id: clients.length + i, kind: 'closed', host, port } as const;
  });
  return {
    nodeId: config.nodeId,
    logDir: config.logDir,
    listeners: [...clients, ...controllers],
    reactors: config.reactorThreads ?? defaultReactors(),
    spinUs: config.reactorSpinUs,
    coalesceUs: config.reactorCoalesceUs,
    recvBytes: config.reactorReceiveBytes,
    maxRequestBytes: config.socketRequestMaxBytes,
    maxControlRequestBytes: config.controlRequestMaxBytes,
    poolMib: config.bufferPoolMib,
    dirtyMib: config.dirtyMib,
    connectionsMaxIdleMs: config.connectionsMaxIdleMs,
    maxConnectionsPerIp: config.maxConnectionsPerIp,
    maxConnections: config.maxConnections,
    fetchMaxBytes: config.fetchMaxBytes,
    fetchSessionSlots: config.maxIncrementalFetchSessionCacheSlots,
    producerIdExpirationMs: config.producerIdExpirationMs,
    producerIdExpirationCheckMs: config.producerIdExpirationCheckIntervalMs,
    producerCheckCompressed: config.producerCheckCompressed,
    minFreeBytes: config.logDirMinFreeBytes ?? ONE_PERCENT,
    retentionCheckMs: config.logRetentionCheckIntervalMs,
  };
}

/** The APIs whose requests go to TypeScript, for `createNativeEngine`. */
export function controlApis(): readonly (readonly [key: number, min: number, max: number])[] {
  const native = new Set([0, 1]);
  const control = advertisedApis().filter(({ apiKey }) => !native.has(apiKey));
  return control.map(({ apiKey, minVersion, maxVersion }) => [apiKey, minVersion, maxVersion]);
}

function defaultReactors(): number {
  return Math.max(1, Math.min(REACTORS_MAX, availableParallelism() - 1));
}
