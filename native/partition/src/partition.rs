//! The partition and what others may call on it.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use ms_log::{FlushJob, Flushed, LogError, TimeSearch};
use ms_wire::validate::ValidationRules;
use thiserror::Error;

use crate::api::*;
use crate::env::Env;

pub struct Partition {
    _private: (),
}

/// A partition could not be opened.
#[derive(Debug, Error)]
pub enum OpenError {
    #[error(transparent)]
    Log(#[from] LogError),
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("raft: {0}")]
    Consensus(String),
}

/// An answer at once, or a search that reads files: `run()` it on a worker.
pub enum ListOffsetsAnswer {
    Now(ListedOffset),
    Search(OffsetSearch),
}

/// A search by time, with what its answer needs.
pub struct OffsetSearch {
    search: TimeSearch,
}

impl OffsetSearch {
    /// Waits for the disk.
    pub fn run(self) -> ListedOffset {
        let _ = self.search;
        unimplemented!()
    }
}

impl Partition {
    /// Opens the folder that is there with these ids, or creates it durably. The partition leads when this returns. Waits
    /// for the disk: on a worker.
    pub fn open(
        env: &Arc<Env>,
        spec: PartitionSpec,
        handle: Handle,
    ) -> Result<Arc<Partition>, OpenError> {
        let _ = (env, spec, handle);
        unimplemented!()
    }

    /// Opens many with one fsync of the hard-state log.
    pub fn open_many(
        env: &Arc<Env>,
        specs: Vec<(PartitionSpec, Handle)>,
    ) -> Vec<Result<Arc<Partition>, OpenError>> {
        let _ = (env, specs);
        unimplemented!()
    }

    /// All batches of one turn for this partition: sequences, stamp, propose, one write, commit. `due` gets the waiters
    /// of reactor `reactor`; others are woken through the notifier.
    pub fn append_turn(
        self: &Arc<Self>,
        batches: &mut [PendingAppend<'_>],
        now_ms: i64,
        reactor: u16,
        due: &mut Vec<Waiter>,
    ) {
        let _ = (batches, now_ms, reactor, due);
        unimplemented!()
    }

    /// For `wire::validate`, outside the lock.
    pub fn rules(&self) -> arc_swap::Guard<Arc<ValidationRules>> {
        unimplemented!()
    }

    /// Plans a Fetch; a few hundred nanoseconds.
    pub fn read(&self, query: &ReadQuery) -> ReadAnswer {
        let _ = query;
        unimplemented!()
    }

    /// Enters a waiter for a high watermark above `seen_high_watermark`. False: it moved already (or the partition stopped
    /// leading), look again. A waiter is woken once.
    pub fn wait(&self, waiter: Waiter, seen_high_watermark: i64) -> bool {
        let _ = (waiter, seen_high_watermark);
        unimplemented!()
    }

    pub fn cancel_wait(&self, waiter: Waiter) {
        let _ = waiter;
        unimplemented!()
    }

    pub fn list_offsets(&self, query: &ListOffsetsQuery) -> ListOffsetsAnswer {
        let _ = query;
        unimplemented!()
    }

    /// Kafka's OffsetForLeaderEpoch. Err is an error code.
    pub fn offset_for_leader_epoch(
        &self,
        current_leader_epoch: i32,
        leader_epoch: i32,
    ) -> Result<EpochEnd, i16> {
        let _ = (current_leader_epoch, leader_epoch);
        unimplemented!()
    }

    /// Moves the log start to `offset` (-1: the high watermark). `None`: parked, `Notifier::append_done(slot)` follows with
    /// the new `log_start_offset`.
    pub fn delete_records(
        self: &Arc<Self>,
        offset: i64,
        now_ms: i64,
        slot: ReplySlot,
    ) -> Option<AppendDone> {
        let _ = (offset, now_ms, slot);
        unimplemented!()
    }

    /// Committed whole batches from `offset`, at least one if there is any. Waits for the disk. Err is an error code.
    pub fn read_log(&self, offset: i64, max_bytes: u32) -> Result<LogChunk, i16> {
        let _ = (offset, max_bytes);
        unimplemented!()
    }

    /// The committed offset, as of a round begun after this call. One voter needs no round. Err is an error code.
    pub fn read_barrier(&self) -> Result<i64, i16> {
        unimplemented!()
    }

    pub fn describe(&self) -> PartitionDescription {
        unimplemented!()
    }

    pub fn producers(&self) -> Vec<ProducerDescription> {
        unimplemented!()
    }

    pub fn configure(&self, config: PartitionConfig) {
        let _ = config;
        unimplemented!()
    }

    /// From now on no append; what waits is answered. Asks for the jobs that remove the files: `SetAside` at once,
    /// `DeleteFiles` from `housekeeping` after `file.delete.delay.ms`, then `PartitionEvent::Closed`. Keep calling
    /// `housekeeping` until then.
    pub fn mark_deleted(self: &Arc<Self>, now_ms: i64) {
        let _ = now_ms;
        unimplemented!()
    }

    /// What the flusher has to sync, `None` when there is nothing. `run()` it without the lock, then `flush_finished`.
    pub fn flush_job(&self) -> Option<FlushJob> {
        unimplemented!()
    }

    /// By the home reactor (or any): answers what waited for the fsync.
    pub fn flush_finished(self: &Arc<Self>, outcome: Flushed, now_ms: i64) {
        let _ = (outcome, now_ms);
        unimplemented!()
    }

    /// Waits for the disk: on a worker.
    pub fn run_job(self: &Arc<Self>, job: JobKind) {
        let _ = job;
        unimplemented!()
    }

    /// Each second from the home reactor: retry after a full disk, flush and roll by time, the commit index.
    pub fn housekeeping(self: &Arc<Self>, now_ms: i64) {
        let _ = now_ms;
        unimplemented!()
    }

    /// This partition's part of the checkpoint file; the same `Arc` while nothing changed.
    pub fn checkpoint(&self) -> Option<Arc<[u8]>> {
        unimplemented!()
    }

    /// Replaces the state machine's snapshot (metadata log), durably. Waits for the disk.
    pub fn write_snapshot(&self, offset: i64, bytes: &[u8]) -> io::Result<()> {
        let _ = (offset, bytes);
        unimplemented!()
    }

    /// The newest snapshot that is whole. Waits for the disk.
    pub fn read_snapshot(&self) -> io::Result<Option<(i64, Vec<u8>)>> {
        unimplemented!()
    }

    pub fn handle(&self) -> Handle {
        unimplemented!()
    }
    pub fn spec(&self) -> &PartitionSpec {
        unimplemented!()
    }
    pub fn dir(&self) -> &PathBuf {
        unimplemented!()
    }
    pub fn high_watermark(&self) -> i64 {
        unimplemented!()
    }
    pub fn log_end_offset(&self) -> i64 {
        unimplemented!()
    }
    pub fn log_start_offset(&self) -> i64 {
        unimplemented!()
    }
    pub fn leader_epoch(&self) -> i32 {
        unimplemented!()
    }
    pub fn is_leader(&self) -> bool {
        unimplemented!()
    }
    pub fn state(&self) -> PartitionState {
        unimplemented!()
    }
}

/// Folders set aside: those of partitions that no entry of `hosted` (topic id, partition index) names. Waits for the disk.
pub fn sweep_folders(env: &Env, hosted: &[([u8; 16], i32)]) -> io::Result<u32> {
    let _ = (env, hosted);
    unimplemented!()
}
