//! Making written frames durable, and answering what waited for it.

use std::sync::Arc;

use ms_log::{FlushJob, Flushed, LogError, PartitionLog, WRITEBACK_BYTES};

use crate::api::*;
use crate::partition::{Body, Partition, Shared, Unstarted};

/// So much of each partition may be written without being counted.
const PAGE_BYTES: u64 = 4096;

impl Partition {
    /// What the flusher or the sealer has to sync; nothing of what is deleted. `None` when there is nothing, or a job is out.
    /// `run()` it without the lock, then `flush_finished`.
    pub fn flush_job(&self) -> Option<FlushJob> {
        let job = self.locked(|shared| {
            let wanted = std::mem::take(&mut shared.syncs_wanted);
            if matches!(self.state(), PartitionState::Failed | PartitionState::Deleted) {
                return None;
            }
            let Some(log) = shared.body.log_mut().filter(|log| !log.is_flush_out()) else {
                shared.syncs_missed.of_flusher |= wanted.of_flusher;
                shared.syncs_missed.of_sealer |= wanted.of_sealer;
                return None;
            };
            let unstarted = log.unstarted_bytes();
            let job = log.flush_job();
            if job.is_some() {
                shared.unstarted.syncing = unstarted;
                // What comes after the job is counted anew.
                shared.unflushed = None;
            }
            job
        });
        job.flatten()
    }

    /// By the home reactor, or any: acknowledges what waited for the fsync. A failed one takes the log directory off-line;
    /// it is never repeated, the pages may be gone.
    pub fn flush_finished(self: &Arc<Self>, outcome: Flushed) {
        self.locked(|shared| {
            shared.unstarted.syncing = 0;
            self.count_unstarted(shared);
            if !matches!(shared.body, Body::Away) {
                return self.take_flushed(shared, outcome);
            }
            // With a worker, or gone: that is no matter of this partition alone.
            if outcome.is_failed_sync() {
                self.env.set_offline();
            }
            shared.late_flush = Some(outcome);
        });
    }

    /// Whether all that was written is on the disk. Nobody knows that of one that failed; what is deleted need not be.
    pub(crate) fn is_durable(&self) -> bool {
        let durable = self.locked(|shared| {
            let log = shared.body.log();
            self.state() == PartitionState::Deleted || log.is_some_and(PartitionLog::is_durable)
        });
        durable == Some(true)
    }

    /// By the flusher: begins the writeback of what was written if it is due, and reserves space for what comes if it may.
    /// Waits for the disk, without the lock.
    pub fn tend(&self, may_reserve: bool) {
        let job = self.locked(|shared| {
            shared.is_tend_wanted = false;
            let is_filling = self.env.is_filling();
            let job = shared.body.log_mut()?.tend_job(may_reserve, is_filling)?;
            shared.unstarted.tending += job.bytes();
            Some(job)
        });
        let Some(job) = job.flatten() else { return };
        let bytes = job.bytes();
        job.run();
        self.locked(|shared| {
            shared.unstarted.tending -= bytes;
            self.count_unstarted(shared);
        });
    }

    /// Gives back the space that was reserved ahead: at the stop, when nothing appends any more. Waits for the disk.
    pub fn give_back_space(&self) {
        self.locked(|shared| shared.body.log_mut().map(PartitionLog::give_back));
    }

    /// After an append: asks for `tend` when it is due. Looks only once a page was written.
    pub(crate) fn want_tending(self: &Arc<Self>, shared: &mut Shared) {
        let Some(log) = shared.body.log() else { return };
        let written = log.unstarted_bytes();
        // Begun meanwhile, it is less than before, and the difference huge.
        if written.wrapping_sub(shared.unstarted.looked_at) < PAGE_BYTES {
            return;
        }
        let is_filling = written >= WRITEBACK_BYTES && self.env.is_filling();
        let is_due = log.wants_tending(is_filling);
        self.count_unstarted(shared);
        if is_due && !std::mem::replace(&mut shared.is_tend_wanted, true) {
            self.env.notifier.tend_wanted(Arc::clone(self));
        }
    }

    /// Tells the log directory how much of this partition waits for its writeback.
    pub(crate) fn count_unstarted(&self, shared: &mut Shared) {
        let written = shared.body.log().map_or(0, PartitionLog::unstarted_bytes);
        let Unstarted { counted, syncing, tending, .. } = shared.unstarted;
        shared.unstarted.looked_at = written;
        shared.unstarted.counted = written + syncing + tending;
        self.env.unstarted_changed(counted, shared.unstarted.counted);
    }

    pub(crate) fn take_flushed(self: &Arc<Self>, shared: &mut Shared, outcome: Flushed) {
        if self.env.is_offline() {
            return self.went_offline(shared);
        }
        let Some(log) = shared.body.log_mut() else { return };
        match log.flushed(outcome) {
            Ok(()) => {}
            // Asked for again by the next second, as is all that waits.
            Err(error) if error.is_out_of_files() => {
                shared.is_flush_put_off = true;
                return;
            }
            Err(LogError::Io { source, .. }) => return self.log_dir_failed(shared, &source),
            Err(other) => {
                let error = std::io::Error::other(other.to_string());
                return self.log_dir_failed(shared, &error);
            }
        }
        let flushed_index = log.flushed_index();
        self.want_missed_syncs(shared);
        self.want_deletion(shared);
        let Some(core) = shared.body.leading() else { return };
        if core.persisted_up_to(flushed_index) {
            self.want_flush(shared);
        }
        self.settle(shared, None);
    }

    /// Calls those again who came in vain.
    pub(crate) fn want_missed_syncs(self: &Arc<Self>, shared: &mut Shared) {
        let missed = std::mem::take(&mut shared.syncs_missed);
        if missed.of_flusher {
            self.want_flush(shared);
        }
        if missed.of_sealer {
            self.want_seal(shared);
        }
    }
}
