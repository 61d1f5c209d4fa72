//! Buffers for bytes that outlive a turn of the reactor, in size classes, with one bound for the whole process's plane.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::sys::HUGE_PAGE;

/// Four classes for each doubling: a request of one MiB and its header does not take two.
const UNIT: usize = 16 << 10;
const CLASSES: usize = 61;
/// Free buffers that all reactors keep together, in bytes, and the largest class of which they keep any.
const KEEP_BYTES: usize = 12 << 20;
const KEEP_LARGEST: usize = 4 << 20;
/// A frame that fills most of half a huge page gets a whole one, while no more than so many bytes are in use.
const HUGE_PAGES_UNTIL: usize = 16 << 20;
/// A class from which nobody took for so many sweeps gives its memory back.
const KEEP_SWEEPS: usize = 5;

/// How many bytes all pools of a data plane have in use, of so many at most, and how many of free buffers they keep.
pub struct PoolLimit {
    used: AtomicUsize,
    max: usize,
    kept: AtomicUsize,
}

impl PoolLimit {
    pub fn new(max: usize) -> Arc<Self> {
        Arc::new(Self { used: AtomicUsize::new(0), max, kept: AtomicUsize::new(0) })
    }

    /// Bytes in use at the moment.
    pub fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }
}

/// The free buffers of one reactor.
pub struct Pool {
    limit: Arc<PoolLimit>,
    free: [Vec<Vec<u8>>; CLASSES],
    free_bytes: usize,
    /// When a buffer of each class was taken last, in takes.
    taken_at: [u64; CLASSES],
    takes: u64,
    /// The number of takes at each of the last sweeps, the oldest first.
    sweeps: [u64; KEEP_SWEEPS],
}

impl Pool {
    pub fn new(limit: Arc<PoolLimit>) -> Self {
        Self {
            limit,
            free: std::array::from_fn(|_| Vec::new()),
            free_bytes: 0,
            taken_at: [0; CLASSES],
            takes: 0,
            sweeps: [0; KEEP_SWEEPS],
        }
    }

    /// A buffer of at least `len` bytes, all initialised; `None` when the bound is reached.
    pub fn take(&mut self, len: usize) -> Option<Vec<u8>> {
        let class = self.class_for(len)?;
        let size = size_of(class);
        let used = self.limit.used.fetch_add(size, Ordering::Relaxed);
        if used + size > self.limit.max {
            self.limit.used.fetch_sub(size, Ordering::Relaxed);
            return None;
        }
        self.takes += 1;
        self.taken_at[class] = self.takes;
        let Some(buffer) = self.free[class].pop() else { return Some(vec![0; size]) };
        self.count_free(-(size as isize));
        Some(buffer)
    }

    // What such a page has too much is little as long as few have one.
    fn class_for(&self, len: usize) -> Option<usize> {
        let is_huge = (HUGE_PAGE * 3 / 8..HUGE_PAGE).contains(&len);
        let has_few = self.limit.used() + HUGE_PAGE <= HUGE_PAGES_UNTIL.min(self.limit.max);
        class_of(if is_huge && has_few { HUGE_PAGE } else { len })
    }

    /// Takes back a buffer that `take` gave.
    pub fn give(&mut self, buffer: Vec<u8>) {
        if buffer.is_empty() {
            return;
        }
        self.limit.used.fetch_sub(buffer.len(), Ordering::Relaxed);
        if let Some(class) = class_of(buffer.len())
            && buffer.len() <= KEEP_LARGEST
        {
            self.count_free(buffer.len() as isize);
            self.free[class].push(buffer);
            while self.free_bytes > 0 && self.limit.kept.load(Ordering::Relaxed) > KEEP_BYTES {
                self.drop_oldest();
            }
        }
    }

    /// Gives memory back from which nothing was taken for the last sweeps: others may keep as much instead.
    pub fn sweep(&mut self) {
        let long_ago = self.sweeps[0];
        self.sweeps.rotate_left(1);
        self.sweeps[KEEP_SWEEPS - 1] = self.takes;
        for class in 0..CLASSES {
            if self.taken_at[class] <= long_ago {
                let bytes = size_of(class) * self.free[class].len();
                self.free[class] = Vec::new();
                self.count_free(-(bytes as isize));
            }
        }
    }

    // Of the class that nobody took from for longest: what frames of another size left behind must not keep out what is
    // in use.
    fn drop_oldest(&mut self) {
        let kept = (0..CLASSES).filter(|class| !self.free[*class].is_empty());
        let oldest = kept.min_by_key(|class| self.taken_at[*class]);
        let dropped = oldest.and_then(|class| self.free[class].pop());
        let bytes = dropped.map_or(self.free_bytes, |buffer| buffer.len());
        self.count_free(-(bytes as isize));
    }

    fn count_free(&mut self, bytes: isize) {
        self.free_bytes = self.free_bytes.wrapping_add_signed(bytes);
        // Wraps around as well: what is taken off is added as its complement.
        self.limit.kept.fetch_add(bytes as usize, Ordering::Relaxed);
    }
}

