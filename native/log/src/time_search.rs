//! Offsets by time: a job over the segments, without the partition's lock.

use crate::log::PartitionLog;
use std::io;

/// A record found by time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeFound {
    pub offset: u64,
    pub timestamp: i64,
    pub leader_epoch: u32,
}

/// Holds the segments it needs; they stay readable while it lives.
pub struct TimeSearch {
    _private: (),
}

impl TimeSearch {
    /// Reads and decompresses the batch in question. Waits for the disk: on a worker.
    pub fn run(self) -> io::Result<Option<TimeFound>> {
        unimplemented!()
    }
}

impl PartitionLog {
    /// Search for the first record with a timestamp of at least `timestamp` below `up_to`; runs without the lock.
    pub fn search_timestamp(&self, timestamp: i64, up_to: u64) -> TimeSearch {
        let _ = (timestamp, up_to);
        unimplemented!()
    }

    /// Search for the record with the largest timestamp below `up_to`; runs without the lock.
    pub fn search_max_timestamp(&self, up_to: u64) -> TimeSearch {
        let _ = up_to;
        unimplemented!()
    }
}
