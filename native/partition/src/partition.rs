//! The partition: what is read without its lock, what the lock protects, and how a change becomes visible.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicI64, AtomicU8, Ordering};
use std::sync::{Arc, Weak};

use arc_swap::ArcSwap;
use ms_consensus::Consensus;
use ms_intake::Intake;
use ms_log::{DeleteJob, Flushed, PartitionLog};
use ms_wire::batch::TimestampType;
use ms_wire::error_code;
use ms_wire::validate::ValidationRules;
use parking_lot::Mutex;

use crate::api::*;
use crate::core::Core;
use crate::env::Env;
use crate::group_files::GroupFiles;
use crate::lease::Lease;
use crate::left::{self, LeftTurn};
use crate::producers::Producers;

/// One hosted partition. See the crate's documentation for what may wait.
pub struct Partition {
    pub(crate) me: Weak<Partition>,
    pub(crate) env: Arc<Env>,
    handle: Handle,
    pub(crate) spec: PartitionSpec,
    dir: PathBuf,
    pub(crate) lease: Arc<Lease>,
    rules: ArcSwap<ValidationRules>,
    high_watermark: AtomicI64,
    log_end: AtomicI64,
    log_start: AtomicI64,
    leader_epoch: AtomicI32,
    is_leader: AtomicBool,
    state: AtomicU8,
    /// Work that found the lock taken is done by who has it.
    pub(crate) shared: Intake<Shared, LeftTurn>,
    /// The last answer of `checkpoint`, and the log's version it was made of.
    pub(crate) checkpoint_cache: Mutex<Option<(u64, Arc<[u8]>)>>,
}

/// What the lock protects.
pub(crate) struct Shared {
    pub body: Body,
    pub config: PartitionConfig,
    /// Appends that wait for a commit, by the high watermark they need.
    pub parked: VecDeque<Parked>,
    pub waiters: Vec<(Waiter, i64)>,
    /// Who was told and has not come yet.
    pub syncs_wanted: SyncWishes,
    /// Who came while a sync was out or a worker had the log, and has to come again.
    pub syncs_missed: SyncWishes,
    /// The flusher was told to tend the log and has not come yet.
    pub is_tend_wanted: bool,
    pub unstarted: Unstarted,
    /// Since when something is written and not synced, and how many records; for `flush.ms` and `flush.messages`.
    pub unflushed: Option<(i64, i64)>,
    /// Could not open what it was to sync.
    pub is_flush_put_off: bool,
    /// Came while a worker had the log.
    pub late_flush: Option<Flushed>,
    pub last_retention_ms: i64,
    pub last_producer_check_ms: i64,
    pub deletion: Deletion,
    pub removal: Removal,
}

/// Segments that left the log and whose files are to go.
#[derive(Default)]
pub(crate) struct Removal {
    pub is_running: bool,
    /// What a full disk left.
    pub undeleted: Option<DeleteJob>,
}

/// Who is to take a job of syncs, which is all that there is to sync for both.
#[derive(Clone, Copy, Default)]
pub(crate) struct SyncWishes {
    /// For somebody who waits.
    pub of_flusher: bool,
    /// For what was sealed.
    pub of_sealer: bool,
}

/// What of this partition counts as written and not in writeback.
#[derive(Default)]
pub(crate) struct Unstarted {
    /// As the log directory knows it.
    pub counted: u64,
    /// Written bytes when it was looked at last.
    pub looked_at: u64,
    /// In jobs that have not come back: of syncs, and of `tend`.
    pub syncing: u64,
    pub tending: u64,
}

/// Where the log is.
pub(crate) enum Body {
    Leading(Box<Core>),
    /// No group runs: after a write that failed, until the rebuild.
    Idle(Box<Idle>),
    /// With a worker, failed, or gone.
    Away,
}

pub(crate) struct Idle {
    pub files: GroupFiles,
    pub producers: Producers,
}

pub(crate) struct Parked {
    pub needs_high_watermark: i64,
    pub slot: ReplySlot,
    pub done: AppendDone,
}

/// How far a deletion has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Deletion {
    None,
    /// Since when.
    Marked(i64),
    /// The folder has the name under which it will be removed.
    SetAside(PathBuf),
    Removing,
}

