//! Segments that leave the log: by retention, and because the log starts behind them.

use std::sync::Arc;

use ms_log::{DeleteJob, is_no_space};

use crate::api::*;
use crate::core::roll_failure;
use crate::partition::{Partition, Shared};

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
            let Some(core) = shared.body.leading().filter(|core| core.is_serving()) else { return };
            if !config.cleanup_delete || config.cleanup_compact {
                return;
            }
            let log = core.log_mut();
            let (ms, bytes) = (config.retention_ms, config.retention_bytes);
            let Some(plan) = log.retention_candidates(now_ms, ms, bytes, high_watermark) else {
                return;
            };
            if plan.new_log_start <= self.log_start_offset() as u64 {
                // Committed already; only the files are left.
                return self.want_deletion(shared);
            }
            if plan.roll_first {
                let producers = core.producers.encode();
                if let Err(error) = core.log_mut().roll(now_ms, producers) {
                    return self.log_start_failed(shared, roll_failure(error));
                }
                self.note_written(shared, now_ms, 0, true);
            }
            // A refusal is looked at again at the next check.
            let _ = self.propose_log_start(shared, plan.new_log_start, now_ms, None);
        });
    }

    /// Asks for the deletion of segments below the log start, or for the flush without which it cannot be.
    pub(crate) fn want_deletion(self: &Arc<Self>, shared: &mut Shared) {
        let Some(log) = shared.body.log() else { return };
        if log.has_deletable() {
            self.env.notifier.job_wanted(Arc::clone(self), JobKind::DeleteSegments);
        } else if log.waits_to_delete() {
            self.want_seal(shared);
        }
    }

    pub(crate) fn delete_segments(self: &Arc<Self>) {
        let job = self.locked(|shared| {
            let core = shared.body.leading().filter(|_| self.state() != PartitionState::Deleted)?;
            core.log_mut().delete_segments_below()
        });
        if let Some(job) = job.flatten() {
            self.run_delete(job);
        }
    }

    /// What could not be unlinked on a full disk is space only, and tried again at the next start. Another error takes the
    /// log directory off-line, as that of a flush does.
    pub(crate) fn run_delete(self: &Arc<Self>, job: DeleteJob) {
        let Err(error) = job.run() else { return };
        if !is_no_space(&error) {
            self.locked(|shared| self.log_dir_failed(shared, &error));
            return;
        }
        let text = format!("{}: {error}", self.dir().display());
        let event = PartitionEvent::Log { level: LogLevel::Warn, text };
        self.env.notifier.event(self.handle(), event);
    }
}
