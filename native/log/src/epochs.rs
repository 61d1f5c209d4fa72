//! The epoch table: where each Raft term begins, by index and by offset.

use crate::log::EpochEnd;

/// Begin of a term.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Epoch {
    pub term: u32,
    pub start_index: u64,
    pub start_offset: u64,
}

/// The terms of a log, oldest first; one without records stays in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct EpochTable {
    epochs: Vec<Epoch>,
}

impl EpochTable {
    /// A table read from a checkpoint. Anything that does not ascend is refused.
    pub fn from_list(epochs: Vec<Epoch>) -> Option<EpochTable> {
        let ascends = |pair: &[Epoch]| {
            pair[0].term < pair[1].term
                && pair[0].start_index < pair[1].start_index
                && pair[0].start_offset <= pair[1].start_offset
        };
        epochs.windows(2).all(ascends).then_some(EpochTable { epochs })
    }

    /// All entries, oldest first.
    pub fn list(&self) -> &[Epoch] {
        &self.epochs
    }

    /// Notes an entry; a higher term than the last begins a new line.
    pub fn note(&mut self, term: u32, index: u64, offset: u64) {
        if self.epochs.last().is_none_or(|last| last.term < term) {
            self.epochs.push(Epoch { term, start_index: index, start_offset: offset });
        }
    }

    /// Term of an index at or above the first line's.
    pub fn term_at_index(&self, index: u64) -> Option<u32> {
        let at = self.epochs.partition_point(|epoch| epoch.start_index <= index);
        Some(self.epochs.get(at.checked_sub(1)?)?.term)
    }

    /// Term of the record at an offset; of the oldest line when the offset lies below it.
    pub fn term_at_offset(&self, offset: u64) -> Option<u32> {
        let at = self.epochs.partition_point(|epoch| epoch.start_offset <= offset);
        Some(self.epochs.get(at.saturating_sub(1))?.term)
    }

    /// Kafka's `endOffsetFor`: of the newest epoch the log end; of an older one the start of the next, under the name of
    /// the largest epoch at or below, or of the one asked for when all are larger; `None` of one not yet known.
    pub fn end_of(&self, epoch: u32, log_start: u64, log_end: u64) -> Option<EpochEnd> {
        let next = self.epochs.partition_point(|line| line.term <= epoch);
        let found = next.checked_sub(1).map(|at| self.epochs[at].term);
        match self.epochs.get(next) {
            Some(line) => Some(EpochEnd {
                epoch: found.unwrap_or(epoch),
                end_offset: line.start_offset.max(log_start),
            }),
            None if found == Some(epoch) => Some(EpochEnd { epoch, end_offset: log_end }),
            None => None,
        }
    }

    /// Drops the terms that begin at `index` or later.
    pub fn truncate_from(&mut self, index: u64) {
        let keep = self.epochs.partition_point(|epoch| epoch.start_index < index);
        self.epochs.truncate(keep);
    }

    /// Drops the terms that ended before `first_index`.
    pub fn drop_below(&mut self, first_index: u64) {
        let at = self.epochs.partition_point(|epoch| epoch.start_index <= first_index);
        self.epochs.drain(..at.saturating_sub(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> EpochTable {
        let mut table = EpochTable::default();
        for (term, index, offset) in [(2, 1, 0), (2, 5, 30), (3, 6, 40), (5, 7, 40), (6, 20, 100)] {
            table.note(term, index, offset);
        }
        table
    }

    fn end(epoch: u32, end_offset: u64) -> Option<EpochEnd> {
        Some(EpochEnd { epoch, end_offset })
    }

    #[test]
    fn answers_offset_for_leader_epoch_as_kafka() {
        let table = table();
        assert_eq!(table.end_of(6, 0, 120), end(6, 120));
        assert_eq!(table.end_of(7, 0, 120), None);
        assert_eq!(table.end_of(5, 0, 120), end(5, 100));
        assert_eq!(table.end_of(4, 0, 120), end(3, 40));
        assert_eq!(table.end_of(2, 0, 120), end(2, 40));
        assert_eq!(table.end_of(1, 0, 120), end(1, 0));
        assert_eq!(table.end_of(1, 35, 120), end(1, 35));
        assert_eq!(EpochTable::default().end_of(0, 0, 0), None);
    }

    #[test]
    fn finds_terms_and_forgets_both_ends() {
        let mut table = table();
        assert_eq!(table.term_at_index(5), Some(2));
        assert_eq!(table.term_at_index(6), Some(3));
        assert_eq!(table.term_at_index(0), None);
        assert_eq!(table.term_at_offset(99), Some(5));
        table.truncate_from(20);
        assert_eq!(table.term_at_index(u64::MAX), Some(5));
        table.drop_below(6);
        assert_eq!(table.list().len(), 2);
        assert_eq!(table.term_at_index(6), Some(3));
        table.drop_below(100);
        assert_eq!(table.term_at_index(u64::MAX), Some(5));
        assert!(EpochTable::from_list(table.list().to_vec()).is_some());
        assert!(EpochTable::from_list(vec![table.list()[0], table.list()[0]]).is_none());
    }
}
