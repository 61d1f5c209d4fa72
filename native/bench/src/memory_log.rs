//! A group's log that remembers where it ends and nothing else.

use ms_consensus::{EntryKind, GroupLog, Payload};

/// Every entry is data of one term.
#[derive(Default)]
pub struct MemoryLog {
    pub term: u32,
    pub last_index: u64,
}

impl GroupLog for MemoryLog {
    fn first_index(&self) -> u64 {
        1
    }

    fn last_index(&self) -> u64 {
        self.last_index
    }

    fn term(&self, index: u64) -> Option<u32> {
        (index <= self.last_index).then_some(if index == 0 { 0 } else { self.term })
    }

    fn kind(&self, index: u64) -> Option<EntryKind> {
        (index <= self.last_index).then_some(EntryKind::Data)
    }

    fn payload(&self, _index: u64) -> Option<(Payload, u32)> {
        None
    }
}
