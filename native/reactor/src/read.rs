//! Receiving: from a socket into the reactor's buffer or the connection's own, and on to the parser.

use std::io::{self, IoSliceMut, Read};
use std::ops::Range;

use crate::conn::{CloseReason, Connection, PREFIX, frame_len};
use crate::gather::Gather;
use crate::reactor::{Reactor, make_ready};
use crate::slots::Slot;
use crate::turn::{Block, RECEIVE_BLOCK};
use crate::validation::ValidatedFrame;

/// Bytes of an incomplete frame up to which they are copied in front of what is received, instead of receiving behind them.
/// Also how much is received of a frame whose predecessor was large, before its length is known.
const COPY_MAX: usize = 16 << 10;

impl Reactor {
    /// Parses what a connection has left over, reads its socket once, and parses that.
    pub fn read_connection(&mut self, local: u32) {
        self.read_or_hold(local);
        if self.waits_in_vain(local) {
            self.end_of_stream(local);
        }
        self.count_held(local);
    }

    fn read_or_hold(&mut self, local: u32) {
        let out_max = self.out_max;
        let Some(connection) = self.connections[local as usize].as_mut() else { return };
        connection.is_in_ready = false;
        if !connection.may_read(out_max) {
            return;
        }
        if connection.carry.holds_frame() {
            self.parse_carry(local);
        }
        let Some(connection) = self.connections[local as usize].as_mut() else { return };
        if !connection.may_read(out_max) || connection.carry.holds_frame() {
            // Nothing may have changed for it to be looked at again by itself.
            if connection.carry.holds_frame() && connection.may_read(out_max) {
                make_ready(&mut self.ready, connection);
            }
            return;
        }
        if connection.is_readable && self.has_room_to_receive(local) {
            self.receive(local);
        }
    }

    fn receive(&mut self, local: u32) {
        let Some(connection) = self.connections[local as usize].as_mut() else { return };
        let buffer = &mut self.turn.blocks[RECEIVE_BLOCK].bytes;
        let large_from = (buffer.len() / 4).max(2 * COPY_MAX);
        let free = connection.carry.free_before(&buffer[self.received..]);
        let room = &mut buffer[self.received + free..];
        // A large frame is received in its own buffer: what comes here is copied there.
        let ahead = if connection.frame.large_len > 0 { COPY_MAX } else { usize::MAX };
        let carried = connection.carry.len();
        let expected = connection.carry.frame_len();
        let most = if connection.frame.large_len > 0 { large_from } else { room.len() / 2 };
        let is_small = carried <= COPY_MAX && expected.is_none_or(|len| len <= most);
        let result = if carried == 0 || is_small {
            // Received behind the place where the bytes left over are copied to if anything comes.
            let end = room.len().min(ahead.saturating_add(carried));
            read_some(&mut connection.stream, &mut [IoSliceMut::new(&mut room[carried..end])])
                .map(|count| (count, count == end - carried))
        } else {
            if self.slice_left == 0 {
                connection.is_in_ready = true;
                return self.receiving.push_back(local);
            }
            let missing = expected.map_or(PREFIX, |len| len - carried);
            // At most doubling, however long the frame is announced to be; up to the length of the one before at once.
            let grown = missing.min(carried.max(connection.frame.large_len));
            if !connection.carry.reserve(grown, &mut self.pool) {
                return self.shed(local);
            }
            let spare = connection.carry.spare();
            let count = missing.min(spare.len()).min(self.slice_left);
            if count == missing {
                let end = room.len().min(ahead);
                let room = &mut room[..end];
                let mut parts = [IoSliceMut::new(&mut spare[..count]), IoSliceMut::new(room)];
                let full = count + parts[1].len();
                read_some(&mut connection.stream, &mut parts).map(|count| (count, count == full))
            } else {
                read_some(&mut connection.stream, &mut [IoSliceMut::new(&mut spare[..count])])
                    .map(|got| (got, got == count))
            }
        };
        match result {
            Ok((0, _)) => self.end_of_stream(local),
            Ok((count, is_full)) => {
                connection.is_readable = is_full || connection.is_read_closed;
                connection.used_ms = self.clock_ms;
                connection.frame.advanced_ms = self.clock_ms;
                self.counters.bytes_in += count as u64;
                self.received += free;
                if carried == 0 || is_small {
                    room[..carried].copy_from_slice(connection.carry.bytes());
                    connection.carry.release(&mut self.pool);
                    if frame_len(&room[..carried + count]).is_some_and(|len| len <= large_from) {
                        connection.frame.large_len = 0;
                    }
                    self.parse_received(local, carried + count);
                } else {
                    let missing = expected.map_or(PREFIX, |len| len - carried);
                    let own = count.min(missing.min(connection.carry.spare().len()));
                    connection.carry.filled(own);
                    self.slice_left -= own;
                    if own < missing {
                        self.counters.note_frame(expected.unwrap_or(0));
                    } else {
                        connection.frame.large_len =
                            expected.filter(|len| *len > large_from).unwrap_or(0);
                        self.parse_carry(local);
                    }
                    self.parse_received(local, count - own);
                }
                self.revive(local);
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                connection.is_readable = false
            }
            Err(_) => self.close_broken(local),
        }
    }

