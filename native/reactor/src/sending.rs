//! The last step of a turn: sending, and closing what is over.

use std::io;

use crate::conn::{CloseReason, Connection};
use crate::ids::ConnectionId;
use crate::out::Flush;
use crate::reactor::Reactor;
use crate::shared::Stats;
use crate::slices::SEND_SLICE;
use crate::slots::Slot;

impl Reactor {
    /// Sends what the turn answered, and closes what is over.
    pub fn flush_dirty(&mut self) {
        let mut dirty = std::mem::take(&mut self.dirty);
        for local in dirty.drain(..) {
            if !self.waits_to_send(local) {
                self.flush(local, SEND_SLICE);
            }
        }
        self.send_slice();
        // Flushing may have made others dirty.
        dirty.append(&mut self.dirty);
        self.dirty = dirty;
    }

    /// Sends at most so much on a connection, and closes it if it is over; how much was sent.
    pub fn flush(&mut self, local: u32, max: usize) -> usize {
        let Some(connection) = self.connections[local as usize].as_mut() else { return 0 };
        connection.is_in_dirty = false;
        let before = connection.out.len();
        if !connection.is_write_blocked && !connection.is_reading_cold {
            let (stream, buffer) = (&mut connection.stream, &mut self.send_buffer);
            let flushed = connection.out.flush(stream, buffer, max);
            let sent = before - connection.out.len();
            connection.bytes_sent += sent;
            self.counters.bytes_out += sent;
            if sent > 0 || before == 0 {
                connection.used_ms = self.clock_ms.max(connection.used_ms);
                connection.write_progress_ms = self.clock_ms;
            }
            match flushed {
                Flush::Done => {}
                Flush::Blocked => connection.is_write_blocked = true,
                Flush::Enough => {
                    connection.is_in_dirty = true;
                    self.dirty.push(local);
                }
                Flush::Cold(read) => {
                    connection.is_reading_cold = true;
                    Stats::add(&self.shared.stats.cold_reads, 1);
                    self.shared.cold.push(connection.id, read);
                }
                Flush::Failed => {
                    self.close(local, CloseReason::Client);
                    return 0;
                }
            }
        }
        let sent = (before - connection.out.len()) as usize;
        connection.forget_taken(self.clock_ms);
        match connection.closing {
            Some(reason) if connection.out.is_empty() && is_answered(connection) => {
                self.close(local, reason);
            }
            _ => self.revive(local),
        }
        sent
    }

    pub fn cold_done(&mut self, id: ConnectionId, block: io::Result<Vec<u8>>) {
        let Some(connection) = self.connection(id) else { return };
        connection.is_reading_cold = false;
        match block {
            Ok(block) => {
                connection.out.unblock(block);
                self.make_dirty(id.local());
            }
            // The head of the answer has announced the bytes: only the connection can go.
            Err(_) => self.close(id.local(), CloseReason::Client),
        }
    }
}

/// Whether nothing is on its way any more. A connection that is being closed does not wait for TypeScript when the whole
/// process stops.
fn is_answered(connection: &Connection) -> bool {
    let is_stopping = connection.closing == Some(CloseReason::Shutdown);
    connection.slots.is_empty()
        || is_stopping
            && connection
                .slots
                .iter()
                .all(|(_, slot)| matches!(slot, Slot::Control | Slot::Ready(_)))
}