impl Shared {
    /// Records that were written since the last sync was begun.
    pub fn unflushed_records(&self) -> i64 {
        self.unflushed.map_or(0, |(_, records)| records)
    }
}

impl Body {
    pub fn log(&self) -> Option<&PartitionLog> {
        match self {
            Body::Leading(core) => Some(core.log()),
            Body::Idle(idle) => Some(&idle.files.0),
            Body::Away => None,
        }
    }

    pub fn log_mut(&mut self) -> Option<&mut PartitionLog> {
        match self {
            Body::Leading(core) => Some(core.log_mut()),
            Body::Idle(idle) => Some(&mut idle.files.0),
            Body::Away => None,
        }
    }

    pub fn producers(&self) -> Option<&Producers> {
        match self {
            Body::Leading(core) => Some(&core.producers),
            Body::Idle(idle) => Some(&idle.producers),
            Body::Away => None,
        }
    }

    pub fn leading(&mut self) -> Option<&mut Core> {
        match self {
            Body::Leading(core) => Some(core),
            _ => None,
        }
    }
}

impl Partition {
    pub(crate) fn new(
        env: &Arc<Env>,
        spec: PartitionSpec,
        handle: Handle,
        lease: Arc<Lease>,
        state: PartitionState,
        body: Body,
    ) -> Arc<Partition> {
        let config = spec.config;
        let shared = Shared {
            body,
            config,
            parked: VecDeque::new(),
            waiters: Vec::new(),
            syncs_wanted: SyncWishes::default(),
            syncs_missed: SyncWishes::default(),
            is_tend_wanted: false,
            unstarted: Unstarted::default(),
            unflushed: None,
            is_flush_put_off: false,
            late_flush: None,
            last_retention_ms: (env.now_ms)(),
            last_producer_check_ms: (env.now_ms)(),
            deletion: Deletion::None,
            removal: Removal::default(),
        };
        let partition = Arc::new_cyclic(|me| Partition {
            me: Weak::clone(me),
            env: Arc::clone(env),
            handle,
            dir: env.log_dir.join(spec.folder_name()),
            lease,
            rules: ArcSwap::from_pointee(rules_of(env, &config)),
            spec,
            high_watermark: AtomicI64::new(0),
            log_end: AtomicI64::new(0),
            log_start: AtomicI64::new(0),
            leader_epoch: AtomicI32::new(0),
            is_leader: AtomicBool::new(false),
            state: AtomicU8::new(state as u8),
            shared: Intake::new(shared, left::BOUND),
            checkpoint_cache: Mutex::new(None),
        });
        partition.locked(|shared| partition.settle(shared, None));
        partition
    }

    /// Runs `work` under the lock. A panic in it marks the partition Failed before the lock is released; `None` then.
    pub(crate) fn locked<R>(&self, work: impl FnOnce(&mut Shared) -> R) -> Option<R> {
        let mut shared = self.shared.hold(self);
        self.guarded(&mut shared, work)
    }

    pub(crate) fn guarded<R>(
        &self,
        shared: &mut Shared,
        work: impl FnOnce(&mut Shared) -> R,
    ) -> Option<R> {
        match catch_unwind(AssertUnwindSafe(|| work(shared))) {
            Ok(value) => Some(value),
            Err(panic) => {
                let reason = panic_text(panic.as_ref());
                self.fail(shared, reason);
                None
            }
        }
    }

    /// Off-line until restart. What it was in the middle of is never touched again, not even to drop it. One that is
    /// deleted stays so: its files and its handle still go.
    pub(crate) fn fail(&self, shared: &mut Shared, reason: String) {
        if self.state() != PartitionState::Deleted {
            self.set_state(PartitionState::Failed);
        }
        self.stop_leading(shared, error_code::KAFKA_STORAGE_ERROR);
        std::mem::forget(std::mem::replace(&mut shared.body, Body::Away));
        self.count_unstarted(shared);
        self.env.notifier.event(self.handle, PartitionEvent::Failed { reason });
    }

