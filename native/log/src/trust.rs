//! Which bytes of a segment are known to be what was written. What this process wrote, or checked when it opened the log, is;
//! what an earlier process left is checked when it is read for the first time.

use crate::disk::File;
use crate::padding::MOST_BYTES;
use crate::segment::{HEADER_BYTES, SegmentStart};
use crate::walk::{Depth, Step, Walker};
use ms_wire::frame::FrameHeader;
use parking_lot::Mutex;
use std::io;
use std::sync::atomic::{AtomicU32, Ordering};

/// Bytes that are checked along, so that the prefix grows. A read may end in front of padding and the next one begin behind
/// it; no padding is longer.
const NEAR_BYTES: u32 = MOST_BYTES as u32 + (64 << 10);

/// Trust in the bytes of one segment; shared with the jobs that read it.
#[derive(Debug)]
pub(crate) struct Trust {
    /// From here on everything was checked before it got here.
    checked_from: u32,
    /// Everything before was checked since: a copy of `prefix.position`.
    covered: AtomicU32,
    prefix: Mutex<Chain>,
    /// A frame below `checked_from` that is damaged; up to `checked_from` nothing behind it is given.
    bad_from: AtomicU32,
}

/// A frame boundary, and what must follow there: offset and term lie outside the CRC.
#[derive(Clone, Copy, Debug)]
struct Chain {
    position: u32,
    next: Option<(i64, u32)>,
}

impl Trust {
    /// Trust in everything from `checked_from` on.
    pub fn from(checked_from: u32, start: &SegmentStart) -> Trust {
        let next = Some((start.base_offset as i64, start.prev_term));
        Trust {
            checked_from,
            covered: AtomicU32::new(HEADER_BYTES),
            prefix: Mutex::new(Chain { position: HEADER_BYTES, next }),
            bad_from: AtomicU32::new(u32::MAX),
        }
    }

    /// Trust in a segment that is cut at a position: what is written there next is trusted.
    pub fn cut(&self, position: u32, start: &SegmentStart) -> Trust {
        Trust::from(self.checked_from.min(position), start)
    }

    /// Whether a range between frame boundaries needs no check. Two loads at most.
    pub fn covers(&self, from: u32, to: u32) -> bool {
        from >= self.checked_from || to <= self.covered.load(Ordering::Relaxed)
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
        // From the end of the prefix if it reaches so far, or nearly: control frames and padding may lie between.
        let prefix = *self.prefix.lock();
        let reaches = from.saturating_sub(prefix.position) <= NEAR_BYTES;
        let start = if reaches { prefix } else { Chain { position: from, next: None } };
        let end = to.min(self.checked_from);
        let good = walk(file, start, end, cached)?;
        if reaches {
            self.advance(good);
        }
        if good.position == end {
            return Ok(to);
        }
        self.bad_from.fetch_min(good.position, Ordering::Relaxed);
        if good.position > from {
            Ok(good.position)
        } else {
            Err(io::ErrorKind::InvalidData.into())
        }
    }

    fn advance(&self, good: Chain) {
        let mut prefix = self.prefix.lock();
        if good.position > prefix.position {
            *prefix = good;
            self.covered.store(good.position, Ordering::Relaxed);
        }
    }
}

/// The last boundary up to which frames are whole and follow each other.
fn walk(file: &dyn File, mut chain: Chain, end: u32, cached: bool) -> io::Result<Chain> {
    let depth = if cached { Depth::CachedChecked } else { Depth::Checked };
    let (from, to) = (u64::from(chain.position), u64::from(end));
    let mut walker = Walker::new(file, depth, from, to.max(from), i32::MAX as u32);
    while let Step::Frame { header, .. } = walker.step()? {
        let before = match &header {
            FrameHeader::Data(_) => header.term(),
            FrameHeader::Control(control) => control.prev_term,
        };
        let found = (header.base_offset(), before);
        if chain.next.is_some_and(|next| next != found) || header.term() < before {
            break;
        }
        let next_offset = header.base_offset() + header.offset_count();
        chain =
            Chain { position: walker.position() as u32, next: Some((next_offset, header.term())) };
    }
    Ok(chain)
}
