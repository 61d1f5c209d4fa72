//! One partition's log: an active segment, sealed ones below it, and the maps over them.

use crate::checkpoint::PartitionCheckpoint;
use crate::disk::Disk;
use crate::entry::{AppendPosition, Entry, FrameToWrite};
use crate::error::{AppendError, LogError, ReadError};
use crate::flush::{FlushJob, Flushed};
use crate::options::{LogIdentity, LogOptions};
use crate::read::{ReadPlan, ReadRequest};
use crate::recovery::{BatchVisitor, OpenLog, Recovery};
use crate::retention::{DeleteJob, RetentionPlan};
use crate::time_search::TimeSearch;
use std::path::Path;
use std::sync::Arc;

/// What the next append will bring, to decide whether a new segment must begin first (as Kafka's `shouldRoll`).
#[derive(Clone, Copy, Debug)]
pub struct NextAppend {
    /// Bytes of all frames of the turn.
    pub bytes: u32,
    /// Largest timestamp in them, or -1.
    pub max_timestamp: i64,
    /// The last offset they will consume.
    pub last_offset: u64,
}

/// Answer of OffsetForLeaderEpoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EpochEnd {
    /// The largest epoch at or below the one asked for.
    pub epoch: u32,
    /// Start of the next epoch, or the log end.
    pub end_offset: u64,
}

/// The log of one partition. Every method is called under the partition's lock; none waits for the disk except where it
/// says so.
pub struct PartitionLog {
    _private: (),
}

impl PartitionLog {
    /// Creates folder, `partition.metadata` and the first segment, durably. Waits for the disk.
    pub fn create(
        disk: Arc<dyn Disk>,
        dir: &Path,
        identity: LogIdentity,
        options: LogOptions,
        now_ms: i64,
    ) -> Result<PartitionLog, LogError> {
        let _ = (disk, dir, identity, options, now_ms);
        unimplemented!()
    }

    /// Opens what is in the folder by the recovery rules; `visitor` gets the producer snapshot and every batch behind it.
    /// Waits for the disk.
    pub fn open(
        how: OpenLog<'_>,
        visitor: &mut dyn BatchVisitor,
    ) -> Result<(PartitionLog, Recovery), LogError> {
        let _ = (how, visitor);
        unimplemented!()
    }

