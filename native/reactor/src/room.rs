//! Room for large control requests: what they hold outside TypeScript is bounded over all connections. A connection that
//! gets none is not read until there is some.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ms_wire::header::{FETCH, PRODUCE};

use crate::conn::{PREFIX, frame_len};

/// Longer control frames need room, and so do longer answers.
pub const LARGE_BYTES: usize = 64 << 10;
/// Bytes of large frames that are received or with TypeScript, and of large answers that their clients have not taken.
pub const BYTES_MAX: usize = 4 << 20;
/// Bytes of large frames that have no room: a reactor receives the beginning of each before it knows.
pub const HELD_BYTES_MAX: usize = 8 << 20;
/// So much is too much even while nobody waits: there is always room for an answer that TypeScript has made.
const CROWDED_BYTES: usize = 4 * BYTES_MAX;
/// With so much no other large answer is begun: one frame may have as much as there is for all.
const ANSWERS_BYTES: usize = 2 * BYTES_MAX;
/// Who has room that others wait for must go on at this rate, looked at over so long.
const PATIENCE_MS: i64 = 2_000;
const BYTES_PER_MS: i64 = 64;

/// A number of bytes that many share.
pub struct Room {
    max: usize,
    used: AtomicUsize,
    /// The fewest bytes for which there was no room; `NOT_WANTED`: nobody waits.
    wanted: AtomicUsize,
}

const NOT_WANTED: usize = usize::MAX;

/// What one connection has of a room; given back when it is dropped.
pub struct Place {
    room: Arc<Room>,
    bytes: usize,
    /// A time, and the bytes that had passed then.
    since: (i64, u64),
}

impl Room {
    pub fn new(max: usize) -> Arc<Self> {
        Arc::new(Self { max, used: AtomicUsize::new(0), wanted: AtomicUsize::new(NOT_WANTED) })
    }

    /// Room for so many bytes; more than there is at all only for who is alone. `None`: `is_there_again` will tell.
    pub fn enter(self: &Arc<Self>, bytes: usize, now_ms: i64) -> Option<Place> {
        let before = self.used.fetch_add(bytes, Ordering::SeqCst);
        if before == 0 || before + bytes <= self.max {
            return Some(Place { room: Arc::clone(self), bytes, since: (now_ms, 0) });
        }
        self.used.fetch_sub(bytes, Ordering::SeqCst);
        self.wanted.fetch_min(bytes, Ordering::SeqCst);
        None
    }

    /// A place for what is there already, whether there is room or not. `since`: a time, and what had passed then.
    pub fn take(self: &Arc<Self>, bytes: usize, since: (i64, u64)) -> Place {
        self.used.fetch_add(bytes, Ordering::SeqCst);
        Place { room: Arc::clone(self), bytes, since }
    }

    /// Whether another large answer may be made. When not, somebody waits for room now.
    pub fn has_for_answer(&self) -> bool {
        let is_there = self.used.load(Ordering::Relaxed) <= ANSWERS_BYTES;
        if !is_there {
            self.wanted.fetch_min(1, Ordering::SeqCst);
        }
        is_there
    }

    /// True once, when somebody got no room and there is some now. Who wants least can have it: nobody is told in vain.
    pub fn is_there_again(&self) -> bool {
        let wanted = self.wanted.load(Ordering::SeqCst);
        if wanted == NOT_WANTED {
            return false;
        }
        let used = self.used.load(Ordering::SeqCst);
        let is_there = used == 0 || used <= self.max / 2 && used + wanted <= self.max;
        is_there && self.forget_wanted()
    }

    /// Who waited may be gone. True: those who still wait must ask again.
    pub fn forget_wanted(&self) -> bool {
        self.wanted.swap(NOT_WANTED, Ordering::SeqCst) != NOT_WANTED
    }

    /// Whether somebody waits for room, or far too much of it is used.
    pub fn is_short(&self) -> bool {
        self.wanted.load(Ordering::Relaxed) != NOT_WANTED
            || self.used.load(Ordering::Relaxed) > CROWDED_BYTES
    }
}

impl Place {
    /// Whether it is time for who has this place to make room for others: `done` bytes have passed by now.
    pub fn holds_up_others(&mut self, done: u64, now_ms: i64) -> bool {
        let (since_ms, before) = self.since;
        let age_ms = now_ms - since_ms;
        let is_short = self.room.is_short();
        if is_short && age_ms <= PATIENCE_MS {
            return false;
        }
        self.since = (now_ms, done);
        is_short && (done.saturating_sub(before) as i64) < age_ms * BYTES_PER_MS
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.room.used.fetch_sub(self.bytes, Ordering::SeqCst);
    }
}

