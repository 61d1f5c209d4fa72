//! One connection: its socket, its unread bytes, its requests and what is to be sent.

use std::net::SocketAddr;
use std::ops::Range;
use std::sync::Arc;

use mio::net::TcpStream;
use ms_wire::request_items::ItemCount;

use crate::ids::{ConnectionId, Seq};
use crate::listener::Admission;
use crate::out::OutQueue;
use crate::place;
use crate::pool::Pool;
use crate::room::{Place, Room, Ticket};
use crate::slots::Slots;

/// Requests without an answer beyond which a connection is not read, until it has half as many.
const REQUESTS_MAX: usize = 64;
/// And the bytes of such requests, or of what is kept for them; one more may be larger than that.
pub const REQUEST_BYTES_MAX: usize = 8 << 20;
/// Bytes at the head of a frame: its length.
pub const PREFIX: usize = 4;

/// Why a connection ended; part of the `disconnected` event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum CloseReason {
    /// The client closed it, or it broke.
    Client = 0,
    /// Nothing happened on it for `connections.max.idle.ms`.
    Idle = 1,
    /// A frame that Kafka answers by closing, or an error of a produce that wants no answer.
    Refused = 2,
    /// An incomplete frame or an answer made no progress, or memory ran short.
    Slow = 3,
    /// TypeScript asked for it.
    Asked = 4,
    Shutdown = 5,
}

pub struct Connection {
    pub stream: TcpStream,
    pub id: ConnectionId,
    pub listener: u8,
    pub address: SocketAddr,
    /// TypeScript knows of it.
    pub is_announced: bool,
    _admission: Admission,
    pub carry: Carry,
    pub out: OutQueue,
    pub slots: Slots,
    /// What has come of the answer to the request that is with TypeScript.
    pub answer_parts: Vec<Vec<u8>>,
    /// For the large control request that is being received or is with TypeScript.
    pub room: Option<Place>,
    /// The one that waits for room has this place in the line.
    pub ticket: Option<Ticket>,
    /// The items of the control request that is being received, or waits to be handed over, as far as they were counted.
    pub counting: Option<Box<ItemCount>>,
    /// For what has arrived of one that has no room.
    pub held: Option<Place>,
    pub untaken: Option<Untaken>,
    pub bytes_sent: u64,
    /// The socket may have bytes: it was not emptied since the poller last said so.
    pub is_readable: bool,
    /// The client has closed its side; what it sent before must still be read.
    pub is_read_closed: bool,
    pub is_in_ready: bool,
    pub is_in_dirty: bool,
    /// A request waits before it takes effect: nothing behind it is parsed.
    pub is_gate_closed: bool,
    /// A control request waits for room in the queue to TypeScript, or for what is in front of it.
    pub is_control_held: bool,
    /// A Produce waits until the disk has begun to take more of what was written.
    pub waits_for_disk: bool,
    /// The carry buffer is part of the turn.
    pub is_carry_lent: bool,
    is_over_limit: bool,
    /// No further request is taken; closed once everything was answered and sent.
    pub closing: Option<CloseReason>,
    pub is_write_blocked: bool,
    pub is_reading_cold: bool,
    /// Not read before, on the reactor's clock.
    pub muted_until_ms: i64,
    pub used_ms: i64,
    pub write_progress_ms: i64,
    pub frame: FrameProgress,
}

/// A large answer to a control request that the client has not taken. Until it has, no other is begun.
pub struct Untaken {
    pub place: Place,
    /// The request.
    pub seq: Seq,
    /// Where it ends, among all bytes of the connection; not known while it waits for answers before it.
    pub until: Option<u64>,
}

/// How an incomplete frame advances.
#[derive(Debug, Clone, Copy, Default)]
pub struct FrameProgress {
    pub began_ms: i64,
    pub advanced_ms: i64,
    /// Bytes of the last frame if it was large and came in pieces; the next one may take a buffer of as much.
    pub large_len: usize,
}

impl Connection {
    pub fn new(
        stream: TcpStream,
        id: ConnectionId,
        (listener, address): (u8, SocketAddr),
        admission: Admission,
        first: Seq,
        clock_ms: i64,
    ) -> Self {
        Self {
            stream,
            id,
            listener,
            address,
            is_announced: false,
            _admission: admission,
            carry: Carry::default(),
            out: OutQueue::new(),
            slots: Slots::starting_at(first),
            answer_parts: Vec::new(),
            room: None,
            ticket: None,
            counting: None,
            held: None,
            untaken: None,
            bytes_sent: 0,
            is_readable: true,
            is_read_closed: false,
            is_in_ready: false,
            is_in_dirty: false,
            is_gate_closed: false,
            is_control_held: false,
            waits_for_disk: false,
            is_carry_lent: false,
            is_over_limit: false,
            closing: None,
            is_write_blocked: false,
            is_reading_cold: false,
            muted_until_ms: 0,
            used_ms: clock_ms,
            write_progress_ms: clock_ms,
            frame: FrameProgress::default(),
        }
    }

