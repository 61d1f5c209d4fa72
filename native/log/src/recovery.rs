//! Opening a log: what is believed, what is cut as a torn tail, what is damage.

use crate::checkpoint::PartitionCheckpoint;
use crate::disk::Disk;
use crate::error::LogError;
use crate::hard_state::HardState;
use crate::log::PartitionLog;
use crate::options::{LogIdentity, LogOptions};
use ms_wire::batch::BatchHeader;
use std::path::Path;
use std::sync::Arc;

/// What opening needs.
pub struct OpenLog<'a> {
    pub disk: Arc<dyn Disk>,
    pub dir: &'a Path,
    pub identity: LogIdentity,
    pub options: LogOptions,
    /// This partition's part of the checkpoint file, if any.
    pub checkpoint: Option<&'a PartitionCheckpoint>,
    /// Nothing written can be lost: the same boot of the operating system, or a clean stop.
    pub same_boot: bool,
    /// The group's last hard state, for its commit index.
    pub hard_state: Option<HardState>,
    /// fsync mode: sync what is found before it is counted as persisted.
    pub sync_on_open: bool,
    pub now_ms: i64,
}

/// Rebuilds the producer state while a log is read.
pub trait BatchVisitor {
    /// Called once, before the batches: the newest snapshot that the log holds, empty if it holds none.
    fn snapshot(&mut self, producers: &[u8]);
    /// A data frame behind the snapshot, in order.
    fn batch(&mut self, header: &BatchHeader);
}

/// A part of a segment that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Damage {
    /// Base offset of the segment.
    pub segment: u64,
    /// Where in the file it begins.
    pub position: u64,
    /// First offset that cannot be read.
    pub from_offset: u64,
    /// First offset after it that can.
    pub to_offset: u64,
}

impl PartitionLog {
    /// Opens what is in the folder by the recovery rules; `visitor` gets the producer snapshot and every batch behind it.
    /// Waits for the disk.
    pub fn open(
        how: OpenLog<'_>,
        visitor: &mut dyn BatchVisitor,
    ) -> Result<(PartitionLog, Recovery), LogError> {
        let _ = (how, visitor);
        unimplemented!()
    }

    /// Gives `visitor` the newest producer snapshot and every batch behind it, up to the log end. Waits for the disk.
    pub fn replay_batches(&self, visitor: &mut dyn BatchVisitor) -> Result<(), LogError> {
        let _ = visitor;
        unimplemented!()
    }
}

/// What opening found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovery {
    /// Bytes cut as a torn tail.
    pub cut_bytes: u64,
    /// Files set aside (`….cut`) before something that may be valid was cut or moved.
    pub set_aside: Vec<String>,
    /// Damage found: to be reported; reads there answer a storage error.
    pub damage: Vec<Damage>,
    /// Index files that were rebuilt.
    pub rebuilt_indexes: u32,
    /// min(hard state's commit, last index): what Raft is told.
    pub commit: u64,
    /// The hard state knew of a higher commit: so many entries are provably lost.
    pub lost_committed: u64,
    /// Bytes of frames that were checked.
    pub checked_bytes: u64,
}
