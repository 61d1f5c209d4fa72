//! Making written frames durable, and answering what waited for it.

use std::sync::Arc;

use ms_log::{FlushJob, Flushed, LogError};

use crate::api::*;
use crate::partition::{Body, Partition, Shared};

impl Partition {
    /// What the flusher has to sync; `None` when there is nothing, or a job is out. `run()` it without the lock, then
    /// `flush_finished`.
    pub fn flush_job(&self) -> Option<FlushJob> {
        let job = self.locked(|shared| {
            shared.is_flush_wanted = false;
            if self.state() == PartitionState::Failed {
                return None;
            }
            let job = shared.body.log_mut()?.flush_job();
            if job.is_some() {
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
            if matches!(shared.body, Body::Away) {
                shared.late_flush = Some(outcome);
                return;
            }
            self.take_flushed(shared, outcome);
        });
    }

    pub(crate) fn take_flushed(self: &Arc<Self>, shared: &mut Shared, outcome: Flushed) {
        let Some(log) = shared.body.log_mut() else { return };
        if let Err(error) = log.flushed(outcome) {
            let error = match error {
                LogError::Io { source, .. } => source,
                other => std::io::Error::other(other.to_string()),
            };
            return self.log_dir_failed(shared, &error);
        }
        let flushed_index = log.flushed_index();
        let Some(core) = shared.body.leading() else { return };
        if core.persisted_up_to(flushed_index) {
            self.want_flush(shared);
        }
        self.settle(shared, None);
    }
}
