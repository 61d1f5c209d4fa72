//! The hard-state log of a log directory: terms, votes and configurations of all its groups, which nothing in the Produce
//! path writes.

use crate::disk::Disk;
use std::io;
use std::path::Path;
use std::sync::Arc;

/// Raft's hard state of one group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HardState {
    pub term: u64,
    /// Node voted for in `term`, 0 = none.
    pub vote: u64,
    pub commit: u64,
}

/// A configuration and the index from which it holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConfState {
    pub index: u64,
    pub voters: Vec<u64>,
    pub learners: Vec<u64>,
    pub voters_outgoing: Vec<u64>,
    pub learners_next: Vec<u64>,
    pub auto_leave: bool,
}

/// What the log knows of one group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupState {
    pub hard_state: HardState,
    pub conf_state: ConfState,
    /// Created here as a voter, with the topic's id.
    pub created: Option<[u8; 16]>,
    pub quarantined: bool,
    /// Opened for writing since the last clean stop.
    pub opened: bool,
    pub removed: bool,
}

/// A record to append.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    HardState(HardState),
    ConfState(ConfState),
    Created { topic_id: [u8; 16] },
    Quarantined,
    Released,
    Opened,
    Removed,
}

/// How the last process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastStop {
    /// The clean-stop mark was the last record.
    pub clean: bool,
    /// The operating system has not been restarted since.
    pub same_boot: bool,
}

/// The log. Its one lock covers an append to, or a swap of, its buffer, never a write.
pub struct HardStateLog {
    _private: (),
}

impl HardStateLog {
    /// Opens or creates the log, cuts it at the first bad record (durably), raises the incarnation and writes it with the
    /// boot id, durably. Waits for the disk.
    pub fn open(disk: Arc<dyn Disk>, log_dir: &Path) -> io::Result<(HardStateLog, LastStop)> {
        let _ = (disk, log_dir);
        unimplemented!()
    }

    /// Number of this start, never seen before.
    pub fn incarnation(&self) -> u64 {
        unimplemented!()
    }

    /// The last state of a group.
    pub fn group(&self, group_id: u64) -> Option<GroupState> {
        let _ = group_id;
        unimplemented!()
    }

    /// Every group known, removed ones included.
    pub fn groups(&self) -> Vec<(u64, GroupState)> {
        unimplemented!()
    }

    /// Puts a record into the buffer; returns the sequence number that `sync` must reach before what depends on it may
    /// leave. Never waits.
    pub fn append(&self, group_id: u64, record: &Record) -> u64 {
        let _ = (group_id, record);
        unimplemented!()
    }

    /// Writes the buffer, and syncs it if `durable`; returns the sequence number reached. By one thread at a time (the
    /// flusher). Compacts beyond 64 MiB. After an error the log directory is off-line.
    pub fn sync(&self, durable: bool) -> io::Result<u64> {
        let _ = durable;
        unimplemented!()
    }

    /// Everything at or below is durable.
    pub fn synced(&self) -> u64 {
        unimplemented!()
    }

    /// Writes the clean-stop mark as the last record, durably.
    pub fn stop(&self) -> io::Result<()> {
        unimplemented!()
    }
}