    /// Writes all frames of a turn by one `pwritev`. Roll first (`roll_if_needed`). No allocation beyond amortized growth
    /// of the index, one pass over the descriptors. After an error nothing of it is in the log; see [`AppendError`].
    pub fn append(&mut self, frames: &[FrameToWrite<'_>]) -> Result<AppendPosition, AppendError> {
        let _ = frames;
        unimplemented!()
    }

    /// Whether the next append belongs into a new segment (Kafka's `LogSegment.shouldRoll`).
    pub fn should_roll(&self, next: &NextAppend, now_ms: i64) -> bool {
        let _ = (next, now_ms);
        unimplemented!()
    }

    /// Seals the active segment and begins a new one. `producers` is the producer state at the log end, kept opaque in the
    /// sealed index. Costs an open and one write; what has to be synced is in the next [`FlushJob`].
    pub fn roll(&mut self, now_ms: i64, producers: Vec<u8>) -> Result<(), LogError> {
        let _ = (now_ms, producers);
        unimplemented!()
    }

    /// [`PartitionLog::roll`] if [`PartitionLog::should_roll`]; says whether it did.
    pub fn roll_if_needed(
        &mut self,
        next: &NextAppend,
        now_ms: i64,
        producers: impl FnOnce() -> Vec<u8>,
    ) -> Result<bool, LogError> {
        if !self.should_roll(next, now_ms) {
            return Ok(false);
        }
        self.roll(now_ms, producers()).map(|()| true)
    }

    /// Drops the entries from `index` on, durably. Waits for the disk. Producer state is rolled back by
    /// [`PartitionLog::replay_batches`].
    pub fn truncate_from(&mut self, index: u64) -> Result<(), LogError> {
        let _ = index;
        unimplemented!()
    }

    /// Gives `visitor` the newest producer snapshot and every batch behind it, up to the log end. Waits for the disk.
    pub fn replay_batches(&self, visitor: &mut dyn BatchVisitor) -> Result<(), LogError> {
        let _ = visitor;
        unimplemented!()
    }

    /// Changes the settings; they hold from the next append on.
    pub fn configure(&mut self, options: LogOptions) {
        let _ = options;
        unimplemented!()
    }

    /// The oldest index in the log.
    pub fn first_index(&self) -> u64 {
        unimplemented!()
    }

    /// The newest index; `first_index() - 1` when the log is empty.
    pub fn last_index(&self) -> u64 {
        unimplemented!()
    }

    /// Term of an index in `first_index() - 1 ..= last_index()`. Never asks the disk.
    pub fn term(&self, index: u64) -> Option<u32> {
        let _ = index;
        unimplemented!()
    }

    /// Descriptor of an entry if it is in the entry ring; never asks the disk.
    pub fn entry(&self, index: u64) -> Option<Entry> {
        let _ = index;
        unimplemented!()
    }

    /// Appends the descriptors of `lo..hi` to `out`, stopping once their frames exceed `max_bytes` (at least one). Asks the
    /// disk only for entries older than the ring.
    pub fn entries(
        &self,
        lo: u64,
        hi: u64,
        max_bytes: u64,
        out: &mut Vec<Entry>,
    ) -> Result<(), LogError> {
        let _ = (lo, hi, max_bytes, out);
        unimplemented!()
    }

    /// The bytes of one frame: payloads of configuration changes, frames for peers. Asks the page cache or the disk.
    pub fn read_frame(&self, index: u64) -> Result<Vec<u8>, LogError> {
        let _ = index;
        unimplemented!()
    }

    /// The ring keeps entries from `index` on, whatever its size: call with the first index not yet applied.
    pub fn retain_entries_from(&mut self, index: u64) {
        let _ = index;
        unimplemented!()
    }

    /// The Kafka offset after the frame of `index`: the high watermark of a commit index. Asks the disk only for entries
    /// older than the ring.
    pub fn offset_after(&self, index: u64) -> Result<u64, LogError> {
        let _ = index;
        unimplemented!()
    }

    /// First offset a client may read.
    pub fn log_start_offset(&self) -> u64 {
        unimplemented!()
    }

    /// The next offset.
    pub fn log_end_offset(&self) -> u64 {
        unimplemented!()
    }

    /// The epoch of the last entry, or `None` in an empty log.
    pub fn latest_epoch(&self) -> Option<u32> {
        unimplemented!()
    }

    /// OffsetForLeaderEpoch: `None` (answer -1/-1) below the table. The caller checks the epoch against the leader's own.
    pub fn epoch_end_offset(&self, epoch: u32) -> Option<EpochEnd> {
        let _ = epoch;
        unimplemented!()
    }

    /// Epoch in force at an offset (for ListOffsets answers).
    pub fn epoch_at_offset(&self, offset: u64) -> Option<u32> {
        let _ = offset;
        unimplemented!()
    }

    /// Plans a consumer's read; a binary search, no system call, no allocation when the offset is near the log end.
    /// `from_offset == up_to` gives an empty plan.
    pub fn read_plan(&self, request: &ReadRequest) -> Result<ReadPlan, ReadError> {
        let _ = request;
        unimplemented!()
    }

    /// Search for the first record with a timestamp of at least `timestamp` below `up_to`; runs without the lock.
    pub fn search_timestamp(&self, timestamp: i64, up_to: u64) -> TimeSearch {
        let _ = (timestamp, up_to);
        unimplemented!()
    }

    /// Search for the record with the largest timestamp below `up_to`; runs without the lock.
    pub fn search_max_timestamp(&self, up_to: u64) -> TimeSearch {
        let _ = up_to;
        unimplemented!()
    }

    /// Moves the log start forward (a committed SetLogStart); says whether it moved. Never beyond the log end.
    pub fn set_log_start(&mut self, offset: u64) -> bool {
        let _ = offset;
        unimplemented!()
    }

    /// Takes the segments wholly below the log start out of the log; the job unlinks them without the lock.
    pub fn delete_segments_below(&mut self) -> Option<DeleteJob> {
        unimplemented!()
    }

    /// What retention would remove now, as Kafka decides: by time, by size; -1 = no limit.
    pub fn retention_candidates(
        &self,
        now_ms: i64,
        retention_ms: i64,
        retention_bytes: i64,
        high_watermark: u64,
    ) -> Option<RetentionPlan> {
        let _ = (now_ms, retention_ms, retention_bytes, high_watermark);
        unimplemented!()
    }

    /// Bytes of all segment files.
    pub fn size_bytes(&self) -> u64 {
        unimplemented!()
    }

    /// What has been written and not synced: files and folders, for a thread that may wait. `None` when all is durable or
    /// a job of this log is still out.
    pub fn flush_job(&mut self) -> Option<FlushJob> {
        unimplemented!()
    }

    /// Takes the outcome of a job. An error means that the log directory must go off-line: a failed fsync is never repeated.
    pub fn flushed(&mut self, done: Flushed) -> Result<(), LogError> {
        let _ = done;
        unimplemented!()
    }

    /// Every entry at or below is durable, its file's directory entry included.
    pub fn flushed_index(&self) -> u64 {
        unimplemented!()
    }

    /// Written bytes that no finished flush covers.
    pub fn unflushed_bytes(&self) -> u64 {
        unimplemented!()
    }

    /// Moves with every change that a checkpoint would show; equal numbers mean the last checkpoint can be kept.
    pub fn version(&self) -> u64 {
        unimplemented!()
    }

    /// Where recovery may start. `producers` is the producer state at the log end.
    pub fn checkpoint_state(&self, producers: Vec<u8>) -> PartitionCheckpoint {
        let _ = producers;
        unimplemented!()
    }
}
