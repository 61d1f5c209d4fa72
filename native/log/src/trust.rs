//! Which bytes of a segment are known to be what was written. What this process wrote, or checked when it opened the log, is;
//! what an earlier process left is checked when it is read for the first time.

use crate::disk::File;
use crate::segment::HEADER_BYTES;
use crate::walk::{Depth, Step, Walker};
use std::io;
use std::sync::atomic::{AtomicU32, Ordering};

/// Bytes that are checked along, so that the prefix grows.
const NEAR_BYTES: u32 = 64 << 10;

/// Trust in the bytes of one segment; shared with the jobs that read it.
#[derive(Debug)]
pub(crate) struct Trust {
    /// From here on everything was checked before it got here.
    checked_from: u32,
    /// Everything before was checked since.
    prefix: AtomicU32,
    /// A frame below `checked_from` that is damaged; up to `checked_from` nothing behind it is given.
    bad_from: AtomicU32,
}

impl Trust {
    /// Trust in everything from `checked_from` on.
    pub fn from(checked_from: u32) -> Trust {
        Trust { checked_from, prefix: AtomicU32::new(0), bad_from: AtomicU32::new(u32::MAX) }
    }

    /// Trust in a segment that is cut at a position: what is written there next is trusted.
    pub fn cut(&self, position: u32) -> Trust {
        let trust = Trust::from(self.checked_from.min(position));
        let prefix = self.prefix.load(Ordering::Relaxed).min(position);
        trust.prefix.store(prefix, Ordering::Relaxed);
        trust
    }

    /// Whether a range between frame boundaries needs no check. Two loads at most.
    pub fn covers(&self, from: u32, to: u32) -> bool {
        from >= self.checked_from || to <= self.prefix.load(Ordering::Relaxed)
    }

    /// Checks the frames of a range that were not checked before; the end of those that are good. `InvalidData` if the first
    /// one is not, or if it lies behind damage.
    pub fn check(&self, file: &dyn File, from: u32, to: u32, cached: bool) -> io::Result<u32> {
        if self.covers(from, to) {
            return Ok(to);
        }
        if from >= self.bad_from.load(Ordering::Relaxed) {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let depth = if cached { Depth::CachedChecked } else { Depth::Checked };
        let end = to.min(self.checked_from);
        // From the end of the prefix if it reaches so far, or nearly: control frames may lie between.
        let prefix = self.prefix.load(Ordering::Relaxed).max(HEADER_BYTES);
        let reaches = from.saturating_sub(prefix) <= NEAR_BYTES;
        let start = if reaches { prefix } else { from };
        let (start_at, end_at) = (u64::from(start), u64::from(end));
        let mut walker = Walker::new(file, depth, start_at, end_at, i32::MAX as u32);
        while let Step::Frame { .. } = walker.step()? {}
        let good = walker.position() as u32;
        if reaches {
            self.prefix.fetch_max(good, Ordering::Relaxed);
        }
        if good == end {
            return Ok(to);
        }
        self.bad_from.fetch_min(good, Ordering::Relaxed);
        if good > from { Ok(good) } else { Err(io::ErrorKind::InvalidData.into()) }
    }
}
