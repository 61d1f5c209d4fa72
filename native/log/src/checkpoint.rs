//! One file per log directory that says, for every partition, where recovery may start.

use crate::disk::Disk;
use std::collections::HashMap;
use std::io;
use std::path::Path;

/// A place in a partition's log: the end of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogPoint {
    /// Base offset of the segment.
    pub segment: u64,
    pub position: u32,
    pub index: u64,
    pub term: u32,
    pub offset: u64,
}

/// What the checkpoint knows of a partition. Opaque outside this crate except for its group.
#[derive(Clone, Debug)]
pub struct PartitionCheckpoint {
    pub group_id: u64,
    pub written: LogPoint,
    pub flushed: LogPoint,
    pub log_start: u64,
    /// Producer state at `written`, opaque.
    pub producers: Vec<u8>,
}

/// Writes the file: temporary, fsync, rename, fsync of the folder. Waits for the disk. Unchanged partitions are given as the
/// bytes of last time (`PartitionCheckpoint::encode`).
pub fn write(disk: &dyn Disk, log_dir: &Path, partitions: &[&[u8]]) -> io::Result<()> {
    let _ = (disk, log_dir, partitions);
    unimplemented!()
}

/// Reads the file by group id. A missing file or any damage gives an empty map: recovery then reads the logs.
pub fn read(disk: &dyn Disk, log_dir: &Path) -> io::Result<HashMap<u64, PartitionCheckpoint>> {
    let _ = (disk, log_dir);
    unimplemented!()
}

impl PartitionCheckpoint {
    /// One partition's record in the file.
    pub fn encode(&self) -> Vec<u8> {
        unimplemented!()
    }
}