    /// Whether another request may be parsed. `out_max` bounds the bytes that wait to be sent.
    pub fn may_parse(&mut self, out_max: u64) -> bool {
        let limit = if self.is_over_limit { REQUESTS_MAX / 2 } else { REQUESTS_MAX };
        let out_limit = if self.is_over_limit { out_max / 2 } else { out_max };
        let bytes_limit = REQUEST_BYTES_MAX / REQUESTS_MAX * limit;
        self.is_over_limit = self.slots.len() >= limit
            || self.slots.bytes() >= bytes_limit
            || self.out.len() > out_limit;
        !self.is_over_limit
            && !self.is_gate_closed
            && !self.is_control_held
            && !self.waits_for_disk
            && self.closing.is_none()
            && self.muted_until_ms == 0
    }

    /// Opens the gate, unless another request that was taken up at the same time holds it. What arrived behind it was not
    /// looked at meanwhile: its client is not to blame for that time.
    pub fn open_gate(&mut self, clock_ms: i64) {
        self.is_gate_closed = self.slots.iter().any(|(_, slot)| slot.holds_gate());
        (self.frame.began_ms, self.frame.advanced_ms) = (clock_ms, clock_ms);
    }

    /// Takes room for a large control request. False: it waits for some.
    pub fn enter_room(&mut self, room: &Arc<Room>, len: usize, clock_ms: i64) -> bool {
        if self.room.is_none() && self.untaken.is_none() {
            self.room = room.enter_in_line(len, clock_ms, &mut self.ticket);
        }
        let has_room = self.room.is_some();
        if has_room {
            self.held = None;
        }
        self.is_control_held |= !has_room;
        has_room
    }

    /// Lets a control request that waits try again; the time in which its bytes were not received does not count.
    pub fn retry_control(&mut self, clock_ms: i64) {
        if std::mem::take(&mut self.is_control_held) {
            (self.frame.began_ms, self.frame.advanced_ms) = (clock_ms, clock_ms);
        }
    }

    /// Gives up the room of a large answer when the client has taken it.
    pub fn forget_taken(&mut self, clock_ms: i64) {
        let Some(untaken) = &mut self.untaken else { return };
        if self.slots.get(untaken.seq).is_some() {
            return;
        }
        let until = *untaken.until.get_or_insert(self.bytes_sent + self.out.len());
        if self.bytes_sent >= until {
            self.untaken = None;
            self.retry_control(clock_ms);
        }
    }

    /// Whether what this connection is slow with keeps room that others wait for.
    pub fn holds_up_others(&mut self, clock_ms: i64) -> bool {
        let (carried, sent) = (self.carry.len(), self.bytes_sent);
        // One that is here waits for us.
        let is_receiving = !self.is_gate_closed && !self.carry.holds_frame();
        let is_slow_to_send = |place: &mut Place| place.holds_up_others(carried as u64, clock_ms);
        let is_slow_to_take = |untaken: &mut Untaken| {
            // Until it is on its way, it waits for what is in front of it.
            untaken.until.is_some() && untaken.place.holds_up_others(sent, clock_ms)
        };
        (is_receiving && self.room.as_mut().is_some_and(is_slow_to_send))
            || self.untaken.as_mut().is_some_and(is_slow_to_take)
    }

    /// Whether the reactor should look for bytes of this connection.
    pub fn may_read(&mut self, out_max: u64) -> bool {
        !self.is_carry_lent && self.may_parse(out_max)
    }
}

/// Bytes that were received and not parsed yet. The buffer grows with what arrived, never by what was announced.
#[derive(Default)]
pub struct Carry {
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// Where the records of the last Produce began, counted from the beginning of its frame, if it was large; else 0. One that
    /// another thread validated or answered does not count.
    pub records_at: usize,
}

impl Carry {
    pub fn len(&self) -> usize {
        self.end - self.start
    }

    pub fn is_empty(&self) -> bool {
        self.start == self.end
    }

    pub fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Bytes of the first frame, its prefix included; `None` while not even the prefix is here.
    pub fn frame_len(&self) -> Option<usize> {
        frame_len(self.bytes())
    }

    /// Whether the first frame is here as a whole.
    pub fn holds_frame(&self) -> bool {
        self.frame_len().is_some_and(|len| self.len() >= len)
    }

    /// Appends bytes; `false` when the pool is empty.
    pub fn push(&mut self, bytes: &[u8], pool: &mut Pool) -> bool {
        if !self.reserve(bytes.len(), pool) {
            return false;
        }
        self.buffer[self.end..self.end + bytes.len()].copy_from_slice(bytes);
        self.end += bytes.len();
        true
    }

