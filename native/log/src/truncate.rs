//! Cutting the log at an index.

use crate::error::LogError;
use crate::log::PartitionLog;

impl PartitionLog {
    /// Drops the entries from `index` on, durably. Waits for the disk. Producer state is rolled back by
    /// [`PartitionLog::replay_batches`].
    pub fn truncate_from(&mut self, index: u64) -> Result<(), LogError> {
        let _ = index;
        unimplemented!()
    }
}
