/** Classic consumer groups and committed offsets: the coordinator over `__consumer_offsets`. */
export {
  GroupCoordinator,
  type GroupCoordinatorDeps,
  OFFSETS_TOPIC,
  type OffsetsTopics,
  type TopicCreation,
} from './group-coordinator.ts';
export type {
  CommitCommand,
  CommitReply,
  CommitTopic,
  FetchCommand,
  FetchedOffset,
  FetchReply,
  GroupSettings,
  JoinCommand,
  JoinReply,
  SyncCommand,
} from './vocabulary.ts';
