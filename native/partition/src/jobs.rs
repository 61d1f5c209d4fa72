//! What workers do for a partition, and what each second brings.

use std::path::PathBuf;
use std::sync::Arc;

use ms_consensus::Consensus;
use ms_log::hard_state::{HardState, Record};
use ms_log::is_no_space;
use ms_wire::error_code;

use crate::api::*;
use crate::folders;
use crate::open::{RebuildError, log_options};
use crate::partition::{Body, Deletion, Partition, Shared};

/// How long after a full disk a name is tried to be changed again.
const RETRY_MS: i64 = 1000;

impl Partition {
    /// Waits for the disk: on a worker.
    pub fn run_job(self: &Arc<Self>, job: JobKind) {
        match job {
            JobKind::Rebuild => self.run_rebuild(),
            JobKind::Retention => self.apply_retention(),
            JobKind::DeleteSegments => self.delete_segments(),
            JobKind::SetAside => self.set_aside_folder(),
            JobKind::DeletionDue => self.deletion_due(),
            JobKind::DeleteFiles => self.delete_files(),
        }
    }

    /// Each second from the home reactor; microseconds. Asks for the jobs that are due: retry after a full disk, flush by time,
    /// retention. Looks for producers that may be forgotten. `Env::write_hard_state` afterwards writes the commit indexes.
    pub fn housekeeping(self: &Arc<Self>, now_ms: i64) {
        self.locked(|shared| {
            match self.state() {
                PartitionState::Deleted => return,
                PartitionState::Failed => return self.went_offline(shared),
                PartitionState::Open | PartitionState::Busy | PartitionState::NoSpace => {}
            }
            self.note_commit(shared);
            let config = shared.config;
            if shared.unflushed.is_some_and(|(since, _)| now_ms - since >= config.flush_ms) {
                self.want_flush(shared);
            }
            if std::mem::take(&mut shared.is_flush_put_off) {
                self.want_flush(shared);
            }
            let interval_ms = self.env.producer_id_expiration_check_ms;
            if now_ms - shared.last_producer_check_ms >= interval_ms {
                shared.last_producer_check_ms = now_ms;
                self.expire_producers(shared, now_ms);
            }
            let interval_ms = self.env.retention_check_interval_ms;
            if now_ms - shared.last_retention_ms >= interval_ms {
                shared.last_retention_ms = now_ms;
                if config.cleanup_delete
                    && (config.retention_ms >= 0 || config.retention_bytes >= 0)
                {
                    self.env.notifier.job_wanted(Arc::clone(self), JobKind::Retention);
                }
            }
            if shared.removal.undeleted.is_some() {
                self.want_deletion(shared);
            }
            // Behind the retention, which may make space.
            if self.state() == PartitionState::NoSpace {
                self.env.notifier.job_wanted(Arc::clone(self), JobKind::Rebuild);
            }
        });
    }

    /// Changes the settings; they hold from the next turn on.
    pub fn configure(self: &Arc<Self>, config: PartitionConfig) {
        self.locked(|shared| {
            shared.config = config;
            self.set_rules(&config);
            if let Some(log) = shared.body.log_mut() {
                log.configure(log_options(&config));
            }
            // Acknowledgements that wait for a flush get one, by the rule they were appended under.
            if shared.body.leading().is_some_and(|core| !core.unpersisted.is_empty()) {
                self.want_flush(shared);
            }
        });
    }

    /// From now on no append; what waits is answered. Asks for the jobs that remove the files: `SetAside` at once,
    /// `DeleteFiles` after `file.delete.delay.ms`, then `PartitionEvent::Closed`.
    pub fn mark_deleted(self: &Arc<Self>, now_ms: i64) {
        self.locked(|shared| {
            if shared.deletion != Deletion::None {
                return;
            }
            shared.deletion = Deletion::Marked(now_ms);
            self.set_state(PartitionState::Deleted);
            self.stop_leading(shared, error_code::UNKNOWN_TOPIC_OR_PARTITION);
            self.env.hard_state.append(self.spec.group_id, &Record::Removed);
            self.env.notifier.job_wanted(Arc::clone(self), JobKind::SetAside);
        });
    }

    /// This partition's part of the checkpoint file; the same `Arc` while nothing changed, and while nobody can say
    /// whether anything did: what it claims stays true.
    pub fn checkpoint(&self) -> Option<Arc<[u8]>> {
        let mut cache = self.checkpoint_cache.lock();
        let known = cache.as_ref().map(|(version, _)| *version);
        let changed = self.locked(|shared| {
            if self.state() == PartitionState::Failed {
                return None;
            }
            let (log, producers) = (shared.body.log()?, shared.body.producers()?);
            let version = log.version();
            let is_known = known == Some(version);
            (!is_known).then(|| (version, log.checkpoint_state(producers.encode())))
        });
        if self.state() == PartitionState::Deleted {
            return None;
        }
        if let Some((version, state)) = changed.flatten() {
            *cache = Some((version, state.encode().into()));
        }
        cache.as_ref().map(|(_, bytes)| Arc::clone(bytes))
    }