/// The length of the large control frame that begins like this, its prefix included.
pub fn large_control_frame(begun: &[u8]) -> Option<usize> {
    let len = frame_len(begun)?;
    let api_key = i16::from_be_bytes(*begun.get(PREFIX..)?.first_chunk()?);
    (len > LARGE_BYTES && !matches!(api_key, PRODUCE | FETCH)).then_some(len)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_so_much_and_who_got_none_is_told_when_there_is_some() {
        let room = Room::new(BYTES_MAX);
        let first = room.enter(BYTES_MAX - 1, 0).unwrap();
        let second = room.enter(1, 0).unwrap();
        assert!(!room.is_there_again());
        assert!(room.enter(1, 0).is_none());
        drop(second);
        assert!(!room.is_there_again());
        drop(first);
        assert!(room.is_there_again());
        assert!(!room.is_there_again());
        let alone = room.enter(BYTES_MAX + 1, 0).unwrap();
        assert!(room.enter(1, 0).is_none());
        drop(alone);
        assert!(room.is_there_again());
    }

    #[test]
    fn nobody_is_told_of_room_that_is_too_little_for_all_who_wait() {
        let room = Room::new(BYTES_MAX);
        let quarter = room.take(BYTES_MAX / 4, (0, 0));
        assert!(room.enter(BYTES_MAX, 0).is_none());
        assert!(!room.is_there_again() && room.is_short());
        assert!(room.enter(BYTES_MAX - 1, 0).is_none() && !room.is_there_again());
        let half = room.enter(BYTES_MAX / 2, 0).unwrap();
        assert!(room.enter(BYTES_MAX / 2, 0).is_none());
        drop(half);
        assert!(room.is_there_again() && !room.is_short());
        assert!(room.enter(BYTES_MAX, 0).is_none());
        drop(quarter);
        assert!(room.is_there_again());
    }

    #[test]
    fn who_is_slow_must_go_when_others_wait() {
        let room = Room::new(BYTES_MAX);
        let mut place = room.enter(BYTES_MAX, 0).unwrap();
        let minute = 60_000;
        assert!(!place.holds_up_others(0, minute));
        assert!(room.enter(1, 0).is_none());
        // The time when nobody waited does not count.
        assert!(!place.holds_up_others(0, minute + PATIENCE_MS));
        assert!(place.holds_up_others(0, 2 * minute));
        assert!(!place.holds_up_others(4 << 20, 3 * minute));
        // What it has done before does not count either.
        assert!(place.holds_up_others(4 << 20, 4 * minute));
        drop(place);
        assert!(room.is_there_again());
        // However slow: nobody waits.
        let mut large = room.take(BYTES_MAX + 1, (0, 7));
        assert!(!large.holds_up_others(7, minute));
        // But all together they are too many.
        let others: Vec<_> = (0..3).map(|_| room.take(BYTES_MAX, (0, 0))).collect();
        assert!(large.holds_up_others(8, 2 * minute));
        drop(others);
        assert!(!large.holds_up_others(8, 3 * minute));
    }

    #[test]
    fn a_large_answer_waits_until_those_before_are_taken() {
        let room = Room::new(BYTES_MAX);
        let frame = room.enter(BYTES_MAX, 0).unwrap();
        let answer = room.take(BYTES_MAX, (0, 0));
        assert!(room.has_for_answer() && !room.is_short());
        let other = room.take(1, (0, 0));
        assert!(!room.has_for_answer() && room.is_short());
        drop((frame, answer, other));
        assert!(room.is_there_again() && room.has_for_answer());
    }

    #[test]
    fn only_large_control_frames_need_room() {
        let begun = |len: u32, key: u8| [&len.to_be_bytes()[..], &[0, key]].concat();
        assert_eq!(large_control_frame(&begun(70_000, 3)), Some(70_004));
        assert_eq!(large_control_frame(&begun(70_000, 3)[..5]), None);
        for (len, key) in [(60_000, 3), (70_000, 0), (70_000, 1), (u32::MAX, 3)] {
            assert_eq!(large_control_frame(&begun(len, key)), None);
        }
    }
}
