//! Offsets by time: a job over the segments, without the partition's lock.

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
