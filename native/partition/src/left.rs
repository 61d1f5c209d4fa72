//! Turns that found the lock taken: who has it appends them, in the order in which they came.

use std::collections::VecDeque;
use std::sync::Arc;

use ms_intake::{Bound, Holder};
use ms_wire::error_code;
use ms_wire::validate::ValidBatch;

use crate::api::*;
use crate::partition::{Partition, Shared};

/// What may wait for a lock.
pub(crate) const BOUND: Bound = Bound { entries: 256, bytes: 16 << 20 };

/// A turn whose reactor has gone on: it owns its bytes.
pub(crate) struct LeftTurn {
    bytes: Vec<u8>,
    /// In the order of their bytes.
    batches: Vec<LeftBatch>,
    now_ms: i64,
    reactor: u16,
}

struct LeftBatch {
    len: usize,
    batch: ValidBatch,
    acks: i16,
    slot: ReplySlot,
    origin: Origin,
}

impl LeftTurn {
    fn of(batches: &[PendingAppend<'_>], now_ms: i64, reactor: u16) -> LeftTurn {
        let mut bytes = Vec::with_capacity(batches.iter().map(|it| it.bytes.len()).sum());
        let batches = batches.iter().map(|pending| {
            bytes.extend_from_slice(pending.bytes);
            let PendingAppend { acks, slot, origin, .. } = *pending;
            let batch = pending.batch.clone();
            LeftBatch { len: pending.bytes.len(), batch, acks, slot, origin }
        });
        let batches = batches.collect();
        LeftTurn { bytes, batches, now_ms, reactor }
    }

    fn pending(bytes: &mut [u8], batches: Vec<LeftBatch>) -> Vec<PendingAppend<'_>> {
        let mut rest = bytes;
        let pending = |left: LeftBatch| {
            let (bytes, behind) = std::mem::take(&mut rest).split_at_mut(left.len);
            rest = behind;
            let LeftBatch { batch, acks, slot, origin, .. } = left;
            PendingAppend { bytes, batch, acks, slot, origin, result: None }
        };
        batches.into_iter().map(pending).collect()
    }
}

impl Partition {
    /// Leaves a turn to who has the lock: all results come through `Notifier::append_done`. False: there is no room.
    pub(crate) fn leave_turn(
        &self,
        batches: &[PendingAppend<'_>],
        now_ms: i64,
        reactor: u16,
    ) -> bool {
        let turn = LeftTurn::of(batches, now_ms, reactor);
        let bytes = turn.bytes.len();
        self.shared.leave(self, turn, bytes).is_ok()
    }

    /// Does what was left, if nobody else is about to: what `Notifier::left_turns` asks for.
    pub fn take_left_turns(&self) {
        self.shared.look(self);
    }

    fn take_left(self: &Arc<Self>, shared: &mut Shared, turn: LeftTurn) {
        let LeftTurn { mut bytes, batches, now_ms, .. } = turn;
        let mut batches = LeftTurn::pending(&mut bytes, batches);
        let work = |shared: &mut Shared| self.append_held(shared, &mut batches, now_ms, None);
        if self.guarded(shared, work).is_none() {
            self.refuse_open(&mut batches, error_code::KAFKA_STORAGE_ERROR);
        }
        for pending in batches {
            if let Some(done) = pending.result {
                self.env.notifier.append_done(pending.slot, done);
            }
        }
    }
}

impl Holder<Shared, LeftTurn> for Partition {
    fn take_in(&self, shared: &mut Shared, turns: VecDeque<LeftTurn>) {
        // Who calls has it.
        let Some(me) = self.me.upgrade() else { return };
        turns.into_iter().for_each(|turn| me.take_left(shared, turn));
    }

    fn pass_on(&self, first: &LeftTurn) {
        if let Some(me) = self.me.upgrade() {
            self.env.notifier.left_turns(me, first.reactor);
        }
    }
}
