//! How large the pieces are in which a file is written.
//!
//! The page cache takes a piece in folios of its size, if it begins at a multiple of that: large ones cost the least, where
//! the system has memory of that size at hand. Where it has not, it moves pages about for milliseconds, or takes memory that
//! the host of a virtual machine has to provide first, at up to ten times the cost of the copy (docs/design/large-produce.md).
//! Both show in the time of a write, and small folios are nearly always there.

use std::io::{self, IoSlice};
use std::sync::atomic::{AtomicU64, Ordering};

/// A piece ends where so many bytes of the file do.
pub(crate) const LARGE: u64 = 512 << 10;
/// Most parts of a piece that is cut.
const PIECE_PARTS: usize = 64;
/// The largest folio that the system keeps at hand on each processor.
const SMALL: u64 = 32 << 10;
/// Large pieces are looked at so many bytes together: single ones that are slow are no reason to have none.
const WINDOW: u64 = 8 << 20;
/// If those were slow, so many bytes of the file are written in small pieces.
const SMALL_FOR: u64 = 64 << 20;
/// Nanoseconds of processor time that a byte may take in large pieces: some four times what it takes mostly.
const SLOW_NANOS: f64 = 0.6;

/// The pieces of one file, which one thread at a time writes to.
#[derive(Debug)]
pub(crate) struct Pieces {
    /// A large one ends at a multiple of this.
    large: u64,
    /// Up to here they are small.
    small_until: AtomicU64,
    /// Bytes and nanoseconds of the large pieces that are looked at together.
    bytes: AtomicU64,
    nanos: AtomicU64,
}

impl Default for Pieces {
    fn default() -> Pieces {
        Pieces::of(LARGE)
    }
}

impl Pieces {
    /// Pieces that end at multiples of `large`, until those are slow.
    pub fn of(large: u64) -> Pieces {
        let zero = || AtomicU64::new(0);
        Pieces { large, small_until: zero(), bytes: zero(), nanos: zero() }
    }

    /// Has all of `parts` written at a place of the file, one behind the other: `write` is given each piece and its place, and
    /// may write less than it was given. Pieces behind one that fails are not begun. No allocation.
    pub fn write_all(
        &self,
        parts: &[IoSlice<'_>],
        offset: u64,
        mut write: impl FnMut(&[IoSlice<'_>], u64) -> io::Result<usize>,
    ) -> io::Result<()> {
        let mut left = Left { parts, of_first: 0 };
        let mut at = offset;
        while left.first().is_some() {
            let most = self.most(at);
            let written = if left.is_at_most(most) {
                write(left.parts, at)?
            } else {
                let mut cut = [IoSlice::new(&[]); PIECE_PARTS];
                let count = left.piece(most, &mut cut);
                write(&cut[..count], at)?
            };
            if written == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            left.take(written);
            at += written as u64;
        }
        Ok(())
    }

    /// Most bytes of the piece that begins at a place.
    fn most(&self, at: u64) -> usize {
        let unit = if at < self.small_until.load(Ordering::Relaxed) { SMALL } else { self.large };
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

/// What of a write is still to be done.
struct Left<'a, 'b> {
    parts: &'a [IoSlice<'b>],
    /// Bytes of the first part that were written.
    of_first: usize,
}

impl<'a> Left<'a, '_> {
    /// Whether it is whole parts, and no more bytes than this.
    fn is_at_most(&self, most: usize) -> bool {
        self.of_first == 0 && self.parts.iter().map(|part| part.len()).sum::<usize>() <= most
    }

    /// Puts the next bytes, `most` of them at most, into `piece`; says how many parts they have.
    fn piece(&self, most: usize, piece: &mut [IoSlice<'a>; PIECE_PARTS]) -> usize {
        let (mut room, mut skipped, mut count) = (most, self.of_first, 0);
        for (place, part) in piece.iter_mut().zip(self.parts) {
            let part: &'a [u8] = part;
            let rest = &part[skipped..];
            let taken = rest.len().min(room);
            *place = IoSlice::new(&rest[..taken]);
            (room, skipped, count) = (room - taken, 0, count + 1);
            if room == 0 {
                break;
            }
        }
        count
    }

    /// The rest of the first part that has any; `None` when all is done.
    fn first(&mut self) -> Option<&'a [u8]> {
        while let Some((first, behind)) = self.parts.split_first() {
            if self.of_first < first.len() {
                return Some(&first[self.of_first..]);
            }
            self.of_first -= first.len();
            self.parts = behind;
        }
        None
    }

    fn take(&mut self, written: usize) {
        self.of_first += written;
        self.first();
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
    fn a_write_goes_on_where_a_piece_or_a_short_write_ended() {
        let parts = [b"ab".as_slice(), b"", b"cdef", b"", b"g", b""].map(IoSlice::new);
        for most in 1..9 {
            for short in 0..most {
                let mut left = Left { parts: &parts, of_first: 0 };
                let mut seen = Vec::new();
                while left.first().is_some() {
                    let mut piece = [IoSlice::new(&[]); PIECE_PARTS];
                    let count = left.piece(most, &mut piece);
                    let bytes: Vec<u8> =
                        piece[..count].iter().flat_map(|part| part.iter()).copied().collect();
                    assert!((1..=most).contains(&bytes.len()));
                    let is_all = left.parts.iter().map(|part| part.len()).sum::<usize>() <= most;
                    assert_eq!(left.is_at_most(most), is_all && left.of_first == 0);
                    let written = bytes.len().saturating_sub(short).max(1);
                    left.take(written);
                    seen.extend_from_slice(&bytes[..written]);
                }
                assert_eq!(seen, b"abcdefg", "{most} bytes at a time, {short} of them not written");
            }
        }
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
