//! What all partitions of one log directory share.

use std::collections::{HashMap, HashSet};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use ms_log::checkpoint::{self, PartitionCheckpoint};
use ms_log::hard_state::{HardStateLog, Record};
use ms_log::{Descriptors, Disk};
use parking_lot::Mutex;

use crate::Partition;
use crate::api::{LogDirState, Notifier, PartitionState};
use crate::dirty::Dirty;
use crate::lease::Lease;
use crate::together::WholeDisk;
use crate::troubles::Troubles;

/// What all partitions of one log directory share.
pub struct Env {
    /// The only way to the disk.
    pub disk: Arc<dyn Disk>,
    /// Folder of the partitions' folders.
    pub log_dir: PathBuf,
    /// Terms, votes and commit indexes of all groups of the directory. Written only through this type's methods.
    pub hard_state: Arc<HardStateLog>,
    /// Where results and wishes go: the reactors.
    pub notifier: Arc<dyn Notifier>,
    /// Nothing written can be lost, of groups that are not unchecked: the same boot of the operating system, or a clean stop.
    pub same_boot: bool,
    /// `node.id`, from 0; voter ids in Raft are one higher.
    pub node_id: u32,
    /// `producer.id.expiration.ms`.
    pub producer_id_expiration_ms: i64,
    /// `producer.id.expiration.check.interval.ms`.
    pub producer_id_expiration_check_ms: i64,
    /// `producer.check.compressed`: what producers send is looked at inside compressed batches too.
    pub producer_check_compressed: bool,
    /// `log.retention.check.interval.ms`.
    pub retention_check_interval_ms: i64,
    /// Wall clock in milliseconds since 1970; the simulation brings its own. Only for jobs: turns are given the time.
    pub now_ms: fn() -> i64,
    pub state: EnvState,
}

/// The part of [`Env`] that changes. `EnvState::new` with what `ms_log::checkpoint::read` gave.
pub struct EnvState {
    /// What the last checkpoint says of partitions that are in none of this process yet.
    pub(crate) checkpoints: Mutex<HashMap<u64, PartitionCheckpoint>>,
    /// Who has a folder's name; the lock is held over renames of folders.
    pub(crate) folders: Mutex<HashMap<String, Arc<Lease>>>,
    pub(crate) is_offline: AtomicBool,
    /// One thread at a time writes the hard-state log; those that wait find their records written by the first.
    hard_state_writer: Mutex<()>,
    pub(crate) whole_disk: WholeDisk,
    pub(crate) troubles: Mutex<Troubles>,
    names: AtomicU64,
    /// Sealed segments of all partitions that are open.
    pub(crate) descriptors: Arc<Descriptors>,
    /// Bytes that were written and whose writeback has not begun.
    dirty: Dirty,
}

impl Default for EnvState {
    fn default() -> EnvState {
        EnvState::new(HashMap::new())
    }
}

impl EnvState {
    pub fn new(checkpoints: HashMap<u64, PartitionCheckpoint>) -> EnvState {
        EnvState {
            checkpoints: Mutex::new(checkpoints),
            folders: Mutex::default(),
            is_offline: AtomicBool::new(false),
            hard_state_writer: Mutex::default(),
            whole_disk: WholeDisk::default(),
            troubles: Mutex::default(),
            names: AtomicU64::new(0),
            descriptors: Descriptors::of_process(),
            dirty: Dirty::default(),
        }
    }

    /// With a bound of what may be written and not in writeback; 0: none.
    pub fn with_unstarted_max(self, bytes: u64) -> EnvState {
        EnvState { dirty: Dirty::bounded(bytes), ..self }
    }
}

impl Env {
    /// Makes everything up to `sequence` durable. Waits for the disk. Concurrent callers share one fsync.
    pub fn sync_hard_state(&self, sequence: u64) -> io::Result<()> {
        let _writer = self.state.hard_state_writer.lock();
        if self.hard_state.synced() < sequence {
            self.hard_state.sync(true)?;
        }
        Ok(())
    }

    /// Writes the commit indexes that `Partition::housekeeping` appended, without fsync: once a second. Waits for the disk.
    pub fn write_hard_state(&self) -> io::Result<()> {
        let _writer = self.state.hard_state_writer.lock();
        self.hard_state.sync(false).map(|_| ())
    }

