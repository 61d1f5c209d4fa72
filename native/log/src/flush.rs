//! What must be synced, taken out under the lock and done without it.

/// Files and folders of one log to make durable.
pub struct FlushJob {
    _private: (),
}

impl FlushJob {
    /// Syncs files, then folders, then writes the index files of sealed segments. Waits for the disk.
    pub fn run(self) -> Flushed {
        unimplemented!()
    }
}

/// Outcome of a [`FlushJob`], to be given to `PartitionLog::flushed`.
pub struct Flushed {
    _private: (),
}
