//! Which segments retention removes, and their deletion.

use std::io;

/// What retention would do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetentionPlan {
    /// Propose SetLogStart to this offset; after its commit `set_log_start` and `delete_segments_below`.
    pub new_log_start: u64,
    /// The active segment goes too: roll first.
    pub roll_first: bool,
}

/// Files of segments that left the log.
pub struct DeleteJob {
    _private: (),
}

impl DeleteJob {
    /// Unlinks the files, the oldest segment first. Handles that are still open stay readable.
    pub fn run(self) -> io::Result<()> {
        unimplemented!()
    }
}
