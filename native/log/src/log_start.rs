//! The log start, and how much of it may be made durable.

use crate::log::PartitionLog;

/// How far the log start is safe from a loss of power. What stays of a log must reach the entry that moved its start: else
/// it would begin behind what was copied to its end before, and is gone.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct DurableStart {
    /// Up to here.
    offset: u64,
    /// The index whose flush makes the next offset safe. The first of several that wait: others come after it.
    waiting: Option<(u64, u64)>,
}

impl DurableStart {
    pub fn new(offset: u64) -> DurableStart {
        DurableStart { offset, waiting: None }
    }

    /// The log start that may be made durable.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Says whether the offset moved. The log starts at `log_start` and ends with `last_index`.
    fn update(&mut self, log_start: u64, last_index: u64, flushed_index: u64) -> bool {
        let before = self.offset;
        self.take_flushed(flushed_index);
        if self.waiting.is_none() && log_start > self.offset {
            self.waiting = Some((last_index, log_start));
            self.take_flushed(flushed_index);
        }
        self.offset > before
    }

    fn take_flushed(&mut self, flushed_index: u64) {
        if let Some((_, offset)) = self.waiting.filter(|(index, _)| *index <= flushed_index) {
            *self = DurableStart::new(offset);
        }
    }
}

impl PartitionLog {
    /// First offset a client may read.
    pub fn log_start_offset(&self) -> u64 {
        self.log_start
    }

    /// Moves the log start forward (a committed SetLogStart); says whether it moved. Never beyond the log end. Checkpoints
    /// and deletions go by it once all that is in the log now was flushed.
    pub fn set_log_start(&mut self, offset: u64) -> bool {
        let offset = offset.min(self.log_end_offset());
        let moves = offset > self.log_start;
        if moves {
            self.log_start = offset;
            self.version += 1;
            self.note_log_start();
        }
        moves
    }

    /// After a flush, or when the log start moved.
    pub(crate) fn note_log_start(&mut self) {
        let (last_index, flushed_index) = (self.last_index(), self.flushed_index());
        if self.durable_start.update(self.log_start, last_index, flushed_index) {
            self.version += 1;
        }
    }

    /// The log was cut, durably.
    pub(crate) fn cut_log_start(&mut self) {
        self.log_start = self.log_start.min(self.log_end_offset());
        self.durable_start = DurableStart::new(self.durable_start.offset().min(self.log_start));
        self.note_log_start();
    }
}
