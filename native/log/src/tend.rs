//! What keeps a log fast and is not needed for its safety: space that is reserved ahead of the writes, and writeback that
//! begins before the kernel has to slow a writer down. Until then it is left to the kernel, which spends the same time on it
//! and may never have to, of what is deleted soon; and of what is sealed to its sync.

use crate::disk::File;
use crate::log::PartitionLog;
use crate::segment::ActiveSegment;
use std::sync::Arc;

/// Writeback of a log begins after so many bytes, where it is due.
pub const WRITEBACK_BYTES: u64 = 8 << 20;
/// A segment with less than this gets no space ahead: most partitions are small.
const RESERVE_FROM: u32 = 256 << 10;

/// Written bytes whose writeback has not begun.
struct Written {
    file: Arc<dyn File>,
    from: u32,
    to: u32,
}

/// Those of the segments that were sealed meanwhile.
#[derive(Default)]
pub(crate) struct Behind {
    written: Vec<Written>,
    bytes: u64,
}

/// Space to reserve and writeback to begin. Runs without the lock, on a thread that may wait.
pub struct TendJob {
    written: Vec<Written>,
    /// File, offset and length.
    reserve: Option<(Arc<dyn File>, u64, u64)>,
}

impl Behind {
    /// A segment is sealed: what it has left counts until its sync takes it.
    pub fn sealed(&mut self, segment: &ActiveSegment) {
        self.written.extend(segment.written());
        self.bytes = self.written.iter().map(Written::len).sum();
    }
}

impl Written {
    fn len(&self) -> u64 {
        u64::from(self.to - self.from)
    }
}

impl ActiveSegment {
    fn written(&self) -> Option<Written> {
        let (from, to) = (self.started, self.end.size);
        (from < to).then(|| Written { file: self.file.clone(), from, to })
    }

    /// How far space should be reserved now; `None` while there is enough ahead. The more a segment holds, the larger the
    /// step; never beyond what it may grow to.
    fn reserve_to(&self, segment_bytes: u32) -> Option<u32> {
        let size = self.end.size;
        if size < RESERVE_FROM {
            return None;
        }
        let step = match size >> 20 {
            0 => 1 << 20,
            1..64 => 8 << 20,
            _ => 64 << 20,
        };
        if size.saturating_add(step / 4) <= self.reserved {
            return None;
        }
        let to = size.max(self.reserved).saturating_add(step).min(segment_bytes);
        (to > size.max(self.reserved)).then_some(to)
    }
}

impl PartitionLog {
    /// Written bytes whose writeback nobody has asked for, by [`PartitionLog::tend_job`] or [`PartitionLog::flush_job`].
    pub fn unstarted_bytes(&self) -> u64 {
        self.behind.bytes + u64::from(self.active.end.size - self.active.started)
    }

    /// Whether [`PartitionLog::tend_job`] is due. `is_filling`: the directory holds much whose writeback has not begun.
    pub fn wants_tending(&self, is_filling: bool) -> bool {
        is_filling && self.unstarted_bytes() >= WRITEBACK_BYTES
            || self.active.reserve_to(self.options.segment_bytes).is_some()
    }

    /// Writeback of all that was written if the directory is filling, and space for what comes unless the disk is nearly full. `None`:
    /// nothing to do.
    pub fn tend_job(&mut self, may_reserve: bool, is_filling: bool) -> Option<TendJob> {
        let reserve = self.active.reserve_to(self.options.segment_bytes).and_then(|to| {
            let from = self.active.reserved.max(self.active.end.size);
            // On a full disk too: it is not asked again before the next step.
            self.active.reserved = to;
            let file = may_reserve.then(|| self.active.file.clone())?;
            Some((file, u64::from(from), u64::from(to - from)))
        });
        let mut written = Vec::new();
        if is_filling {
            written = std::mem::take(&mut self.behind).written;
            written.extend(self.active.written());
            self.active.started = self.active.end.size;
        }
        (reserve.is_some() || !written.is_empty()).then_some(TendJob { written, reserve })
    }

    /// A sync of all that was written is on its way.
    pub(crate) fn all_started(&mut self) {
        self.behind = Behind::default();
        self.active.started = self.active.end.size;
    }

    /// Gives back the space that was reserved ahead: before the log is closed. Waits for the disk.
    pub fn give_back(&mut self) {
        if self.active.reserved > self.active.end.size {
            self.active.reserved = self.active.end.size;
            // Space only.
            let _ = self.active.file.truncate(u64::from(self.active.end.size));
        }
    }
}

impl TendJob {
    /// Bytes whose writeback it begins.
    pub fn bytes(&self) -> u64 {
        self.written.iter().map(Written::len).sum()
    }

    /// May wait for the disk. What fails here is met by a write or a sync as well, where it has consequences.
    pub fn run(self) {
        if let Some((file, offset, len)) = self.reserve {
            let _ = file.allocate(offset, len);
        }
        for Written { file, from, to } in self.written {
            let _ = file.start_writeback(u64::from(from), u64::from(to - from));
        }
    }
}
