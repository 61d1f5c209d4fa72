//! How large the pieces are in which a file is written.
//!
//! The page cache takes a piece in folios of its size, if it begins at a multiple of that: large ones cost the least, where
//! the system has memory of that size at hand. Where it has not, it moves pages about for milliseconds, or takes memory that
//! the host of a virtual machine has to provide first, at up to ten times the cost of the copy (docs/design/large-produce.md).
//! Both show in the time of a write, and small folios are nearly always there.

use std::sync::atomic::{AtomicU64, Ordering};

/// A piece ends where so many bytes of the file do.
const LARGE: u64 = 512 << 10;
/// The largest folio that the system keeps at hand on each processor.
const SMALL: u64 = 32 << 10;
/// Large pieces are looked at so many bytes together: single ones that are slow are no reason to have none.
const WINDOW: u64 = 8 << 20;
/// If those were slow, so many bytes of the file are written in small pieces.
const SMALL_FOR: u64 = 64 << 20;
/// Nanoseconds of processor time that a byte may take in large pieces: some four times what it takes mostly.
const SLOW_NANOS: f64 = 0.6;

/// The pieces of one file, which one thread at a time writes to.
#[derive(Debug, Default)]
pub(crate) struct Pieces {
    /// Up to here they are small.
    small_until: AtomicU64,
    /// Bytes and nanoseconds of the large pieces that are looked at together.
    bytes: AtomicU64,
    nanos: AtomicU64,
}

impl Pieces {
    /// Most bytes of the piece that begins at a place.
    pub fn most(&self, at: u64) -> usize {
        let unit = if at < self.small_until.load(Ordering::Relaxed) { SMALL } else { LARGE };
        (unit - at % unit) as usize
    }

    /// Whether it is told how long a piece took.
    pub fn is_timed(&self, at: u64, len: usize) -> bool {
        len as u64 >= 2 * SMALL && at >= self.small_until.load(Ordering::Relaxed)
    }

    /// A piece at a place took so many nanoseconds of processor time.
    pub fn took(&self, at: u64, len: usize, nanos: u64) {
        let bytes = self.bytes.fetch_add(len as u64, Ordering::Relaxed) + len as u64;
        let nanos = self.nanos.fetch_add(nanos, Ordering::Relaxed) + nanos;
        if bytes < WINDOW {
            return;
        }
        self.bytes.store(0, Ordering::Relaxed);
        self.nanos.store(0, Ordering::Relaxed);
        if nanos as f64 > bytes as f64 * SLOW_NANOS {
            self.small_until.store(at + SMALL_FOR, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PIECE: u64 = 512 << 10;

    /// Pieces from a place on, each of so many nanoseconds a byte.
    fn take(pieces: &Pieces, from: u64, nanos: &[f64]) {
        for (number, nanos) in nanos.iter().enumerate() {
            let at = from + number as u64 * PIECE;
            pieces.took(at, PIECE as usize, (nanos * PIECE as f64) as u64);
        }
    }

    #[test]
    fn pieces_end_at_multiples_and_small_ones_are_not_timed() {
        let pieces = Pieces::default();
        assert_eq!((pieces.most(0), pieces.most(100)), (512 << 10, (512 << 10) - 100));
        assert!(pieces.is_timed(0, 64 << 10) && !pieces.is_timed(0, (64 << 10) - 1));
    }

    #[test]
    fn pieces_are_large_until_many_were_slow_and_again_some_way_behind_those() {
        let pieces = Pieces::default();
        take(&pieces, 0, &[[0.15; 15].as_slice(), &[5.0]].concat());
        assert_eq!(pieces.most(16 * PIECE), 512 << 10);
        take(&pieces, 16 * PIECE, &[1.2; 15]);
        assert_eq!(pieces.most(31 * PIECE), 512 << 10);
        take(&pieces, 31 * PIECE, &[1.2]);
        let end = 31 * PIECE + (64 << 20);
        assert_eq!((pieces.most(32 * PIECE), pieces.most(end - 1)), (32 << 10, 1));
        assert!(!pieces.is_timed(32 * PIECE, 64 << 10));
        assert_eq!(pieces.most(end), 512 << 10);
        assert!(pieces.is_timed(end, 64 << 10));
        take(&pieces, end, &[0.5; 16]);
        assert_eq!(pieces.most(end + 16 * PIECE), 512 << 10);
    }
}
