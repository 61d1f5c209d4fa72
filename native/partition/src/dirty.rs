//! How much of a log directory is written and not on its way to the disk, and who has to begin: the kernel, as long as it
//! does so in time, because its threads spend the same time on it as the flusher would, or the flusher.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use ms_log::PageCache;

/// One for a log directory. Partitions count what they write; the flusher compares that with what the kernel says.
pub(crate) struct Dirty {
    /// Bytes that partitions wrote and for which they have asked for no writeback.
    counted: AtomicU64,
    /// How many of them the kernel had begun by itself when it was looked at last.
    begun: AtomicU64,
    /// The kernel was at it then.
    is_kernel_at_work: AtomicBool,
    /// Bytes above which no Produce is taken up; 0: none.
    max: u64,
    /// Four fifths of the bound: with its default, an eighth of the memory, that is a tenth, where Linux begins by itself
    /// (`vm.dirty_background_ratio`). `u64::MAX`: there is no bound.
    filling_from: u64,
}

impl Default for Dirty {
    fn default() -> Dirty {
        Dirty::bounded(0)
    }
}

impl Dirty {
    pub fn bounded(max: u64) -> Dirty {
        Dirty {
            counted: AtomicU64::new(0),
            begun: AtomicU64::new(0),
            is_kernel_at_work: AtomicBool::new(false),
            max,
            filling_from: if max == 0 { u64::MAX } else { max / 5 * 4 },
        }
    }

    /// Compares with the kernel's own count. Until the next look it is an estimate: what a partition takes off may be
    /// what the kernel had begun, and is then taken off twice.
    pub fn look(&self, cache: PageCache) {
        let counted = self.counted.load(Ordering::Relaxed);
        self.begun.store(counted.saturating_sub(cache.dirty), Ordering::Relaxed);
        self.is_kernel_at_work.store(cache.dirty >= cache.background, Ordering::Relaxed);
    }

    /// Whether so much is counted that the kernel's view of it matters.
    pub fn is_worth_a_look(&self) -> bool {
        self.max > 0 && self.counted.load(Ordering::Relaxed) >= self.max / 4
    }

    fn waiting(&self) -> u64 {
        self.counted.load(Ordering::Relaxed).saturating_sub(self.begun.load(Ordering::Relaxed))
    }

    /// More than the bound waits.
    pub fn is_saturated(&self) -> bool {
        self.max > 0 && self.waiting() > self.max
    }

    /// Most of what may wait does, and the kernel has not begun with it: the flusher has to.
    pub fn is_filling(&self) -> bool {
        self.waiting() >= self.filling_from && !self.is_kernel_at_work.load(Ordering::Relaxed)
    }

    /// A partition has `now` bytes, and had `before`. Says whether the directory is filling since.
    pub fn changed(&self, before: u64, now: u64) -> bool {
        if now <= before {
            self.counted.fetch_sub(before - now, Ordering::Relaxed);
            return false;
        }
        let added = now - before;
        let counted = self.counted.fetch_add(added, Ordering::Relaxed);
        let waited = counted.saturating_sub(self.begun.load(Ordering::Relaxed));
        waited < self.filling_from && waited + added >= self.filling_from && self.is_filling()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    fn kernel(dirty: u64, background: u64) -> PageCache {
        PageCache { dirty: dirty * MIB, in_writeback: 0, background: background * MIB }
    }

    #[test]
    fn what_the_kernel_began_does_not_wait() {
        let dirty = Dirty::bounded(10 * MIB);
        assert!(!dirty.changed(0, 7 * MIB));
        assert!(dirty.changed(0, 2 * MIB), "from 7 to 9");
        dirty.changed(0, 3 * MIB);
        assert!(dirty.is_saturated());
        dirty.look(kernel(4, 20));
        assert!(!dirty.is_saturated() && !dirty.is_filling());
        assert!(dirty.changed(0, 5 * MIB), "counted on from what the kernel has left");
    }

    #[test]
    fn the_flusher_does_not_begin_what_the_kernel_is_at() {
        let dirty = Dirty::bounded(10 * MIB);
        dirty.changed(0, 9 * MIB);
        dirty.look(kernel(9, 8));
        assert!(!dirty.is_filling());
        assert!(!dirty.changed(0, MIB));
        dirty.look(kernel(10, 20));
        assert!(dirty.is_filling(), "it begins too late");
        dirty.changed(0, 4 * MIB);
        dirty.look(kernel(14, 8));
        assert!(dirty.is_saturated(), "at work or not");
    }

    #[test]
    fn more_dirty_pages_than_the_broker_wrote_are_others() {
        let dirty = Dirty::bounded(10 * MIB);
        dirty.changed(0, 3 * MIB);
        dirty.look(kernel(500, 1000));
        assert!(!dirty.is_filling() && !dirty.is_saturated());
        assert!(dirty.is_worth_a_look());
        dirty.changed(3 * MIB, 0);
        assert!(!dirty.is_worth_a_look());
    }

    #[test]
    fn without_a_bound_nothing_is_filling() {
        let dirty = Dirty::default();
        assert!(!dirty.changed(0, u64::MAX / 2));
        assert!(!dirty.is_filling() && !dirty.is_saturated() && !dirty.is_worth_a_look());
    }
}
