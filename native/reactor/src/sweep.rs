//! What a reactor looks after once a second: idle and slow connections, and the partitions whose home it is.

use std::cmp::Reverse;

use crate::conn::{CloseReason, Connection};
use crate::ids::RequestRef;
use crate::reactor::Reactor;
use crate::slots::Slot;

/// An incomplete frame must grow within so long.
const FRAME_STALL_MS: i64 = 30_000;
/// An incomplete frame that holds more than this must also keep up a rate.
const LARGE_FRAME: usize = 1 << 20;
const LARGE_FRAME_BYTES_PER_MS: i64 = 64;
/// An answer must be taken by the client at least a little within so long.
const WRITE_STALL_MS: i64 = 60_000;

/// Fewer entries are not worth looking through.
const DEADLINES_MIN: usize = 4096;
/// A connection on which nothing happened for so long gives memory back.
const RESTS_MS: i64 = 5_000;

impl Reactor {
    pub fn sweep(&mut self) {
        for local in 0..self.connections.len() as u32 {
            self.end_polls_in_front(local);
            if let Some(reason) = self.verdict(local) {
                self.close(local, reason);
            }
        }
        self.look_after_room();
        self.pool.sweep();
        self.forget_deadlines();
        let (now_ms, number) = (self.now_ms, usize::from(self.number));
        for partition in self.shared.hub.registry.all() {
            // A panic marks the partition as failed, inside.
            if self.shared.hub.home(&partition) == number {
                partition.housekeeping(now_ms);
            }
        }
    }

    // What was answered before its deadline leaves an entry, which may be far in the future.
    fn forget_deadlines(&mut self) {
        if self.deadlines.len() < DEADLINES_MIN {
            return;
        }
        let connections = &self.connections;
        self.deadlines.retain(|Reverse((at, id))| {
            let request = RequestRef::unpack(*id);
            let connection = connections.get(request.local as usize).and_then(Option::as_ref);
            connection.is_some_and(|connection| match connection.slots.get(request.seq) {
                Some(Slot::Fetch(fetch)) => fetch.deadline_ms == *at,
                Some(Slot::Produce(_) | Slot::Large(_)) => true,
                _ => connection.muted_until_ms == *at,
            })
        });
    }

    fn verdict(&mut self, local: u32) -> Option<CloseReason> {
        let idle_max_ms = self.shared.config.connections_max_idle_ms;
        let (clock_ms, out_max) = (self.clock_ms, self.out_max);
        let connection = self.connections[local as usize].as_mut()?;
        let is_reading = connection.may_read(out_max);
        // Not while it waits for its slice of a turn: that is not the client's fault.
        let is_stuck = connection.is_write_blocked || connection.is_reading_cold;
        if is_stuck && clock_ms - connection.write_progress_ms > WRITE_STALL_MS {
            return Some(CloseReason::Slow);
        }
        if is_reading && !connection.carry.is_empty() && is_stalled(connection, clock_ms) {
            return Some(CloseReason::Slow);
        }
        if connection.holds_up_others(clock_ms) {
            return Some(CloseReason::Slow);
        }
        let is_quiet = connection.slots.is_empty() && connection.out.is_empty();
        if clock_ms - connection.used_ms > RESTS_MS {
            connection.out.trim();
        }
        let is_idle = idle_max_ms >= 0 && clock_ms - connection.used_ms > idle_max_ms;
        (is_quiet && is_idle).then_some(CloseReason::Idle)
    }
}

// The clock runs only while the connection is read: it is not asked while its gate is closed.
fn is_stalled(connection: &Connection, clock_ms: i64) -> bool {
    let len = connection.carry.len();
    let age_ms = clock_ms - connection.frame.began_ms;
    let is_slow = len > LARGE_FRAME
        && age_ms > FRAME_STALL_MS
        && (len as i64) < age_ms * LARGE_FRAME_BYTES_PER_MS;
    is_slow || clock_ms - connection.frame.advanced_ms > FRAME_STALL_MS
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use ms_partition::PartitionConfig;
    use ms_wire::fetch::{FetchOptions, FetchPartition};
    use ms_wire::topic::TopicKey;

    use super::*;
    use crate::by_hand::frames::{fetch, header};
    use crate::by_hand::{ByHand, Peer, TOPIC};
    use crate::packed::kind;

    fn is_open(hand: &ByHand, peer: &Peer) -> bool {
        hand.reactor.connections[peer.local as usize].is_some()
    }

    #[test]
    fn who_does_not_take_its_answer_goes_and_whose_answer_waits_for_its_turn_stays() {
        let mut hand = ByHand::new();
        let peers = [hand.connect(), hand.connect()];
        hand.reactor.clock_ms += WRITE_STALL_MS + 1;
        for (peer, is_write_blocked) in peers.iter().zip([false, true]) {
            let connection = hand.reactor.connections[peer.local as usize].as_mut().unwrap();
            connection.out.bytes().push(0);
            connection.is_write_blocked = is_write_blocked;
            hand.reactor.make_dirty(peer.local);
        }
        hand.reactor.sweep();
        assert_eq!(peers.map(|peer| is_open(&hand, &peer)), [true, false]);
    }

    #[test]
    fn what_has_begun_behind_a_closed_gate_has_its_time_once_it_opens() {
        let mut hand = ByHand::new();
        let mut peer = hand.connect();
        hand.gather(&mut peer, &[header(2, 0, 1)]);
        let connection = hand.reactor.connections[peer.local as usize].as_mut().unwrap();
        assert!(connection.carry.push(&[0, 0, 0, 50], &mut hand.reactor.pool));
        hand.reactor.clock_ms += FRAME_STALL_MS + 1;
        hand.respond(&peer, 0);
        hand.reactor.sweep();
        assert!(is_open(&hand, &peer));
        hand.reactor.clock_ms += FRAME_STALL_MS + 1;
        hand.reactor.sweep();
        assert!(!is_open(&hand, &peer));
    }

    #[test]
    fn who_is_idle_goes_and_who_waits_stays() {
        let mut hand = ByHand::new();
        hand.with_topic(PartitionConfig::default());
        let (mut idle, mut waiting) = (hand.connect(), hand.connect());
        hand.gather(&mut idle, &[header(2, 0, 1)]);
        hand.respond(&idle, 0);
        assert_eq!(hand.answers(&mut idle, 1), [2]);
        let options = FetchOptions { max_wait_ms: i32::MAX, min_bytes: 1, ..Default::default() };
        let key = TopicKey::Name(TOPIC.as_bytes());
        let poll = fetch(12, 1, options, key, &[FetchPartition::new(0, 0, 1000)]);
        hand.gather(&mut waiting, &[poll]);
        hand.reactor.finish_gathered();
        hand.told();
        hand.reactor.clock_ms += hand.shared.config.connections_max_idle_ms;
        hand.reactor.sweep();
        assert!(is_open(&hand, &idle) && is_open(&hand, &waiting));
        hand.reactor.clock_ms += 1;
        hand.reactor.sweep();
        assert!(!is_open(&hand, &idle) && is_open(&hand, &waiting));
        let told = hand.told();
        let event = told.first().unwrap();
        assert_eq!(
            (event[0], event.last()),
            (kind::DISCONNECTED, Some(&(CloseReason::Idle as u8)))
        );
    }
}
