//! The turn of a partition: checks in Kafka's order, one write, and what becomes of it.

use std::sync::Arc;

use ms_consensus::Consensus;
use ms_log::{AppendError, NextAppend, is_no_space};
use ms_wire::batch;
use ms_wire::error_code;

use crate::api::*;
use crate::core::{Accepted, Core};
use crate::partition::{Body, Idle, Parked, Partition, Shared};
use crate::producers::{BatchMemory, ProducedBatch, Verdict};

impl Partition {
    /// All batches of one turn for this partition: sequences, stamp, propose, one write, commit. `due` gets the waiters
    /// of reactor `reactor`; others are woken through the notifier. Two allocations a turn beside those of Raft. Never
    /// waits for the lock, unless more was left than may be: where it is taken, who has it appends a copy of the turn.
    pub fn append_turn(
        self: &Arc<Self>,
        batches: &mut [PendingAppend<'_>],
        now_ms: i64,
        reactor: u16,
        due: &mut Vec<Waiter>,
    ) {
        if let Some(error_code) = self.state_refusal() {
            return self.refuse_open(batches, error_code);
        }
        let mut shared = match self.shared.try_hold(self.as_ref()) {
            Some(shared) => shared,
            None if self.leave_turn(batches, now_ms, reactor) => return,
            None => self.shared.hold(self.as_ref()),
        };
        let near = Some((reactor, due));
        let work = |shared: &mut Shared| self.append_held(shared, batches, now_ms, near);
        let done = self.guarded(&mut shared, work);
        drop(shared);
        if done.is_none() {
            self.refuse_open(batches, error_code::KAFKA_STORAGE_ERROR);
        }
    }

    pub(crate) fn append_held(
        self: &Arc<Self>,
        shared: &mut Shared,
        batches: &mut [PendingAppend<'_>],
        now_ms: i64,
        near: Option<(u16, &mut Vec<Waiter>)>,
    ) {
        // It may have changed before the lock was there.
        match self.state_refusal() {
            Some(error_code) => self.refuse_open(batches, error_code),
            None => self.append_locked(shared, batches, now_ms, near),
        }
    }

    fn append_locked(
        self: &Arc<Self>,
        shared: &mut Shared,
        batches: &mut [PendingAppend<'_>],
        now_ms: i64,
        near: Option<(u16, &mut Vec<Waiter>)>,
    ) {
        let is_internal = shared.config.is_internal;
        let (unflushed, sync_at) = (shared.unflushed_records(), self.sync_at(&shared.config));
        let Some(core) = shared.body.leading().filter(|core| core.is_serving()) else {
            return self.refuse_open(batches, error_code::NOT_LEADER_OR_FOLLOWER);
        };
        let duplicates = self.let_in(core, batches, is_internal);
        if !core.accepted.is_empty() {
            let bytes_of = |position: usize| &*batches[position].bytes;
            let records: i64 = core.accepted.iter().map(|batch| i64::from(batch.count)).sum();
            let waits_for_sync = unflushed.saturating_add(records) >= sync_at;
            match write_turn(core, bytes_of, now_ms, waits_for_sync) {
                Ok(rolled) => {
                    self.note_written(shared, now_ms, records, rolled);
                    self.settle(shared, near);
                    self.answer(shared, batches);
                }
                Err(failure) => self.turn_failed(shared, batches, failure),
            }
        }
        for (position, original) in duplicates {
            self.answer_duplicate(shared, &mut batches[position], &original);
        }
    }

    /// Decides on every batch in order, stamps those that are let in and notes them in `core.accepted`. Gives back the
    /// duplicates, whose originals may still be on their way.
    fn let_in(
        &self,
        core: &mut Core,
        batches: &mut [PendingAppend<'_>],
        is_internal: bool,
    ) -> Vec<(usize, BatchMemory)> {
        let mut duplicates = Vec::new();
        let term = core.group.term() as i32;
        core.undo.clear();
        core.accepted.clear();
        for (position, pending) in batches.iter_mut().enumerate() {
            let produced = produced_batch(pending);
            let next_offset = core.next_offset;
            let verdict = match check_origin(pending.origin, is_internal, term, next_offset) {
                Some(error_code) => Verdict::Refuse(error_code),
                None => core.producers.check(&produced),
            };
            match verdict {
                Verdict::Refuse(error_code) => {
                    let log_start_offset = self.log_start_offset();
                    let refusal = self.refusal(error_code);
                    pending.result = Some(AppendDone { log_start_offset, ..refusal });
                }
                Verdict::Duplicate(original) => duplicates.push((position, original)),
                Verdict::Accept => {
                    batch::stamp(pending.bytes, next_offset as i64, term);
                    core.producers.accept(&produced, next_offset as i64, &mut core.undo);
                    let count = pending.batch.last_offset_delta as u32 + 1;
                    core.accepted.push(Accepted {
                        position,
                        base_offset: next_offset,
                        count,
                        max_timestamp: pending.batch.max_timestamp,
                    });
                    core.next_offset += u64::from(count);
                }
            }
        }
        duplicates
    }

    /// Acknowledges what is committed, parks the rest. acks=0 is answered at once: nobody waits for it.
    fn answer(&self, shared: &mut Shared, batches: &mut [PendingAppend<'_>]) {
        let Body::Leading(core) = &shared.body else { return };
        let high_watermark = self.high_watermark();
        for batch in &core.accepted {
            let pending = &mut batches[batch.position];
            let base_offset = batch.base_offset as i64;
            let done = self.success(base_offset, pending.batch.log_append_time_ms);
            let needs_high_watermark = base_offset + i64::from(batch.count);
            if pending.acks == 0 || needs_high_watermark <= high_watermark {
                pending.result = Some(done);
            } else {
                park(&mut shared.parked, Parked { needs_high_watermark, slot: pending.slot, done });
            }
        }
    }

    /// A retry gets what the original got, once the original has it. Its timestamp too, as from Kafka.
    fn answer_duplicate(
        &self,
        shared: &mut Shared,
        pending: &mut PendingAppend<'_>,
        original: &BatchMemory,
    ) {
        let log_end = shared.body.leading().map(|core| core.log().log_end_offset() as i64);
        if log_end.is_none_or(|log_end| original.last_offset >= log_end) {
            // The original was part of a write that failed.
            pending.result = Some(self.refusal(error_code::KAFKA_STORAGE_ERROR));
            return;
        }
        let done = self.success(original.first_offset(), original.timestamp);
        let needs_high_watermark = original.last_offset + 1;
        if pending.acks == 0 || needs_high_watermark <= self.high_watermark() {
            pending.result = Some(done);
        } else {
            park(&mut shared.parked, Parked { needs_high_watermark, slot: pending.slot, done });
        }
    }

    /// Nothing of the turn is in the log. Consensus cannot take an entry back, so the group goes and is built again.
    fn turn_failed(
        self: &Arc<Self>,
        shared: &mut Shared,
        batches: &mut [PendingAppend<'_>],
        failure: TurnFailure,
    ) {
        let Body::Leading(core) = &mut shared.body else { return };
        for batch in &core.accepted {
            batches[batch.position].result = Some(self.refusal(failure.error_code()));
        }
        core.accepted.clear();
        core.producers.roll_back(&mut core.undo);
        core.next_offset = core.log().log_end_offset();
        match failure {
            TurnFailure::NotProposed => {}
            TurnFailure::Disk { error, is_usable, is_proposed } => {
                self.disk_failed(shared, &error, is_usable, is_proposed);
            }
        }
    }

    /// What a failed write or roll means: a full disk heals, anything else takes the log directory off-line.
    pub(crate) fn disk_failed(
        self: &Arc<Self>,
        shared: &mut Shared,
        error: &std::io::Error,
        is_usable: bool,
        is_proposed: bool,
    ) {
        let no_space = is_no_space(error);
        if no_space && !is_proposed {
            // The group is as before; the next turn tries again.
            return;
        }
        if no_space && !is_usable {
            return self.fail(shared, format!("the log could not be cut back: {error}"));
        }
        if !no_space && !is_interrupted(error) {
            return self.log_dir_failed(shared, error);
        }
        self.drop_group(shared);
        if no_space {
            self.set_state(PartitionState::NoSpace);
            self.env.notifier.log_dir(LogDirState::NoSpace);
        } else {
            self.set_state(PartitionState::Busy);
            self.env.notifier.job_wanted(Arc::clone(self), JobKind::Rebuild);
        }
    }

    fn drop_group(self: &Arc<Self>, shared: &mut Shared) {
        self.stop_leading(shared, error_code::NOT_LEADER_OR_FOLLOWER);
        shared.body = match std::mem::replace(&mut shared.body, Body::Away) {
            Body::Leading(core) => {
                let Core { group, producers, .. } = *core;
                Body::Idle(Box::new(Idle { files: group.into_log(), producers }))
            }
            other => other,
        };
        self.settle(shared, None);
    }

    /// As in Kafka: after an error of the disk nothing of its log directory is served until restart.
    pub(crate) fn log_dir_failed(self: &Arc<Self>, shared: &mut Shared, error: &std::io::Error) {
        self.env.set_offline();
        self.stop_leading(shared, error_code::KAFKA_STORAGE_ERROR);
        self.fail(shared, format!("{}: {error}", self.dir().display()));
    }

    /// The log directory went off-line elsewhere: what waits here is answered too.
    pub(crate) fn went_offline(&self, shared: &mut Shared) {
        if self.env.is_offline() && !matches!(shared.body, Body::Away) {
            self.fail(shared, format!("{}: the log directory is off-line", self.dir().display()));
        }
    }

    /// For `flush.ms`, `flush.messages` and what a roll leaves to be synced.
    pub(crate) fn note_written(
        self: &Arc<Self>,
        shared: &mut Shared,
        now_ms: i64,
        records: i64,
        rolled: bool,
    ) {
        let unflushed = shared.unflushed_records().saturating_add(records);
        let since = shared.unflushed.map_or(now_ms, |(since, _)| since);
        shared.unflushed = Some((since, unflushed));
        if unflushed >= self.sync_at(&shared.config) {
            self.want_flush(shared);
        } else if rolled {
            self.want_seal(shared);
        }
        self.want_tending(shared);
    }

    pub(crate) fn want_flush(self: &Arc<Self>, shared: &mut Shared) {
        if !std::mem::replace(&mut shared.syncs_wanted.of_flusher, true) {
            self.env.notifier.flush_wanted(Arc::clone(self));
        }
    }

    pub(crate) fn want_seal(self: &Arc<Self>, shared: &mut Shared) {
        if !std::mem::replace(&mut shared.syncs_wanted.of_sealer, true) {
            self.env.notifier.seal_wanted(Arc::clone(self));
        }
    }

    /// Refuses what has no result yet.
    pub(crate) fn refuse_open(&self, batches: &mut [PendingAppend<'_>], error_code: i16) {
        let refusal = self.refusal(error_code);
        for pending in batches.iter_mut().filter(|pending| pending.result.is_none()) {
            pending.result = Some(refusal);
        }
    }
}

/// Why nothing of a turn was written.
pub(crate) enum TurnFailure {
    NotProposed,
    Disk { error: std::io::Error, is_usable: bool, is_proposed: bool },
}

impl TurnFailure {
    pub(crate) fn error_code(&self) -> i16 {
        match self {
            TurnFailure::NotProposed => error_code::NOT_LEADER_OR_FOLLOWER,
            TurnFailure::Disk { .. } => error_code::KAFKA_STORAGE_ERROR,
        }
    }
}

impl From<AppendError> for TurnFailure {
    fn from(error: AppendError) -> Self {
        TurnFailure::Disk { error: error.source, is_usable: error.usable, is_proposed: true }
    }
}

/// Rolls if it must, proposes and writes `core.accepted`. Says whether it rolled.
fn write_turn<'a>(
    core: &mut Core,
    bytes_of: impl Fn(usize) -> &'a [u8],
    now_ms: i64,
    waits_for_sync: bool,
) -> Result<bool, TurnFailure> {
    let bytes: usize = core.accepted.iter().map(|batch| bytes_of(batch.position).len()).sum();
    let next = NextAppend {
        bytes: u32::try_from(bytes).unwrap_or(u32::MAX),
        max_timestamp: core.accepted.iter().map(|batch| batch.max_timestamp).max().unwrap_or(-1),
        last_offset: core.next_offset - 1,
    };
    let rolled = core.roll_if_needed(&next, now_ms)?;
    let first = core.propose(&bytes_of).map_err(|_| TurnFailure::NotProposed)?;
    let ready = core.ready().ok_or(TurnFailure::NotProposed)?;
    core.write(ready, first, &bytes_of, waits_for_sync)?;
    Ok(rolled)
}

fn check_origin(origin: Origin, is_internal: bool, term: i32, next_offset: u64) -> Option<i16> {
    match origin {
        Origin::Client if is_internal => Some(error_code::INVALID_TOPIC_EXCEPTION),
        Origin::Client => None,
        Origin::Coordinator { leader_epoch, expected_base_offset } => {
            if leader_epoch != term {
                Some(error_code::FENCED_LEADER_EPOCH)
            } else if expected_base_offset >= 0 && expected_base_offset as u64 != next_offset {
                Some(error_code::OFFSET_OUT_OF_RANGE)
            } else {
                None
            }
        }
    }
}

fn produced_batch(pending: &PendingAppend<'_>) -> ProducedBatch {
    let batch = &pending.batch;
    ProducedBatch {
        producer_id: batch.producer_id,
        producer_epoch: batch.producer_epoch,
        base_sequence: batch.base_sequence,
        last_offset_delta: batch.last_offset_delta,
        max_timestamp: batch.max_timestamp,
        is_transactional: batch.is_transactional,
        is_client: pending.origin == Origin::Client,
    }
}

/// Keeps the order: a duplicate waits for less than what was parked before it.
fn park(queue: &mut std::collections::VecDeque<Parked>, parked: Parked) {
    let at = queue.partition_point(|it| it.needs_high_watermark <= parked.needs_high_watermark);
    queue.insert(at, parked);
}

/// A short write, or one that a signal ended: the disk is well, the group is built again.
fn is_interrupted(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::Interrupted | std::io::ErrorKind::WriteZero)
}
