//! The types that callers of a partition use. The meaning of every field that a client sees is Kafka's.

use std::sync::Arc;

use ms_log::ReadPlan;
use ms_wire::validate::ValidBatch;

use crate::Partition;

/// Implemented by the reactors. Callable under a partition's lock: each method pushes to a queue, never waits and
/// never calls the partition back.
pub trait Notifier: Send + Sync {
    /// The high watermark passed what this fetch waited for (or there is nothing left to wait for): look again.
    fn wake(&self, waiter: Waiter);
    /// The result of a parked append, or of a parked `delete_records`.
    fn append_done(&self, slot: ReplySlot, done: AppendDone);
    /// The flusher should run `flush_job()`, once for any number of calls before it does.
    fn flush_wanted(&self, partition: Arc<Partition>);
    /// As `flush_wanted`, and nobody waits for it: a segment was sealed, whose sync may take long.
    fn seal_wanted(&self, partition: Arc<Partition>);
    /// The flusher should call `tend()`, once for any number of calls before it does.
    fn tend_wanted(&self, partition: Arc<Partition>);
    /// Most of what may be written and not in writeback is: the flusher should call `tend()` of every partition.
    fn relief_wanted(&self);
    /// This reactor, whose turns are among those left, should call `take_left_turns()` soon.
    fn left_turns(&self, partition: Arc<Partition>, reactor: u16);
    /// A worker should call `run_job(job)`.
    fn job_wanted(&self, partition: Arc<Partition>, job: JobKind);
    /// A worker should call `run_job(job)` after so long.
    fn job_wanted_in(&self, partition: Arc<Partition>, job: JobKind, delay_ms: i64);
    /// For TypeScript.
    fn event(&self, handle: Handle, event: PartitionEvent);
    /// For TypeScript too: what has become of the log directory.
    fn log_dir(&self, state: LogDirState);
}

/// Names a hosted partition. An index is used again after a deletion, in another generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Handle {
    pub index: u32,
    pub generation: u32,
}

/// A fetch (or anything else of a reactor) that waits for a high watermark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Waiter {
    pub reactor: u16,
    pub id: u64,
}

/// Where a parked result goes. `reactor` `ReplySlot::COMMAND` means a command of TypeScript, whose token is `id`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ReplySlot {
    pub reactor: u16,
    pub id: u64,
}

impl ReplySlot {
    pub const COMMAND: u16 = u16::MAX;
}

/// Who appends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// A producer, in any epoch; internal topics refuse it.
    Client,
    /// A coordinator in TypeScript, which decided on the state of this epoch and, when `expected_base_offset` is not
    /// negative, of exactly this log end: FENCED_LEADER_EPOCH or OFFSET_OUT_OF_RANGE otherwise.
    Coordinator { leader_epoch: i32, expected_base_offset: i64 },
}

/// One validated batch of a turn.
pub struct PendingAppend<'a> {
    /// A whole v2 batch in the receive buffer. Base offset and leader epoch are stamped in place when it is accepted.
    pub bytes: &'a mut [u8],
    /// What validation found in it.
    pub batch: ValidBatch,
    /// 0, 1 or -1, checked by the caller.
    pub acks: i16,
    /// Where the result goes if it comes later.
    pub slot: ReplySlot,
    pub origin: Origin,
    /// `None` after `append_turn`: parked, or left to who has the lock; the result comes through `Notifier::append_done`.
    pub result: Option<AppendDone>,
}

/// The result of an append. With an error the offsets are -1, as Kafka answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AppendDone {
    pub error_code: i16,
    pub base_offset: i64,
    /// -1 with CreateTime.
    pub log_append_time_ms: i64,
    pub log_start_offset: i64,
    pub leader_epoch: i32,
}

/// Work for a worker: it may wait for the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobKind {
    /// Build the group again from its files after a write that failed.
    Rebuild,
    /// Find what `retention.ms` and `retention.bytes` remove.
    Retention,
    /// Unlink the segments below the log start.
    DeleteSegments,
    /// Rename the folder of a deleted partition, so that its name is free.
    SetAside,
    /// `file.delete.delay.ms` is over: ask for `DeleteFiles`, behind what is queued.
    DeletionDue,
    /// Remove that folder.
    DeleteFiles,
}

