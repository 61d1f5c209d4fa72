//! Looking out: a reactor that has just worked polls for a while before it sleeps, because a client that waits for an answer
//! sends its next request soon after it, and to be woken takes longer than to serve it.

use std::time::Duration;

use crate::reactor::{Counters, Reactor};

/// A turn that moves so much, or a piece of a frame that is as long, is not followed by looking out. The wake-up that it would
/// save is little beside what that costs, and the processor is better left to the clients, and to the kernel's threads that
/// write the pages back.
const LOOKOUT_BYTES: u64 = 64 << 10;
/// Shorter frames do not count: many clients that send little are looked out for.
const SMALL_FRAME: usize = 4 << 10;

impl Reactor {
    /// Whether the next round polls without sleeping.
    pub fn looks_out(&self) -> bool {
        let spin = Duration::from_micros(self.shared.config.spin_us);
        let has_just_worked = self.has_worked || self.now - self.worked_at < spin;
        self.is_busy() || !spin.is_zero() && has_just_worked
    }
}

impl Counters {
    /// A frame of so many bytes is taken up, or has come in part.
    pub fn note_frame(&mut self, len: usize) {
        if len >= SMALL_FRAME {
            self.frame_bytes += len as u64;
        }
    }

    /// No more than one request was taken up, and something was sent. Whoever sent it is likely to be alone, and woken on the
    /// reactor's own processor, where it would have to wait for the end of the lookout.
    pub fn are_of_one_request(&self) -> bool {
        let taken_up = self.produce_requests + self.fetch_requests + self.control_requests;
        self.bytes_out > 0 && taken_up + self.constant_answers <= 1
    }

