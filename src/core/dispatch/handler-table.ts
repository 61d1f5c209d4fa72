import { ApiVersions, Fetch, Produce } from '../../kafka-protocol/index.ts';
import {
  type AdvertisedApi,
  apiVersionsHandler,
  createTopics,
  deleteRecords,
  deleteTopics,
  describeCluster,
  describeConfigs,
  describeTopicPartitions,
  groupHandlers,
  type Handler,
  initProducerId,
  listOffsets,
  metadata,
  offsetForLeaderEpoch,
  saslAuthenticate,
  saslHandshake,
} from '../handlers/index.ts';

/**
 * Served by the native half. Produce is advertised from 0 although 0-2 are refused: librdkafka otherwise falls
 * back to the oldest message format (KAFKA-18659).
 */
const nativeApis: readonly AdvertisedApi[] = [
  { apiKey: Produce.key, minVersion: 0, maxVersion: Produce.maxVersion },
  { apiKey: Fetch.key, minVersion: Fetch.minVersion, maxVersion: Fetch.maxVersion },
];

const handlers: readonly Handler[] = [
  listOffsets,
  metadata,
  ...groupHandlers,
  createTopics,
  deleteTopics,
  deleteRecords,
  initProducerId,
  offsetForLeaderEpoch,
  describeConfigs,
  describeCluster,
  describeTopicPartitions,
  saslHandshake,
  saslAuthenticate,
];

/** Every API that TypeScript serves, ApiVersions among them. */
export const handlerTable: readonly Handler[] = [...handlers, apiVersionsHandler(advertisedApis())];

/** What ApiVersions answers: derived from the two tables, in the order of the keys. */
export function advertisedApis(): readonly AdvertisedApi[] {
  const { key: apiKey, minVersion, maxVersion } = ApiVersions;
  const apiVersions = { apiKey, minVersion, maxVersion };
  const served = handlers.map(({ api }) => {
    return { apiKey: api.key, minVersion: api.minVersion, maxVersion: api.maxVersion };
  });
  return [...nativeApis, ...served, apiVersions].sort((a, b) => a.apiKey - b.apiKey);
}