    /// Answers everything that waits. The outcome of parked appends is unknown to their clients, as in Kafka.
    pub(crate) fn stop_leading(&self, shared: &mut Shared, error_code: i16) {
        let was_leader = self.is_leader.swap(false, Ordering::Release);
        for parked in shared.parked.drain(..) {
            self.env.notifier.append_done(parked.slot, self.refusal(error_code));
        }
        self.wake_all(shared);
        if let Body::Leading(core) = &mut shared.body {
            for slot in core.log_starts.drain(..).flat_map(|start| start.slots) {
                self.env.notifier.append_done(slot, self.refusal(error_code));
            }
        }
        if was_leader {
            let (leader_epoch, start_offset) = (self.leader_epoch(), -1);
            let event = PartitionEvent::Role { leader_epoch, is_leader: false, start_offset };
            self.env.notifier.event(self.handle, event);
        }
    }

    /// Everybody who waits for data looks again.
    pub(crate) fn wake_all(&self, shared: &mut Shared) {
        for (waiter, _) in shared.waiters.drain(..) {
            self.env.notifier.wake(waiter);
        }
    }

    /// Makes what the group has decided visible: offsets, acknowledgements, waiters. Waiters of the reactor in `near` go
    /// into its list, others are woken.
    pub(crate) fn settle(
        self: &Arc<Self>,
        shared: &mut Shared,
        near: Option<(u16, &mut Vec<Waiter>)>,
    ) {
        let Body::Leading(core) = &mut shared.body else { return self.settle_idle(shared) };
        let commit = core.group.commit_index();
        self.leader_epoch.store(core.group.term() as i32, Ordering::Release);
        let mut has_moved = false;
        while core.log_starts.front().is_some_and(|start| start.index <= commit) {
            let Some(start) = core.log_starts.pop_front() else { break };
            has_moved |= core.log_mut().set_log_start(start.offset);
            self.log_start.store(core.log().log_start_offset() as i64, Ordering::Release);
            for slot in start.slots {
                self.env.notifier.append_done(slot, self.success(-1, -1));
            }
        }
        let high_watermark = core.high_watermark() as i64;
        self.log_end.store(core.log().log_end_offset() as i64, Ordering::Release);
        self.log_start.store(core.log().log_start_offset() as i64, Ordering::Release);
        let before = self.high_watermark.swap(high_watermark, Ordering::AcqRel);
        if core.is_serving()
            && !core.is_role_told
            && core.serves_from.is_some_and(|index| index <= commit)
        {
            core.is_role_told = true;
            self.is_leader.store(true, Ordering::Release);
            let (leader_epoch, start_offset) = (self.leader_epoch(), core.term_start as i64);
            let event = PartitionEvent::Role { leader_epoch, is_leader: true, start_offset };
            self.env.notifier.event(self.handle, event);
        }
        core.log_mut().retain_entries_from(commit);
        if has_moved {
            self.want_deletion(shared);
        }
        if high_watermark > before {
            self.high_watermark_moved(shared, high_watermark, near);
        }
    }

    fn settle_idle(&self, shared: &mut Shared) {
        let Some(log) = shared.body.log() else { return };
        let log_end = log.log_end_offset() as i64;
        self.log_end.store(log_end, Ordering::Release);
        self.log_start.store(log.log_start_offset() as i64, Ordering::Release);
        self.leader_epoch.store(log.latest_epoch().unwrap_or(0) as i32, Ordering::Release);
        // The only voter's log is committed as far as it goes; what was never acknowledged is not shown yet.
        self.high_watermark.fetch_min(log_end, Ordering::AcqRel);
    }

    fn high_watermark_moved(
        &self,
        shared: &mut Shared,
        high_watermark: i64,
        near: Option<(u16, &mut Vec<Waiter>)>,
    ) {
        while shared.parked.front().is_some_and(|it| it.needs_high_watermark <= high_watermark) {
            if let Some(parked) = shared.parked.pop_front() {
                self.env.notifier.append_done(parked.slot, parked.done);
            }
        }
        if !shared.waiters.is_empty() {
            let (reactor, mut due) = near.map_or((None, None), |(id, due)| (Some(id), Some(due)));
            shared.waiters.retain(|&(waiter, seen)| {
                if seen >= high_watermark {
                    return true;
                }
                match &mut due {
                    Some(due) if reactor == Some(waiter.reactor) => due.push(waiter),
                    _ => self.env.notifier.wake(waiter),
                }
                false
            });
        }
        if self.spec.watch_commits {
            let event = PartitionEvent::Committed { offset: high_watermark };
            self.env.notifier.event(self.handle, event);
        }
    }