    fn run_rebuild(self: &Arc<Self>) {
        let taken = self.locked(|shared| {
            let is_due = matches!(self.state(), PartitionState::Busy | PartitionState::NoSpace);
            match std::mem::replace(&mut shared.body, Body::Away) {
                Body::Idle(idle) if is_due => {
                    let was_full = self.state() == PartitionState::NoSpace;
                    self.set_state(PartitionState::Busy);
                    Some((idle, was_full))
                }
                other => {
                    shared.body = other;
                    None
                }
            }
        });
        let Some((idle, was_full)) = taken.flatten() else { return };
        let rebuilt = self.rebuild(idle);
        self.locked(|shared| self.take_rebuilt(shared, rebuilt, was_full));
    }

    fn take_rebuilt(
        self: &Arc<Self>,
        shared: &mut Shared,
        rebuilt: Result<crate::core::Core, RebuildError>,
        was_full: bool,
    ) {
        let is_deleted = self.state() == PartitionState::Deleted;
        match rebuilt {
            Ok(mut core) => {
                // The settings may have changed while the log was away.
                core.log_mut().configure(log_options(&shared.config));
                shared.body = Body::Leading(Box::new(core));
                if !is_deleted {
                    self.set_state(PartitionState::Open);
                    self.settle(shared, None);
                    if was_full {
                        self.env.notifier.log_dir(LogDirState::Ok);
                    }
                }
            }
            Err(RebuildError::Later(idle)) => {
                shared.body = Body::Idle(idle);
                if !is_deleted {
                    self.set_state(PartitionState::NoSpace);
                }
            }
            Err(RebuildError::Offline(reason)) => {
                self.log_dir_failed(shared, &std::io::Error::other(reason));
            }
            Err(RebuildError::Broken(reason)) => self.fail(shared, reason),
        }
        // Who came meanwhile found no log to read.
        self.wake_all(shared);
        if let Some(outcome) = shared.late_flush.take() {
            self.take_flushed(shared, outcome);
        }
        if shared.body.log().is_some_and(|log| !log.is_flush_out()) {
            self.want_missed_syncs(shared);
        }
        // What the rebuild has flushed may let segments go.
        self.want_deletion(shared);
    }

    /// The commit index goes into the hard-state log once a second, when it moved.
    fn note_commit(&self, shared: &mut Shared) {
        let Some(core) = shared.body.leading() else { return };
        let commit = core.group.commit_index();
        if commit == core.noted_commit {
            return;
        }
        core.noted_commit = commit;
        let state =
            HardState { term: u64::from(core.group.term()), vote: self.env.voter_id(), commit };
        self.env.hard_state.append(self.spec.group_id, &Record::HardState(state));
    }

    fn expire_producers(&self, shared: &mut Shared, now_ms: i64) {
        let expiration_ms = self.env.producer_id_expiration_ms;
        match &mut shared.body {
            Body::Leading(core) => core.producers.expire(now_ms, expiration_ms),
            Body::Idle(idle) => idle.producers.expire(now_ms, expiration_ms),
            Body::Away => {}
        }
    }

    fn set_aside_folder(self: &Arc<Self>) {
        let moved = folders::set_aside_own(&self.env, &self.spec, &self.lease);
        if moved.as_ref().is_err_and(is_no_space) {
            let notifier = &self.env.notifier;
            return notifier.job_wanted_in(Arc::clone(self), JobKind::SetAside, RETRY_MS);
        }
        self.locked(|shared| {
            let folder = moved.unwrap_or_else(|error| {
                self.log_dir_failed(shared, &error);
                // The folder stays until the next start.
                PathBuf::new()
            });
            if let Deletion::Marked(since) = shared.deletion {
                let due_ms = since.saturating_add(shared.config.file_delete_delay_ms);
                shared.deletion = Deletion::SetAside(folder);
                let delay_ms = due_ms.saturating_sub((self.env.now_ms)()).max(0);
                let notifier = &self.env.notifier;
                notifier.job_wanted_in(Arc::clone(self), JobKind::DeletionDue, delay_ms);
            }
        });
    }

    /// What is due comes before what is queued, but the removal of gigabytes should not.
    fn deletion_due(self: &Arc<Self>) {
        self.env.notifier.job_wanted(Arc::clone(self), JobKind::DeleteFiles);
    }

    fn delete_files(self: &Arc<Self>) {
        let folder = self.locked(|shared| {
            let Deletion::SetAside(folder) = &shared.deletion else { return None };
            let folder = folder.clone();
            shared.deletion = Deletion::Removing;
            // The last use of the files; readers that hold one keep it.
            shared.body = Body::Away;
            self.count_unstarted(shared);
            Some(folder)
        });
        let Some(folder) = folder.flatten() else { return };
        if let Err(error) = folders::remove(&self.env, &folder) {
            self.warn(format!("{}: {error}", folder.display()));
        }
        self.env.notifier.event(self.handle(), PartitionEvent::Closed);
    }

    pub(crate) fn warn(&self, text: String) {
        let event = PartitionEvent::Log { level: LogLevel::Warn, text };
        self.env.notifier.event(self.handle(), event);
    }
}
