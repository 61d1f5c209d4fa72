/**
 * The records of the metadata log, as both the controller and every broker's image replay them.
 * Topic ids are 22-character text, group ids name Raft groups and are never reused.
 */
export type MetadataRecord =
  | FeatureRecord
  | BrokerRecord
  | TopicRecord
  | PartitionRecord
  | TopicConfigRecord
  | TopicRemovedRecord
  | ProducerIdsRecord
  | GroupIdsRecord;

export interface FeatureRecord {
  readonly kind: 'feature';
  readonly name: string;
  readonly level: number;
}

export interface BrokerRecord {
  readonly kind: 'broker';
  readonly nodeId: number;
  /** New at every start of the process. */
  readonly incarnationId: string;
  readonly directoryId: string;
  readonly rack: string | null;
  readonly endpoints: readonly {
    readonly name: string;
    readonly host: string;
    readonly port: number;
  }[];
}

export interface TopicRecord {
  readonly kind: 'topic';
  readonly topicId: string;
  readonly name: string;
}

export interface PartitionRecord {
  readonly kind: 'partition';
  readonly topicId: string;
  readonly partitionIndex: number;
  readonly groupId: bigint;
  readonly replicas: readonly number[];
}

/** Value null takes the override away. */
export interface TopicConfigRecord {
  readonly kind: 'topic-config';
  readonly topicId: string;
  readonly name: string;
  readonly value: string | null;
}

export interface TopicRemovedRecord {
  readonly kind: 'topic-removed';
  readonly topicId: string;
}

/** Producer ids below `nextProducerId` have been handed out. */
export interface ProducerIdsRecord {
  readonly kind: 'producer-ids';
  readonly nextProducerId: bigint;
}

/** Raft group ids below `nextGroupId` have been used; kept apart so that a deleted topic's is not used again. */
export interface GroupIdsRecord {
  readonly kind: 'group-ids';
  readonly nextGroupId: bigint;
}
