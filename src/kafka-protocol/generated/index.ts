// Generated from definitions/ by `npm run generate`; never edited.

import { ApiVersions } from './api-versions.ts';
import { CreateTopics } from './create-topics.ts';
import { DeleteGroups } from './delete-groups.ts';
import { DeleteRecords } from './delete-records.ts';
import { DeleteTopics } from './delete-topics.ts';
import { DescribeCluster } from './describe-cluster.ts';
import { DescribeConfigs } from './describe-configs.ts';
import { DescribeGroups } from './describe-groups.ts';
import { DescribeTopicPartitions } from './describe-topic-partitions.ts';
import { Fetch } from './fetch.ts';
import { FindCoordinator } from './find-coordinator.ts';
import { Heartbeat } from './heartbeat.ts';
import { InitProducerId } from './init-producer-id.ts';
import { JoinGroup } from './join-group.ts';
import { LeaveGroup } from './leave-group.ts';
import { ListGroups } from './list-groups.ts';
import { ListOffsets } from './list-offsets.ts';
import { Metadata } from './metadata.ts';
import { OffsetCommit } from './offset-commit.ts';
import { OffsetFetch } from './offset-fetch.ts';
import { OffsetForLeaderEpoch } from './offset-for-leader-epoch.ts';
import { Produce } from './produce.ts';
import { SaslAuthenticate } from './sasl-authenticate.ts';
import { SaslHandshake } from './sasl-handshake.ts';
import { SyncGroup } from './sync-group.ts';

export * from './api-versions.ts';
export * from './consumer-offsets.ts';
export * from './consumer-protocol.ts';
export * from './create-topics.ts';
export * from './delete-groups.ts';
export * from './delete-records.ts';
export * from './delete-topics.ts';
export * from './describe-cluster.ts';
export * from './describe-configs.ts';
export * from './describe-groups.ts';
export * from './describe-topic-partitions.ts';
export * from './fetch.ts';
export * from './find-coordinator.ts';
export * from './heartbeat.ts';
export * from './init-producer-id.ts';
export * from './join-group.ts';
export * from './leave-group.ts';
export * from './list-groups.ts';
export * from './list-offsets.ts';
export * from './metadata-log.ts';
export * from './metadata.ts';
export * from './offset-commit.ts';
export * from './offset-fetch.ts';
export * from './offset-for-leader-epoch.ts';
export * from './produce.ts';
export * from './sasl-authenticate.ts';
export * from './sasl-handshake.ts';
export * from './sync-group.ts';

/** Every API that can be read and written, in the order of keys. */
export const apis = [
  Produce,
  Fetch,
  ListOffsets,
  Metadata,
  OffsetCommit,
  OffsetFetch,
  FindCoordinator,
  JoinGroup,
  Heartbeat,
  LeaveGroup,
  SyncGroup,
  DescribeGroups,
  ListGroups,
  SaslHandshake,
  ApiVersions,
  CreateTopics,
  DeleteTopics,
  DeleteRecords,
  InitProducerId,
  OffsetForLeaderEpoch,
  DescribeConfigs,
  SaslAuthenticate,
  DeleteGroups,
  DescribeCluster,
  DescribeTopicPartitions,
] as const;