    /// Parses the next `count` bytes of the receive buffer; what cannot be taken up is carried over.
    fn parse_received(&mut self, local: u32, count: usize) {
        if count == 0 {
            return;
        }
        let range = self.received..self.received + count;
        self.received = range.end;
        // A borrowed carry buffer holds what comes first.
        let stopped = match self.connections[local as usize].as_mut() {
            Some(connection) if connection.is_carry_lent || !connection.carry.is_empty() => {
                range.start
            }
            _ => self.gather(local, RECEIVE_BLOCK, range.clone()),
        };
        let Some(connection) = self.connections[local as usize].as_mut() else { return };
        if connection.closing.is_some() || stopped == range.end {
            return;
        }
        let rest = &self.turn.blocks[RECEIVE_BLOCK].bytes[stopped..range.end];
        let is_first = connection.carry.is_empty();
        if is_first {
            connection.frame.began_ms = self.clock_ms;
        }
        if !connection.carry.push(rest, &mut self.pool) {
            self.out_of_memory(local);
        }
    }

    /// Parses the carry buffer in place. Its bytes must outlive the turn's work: it is lent to the turn.
    fn parse_carry(&mut self, local: u32) {
        let Some(connection) = self.connections[local as usize].as_mut() else { return };
        let (bytes, range) = connection.carry.lend();
        let block = self.turn.blocks.len();
        self.turn.blocks.push(Block { bytes, owner: None });
        let requests = self.turn.requests.len();
        let stopped = self.gather(local, block, range.clone());
        let rest = stopped..range.end;
        let Some(connection) = self.connections[local as usize].as_mut() else { return };
        connection.frame.began_ms = self.clock_ms;
        let is_unused = self.turn.requests.len() == requests;
        if is_unused {
            if let Some(block) = self.turn.blocks.pop() {
                connection.carry.restore(block.bytes, rest, &mut self.pool);
            }
        } else if rest.is_empty() || connection.closing.is_some() {
            // The block goes to the pool when the turn is over.
        } else if is_partial(&self.turn.blocks[block].bytes[rest.clone()]) {
            let rest = &self.turn.blocks[block].bytes[rest];
            if !connection.carry.push(rest, &mut self.pool) {
                self.out_of_memory(local);
            }
        } else {
            connection.is_carry_lent = true;
            self.turn.blocks[block].owner = Some((connection.id, rest));
        }
    }

    fn gather(&mut self, local: u32, block: usize, range: Range<usize>) -> usize {
        let end = range.end;
        let stopped =
            self.with_gather(local, |gather, connection| gather.frames(connection, block, range));
        if self.connections[local as usize].as_ref().is_some_and(|it| it.waits_for_disk) {
            self.wait_for_disk.push(local);
        }
        self.make_dirty(local);
        stopped.unwrap_or(end)
    }

