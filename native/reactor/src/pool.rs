//! Buffers for bytes that outlive a turn of the reactor, in size classes, with one bound for the whole process's plane.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

const SMALLEST: usize = 16 << 10;
const CLASSES: usize = 17;
/// Free buffers that a reactor keeps, in bytes, and the largest class of which it keeps any.
const KEEP_BYTES: usize = 8 << 20;
const KEEP_LARGEST: usize = 2 << 20;

/// How many bytes all pools of a data plane may hold in use.
pub struct PoolLimit {
    used: AtomicUsize,
    max: usize,
}

impl PoolLimit {
    pub fn new(max: usize) -> Arc<Self> {
        Arc::new(Self { used: AtomicUsize::new(0), max })
    }

    /// Bytes in use at the moment.
    pub fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    /// Takes back a buffer of any pool, in a thread that has none.
    pub fn release(&self, buffer: Vec<u8>) {
        self.used.fetch_sub(buffer.len(), Ordering::Relaxed);
    }
}

/// The free buffers of one reactor.
pub struct Pool {
    limit: Arc<PoolLimit>,
    free: [Vec<Vec<u8>>; CLASSES],
    free_bytes: usize,
}

impl Pool {
    pub fn new(limit: Arc<PoolLimit>) -> Self {
        Self { limit, free: Default::default(), free_bytes: 0 }
    }

    /// A buffer of at least `len` bytes, all initialised; `None` when the bound is reached.
    pub fn take(&mut self, len: usize) -> Option<Vec<u8>> {
        let class = class_of(len)?;
        let size = SMALLEST << class;
        let used = self.limit.used.fetch_add(size, Ordering::Relaxed);
        if used + size > self.limit.max {
            self.limit.used.fetch_sub(size, Ordering::Relaxed);
            return None;
        }
        let Some(buffer) = self.free[class].pop() else { return Some(vec![0; size]) };
        self.free_bytes -= size;
        Some(buffer)
    }

    /// Takes back a buffer that `take` gave.
    pub fn give(&mut self, buffer: Vec<u8>) {
        if buffer.is_empty() {
            return;
        }
        self.limit.used.fetch_sub(buffer.len(), Ordering::Relaxed);
        if let Some(class) = class_of(buffer.len())
            && buffer.len() <= KEEP_LARGEST
            && self.free_bytes + buffer.len() <= KEEP_BYTES
        {
            self.free_bytes += buffer.len();
            self.free[class].push(buffer);
        }
    }
}

fn class_of(len: usize) -> Option<usize> {
    let classes = len.div_ceil(SMALLEST).max(1).next_power_of_two().trailing_zeros() as usize;
    (classes < CLASSES).then_some(classes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_holds_and_is_released() {
        let mut pool = Pool::new(PoolLimit::new(64 << 10));
        let a = pool.take(40_000).unwrap();
        assert_eq!(a.len(), 64 << 10);
        assert!(pool.take(1).is_none());
        pool.give(a);
        assert_eq!(pool.take(1).unwrap().len(), SMALLEST);
    }

    #[test]
    fn the_largest_request_has_a_class() {
        assert!(class_of(1 << 30).is_some());
        assert!(class_of(usize::MAX >> 1).is_none());
    }
}