    /// Who only connects, leaves or sends nonsense is not waited for, nor are those that move much.
    pub fn are_worth_a_lookout(&self, had_messages: bool) -> bool {
        let has_sense = self.bytes_in > 0 && self.malformed_frames == 0;
        let has_worked = had_messages || self.bytes_out > 0 || has_sense;
        has_worked && self.frame_bytes + self.bytes_out < LOOKOUT_BYTES
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use mio::Events;
    use ms_partition::PartitionConfig;
    use ms_wire::topic::TopicKey;

    use super::*;
    use crate::by_hand::frames::{batch, produce};
    use crate::by_hand::{ByHand, Peer, TOPIC};

    /// Rounds, as the thread takes them, until a Produce of so many bytes is answered.
    fn answered(hand: &mut ByHand, peer: &mut Peer, bytes: usize) {
        let records = batch(&[&vec![b'x'; bytes]]);
        let key = TopicKey::Name(TOPIC.as_bytes());
        let request = produce(9, 1, 1, key, &[(0, Some(&records))]);
        hand.gather(peer, &[request]);
        hand.reactor.round(&mut Events::with_capacity(8)).unwrap();
        assert_eq!(hand.frames(peer, 1).len(), 1);
    }

    #[test]
    fn after_a_small_request_more_are_looked_for_until_the_time_is_over() {
        let mut hand = ByHand::new();
        let _partition = hand.with_topic(PartitionConfig::default());
        let mut peer = hand.connect();
        answered(&mut hand, &mut peer, 100);
        assert!(hand.reactor.looks_out());
        hand.reactor.has_worked = false;
        hand.reactor.worked_at = hand.reactor.now;
        let spin = Duration::from_micros(hand.shared.config.spin_us);
        hand.reactor.now += spin - Duration::from_nanos(1);
        assert!(hand.reactor.looks_out());
        hand.reactor.now += Duration::from_nanos(1);
        assert!(!hand.reactor.looks_out());
    }

    #[test]
    fn a_lookout_for_one_client_stands_back_and_one_for_several_does_not() {
        let mut hand = ByHand::new();
        let _partition = hand.with_topic(PartitionConfig::default());
        let (mut peer, mut other) = (hand.connect(), hand.connect());
        let key = TopicKey::Name(TOPIC.as_bytes());
        let request = || produce(9, 1, 1, key, &[(0, Some(&batch(&[b"x"])))]);
        let events = &mut Events::with_capacity(8);
        for is_alone in [true, false, true] {
            hand.gather(&mut peer, &[request()]);
            if !is_alone {
                hand.gather(&mut other, &[request()]);
            }
            hand.reactor.round(events).unwrap();
            assert_eq!(hand.reactor.stands_back, is_alone);
            // As long as it lasts.
            hand.reactor.round(events).unwrap();
            assert_eq!(hand.reactor.stands_back, is_alone);
        }
    }

    #[test]
    fn after_a_large_one_the_reactor_sleeps() {
        let mut hand = ByHand::new();
        let _partition = hand.with_topic(PartitionConfig::default());
        let mut peer = hand.connect();
        answered(&mut hand, &mut peer, LOOKOUT_BYTES as usize);
        hand.reactor.now = hand.reactor.worked_at + Duration::from_secs(1);
        assert!(!hand.reactor.looks_out());
    }

    #[test]
    fn the_rest_of_a_small_frame_is_looked_for_and_that_of_a_large_one_is_not() {
        let mut hand = ByHand::new();
        for (len, looks_out) in [(100, true), (LOOKOUT_BYTES as usize, false)] {
            let mut peer = hand.connect();
            // A produce request, so far.
            hand.begin(&mut peer, &[0, 0, 0, 9], len);
            hand.reactor.now = hand.reactor.worked_at + Duration::from_secs(1);
            hand.reactor.has_worked = hand.reactor.turn();
            assert_eq!(hand.reactor.looks_out(), looks_out, "{len}");
        }
    }

    #[test]
    fn nor_is_the_next_piece_of_one_that_has_its_own_buffer() {
        let mut hand = ByHand::new();
        let mut peer = hand.connect();
        hand.begin(&mut peer, &[0; 20 << 10], 1 << 20);
        hand.reactor.turn();
        hand.send(&mut peer, &[0; 10]);
        assert!(!hand.reactor.turn());
        assert_eq!(
            hand.reactor.connections[peer.local as usize].as_ref().unwrap().carry.len(),
            (20 << 10) + 14
        );
    }

    #[test]
    fn a_frame_that_is_completed_in_its_own_buffer_counts_once() {
        let mut hand = ByHand::new();
        let mut peer = hand.connect();
        let (first, rest) = (20 << 10, 20 << 10);
        hand.begin(&mut peer, &vec![0; first], first + rest);
        hand.reactor.turn();
        hand.send(&mut peer, &vec![0; rest]);
        hand.reactor.receive_slice();
        assert_eq!(hand.reactor.counters.frame_bytes, (first + rest) as u64);
    }

    #[test]
    fn many_small_frames_do_not_count() {
        let mut counters = Counters { bytes_in: 1, ..Counters::default() };
        (0..1000).for_each(|_| counters.note_frame(SMALL_FRAME - 1));
        assert!(counters.are_worth_a_lookout(false));
        counters.note_frame(LOOKOUT_BYTES as usize);
        assert!(!counters.are_worth_a_lookout(false));
    }

    #[test]
    fn nobody_is_looked_for_who_sends_nonsense_or_nothing() {
        let moved = |bytes_in, bytes_out, malformed_frames| Counters {
            bytes_in,
            frame_bytes: bytes_in,
            bytes_out,
            malformed_frames,
            ..Counters::default()
        };
        assert!(!moved(0, 0, 0).are_worth_a_lookout(false));
        assert!(!moved(9, 0, 1).are_worth_a_lookout(false));
        assert!(moved(9, 9, 1).are_worth_a_lookout(false));
        assert!(moved(0, LOOKOUT_BYTES - 1, 0).are_worth_a_lookout(false));
        assert!(moved(0, 0, 0).are_worth_a_lookout(true), "a message of another thread");
        assert!(!moved(0, LOOKOUT_BYTES, 0).are_worth_a_lookout(true));
        assert!(!moved(LOOKOUT_BYTES / 2, LOOKOUT_BYTES / 2, 0).are_worth_a_lookout(false));
    }
}
