//! Reads for consumers: planned under the partition's lock, located and read without it.

use crate::disk::File;
use std::io;
use std::sync::Arc;

/// What a consumer asks for.
#[derive(Clone, Copy, Debug)]
pub struct ReadRequest {
    /// The first offset wanted; the batch that contains it is given whole.
    pub from_offset: u64,
    /// Most bytes to give, in whole batches.
    pub max_bytes: u32,
    /// Only batches below this offset: high watermark or last stable offset.
    pub up_to: u64,
    /// Give the first batch even if it is larger than `max_bytes`.
    pub min_one: bool,
}

/// Bytes of one file, whole batches only, never a control frame.
#[derive(Clone)]
pub struct FileRange {
    pub file: Arc<dyn File>,
    pub position: u64,
    pub len: u32,
}

/// What a read comes to.
pub enum ReadPlan {
    /// Nothing to give: the offset is `up_to`, or the first batch is too large and `min_one` is off.
    Empty,
    /// One range: the usual case near the log end.
    Range(FileRange),
    /// Several ranges, control frames between them.
    Ranges(Vec<FileRange>),
    /// Headers must be read first, which may wait for the disk.
    Locate(LocateJob),
}

impl ReadPlan {
    /// The ranges, in order; empty for `Locate`.
    pub fn ranges(&self) -> &[FileRange] {
        match self {
            ReadPlan::Range(range) => std::slice::from_ref(range),
            ReadPlan::Ranges(ranges) => ranges,
            ReadPlan::Empty | ReadPlan::Locate(_) => &[],
        }
    }

    /// Bytes of all ranges.
    pub fn total_bytes(&self) -> u64 {
        self.ranges().iter().map(|range| u64::from(range.len)).sum()
    }
}

/// Finds the exact ranges of a read by reading frame headers, without the lock. Cheap to clone.
#[derive(Clone)]
pub struct LocateJob {
    _private: (),
}

impl LocateJob {
    /// From the page cache only: `WouldBlock` means [`LocateJob::run`] on a thread that may wait. `NotFound`: the segment
    /// was deleted meanwhile, plan again. `InvalidData`: damage, answer KAFKA_STORAGE_ERROR. Never answers `Locate`.
    pub fn run_cached(&self) -> io::Result<ReadPlan> {
        unimplemented!()
    }

    /// As [`LocateJob::run_cached`], waiting for the disk.
    pub fn run(&self) -> io::Result<ReadPlan> {
        unimplemented!()
    }
}