    /// Room behind the bytes for at least `more`; `false` when the pool is empty.
    pub fn reserve(&mut self, more: usize, pool: &mut Pool) -> bool {
        if self.end + more <= self.buffer.len() {
            return true;
        }
        let len = self.len();
        let spare = if self.records_at > 0 { place::PAGE } else { 0 };
        let start;
        if len + more + spare <= self.buffer.len() {
            start = self.free_before(&self.buffer);
            self.buffer.copy_within(self.start..self.end, start);
        } else {
            let Some(mut larger) = pool.take(len + more + spare) else { return false };
            start = self.free_before(&larger);
            larger[start..start + len].copy_from_slice(self.bytes());
            pool.give(std::mem::replace(&mut self.buffer, larger));
        }
        (self.start, self.end) = (start, start + len);
        true
    }

    /// How many bytes are left free at a place where the next frame is received.
    pub fn free_before(&self, place: &[u8]) -> usize {
        if self.records_at > 0 { place::free_before(place, self.records_at) } else { 0 }
    }

    /// The room behind the bytes.
    pub fn spare(&mut self) -> &mut [u8] {
        &mut self.buffer[self.end..]
    }

    /// So many bytes of `spare` were filled.
    pub fn filled(&mut self, count: usize) {
        self.end += count;
    }

    /// Lends the buffer out: the bytes, and where in them the unparsed ones are.
    pub fn lend(&mut self) -> (Vec<u8>, Range<usize>) {
        let range = self.start..self.end;
        (self.start, self.end) = (0, 0);
        (std::mem::take(&mut self.buffer), range)
    }

    /// Takes a buffer back, of which `range` is not parsed. Nothing may have been pushed meanwhile.
    pub fn restore(&mut self, buffer: Vec<u8>, range: Range<usize>, pool: &mut Pool) {
        if range.is_empty() {
            pool.give(buffer);
            return;
        }
        assert!(self.is_empty(), "bytes arrived while the carry buffer was lent");
        pool.give(std::mem::replace(&mut self.buffer, buffer));
        (self.start, self.end) = (range.start, range.end);
    }

    pub fn release(&mut self, pool: &mut Pool) {
        (self.start, self.end) = (0, 0);
        pool.give(std::mem::take(&mut self.buffer));
    }
}

/// Bytes of the frame that `bytes` begin with, its prefix included, as announced. A length that no frame has comes out as
/// `PREFIX`: the parser closes the connection when it looks at it.
pub fn frame_len(bytes: &[u8]) -> Option<usize> {
    let prefix = bytes.first_chunk::<PREFIX>()?;
    Some(PREFIX + usize::try_from(i32::from_be_bytes(*prefix)).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pool::PoolLimit;

    #[test]
    fn a_carry_buffer_grows_with_its_bytes() {
        let mut pool = Pool::new(PoolLimit::new(1 << 20));
        let mut carry = Carry::default();
        assert!(carry.push(&[0x7f, 0xff, 0xff, 0xff], &mut pool));
        assert_eq!(carry.frame_len(), Some(0x7fff_ffff + PREFIX));
        assert_eq!(carry.spare().len(), (16 << 10) - 4);
        assert!(!carry.reserve(1 << 20, &mut pool));
        let (buffer, range) = carry.lend();
        carry.restore(buffer, range.start + 3..range.end, &mut pool);
        assert_eq!(carry.bytes(), &[0xff]);
    }

    #[test]
    fn a_large_frame_lies_in_a_carry_buffer_where_its_records_are_copied_fast() {
        let mut pool = Pool::new(PoolLimit::new(1 << 20));
        let mut carry = Carry { records_at: 44, ..Carry::default() };
        let is_placed = |carry: &Carry| {
            let records = carry.bytes().as_ptr() as usize + 44;
            records % place::PAGE == place::PAGE / 2
        };
        assert!(carry.push(&[7; 60], &mut pool) && is_placed(&carry));
        assert!(carry.reserve(200 << 10, &mut pool) && is_placed(&carry));
        assert!(carry.spare().len() >= 200 << 10);
        assert_eq!(carry.bytes(), &[7; 60]);
        // One that was large before, and is moved in its buffer.
        let (buffer, range) = carry.lend();
        carry.restore(buffer, range.start + 10..range.end, &mut pool);
        let rest = carry.spare().len();
        assert!(carry.reserve(rest + 1, &mut pool) && is_placed(&carry));
        assert_eq!(carry.bytes(), &[7; 50]);
        carry.records_at = 0;
        carry.release(&mut pool);
        assert!(carry.push(&[7; 60], &mut pool));
        assert_eq!(carry.spare().len(), (16 << 10) - 60);
    }
}
