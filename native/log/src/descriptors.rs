//! Which sealed segments of a log directory are open: their file descriptors and index maps. Opened on demand, and closed
//! again when there are too many, those first that nobody has used for longest (by second chance: a use costs one store).
//! A read in flight holds its file; closing here only lets go of it. Active segments are none of this. What was sealed and is
//! not synced keeps its file beside, and is counted: while there are many of those, no segment is sealed that need not be.

use crate::disk::File;
use crate::maps::SegmentMaps;
use crate::sys;
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};

/// Of the files that the partitions leave to others (a quarter of the limit, at most 1,024), sealed segments get a half and
/// sockets the rest.
const OTHERS_MAX: u64 = 1024;
/// Where no limit is known.
const DEFAULT_MAX: usize = 256;
/// With fewer a consumer would close what it comes back to.
const LEAST: usize = 8;
/// Index maps that are in memory, beside one. A segment of 1 GiB may have 7 MiB of them.
const MAPS_BYTES_MAX: usize = 64 << 20;

/// The sealed segments that are open, of all logs that share this; at most so many.
pub struct Descriptors {
    max: usize,
    /// The oldest first. What is gone or was closed otherwise keeps its place until its turn comes.
    open: Mutex<VecDeque<Weak<Slot>>>,
    /// Bytes of the maps of all that is open.
    maps_bytes: AtomicUsize,
    maps_bytes_max: usize,
    unsynced: AtomicUsize,
}

/// The file that a sealed segment was written by, until it is synced.
pub(crate) struct Unsynced {
    pub file: Arc<dyn File>,
    all: Arc<Descriptors>,
}

/// What is open of one sealed segment.
pub(crate) struct Slot {
    all: Arc<Descriptors>,
    opened: Mutex<Opened>,
    is_used: AtomicBool,
}

#[derive(Default)]
struct Opened {
    file: Option<Arc<dyn File>>,
    /// One that was let go of and may still be read from: opened twice it would count twice.
    last: Option<Weak<dyn File>>,
    maps: Option<Arc<SegmentMaps>>,
    is_listed: bool,
}

impl Descriptors {
    /// At most `max` sealed segments are open, beside those that are being read; half as many again wait for their sync.
    pub fn new(max: usize) -> Arc<Descriptors> {
        Descriptors::with_maps(max, MAPS_BYTES_MAX)
    }

    fn with_maps(max: usize, maps_bytes_max: usize) -> Arc<Descriptors> {
        Arc::new(Descriptors {
            max: max.max(2),
            open: Mutex::default(),
            maps_bytes: AtomicUsize::new(0),
            maps_bytes_max,
            unsynced: AtomicUsize::new(0),
        })
    }

    /// As many as the process's limit of open files leaves for them.
    pub fn of_process() -> Arc<Descriptors> {
        Descriptors::new(sys::open_files_max().map_or(DEFAULT_MAX, share))
    }

    /// So many sealed segments wait for their sync that there should not be more.
    pub(crate) fn are_many_unsynced(&self) -> bool {
        self.unsynced.load(Ordering::Relaxed) >= self.max / 2
    }

    fn are_maps_large(&self) -> bool {
        self.maps_bytes.load(Ordering::Relaxed) > self.maps_bytes_max
    }

    /// Closes what is too much, with `new` in the list if it is none of it yet.
    fn enter(&self, new: Option<Weak<Slot>>) {
        // Files are closed when the lock is free again.
        let mut closed = Vec::new();
        let mut open = self.open.lock();
        open.extend(new);
        // Each is passed over once at most.
        let mut chances = open.len();
        while open.len() > self.max || (open.len() > 1 && self.are_maps_large()) {
            let Some(oldest) = open.pop_front() else { return };
            let Some(slot) = oldest.upgrade() else { continue };
            if chances > 0 && slot.is_used.swap(false, Ordering::Relaxed) {
                chances -= 1;
                open.push_back(oldest);
                continue;
            }
            closed.push(slot.let_go());
        }
        drop(open);
    }
}

/// What sealed segments get of a limit of open files.
fn share(open_files_max: u64) -> usize {
    ((open_files_max / 4).min(OTHERS_MAX) as usize / 2).max(LEAST)
}

impl Unsynced {
    pub fn new(all: &Arc<Descriptors>, file: Arc<dyn File>) -> Arc<Unsynced> {
        all.unsynced.fetch_add(1, Ordering::Relaxed);
        Arc::new(Unsynced { file, all: all.clone() })
    }
}

