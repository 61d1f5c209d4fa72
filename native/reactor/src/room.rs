//! Room for large control requests: what they hold outside TypeScript is bounded over all connections. A connection that
//! gets none is not read until there is some.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use ms_wire::header::{FETCH, PRODUCE};
use parking_lot::Mutex;

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
    line: Mutex<Line>,
    /// How many are in the line.
    waiting: AtomicUsize,
    /// An answer waits to be made until others are taken.
    is_answer_waiting: AtomicBool,
}

/// Those who wait for room, in the order in which they came: the first gets it next, however much it needs.
#[derive(Default)]
struct Line {
    last: u64,
    waiting: VecDeque<(u64, usize)>,
    told: Told,
}

/// Whether the first in the line knows that there is room.
#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Told {
    #[default]
    No,
    Yes,
    /// And it has had the time to come.
    LongAgo,
}

/// A place in the line; given up when it is dropped.
pub struct Ticket {
    room: Arc<Room>,
    number: u64,
}

/// What one connection has of a room; given back when it is dropped.
pub struct Place {
    room: Arc<Room>,
    bytes: usize,
    /// A time, and the bytes that had passed then.
    since: (i64, u64),
}

impl Room {
    pub fn new(max: usize) -> Arc<Self> {
        let (used, line, waiting, is_answer_waiting) = Default::default();
        Arc::new(Self { max, used, line, waiting, is_answer_waiting })
    }

    /// Room for so many bytes; more than there is at all only for who is alone.
    pub fn enter(self: &Arc<Self>, bytes: usize, now_ms: i64) -> Option<Place> {
        let before = self.used.fetch_add(bytes, Ordering::SeqCst);
        if before == 0 || before + bytes <= self.max {
            return Some(Place { room: Arc::clone(self), bytes, since: (now_ms, 0) });
        }
        self.used.fetch_sub(bytes, Ordering::SeqCst);
        None
    }

    /// The same, for who comes first. `None`: it has a ticket, and `is_there_again` will tell.
    pub fn enter_in_line(
        self: &Arc<Self>,
        bytes: usize,
        now_ms: i64,
        ticket: &mut Option<Ticket>,
    ) -> Option<Place> {
        let mut line = self.line.lock();
        let own = ticket.as_ref().map(|ticket| ticket.number);
        let is_first = line.waiting.front().is_none_or(|(first, _)| Some(*first) == own);
        if is_first {
            line.told = Told::No;
            if let Some(place) = self.enter(bytes, now_ms) {
                drop(line);
                *ticket = None;
                return Some(place);
            }
        }
        if own.is_none_or(|own| !line.waiting.iter().any(|(number, _)| *number == own)) {
            line.last += 1;
            let number = line.last;
            line.waiting.push_back((number, bytes));
            self.waiting.store(line.waiting.len(), Ordering::SeqCst);
            drop(line);
            *ticket = Some(Ticket { room: Arc::clone(self), number });
        }
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
        self.is_answer_waiting.store(!is_there, Ordering::Relaxed);
        is_there
    }

    /// True once, when there is room for the first who waits.
    pub fn is_there_again(&self) -> bool {
        if self.waiting.load(Ordering::SeqCst) == 0 {
            return false;
        }
        let mut line = self.line.lock();
        let Some(&(_, bytes)) = line.waiting.front() else { return false };
        let used = self.used.load(Ordering::SeqCst);
        let is_there = used == 0 || used + bytes <= self.max;
        if !is_there || line.told != Told::No {
            return false;
        }
        line.told = Told::Yes;
        true
    }

    /// Who was told of room and does not come, as it does not take its answers, say, loses its place in the line.
    pub fn look_after_line(&self) {
        let mut line = self.line.lock();
        line.told = match line.told {
            Told::No => Told::No,
            Told::Yes => Told::LongAgo,
            Told::LongAgo => {
                line.waiting.pop_front();
                Told::No
            }
        };
        self.waiting.store(line.waiting.len(), Ordering::SeqCst);
    }