/// What TypeScript is told of a partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PartitionEvent {
    /// Sent when the first entry of the term has committed, and when leadership is lost.
    Role { leader_epoch: i32, is_leader: bool, start_offset: i64 },
    /// The high watermark moved; only for partitions opened with `watch_commits`.
    Committed { offset: i64 },
    /// No file of it is open any more.
    Closed,
    /// Off-line until restart.
    Failed { reason: String },
    /// A line for the log of the broker.
    Log { level: LogLevel, text: String },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum LogLevel {
    Info = 30,
    Warn = 40,
    Error = 50,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum LogDirState {
    Ok = 0,
    NoSpace = 1,
    Offline = 2,
}

/// Whose partition this is and how it behaves.
#[derive(Debug, Clone)]
pub struct PartitionSpec {
    pub topic_id: [u8; 16],
    pub topic_name: String,
    pub partition_index: i32,
    /// The Raft group; never used again.
    pub group_id: u64,
    pub config: PartitionConfig,
    /// Send `PartitionEvent::Committed`.
    pub watch_commits: bool,
    /// Acknowledge only what fdatasync made durable, whatever `flush.messages` says (the metadata log).
    pub fsync_always: bool,
}

impl PartitionSpec {
    /// The name of the folder, as in Kafka.
    pub fn folder_name(&self) -> String {
        format!("{}-{}", self.topic_name, self.partition_index)
    }
}

/// The topic's configuration as far as the data plane needs it, in the order of `log-config` at the boundary.
/// Times in milliseconds; -1 means unlimited where Kafka says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartitionConfig {
    pub segment_bytes: i32,
    pub segment_ms: i64,
    pub segment_jitter_ms: i64,
    pub index_interval_bytes: i32,
    pub segment_index_bytes: i32,
    pub retention_ms: i64,
    pub retention_bytes: i64,
    pub max_message_bytes: i32,
    /// `message.timestamp.type=LogAppendTime`.
    pub log_append_time: bool,
    pub timestamp_before_max_ms: i64,
    pub timestamp_after_max_ms: i64,
    /// `cleanup.policy` contains `delete`.
    pub cleanup_delete: bool,
    /// `cleanup.policy` contains `compact`.
    pub cleanup_compact: bool,
    pub flush_messages: i64,
    pub flush_ms: i64,
    pub file_delete_delay_ms: i64,
    pub min_insync_replicas: i32,
    /// Clients may not produce to it.
    pub is_internal: bool,
}

impl Default for PartitionConfig {
    /// Kafka's defaults.
    fn default() -> Self {
        const DAY_MS: i64 = 24 * 3600 * 1000;
        PartitionConfig {
            segment_bytes: 1 << 30,
            segment_ms: 7 * DAY_MS,
            segment_jitter_ms: 0,
            index_interval_bytes: 4096,
            segment_index_bytes: 10 << 20,
            retention_ms: 7 * DAY_MS,
            retention_bytes: -1,
            max_message_bytes: 1_048_588,
            log_append_time: false,
            timestamp_before_max_ms: i64::MAX,
            timestamp_after_max_ms: 3_600_000,
            cleanup_delete: true,
            cleanup_compact: false,
            flush_messages: i64::MAX,
            flush_ms: i64::MAX,
            file_delete_delay_ms: 60_000,
            min_insync_replicas: 1,
            is_internal: false,
        }
    }
}

/// What a partition can do at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum PartitionState {
    Open = 0,
    /// A worker owns it for a moment; appends are refused with a retriable error.
    Busy = 1,
    /// The disk is full; tried again each second.
    NoSpace = 2,
    /// The log directory is off-line, or work on the group panicked. Until restart.
    Failed = 3,
    /// Marked; the files go later.
    Deleted = 4,
}

/// `isolation.level` of a reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Isolation {
    ReadUncommitted,
    ReadCommitted,
}

/// One partition of a Fetch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadQuery {
    pub fetch_offset: i64,
    pub max_bytes: u32,
    /// Give the first batch even when it is larger than `max_bytes` (KIP-74).
    pub at_least_one: bool,
    /// -1: not given.
    pub current_leader_epoch: i32,
    /// -1: not given.
    pub last_fetched_epoch: i32,
    pub isolation: Isolation,
}

/// The plan of an answer: where the bytes are. With an error the plan is empty; the offsets are real ones nevertheless
/// (Kafka answers -1 with an error).
pub struct ReadAnswer {
    pub error_code: i16,
    pub high_watermark: i64,
    pub last_stable_offset: i64,
    pub log_start_offset: i64,
    pub leader_epoch: i32,
    /// Fetch v12+: the reader's log parts from this one at (epoch, end offset).
    pub diverging: Option<EpochEnd>,
    /// Whole batches in order. `ReadPlan::Locate` is run outside the lock: `run_cached()`, and where that would block
    /// `run()` on the cold reader.
    pub plan: ReadPlan,
}

/// An epoch and the offset after its last record. (-1, -1): unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EpochEnd {
    pub leader_epoch: i32,
    pub end_offset: i64,
}

/// Special timestamps of ListOffsets.
pub const LATEST_TIMESTAMP: i64 = -1;
pub const EARLIEST_TIMESTAMP: i64 = -2;
pub const MAX_TIMESTAMP: i64 = -3;
pub const EARLIEST_LOCAL_TIMESTAMP: i64 = -4;

/// One partition of a ListOffsets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListOffsetsQuery {
    pub timestamp: i64,
    /// -1: not given.
    pub current_leader_epoch: i32,
    pub isolation: Isolation,
}

/// Its answer. (-1, -1, -1): nothing found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListedOffset {
    pub error_code: i16,
    pub offset: i64,
    pub timestamp: i64,
    pub leader_epoch: i32,
}

/// Committed batches for a coordinator that loads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogChunk {
    pub next_offset: i64,
    pub high_watermark: i64,
    pub bytes: Vec<u8>,
}

/// One line of DescribeLogDirs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartitionDescription {
    pub size_bytes: i64,
    pub log_start_offset: i64,
    pub log_end_offset: i64,
    pub high_watermark: i64,
}

/// One line of DescribeProducers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProducerDescription {
    pub producer_id: i64,
    pub producer_epoch: i32,
    pub last_sequence: i32,
    pub last_timestamp: i64,
}
