import type {
  DescribedGroup,
  Draft,
  HeartbeatResponse,
  JoinGroupResponse,
  LeaveGroupResponse,
  ListedGroup,
  SyncGroupResponse,
} from '../../kafka-protocol/index.ts';
import type { ClassicGroup, Protocol } from './classic-group.ts';

/** What the machine of one partition of `__consumer_offsets` is told, logs, notes and answers. */
export interface GroupVocabulary {
  readonly Command: GroupCommand;
  readonly Record: GroupRecord;
  readonly Note: GroupNote;
  readonly Reply: GroupReply;
}

export type GroupCommand =
  | JoinCommand
  | SyncCommand
  | HeartbeatCommand
  | LeaveCommand
  | CommitCommand
  | FetchCommand
  | { readonly kind: 'describe'; readonly groupIds: readonly string[] }
  | { readonly kind: 'list'; readonly states: readonly string[]; readonly types: readonly string[] }
  | { readonly kind: 'delete-groups'; readonly groupIds: readonly string[] }
  | { readonly kind: 'topics-deleted'; readonly topics: readonly TopicName[] }
  /** Which topics there are offsets of. */
  | { readonly kind: 'committed-topics' }
  | { readonly kind: 'session-expired'; readonly groupId: string; readonly memberId: string }
  | {
      readonly kind: 'initial-delay-expired';
      readonly groupId: string;
      readonly remainingMs: number;
    }
  | { readonly kind: 'rebalance-expired'; readonly groupId: string }
  | { readonly kind: 'sync-expired'; readonly groupId: string; readonly generationId: number }
  /** The log did not take the assignment that the leader brought. */
  | { readonly kind: 'assignment-unwritten'; readonly groupId: string }
  | { readonly kind: 'over-capacity'; readonly groupId: string }
  /** `groupIds`: those that are left of a round; absent: a new round begins. */
  | { readonly kind: 'expire-offsets'; readonly groupIds?: readonly string[] };

/** A topic as a commit knew it: one that is made again under the same name has another id. */
export interface TopicName {
  readonly name: string;
  /** The zero id: of a commit that did not say. */
  readonly topicId: string;
}

export interface JoinCommand {
  readonly kind: 'join';
  readonly groupId: string;
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  readonly clientId: string;
  readonly clientHost: string;
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
  readonly protocolType: string;
  readonly protocols: readonly Protocol[];
  /** From version 4 on a new dynamic member is sent away once, with its id (KIP-394). */
  readonly needsMemberId: boolean;
  /** From version 9 on a static leader that came back may skip the assignment (KIP-814). */
  readonly canSkipAssignment: boolean;
}

export interface SyncCommand {
  readonly kind: 'sync';
  readonly groupId: string;
  readonly generationId: number;
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  readonly protocolType: string | null;
  readonly protocolName: string | null;
  readonly assignments: readonly { readonly memberId: string; readonly assignment: Uint8Array }[];
}

export interface HeartbeatCommand {
  readonly kind: 'heartbeat';
  readonly groupId: string;
  readonly generationId: number;
  readonly memberId: string;
  readonly groupInstanceId: string | null;
}

export interface LeaveCommand {
  readonly kind: 'leave';
  readonly groupId: string;
  readonly members: readonly {
    readonly memberId: string;
    readonly groupInstanceId: string | null;
  }[];
}

export interface CommitCommand {
  readonly kind: 'commit';
  readonly groupId: string;
  readonly generationId: number;
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  /** -1: the broker's `offsets.retention.minutes`. */
  readonly retentionTimeMs: bigint;
  /** From version 9 on a missing group is GROUP_ID_NOT_FOUND, before that ILLEGAL_GENERATION. */
  readonly knowsGroupIdNotFound: boolean;
  readonly topics: readonly CommitTopic[];
}

export interface CommitTopic {
  readonly name: string;
  readonly topicId: string;
  readonly partitions: readonly {
    readonly partitionIndex: number;
    readonly committedOffset: bigint;
    readonly committedLeaderEpoch: number;
    readonly committedMetadata: string | null;
  }[];
}

export interface FetchCommand {
  readonly kind: 'fetch';
  readonly groupId: string;
  /** Undefined: everything the group has committed. */
  readonly topics:
    | readonly { readonly name: string; readonly partitionIndexes: readonly number[] }[]
    | undefined;
}