// The smallest class that holds so many bytes: the three leading bits of their units, rounded up.
fn class_of(len: usize) -> Option<usize> {
    let units = len.div_ceil(UNIT).max(1);
    let shift = (units.ilog2() as usize).saturating_sub(2);
    let class = 4 * shift + units.div_ceil(1 << shift);
    (class < CLASSES).then_some(class)
}

fn size_of(class: usize) -> usize {
    let shift = (class / 4).saturating_sub(1);
    ((class - 4 * shift) << shift) * UNIT
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_holds_and_is_released() {
        let mut pool = Pool::new(PoolLimit::new(64 << 10));
        let a = pool.take(60_000).unwrap();
        assert_eq!(a.len(), 64 << 10);
        assert!(pool.take(1).is_none());
        pool.give(a);
        assert_eq!(pool.take(1).unwrap().len(), UNIT);
    }

    #[test]
    fn a_buffer_is_at_most_a_quarter_larger_than_needed() {
        for units in 1..5000 {
            let class = class_of(units * UNIT).unwrap();
            assert!(size_of(class) >= units * UNIT && size_of(class) * 4 <= units * UNIT * 5);
            assert!(size_of(class - 1) < units * UNIT, "class {class} is not the smallest");
            assert_eq!(class_of(size_of(class)), Some(class));
        }
    }

    #[test]
    fn what_is_given_back_is_taken_again_by_what_fits() {
        let mut pool = Pool::new(PoolLimit::new(8 << 20));
        let mut given = pool.take((512 << 10) + 100).unwrap();
        assert_eq!(given.len(), 640 << 10);
        given[0] = 7;
        pool.give(given);
        assert_eq!(pool.take(512 << 10).unwrap()[0], 0);
        assert_eq!(pool.take((512 << 10) + 1).unwrap()[0], 7);
    }

    #[test]
    fn what_nobody_takes_any_more_makes_room_for_what_is_in_use() {
        let mut pool = Pool::new(PoolLimit::new(64 << 20));
        let kept = KEEP_BYTES >> 19;
        let old: Vec<_> = (0..kept).map(|_| pool.take(1 << 19).unwrap()).collect();
        let new: Vec<_> = (0..6).map(|_| pool.take((1 << 19) + 1).unwrap()).collect();
        old.into_iter().for_each(|buffer| pool.give(buffer));
        assert_eq!(pool.free_bytes, KEEP_BYTES);
        for mut buffer in new {
            buffer[0] = 7;
            pool.give(buffer);
        }
        assert!(pool.free_bytes <= KEEP_BYTES);
        assert!((0..6).all(|_| pool.take((1 << 19) + 1).unwrap()[0] == 7));
    }

    #[test]
    fn what_is_kept_is_bounded_over_all_reactors() {
        let limit = PoolLimit::new(64 << 20);
        let mut pools = [0; 3].map(|_| Pool::new(Arc::clone(&limit)));
        for pool in &mut pools {
            let taken: Vec<_> = (0..18).map(|_| pool.take(1 << 19).unwrap()).collect();
            taken.into_iter().for_each(|buffer| pool.give(buffer));
        }
        assert_eq!(pools.each_ref().map(|pool| pool.free_bytes >> 20), [9, 3, 0]);
        let [first, _, last] = &mut pools;
        let taken = first.take(1 << 19).unwrap();
        last.give(taken);
        assert_eq!((first.free_bytes, last.free_bytes), ((9 << 20) - (1 << 19), 1 << 19));
    }

    #[test]
    fn what_nobody_took_for_some_sweeps_is_given_back() {
        let mut pool = Pool::new(PoolLimit::new(64 << 20));
        let old = pool.take(1 << 19).unwrap();
        pool.give(old);
        for _ in 0..KEEP_SWEEPS {
            let used = pool.take(20_000).unwrap();
            pool.sweep();
            pool.give(used);
        }
        assert_eq!(pool.free_bytes, (1 << 19) + (32 << 10));
        pool.sweep();
        assert_eq!(pool.free_bytes, 32 << 10);
        (0..KEEP_SWEEPS).for_each(|_| pool.sweep());
        assert_eq!((pool.free_bytes, pool.limit.kept.load(Ordering::Relaxed)), (0, 0));
    }

    #[test]
    fn a_frame_of_about_a_megabyte_lies_in_a_huge_page_while_little_is_in_use() {
        let mut pool = Pool::new(PoolLimit::new(64 << 20));
        assert_eq!(pool.take(700 << 10).unwrap().len(), 768 << 10);
        let few: Vec<_> = (0..7).map(|_| pool.take((1 << 20) + 1).unwrap()).collect();
        let begins = |it: &Vec<u8>| (it.as_ptr() as usize).is_multiple_of(HUGE_PAGE);
        assert!(few.iter().all(|it| it.len() == HUGE_PAGE && begins(it)));
        assert_eq!(pool.take((1 << 20) + 1).unwrap().len(), (1 << 20) + (256 << 10));
        // Where all pools together have not even so much, nothing is wasted.
        let mut small = Pool::new(PoolLimit::new(3 << 19));
        assert_eq!(small.take(1 << 20).unwrap().len(), 1 << 20);
    }

    #[test]
    fn the_largest_request_has_a_class() {
        assert!(class_of(1 << 30).is_some());
        assert!(class_of(usize::MAX >> 1).is_none());
    }
}
