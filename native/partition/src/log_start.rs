//! Moving the log start: DeleteRecords, retention, checkpoints of coordinators, snapshots of the metadata group.

use std::sync::Arc;

use ms_consensus::{Consensus, EntryKind};
use ms_wire::error_code;

use crate::api::*;
use crate::append::TurnFailure;
use crate::core::PendingLogStart;
use crate::partition::{Partition, Shared};

impl Partition {
    /// Moves the log start to `offset` (-1: the high watermark). `None`: parked, `Notifier::append_done(slot)` follows with
    /// the new `log_start_offset`.
    pub fn delete_records(
        self: &Arc<Self>,
        offset: i64,
        now_ms: i64,
        slot: ReplySlot,
    ) -> Option<AppendDone> {
        if let Some(error_code) = self.state_refusal() {
            return Some(self.refusal(error_code));
        }
        let decided = self.locked(|shared| match self.state_refusal() {
            // It may have changed before the lock was there.
            Some(error_code) => Some(self.refusal(error_code)),
            None => self.delete_locked(shared, offset, now_ms, slot),
        });
        decided.unwrap_or_else(|| Some(self.refusal(error_code::KAFKA_STORAGE_ERROR)))
    }

    fn delete_locked(
        self: &Arc<Self>,
        shared: &mut Shared,
        offset: i64,
        now_ms: i64,
        slot: ReplySlot,
    ) -> Option<AppendDone> {
        let config = shared.config;
        let Some(core) = shared.body.leading().filter(|core| core.is_serving()) else {
            return Some(self.refusal(error_code::NOT_LEADER_OR_FOLLOWER));
        };
        // A coordinator keeps its own log short by checkpoints, although its topic is compacted.
        let is_only_compacted = config.cleanup_compact && !config.cleanup_delete;
        if is_only_compacted && !config.is_internal {
            return Some(self.refusal(error_code::POLICY_VIOLATION));
        }
        let high_watermark = self.high_watermark();
        let offset = if offset == -1 { high_watermark } else { offset };
        if !(0..=high_watermark).contains(&offset) {
            return Some(self.refusal(error_code::OFFSET_OUT_OF_RANGE));
        }
        let pending = core.log_starts.iter_mut().find(|start| start.offset as i64 >= offset);
        if let Some(pending) = pending {
            pending.slots.push(slot);
            return None;
        }
        if offset <= self.log_start_offset() {
            return Some(self.success(-1, -1));
        }
        match self.propose_log_start(shared, offset as u64, now_ms, Some(slot)) {
            Ok(()) => None,
            Err(error_code) => Some(self.refusal(error_code)),
        }
    }

    /// Proposes and writes a SetLogStart frame. With an error code the slot was not answered.
    pub(crate) fn propose_log_start(
        self: &Arc<Self>,
        shared: &mut Shared,
        offset: u64,
        now_ms: i64,
        slot: Option<ReplySlot>,
    ) -> Result<(), i16> {
        let waits_for_sync = shared.unflushed_records() >= self.sync_at(&shared.config);
        let Some(core) = shared.body.leading().filter(|core| core.is_serving()) else {
            return Err(error_code::NOT_LEADER_OR_FOLLOWER);
        };
        core.accepted.clear();
        let kind = EntryKind::SetLogStart;
        let index = core
            .group
            .propose_control(kind, &offset.to_be_bytes())
            .map_err(|_| error_code::NOT_LEADER_OR_FOLLOWER)?;
        let ready = core.ready().ok_or(error_code::NOT_LEADER_OR_FOLLOWER)?;
        if let Err(error) = core.write(ready, index, |_| &[], waits_for_sync) {
            let failure = TurnFailure::from(error);
            let error_code = failure.error_code();
            self.log_start_failed(shared, failure);
            return Err(error_code);
        }
        core.log_starts.push_back(PendingLogStart {
            index,
            offset,
            slots: slot.into_iter().collect(),
        });
        self.note_written(shared, now_ms, 0, false);
        self.settle(shared, None);
        Ok(())
    }

    pub(crate) fn log_start_failed(self: &Arc<Self>, shared: &mut Shared, failure: TurnFailure) {
        if let TurnFailure::Disk { error, is_usable, is_proposed } = failure {
            self.disk_failed(shared, &error, is_usable, is_proposed);
        }
    }
}