    /// Replaces the checkpoint file: every 10 s, and at a clean stop. What the last one says of partitions that are not
    /// open, or have nothing to say, stays: else what they lost would look like what was never there. Waits for the disk.
    pub fn write_checkpoint(&self, partitions: &[Arc<Partition>]) -> io::Result<()> {
        let mut parts: Vec<Arc<[u8]>> = Vec::with_capacity(partitions.len());
        for partition in partitions {
            let part = partition.checkpoint();
            if part.is_some() || partition.state() == PartitionState::Deleted {
                self.state.checkpoints.lock().remove(&partition.spec().group_id);
            }
            parts.extend(part);
        }
        let kept = self.state.checkpoints.lock().values().map(|it| it.encode().into()).collect();
        let kept: Vec<Arc<[u8]>> = kept;
        let parts: Vec<&[u8]> = parts.iter().chain(&kept).map(AsRef::as_ref).collect();
        checkpoint::write(self.disk.as_ref(), &self.log_dir, &parts)
    }

    /// Forgets the groups of topics that are not hosted any more: they were deleted while this process did not run.
    pub(crate) fn forget_groups(&self, hosted: &HashSet<[u8; 16]>) {
        let held: HashSet<u64> =
            self.state.folders.lock().values().map(|lease| lease.group_id).collect();
        for (group_id, state) in self.hard_state.groups() {
            let is_hosted = state.created.is_none_or(|topic_id| hosted.contains(&topic_id));
            if !is_hosted && !state.removed && !held.contains(&group_id) {
                self.hard_state.append(group_id, &Record::Removed);
                self.state.checkpoints.lock().remove(&group_id);
            }
        }
    }

    /// Marks a clean stop, after which everything that was written counts as durable. Not if that is not certain of each
    /// of these, or of one that was written to since the last such mark and is not among them: a sync failed, a partition
    /// failed for itself, or it was not opened again after a crash. Says whether it did. Call when all was flushed and nothing
    /// writes any more.
    pub fn record_stop(&self, partitions: &[Arc<Partition>]) -> io::Result<bool> {
        let open: HashSet<u64> = partitions.iter().map(|one| one.spec().group_id).collect();
        let mut groups = self.hard_state.groups().into_iter();
        let is_left = groups.any(|(id, it)| it.opened && !it.removed && !open.contains(&id));
        if is_left || self.is_offline() || !partitions.iter().all(|one| one.is_durable()) {
            return Ok(false);
        }
        self.hard_state.stop().map(|()| true)
    }

    /// The log directory failed; nothing of it is served until restart, as in Kafka.
    pub fn is_offline(&self) -> bool {
        self.state.is_offline.load(Ordering::Relaxed)
    }

    /// More was written than the disk has begun to take: no client should be read that might produce. What was read is
    /// still appended and answered.
    pub fn is_saturated(&self) -> bool {
        self.state.dirty.is_saturated()
    }

    /// Most of what may be written and not in writeback is, and the kernel has not begun: the flusher has to.
    pub fn is_filling(&self) -> bool {
        self.state.dirty.is_filling()
    }

    /// By the flusher, every 50 ms or so: learns from the kernel how much of what was written it has begun by itself. Says
    /// whether it should be called again so soon. One small file of /proc is read, and only when much was written.
    pub fn look_at_page_cache(&self) -> bool {
        let is_worth_it = self.state.dirty.is_worth_a_look();
        if is_worth_it && let Some(cache) = self.disk.page_cache() {
            self.state.dirty.look(cache);
        }
        is_worth_it
    }

    /// A partition has `now` bytes whose writeback has not begun, and had `before`.
    pub(crate) fn unstarted_changed(&self, before: u64, now: u64) {
        if self.state.dirty.changed(before, now) {
            self.notifier.relief_wanted();
        }
    }

    /// From now on nothing of the log directory is served, and the next start will not believe what the page cache holds of it.
    /// Said once.
    pub fn set_offline(&self) {
        if !self.state.is_offline.swap(true, Ordering::AcqRel) {
            self.hard_state.note_failure();
            self.notifier.log_dir(LogDirState::Offline);
        }
    }

    /// This node as a voter; 0 is no voter in Raft.
    pub(crate) fn voter_id(&self) -> u64 {
        u64::from(self.node_id) + 1
    }

    /// A number that no other call in this process gets.
    pub(crate) fn next_name(&self) -> u64 {
        self.state.names.fetch_add(1, Ordering::Relaxed)
    }
}
