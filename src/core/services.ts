import type { Clock, Pace } from './base/index.ts';
import type { BrokerConfig } from './config/index.ts';
import type { ControllerClient } from './controller/index.ts';
import type { GroupCoordinator } from './group/index.ts';
import type { ClusterMetadata } from './metadata/index.ts';
import type { Partitions } from './partitions.ts';

/** What a handler may call. One of each for the life of a broker. */
export interface Services {
  readonly config: BrokerConfig;
  readonly clusterId: string;
  readonly clock: Clock;
  readonly pace: Pace;
  readonly metadata: ClusterMetadata;
  readonly controller: ControllerClient;
  readonly partitions: Partitions;
  readonly groups: GroupCoordinator;
}