/** In the log these are the records of Kafka's `__consumer_offsets`. */
export type GroupRecord =
  | {
      readonly kind: 'offset';
      readonly groupId: string;
      readonly topic: string;
      readonly partitionIndex: number;
      readonly value: CommittedOffset;
    }
  | {
      readonly kind: 'offset-tombstone';
      readonly groupId: string;
      readonly topic: string;
      readonly partitionIndex: number;
    }
  | { readonly kind: 'group'; readonly groupId: string; readonly value: GroupValue }
  | { readonly kind: 'group-tombstone'; readonly groupId: string };

export interface CommittedOffset {
  readonly offset: bigint;
  /** -1: not known. */
  readonly leaderEpoch: number;
  readonly metadata: string;
  readonly commitTimestampMs: number;
  /** From requests of old versions that named a retention of their own. */
  readonly expireTimestampMs: number | undefined;
  readonly topicId: string;
}

/** What a group keeps over a failover: its last generation with an assignment, or that it is empty. */
export interface GroupValue {
  /** Empty: a group that only stores offsets. */
  readonly protocolType: string;
  readonly generationId: number;
  readonly protocolName: string | null;
  readonly leaderId: string | null;
  /** -1: not known. */
  readonly stateSinceMs: number;
  readonly members: readonly MemberValue[];
}

export interface MemberValue {
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  readonly clientId: string;
  readonly clientHost: string;
  readonly rebalanceTimeoutMs: number;
  readonly sessionTimeoutMs: number;
  readonly subscription: Uint8Array;
  readonly assignment: Uint8Array;
}

/** A group as it stands, with what is not logged: parked requests, pending members, its rebalance. */
export interface GroupNote {
  readonly kind: 'group';
  readonly group: ClassicGroup;
}

export type GroupReply =
  | JoinReply
  | SyncReply
  | HeartbeatReply
  | LeaveReply
  | CommitReply
  | FetchReply
  | { readonly kind: 'describe'; readonly groups: readonly Draft<DescribedGroup>[] }
  | { readonly kind: 'list'; readonly groups: readonly ListedGroup[] }
  | { readonly kind: 'delete-groups'; readonly results: readonly DeletedGroup[] }
  | { readonly kind: 'committed-topics'; readonly topics: readonly TopicName[] };

export type JoinReply = { readonly kind: 'join' } & Draft<JoinGroupResponse>;
export type SyncReply = { readonly kind: 'sync' } & Draft<SyncGroupResponse>;
export type HeartbeatReply = { readonly kind: 'heartbeat' } & Draft<HeartbeatResponse>;
export type LeaveReply = { readonly kind: 'leave' } & Draft<LeaveGroupResponse>;

export interface CommitReply {
  readonly kind: 'commit';
  /** For all partitions alike when it is not NONE; `topics` is empty then. */
  readonly errorCode: number;
  readonly topics: readonly {
    readonly name: string;
    readonly partitions: readonly { readonly partitionIndex: number; readonly errorCode: number }[];
  }[];
}

export interface FetchReply {
  readonly kind: 'fetch';
  /** For the whole group when it is not NONE; `topics` is empty then. */
  readonly errorCode: number;
  readonly topics: readonly {
    readonly name: string;
    readonly partitions: readonly FetchedOffset[];
  }[];
}

export interface FetchedOffset {
  readonly partitionIndex: number;
  /** -1: none is committed. */
  readonly committedOffset: bigint;
  readonly committedLeaderEpoch: number;
  readonly metadata: string;
  readonly errorCode: number;
  /** The id that the topic had at the commit; the zero id: not known. */
  readonly topicId: string;
}

export interface DeletedGroup {
  readonly groupId: string;
  readonly errorCode: number;
  readonly errorMessage: string | null;
}

/** The settings of group coordination; names as in server.properties. */
export interface GroupSettings {
  readonly groupMinSessionTimeoutMs: number;
  readonly groupMaxSessionTimeoutMs: number;
  readonly groupMaxSize: number;
  readonly groupInitialRebalanceDelayMs: number;
  readonly offsetsRetentionMinutes: number;
  readonly offsetsRetentionCheckIntervalMs: number;
  readonly offsetMetadataMaxBytes: number;
  readonly offsetsTopicPartitions: number;
}