    /// Why an append is refused in this state; `None` when it is Open.
    pub(crate) fn state_refusal(&self) -> Option<i16> {
        match self.state() {
            PartitionState::Open => None,
            PartitionState::Busy => Some(error_code::NOT_LEADER_OR_FOLLOWER),
            PartitionState::NoSpace | PartitionState::Failed => {
                Some(error_code::KAFKA_STORAGE_ERROR)
            }
            PartitionState::Deleted => Some(error_code::UNKNOWN_TOPIC_OR_PARTITION),
        }
    }

    pub(crate) fn refusal(&self, error_code: i16) -> AppendDone {
        AppendDone {
            error_code,
            base_offset: -1,
            log_append_time_ms: -1,
            log_start_offset: -1,
            leader_epoch: self.leader_epoch(),
        }
    }

    pub(crate) fn success(&self, base_offset: i64, log_append_time_ms: i64) -> AppendDone {
        AppendDone {
            error_code: error_code::NONE,
            base_offset,
            log_append_time_ms,
            log_start_offset: self.log_start_offset(),
            leader_epoch: self.leader_epoch(),
        }
    }

    /// An append after which so many records are not synced is acknowledged only once they are: as in Kafka, where that
    /// append itself waits for the sync. Those in between are not held back.
    pub(crate) fn sync_at(&self, config: &PartitionConfig) -> i64 {
        if self.is_fsync_mode(config) { i64::MIN } else { config.flush_messages }
    }

    /// Acknowledge only what is durable.
    pub(crate) fn is_fsync_mode(&self, config: &PartitionConfig) -> bool {
        self.spec.fsync_always || config.flush_messages <= 1
    }

    pub(crate) fn set_state(&self, state: PartitionState) {
        self.state.store(state as u8, Ordering::Release);
    }

    pub(crate) fn set_rules(&self, config: &PartitionConfig) {
        self.rules.store(Arc::new(rules_of(&self.env, config)));
    }

    /// For `wire::validate`, outside the lock. `produce_version` is for the caller to fill in.
    pub fn rules(&self) -> arc_swap::Guard<Arc<ValidationRules>> {
        self.rules.load()
    }

    pub fn handle(&self) -> Handle {
        self.handle
    }

    pub fn spec(&self) -> &PartitionSpec {
        &self.spec
    }

    pub fn dir(&self) -> &PathBuf {
        &self.dir
    }

    pub fn high_watermark(&self) -> i64 {
        self.high_watermark.load(Ordering::Acquire)
    }

    pub fn log_end_offset(&self) -> i64 {
        self.log_end.load(Ordering::Acquire)
    }

    pub fn log_start_offset(&self) -> i64 {
        self.log_start.load(Ordering::Acquire)
    }

    pub fn leader_epoch(&self) -> i32 {
        self.leader_epoch.load(Ordering::Acquire)
    }

    pub fn is_leader(&self) -> bool {
        self.is_leader.load(Ordering::Acquire)
    }

    /// `Failed` too when the log directory is off-line.
    pub fn state(&self) -> PartitionState {
        match self.state.load(Ordering::Acquire) {
            4 => PartitionState::Deleted,
            _ if self.env.is_offline() => PartitionState::Failed,
            0 => PartitionState::Open,
            1 => PartitionState::Busy,
            2 => PartitionState::NoSpace,
            _ => PartitionState::Failed,
        }
    }
}

fn rules_of(env: &Env, config: &PartitionConfig) -> ValidationRules {
    ValidationRules {
        produce_version: i16::MAX,
        max_message_bytes: usize::try_from(config.max_message_bytes).unwrap_or(0),
        segment_bytes: usize::try_from(config.segment_bytes).unwrap_or(0),
        is_compacted: config.cleanup_compact,
        timestamp_type: if config.log_append_time {
            TimestampType::LogAppendTime
        } else {
            TimestampType::CreateTime
        },
        timestamp_before_max_ms: config.timestamp_before_max_ms,
        timestamp_after_max_ms: config.timestamp_after_max_ms,
        check_compressed: env.producer_check_compressed,
    }
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    if let Some(text) = panic.downcast_ref::<&str>() {
        (*text).to_string()
    } else if let Some(text) = panic.downcast_ref::<String>() {
        text.clone()
    } else {
        "a panic without text".to_string()
    }
}
