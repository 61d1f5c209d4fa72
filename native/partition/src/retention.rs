//! Segments that leave the log: by retention, and because the log starts behind them.

use std::sync::Arc;

use ms_log::{PartitionLog, RetentionPlan, is_no_space};

use crate::api::*;
use crate::core::roll_failure;
use crate::partition::{Body, Partition, Shared};

impl Partition {
    /// Looks for what retention removes; on a worker. The segments go by another job, once the new log start is committed.
    pub(crate) fn apply_retention(self: &Arc<Self>) {
        let now_ms = (self.env.now_ms)();
        self.locked(|shared| {
            if self.state() == PartitionState::Deleted {
                return;
            }
            shared.last_retention_ms = now_ms;
            let config = shared.config;
            let high_watermark = self.high_watermark() as u64;
            if !config.cleanup_delete || config.cleanup_compact {
                return;
            }
            let Some(log) = shared.body.log() else {
                // A rebuild has it: the next second asks again.
                shared.last_retention_ms = 0;
                return;
            };
            let (ms, bytes) = (config.retention_ms, config.retention_bytes);
            let plan = log.retention_candidates(now_ms, ms, bytes, high_watermark);
            // Of what is committed already only the files may be left.
            self.want_deletion(shared);
            let is_new = |plan: &RetentionPlan| plan.new_log_start > self.log_start_offset() as u64;
            let Some(plan) = plan.filter(is_new) else { return };
            if matches!(shared.body, Body::Idle(_)) {
                return self.start_without_entry(shared, &plan);
            }
            let Some(core) = shared.body.leading().filter(|core| core.is_serving()) else { return };
            let mut new_log_start = plan.new_log_start;
            if plan.roll_first {
                let producers = core.producers.encode();
                match core.log_mut().roll(now_ms, producers) {
                    Ok(()) => self.note_written(shared, now_ms, 0, true),
                    Err(error) if error.is_no_space() => {
                        new_log_start = core.log().active_base_offset();
                    }
                    Err(error) => return self.log_start_failed(shared, roll_failure(error)),
                }
            }
            if new_log_start <= self.log_start_offset() as u64 {
                return;
            }
            let proposed = self.propose_log_start(shared, new_log_start, now_ms, None);
            // Another refusal is looked at again at the next check.
            if proposed.is_err() && self.state() == PartitionState::NoSpace {
                shared.last_retention_ms = 0;
            }
        });
    }

    /// Of a log that can take no entry, for want of space, but could give some back. The only voter needs none: a recovery
    /// finds the log start by the oldest segment. The active one stays, as there is no space for the next.
    fn start_without_entry(self: &Arc<Self>, shared: &mut Shared, plan: &RetentionPlan) {
        let Some(log) = shared.body.log_mut() else { return };
        if log.set_log_start(plan.new_log_start.min(log.active_base_offset())) {
            self.settle(shared, None);
            self.want_deletion(shared);
        }
    }

    /// Asks for the deletion of segments below the log start, or for the flush without which it cannot be.
    pub(crate) fn want_deletion(self: &Arc<Self>, shared: &mut Shared) {
        let Some(log) = shared.body.log() else { return };
        if log.has_deletable() || shared.removal.undeleted.is_some() {
            self.env.notifier.job_wanted(Arc::clone(self), JobKind::DeleteSegments);
        } else if log.waits_to_delete() {
            self.want_seal(shared);
        }
    }

    /// By a worker. What cannot be unlinked on a full disk is tried again in a second. Another error takes the log directory
    /// off-line, as that of a flush does.
    pub(crate) fn delete_segments(self: &Arc<Self>) {
        let job = self.locked(|shared| {
            let is_over = matches!(self.state(), PartitionState::Failed | PartitionState::Deleted);
            // Older segments go before newer ones.
            if is_over || shared.removal.is_running {
                return None;
            }
            let later = shared.body.log_mut().and_then(PartitionLog::delete_segments_below);
            let (job, was_tried) = match (shared.removal.undeleted.take(), later) {
                (Some(mut job), later) => {
                    later.into_iter().for_each(|later| job.join(later));
                    (job, true)
                }
                (None, later) => (later?, false),
            };
            shared.removal.is_running = true;
            Some((job, was_tried))
        });
        let Some((mut job, was_tried)) = job.flatten() else { return };
        let outcome = job.run();
        self.locked(|shared| {
            shared.removal.is_running = false;
            match outcome {
                // Others may have come meanwhile.
                Ok(()) => self.want_deletion(shared),
                Err(error) if is_no_space(&error) => {
                    shared.removal.undeleted = Some(job);
                    if !was_tried {
                        self.warn(format!("{}: {error}", self.dir().display()));
                    }
                }
                Err(error) => self.log_dir_failed(shared, &error),
            }
        });
    }
}
