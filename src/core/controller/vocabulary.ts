import type { BrokerRecord } from '../metadata/index.ts';

export type ControllerCommand =
  | { readonly kind: 'register-broker'; readonly broker: BrokerRecord }
  | CreateTopicsCommand
  | DeleteTopicsCommand
  | { readonly kind: 'allocate-producer-ids' };

export interface CreateTopicsCommand {
  readonly kind: 'create-topics';
  readonly topics: readonly NewTopic[];
  readonly validateOnly: boolean;
}

/** Counts of -1 mean the broker's defaults; assignments, when given, stand instead of both counts. */
export interface NewTopic {
  readonly name: string;
  readonly numPartitions: number;
  readonly replicationFactor: number;
  readonly assignments: readonly {
    readonly partitionIndex: number;
    readonly brokerIds: readonly number[];
  }[];
  readonly configs: readonly { readonly name: string; readonly value: string | null }[];
}

export interface DeleteTopicsCommand {
  readonly kind: 'delete-topics';
  /** By name or by id: the other one is null. */
  readonly topics: readonly { readonly name: string | null; readonly topicId: string | null }[];
}

export type ControllerReply =
  | { readonly kind: 'done' }
  | RefusedCommand
  | { readonly kind: 'topics-created'; readonly topics: readonly CreatedTopic[] }
  | { readonly kind: 'topics-deleted'; readonly topics: readonly DeletedTopic[] }
  | { readonly kind: 'producer-ids'; readonly first: bigint; readonly count: bigint };

/** A command that is refused as a whole. */
export interface RefusedCommand {
  readonly kind: 'refused';
  readonly errorCode: number;
  readonly errorMessage: string | null;
}

export interface CreatedTopic {
  readonly name: string;
  readonly errorCode: number;
  readonly errorMessage: string | null;
  readonly topicId: string;
  readonly numPartitions: number;
  readonly replicationFactor: number;
  readonly configs: ReadonlyMap<string, string>;
}

export interface DeletedTopic {
  readonly name: string | null;
  readonly topicId: string;
  readonly errorCode: number;
  readonly errorMessage: string | null;
}