    /// Whether somebody waits for room, or far too much of it is used.
    pub fn is_short(&self) -> bool {
        self.is_answer_waiting.load(Ordering::Relaxed)
            || self.used.load(Ordering::Relaxed) > CROWDED_BYTES
            || self.waiting.load(Ordering::Relaxed) > 0
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut line = self.room.line.lock();
        let at = line.waiting.iter().position(|(number, _)| *number == self.number);
        if at == Some(0) {
            line.told = Told::No;
        }
        at.map(|at| line.waiting.remove(at));
        self.room.waiting.store(line.waiting.len(), Ordering::SeqCst);
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

    /// Asks for the first time.
    fn ask(room: &Arc<Room>, bytes: usize) -> (Option<Place>, Option<Ticket>) {
        let mut ticket = None;
        (room.enter_in_line(bytes, 0, &mut ticket), ticket)
    }

    #[test]
    fn there_is_so_much_and_who_got_none_is_told_when_there_is_some() {
        let room = Room::new(BYTES_MAX);
        let (first, _) = ask(&room, BYTES_MAX - 1);
        let (second, _) = ask(&room, 1);
        assert!(first.is_some() && second.is_some() && !room.is_there_again());
        let (none, mut ticket) = ask(&room, 2);
        assert!(none.is_none() && room.is_short());
        drop(second);
        assert!(!room.is_there_again());
        drop(first);
        assert!(room.is_there_again());
        assert!(!room.is_there_again());
        assert!(room.enter_in_line(2, 0, &mut ticket).is_some() && ticket.is_none());
        let (alone, _) = ask(&room, BYTES_MAX + 1);
        assert!(alone.is_some());
        let (_, waiting) = ask(&room, 1);
        drop(alone);
        assert!(room.is_there_again());
        drop(waiting);
        assert!(!room.is_short());
    }

    #[test]
    fn who_wants_little_does_not_overtake_who_wants_much() {
        let room = Room::new(BYTES_MAX);
        let (quarter, _) = ask(&room, BYTES_MAX / 4);
        let (_, mut much) = ask(&room, BYTES_MAX);
        let (_, mut little) = ask(&room, 1);
        assert!(!room.is_there_again());
        assert!(room.enter_in_line(1, 0, &mut little).is_none());
        drop(quarter);
        assert!(room.is_there_again());
        assert!(room.enter_in_line(1, 0, &mut little).is_none());
        let whole = room.enter_in_line(BYTES_MAX, 0, &mut much);
        assert!(whole.is_some() && !room.is_there_again());
        drop(whole);
        assert!(room.is_there_again());
        assert!(room.enter_in_line(1, 0, &mut little).is_some());
    }

    #[test]
    fn who_is_gone_or_does_not_come_holds_up_nobody() {
        let room = Room::new(BYTES_MAX);
        let (whole, _) = ask(&room, BYTES_MAX);
        let (_, gone) = ask(&room, 3);
        let (_, mut idle) = ask(&room, 2);
        let (_, mut last) = ask(&room, 1);
        drop((whole, gone));
        assert!(room.is_there_again());
        room.look_after_line();
        assert!(room.enter_in_line(1, 0, &mut last).is_none());
        room.look_after_line();
        assert!(room.is_there_again());
        assert!(room.enter_in_line(1, 0, &mut last).is_some());
        assert!(room.enter_in_line(2, 0, &mut idle).is_some() && !room.is_short());
    }

    #[test]
    fn who_is_slow_must_go_when_others_wait() {
        let room = Room::new(BYTES_MAX);
        let mut place = room.enter(BYTES_MAX, 0).unwrap();
        let minute = 60_000;
        assert!(!place.holds_up_others(0, minute));
        let (_, waiting) = ask(&room, 1);
        // The time when nobody waited does not count.
        assert!(!place.holds_up_others(0, minute + PATIENCE_MS));
        assert!(place.holds_up_others(0, 2 * minute));
        assert!(!place.holds_up_others(4 << 20, 3 * minute));
        // What it has done before does not count either.
        assert!(place.holds_up_others(4 << 20, 4 * minute));
        drop((place, waiting));
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
        assert!(room.has_for_answer() && !room.is_short());
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
