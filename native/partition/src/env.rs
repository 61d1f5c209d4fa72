//! What all partitions of one log directory share.

use std::collections::HashMap;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use ms_log::Disk;
use ms_log::checkpoint::PartitionCheckpoint;
use ms_log::hard_state::HardStateLog;
use parking_lot::Mutex;

use crate::api::Notifier;

/// What all partitions of one log directory share.
pub struct Env {
    /// The only way to the disk.
    pub disk: Arc<dyn Disk>,
    /// Folder of the partitions' folders.
    pub log_dir: PathBuf,
    /// Terms, votes and commit indexes of all groups of the directory. Written only through this type's methods.
    pub hard_state: Arc<HardStateLog>,
    /// Where results and wishes go: the reactors.
    pub notifier: Arc<dyn Notifier>,
    /// Nothing written can be lost: the same boot of the operating system, or a clean stop.
    pub same_boot: bool,
    /// `broker.id`, the id of this voter.
    pub node_id: u64,
    /// `producer.id.expiration.ms`.
    pub producer_id_expiration_ms: i64,
    /// Wall clock in milliseconds since 1970; the simulation brings its own. Only for jobs: turns are given the time.
    pub now_ms: fn() -> i64,
    /// What the checkpoint file said when the process started; entries are taken out as partitions open.
    pub checkpoints: Mutex<HashMap<u64, PartitionCheckpoint>>,
    /// One thread at a time writes the hard-state log; those that wait find their records written by the first.
    pub hard_state_writer: Mutex<()>,
}

impl Env {
    /// Makes everything up to `sequence` durable. Waits for the disk. Concurrent callers share one fsync.
    pub fn sync_hard_state(&self, sequence: u64) -> io::Result<()> {
        let _writer = self.hard_state_writer.lock();
        if self.hard_state.synced() < sequence {
            self.hard_state.sync(true)?;
        }
        Ok(())
    }

    /// Writes commit indexes that were appended, without fsync: once a second. Waits for the disk.
    pub fn write_hard_state(&self) -> io::Result<()> {
        let _writer = self.hard_state_writer.lock();
        self.hard_state.sync(false).map(|_| ())
    }
}