impl Drop for Unsynced {
    fn drop(&mut self) {
        self.all.unsynced.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Slot {
    /// Nothing of the segment is open.
    pub fn new(all: &Arc<Descriptors>) -> Arc<Slot> {
        let (all, opened, is_used) = (all.clone(), Mutex::default(), AtomicBool::new(false));
        Arc::new(Slot { all, opened, is_used })
    }

    /// The file, if it is open.
    pub fn file(&self) -> Option<Arc<dyn File>> {
        let opened = self.opened.lock();
        let found = opened.file.clone().or_else(|| opened.last.as_ref()?.upgrade());
        drop(opened);
        self.used(found)
    }

    /// The maps, if they are in memory.
    pub fn maps(&self) -> Option<Arc<SegmentMaps>> {
        let found = self.opened.lock().maps.clone();
        self.used(found)
    }

    fn used<T>(&self, found: Option<T>) -> Option<T> {
        if found.is_some() && !self.is_used.load(Ordering::Relaxed) {
            self.is_used.store(true, Ordering::Relaxed);
        }
        found
    }

    /// Keeps what was opened, in the place of what is there.
    pub fn keep(self: &Arc<Self>, file: Option<Arc<dyn File>>, maps: Option<Arc<SegmentMaps>>) {
        let mut opened = self.opened.lock();
        opened.file = file.or(opened.file.take());
        let has_maps = maps.is_some();
        if has_maps {
            self.all.maps_bytes.fetch_add(maps_bytes(&maps), Ordering::Relaxed);
            self.all.maps_bytes.fetch_sub(maps_bytes(&opened.maps), Ordering::Relaxed);
            opened.maps = maps;
        }
        let is_new = !std::mem::replace(&mut opened.is_listed, true);
        drop(opened);
        if is_new || has_maps {
            self.all.enter(is_new.then(|| Arc::downgrade(self)));
        }
    }

    /// Gives up the file and the maps, for the list, which forgets the slot; what was open is for the caller to drop.
    fn let_go(&self) -> Opened {
        let mut opened = self.opened.lock();
        self.all.maps_bytes.fetch_sub(maps_bytes(&opened.maps), Ordering::Relaxed);
        let last = opened.file.as_ref().map(Arc::downgrade).or(opened.last.take());
        std::mem::replace(&mut *opened, Opened { last, ..Opened::default() })
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let bytes = maps_bytes(&self.opened.get_mut().maps);
        self.all.maps_bytes.fetch_sub(bytes, Ordering::Relaxed);
    }
}

fn maps_bytes(maps: &Option<Arc<SegmentMaps>>) -> usize {
    maps.as_ref().map_or(0, |maps| maps.bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::maps::TimeEntry;

    #[test]
    fn the_maps_in_memory_are_bounded_in_sum() {
        let times = vec![TimeEntry { timestamp: 0, offset: 0 }; 100];
        let maps = Arc::new(SegmentMaps { times, ..SegmentMaps::default() });
        let all = Descriptors::with_maps(100, 3 * maps.bytes());
        let slots: Vec<_> = (0..5).map(|_| Slot::new(&all)).collect();
        let loaded = || slots.iter().map(|slot| slot.opened.lock().maps.is_some());
        for slot in &slots {
            slot.keep(None, Some(maps.clone()));
            assert!(!all.are_maps_large());
        }
        assert_eq!(loaded().collect::<Vec<_>>(), [false, false, true, true, true]);
        // What was used meanwhile stays.
        assert!(slots[2].maps().is_some());
        slots[0].keep(None, Some(maps.clone()));
        assert_eq!(loaded().collect::<Vec<_>>(), [true, false, true, false, true]);
        slots[0].keep(None, Some(maps.clone()));
        assert_eq!(all.maps_bytes.load(Ordering::Relaxed), 3 * maps.bytes());
        drop(slots);
        assert_eq!(all.maps_bytes.load(Ordering::Relaxed), 0);
        // One is there however large it is.
        let small = Descriptors::with_maps(100, 1);
        let slot = Slot::new(&small);
        slot.keep(None, Some(maps.clone()));
        assert!(slot.maps().is_some());
    }

    #[test]
    fn a_half_of_what_partitions_leave_to_others_is_for_sealed_segments() {
        let shares = [0, 256, 1024, 4096, 65_535, u64::MAX].map(share);
        assert_eq!(shares, [LEAST, 32, 128, 512, 512, 512]);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_process_has_its_share_of_the_files_that_it_may_open() {
        let limits = std::fs::read_to_string("/proc/self/limits").unwrap();
        let line = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
        let limit = line.split_whitespace().nth(3).unwrap();
        let expected = limit.parse().map_or(DEFAULT_MAX, share);
        assert_eq!(Descriptors::of_process().max, expected);
    }
}
