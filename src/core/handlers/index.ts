/** What each API does. */
export {
  type AdvertisedApi,
  apiVersionsHandler,
  unsupportedApiVersionsAnswer,
} from './api-versions.ts';
export { createTopics } from './create-topics.ts';
export { deleteRecords } from './delete-records.ts';
export { deleteTopics } from './delete-topics.ts';
export { describeCluster } from './describe-cluster.ts';
export { describeConfigs } from './describe-configs.ts';
export { describeTopicPartitions } from './describe-topic-partitions.ts';
export { groupHandlers } from './group-handlers.ts';
export * from './handler.ts';
export { initProducerId } from './init-producer-id.ts';
export { listOffsets } from './list-offsets.ts';
export { metadata } from './metadata.ts';
export { offsetForLeaderEpoch } from './offset-for-leader-epoch.ts';
export { saslAuthenticate } from './sasl-authenticate.ts';
export { saslHandshake } from './sasl-handshake.ts';