    fn with_gather<R>(
        &mut self,
        local: u32,
        work: impl FnOnce(&mut Gather<'_>, &mut Connection) -> R,
    ) -> Option<R> {
        let connection = self.connections[local as usize].as_mut()?;
        // Loaded after the bytes were received: they may ask for what was just announced.
        let topology = self.topology.load();
        let mut gather = Gather {
            shared: &self.shared,
            topology,
            turn: &mut self.turn,
            scratch: &mut self.scratch,
            pool: &mut self.pool,
            counters: &mut self.counters,
            malformed: &mut self.malformed,
            reactor: self.number,
            now_ms: self.now_ms,
            out_max: self.out_max,
        };
        Some(work(&mut gather, connection))
    }

    /// Goes on with those that wait for the disk, once it has begun to take enough of what was written.
    pub fn go_on_with_disk(&mut self) {
        if self.wait_for_disk.is_empty() || self.shared.env.is_saturated() {
            return;
        }
        for local in std::mem::take(&mut self.wait_for_disk) {
            // One that came in the place of another is none the worse for it.
            if let Some(Some(connection)) = self.connections.get_mut(local as usize) {
                connection.waits_for_disk = false;
            }
            self.revive(local);
        }
    }

    /// A Produce comes back from a worker: it is appended with the next batches, and the gate opens behind it.
    pub fn take_validated(&mut self, mut validated: ValidatedFrame) {
        let (id, seq, clock_ms) = (validated.connection, validated.seq, self.clock_ms);
        let slot = self.connection(id).and_then(|connection| connection.slots.get_mut(seq));
        let bytes = std::mem::take(&mut validated.bytes);
        let Some(slot @ Slot::Validating) = slot else { return self.pool.give(bytes) };
        *slot = Slot::Turn;
        self.turn.blocks.push(Block { bytes, owner: None });
        self.with_gather(id.local(), |gather, connection| {
            connection.open_gate(clock_ms);
            gather.validated(connection, validated);
        });
        self.make_dirty(id.local());
        self.revive(id.local());
    }

    // Requests whose answer is on its way are still answered; nobody waits for new records on behalf of a client that left.
    fn end_of_stream(&mut self, local: u32) {
        let Some(connection) = self.connections[local as usize].as_mut() else { return };
        connection.is_readable = false;
        let waits = connection.slots.iter().any(|(_, slot)| matches!(slot, Slot::Fetch(_)));
        if waits || connection.slots.is_empty() && connection.out.is_empty() {
            return self.close(local, CloseReason::Client);
        }
        connection.closing.get_or_insert(CloseReason::Client);
        self.make_dirty(local);
    }

    // Requests of this turn are still worked on: the connection goes when they are done.
    fn close_broken(&mut self, local: u32) {
        self.close_after_turn(local, CloseReason::Client);
    }

    fn out_of_memory(&mut self, local: u32) {
        self.close_after_turn(local, CloseReason::Slow);
    }

    // The incomplete frame with the least progress goes, so that the memory always drains; who asked tries again.
    fn shed(&mut self, asking: u32) {
        let clock_ms = self.clock_ms;
        let rate = |c: &Connection| c.carry.len() as i64 * 1000 / (1 + clock_ms - c.frame.began_ms);
        let incomplete = self.connections.iter().flatten().filter(|c| !c.carry.is_empty());
        let slowest = incomplete.min_by_key(|c| rate(c)).map_or(asking, |c| c.id.local());
        self.close(slowest, CloseReason::Slow);
        self.revive(asking);
    }

    pub fn close_after_turn(&mut self, local: u32, reason: CloseReason) {
        let Some(connection) = self.connections[local as usize].as_mut() else { return };
        connection.closing = Some(reason);
        connection.is_readable = false;
        self.make_dirty(local);
    }
}

/// Whether the bytes are less than a frame.
fn is_partial(bytes: &[u8]) -> bool {
    frame_len(bytes).is_none_or(|len| bytes.len() < len)
}

fn read_some(stream: &mut mio::net::TcpStream, parts: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
    loop {
        // One part takes the cheaper call.
        let result = match parts.len() {
            1 => stream.read(&mut parts[0]),
            _ => stream.read_vectored(parts),
        };
        match result {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}
