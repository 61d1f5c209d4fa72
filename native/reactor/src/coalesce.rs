//! Coalescing: a reactor that is asked by clients with several requests in flight looks for more of them less often, and
//! takes up more at once. The same as what network cards do with interrupts, and as adaptive: who waits for each answer
//! before the next request is looked for at once.

use std::time::Duration;

use crate::reactor::Reactor;

/// What falling asleep and waking up takes: it is not worth it for less.
const LEAST_SLEEP: Duration = Duration::from_micros(10);

impl Reactor {
    /// How long nobody is looked for after a turn that took so long. `None`: no client has several requests in flight, there
    /// is more to do already, or it would not be worth it.
    pub fn until_next_turn(&self, taken: Duration) -> Option<Duration> {
        if !self.is_pipelined || self.is_busy() {
            return None;
        }
        let least = Duration::from_micros(self.shared.config.coalesce_us);
        Some(least.saturating_sub(taken)).filter(|left| *left >= LEAST_SLEEP)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use mio::Events;
    use ms_partition::PartitionConfig;
    use ms_wire::topic::TopicKey;

    use super::*;
    use crate::by_hand::frames::{batch, framed, produce};
    use crate::by_hand::{ByHand, Peer, TOPIC};

    const SHORT: Duration = Duration::from_micros(5);

    fn request(correlation_id: i32) -> Vec<u8> {
        let records = batch(&[b"x"]);
        let key = TopicKey::Name(TOPIC.as_bytes());
        produce(9, correlation_id, 1, key, &[(0, Some(&records))])
    }

    /// A turn in which the reactor finds these requests, behind what it has taken up of them.
    fn turn_with(hand: &mut ByHand, peer: &mut Peer, correlation_ids: &[i32]) {
        let frames: Vec<_> = correlation_ids.iter().map(|id| request(*id)).collect();
        hand.gather(peer, &frames);
        hand.reactor.turn();
        assert_eq!(hand.frames(peer, frames.len()).len(), frames.len());
    }

    #[test]
    fn several_requests_of_one_client_are_reason_to_wait_for_more() {
        let mut hand = ByHand::new();
        let _partition = hand.with_topic(PartitionConfig::default());
        let mut peer = hand.connect();
        turn_with(&mut hand, &mut peer, &[1, 2]);
        let least = Duration::from_micros(hand.shared.config.coalesce_us);
        assert_eq!(hand.reactor.until_next_turn(SHORT), Some(least - SHORT));
        assert_eq!(hand.reactor.until_next_turn(least - LEAST_SLEEP), Some(LEAST_SLEEP));
        assert_eq!(hand.reactor.until_next_turn(least - LEAST_SLEEP + SHORT), None);
        assert_eq!(hand.reactor.until_next_turn(least * 2), None, "a long turn was enough");
        turn_with(&mut hand, &mut peer, &[3]);
        assert_eq!(hand.reactor.until_next_turn(SHORT), None, "it waits for each answer by now");
        turn_with(&mut hand, &mut peer, &[4, 5]);
        assert!(hand.reactor.until_next_turn(SHORT).is_some());
        hand.reactor.turn();
        assert_eq!(hand.reactor.until_next_turn(SHORT), None, "nothing came any more");
    }

    #[test]
    fn a_reactor_rests_after_a_round_that_found_several_requests() {
        let mut hand = ByHand::with_coalescing(Duration::from_secs(3600));
        let _partition = hand.with_topic(PartitionConfig::default());
        let mut peer = hand.connect();
        let mut events = Events::with_capacity(8);
        hand.arrive(&mut peer, &framed(&[request(1), request(2)]));
        let rest = hand.reactor.round(&mut events).unwrap();
        assert!(rest > Duration::from_secs(1800), "{rest:?}");
        hand.arrive(&mut peer, &framed(&[request(3)]));
        assert_eq!(hand.reactor.round(&mut events), Some(Duration::ZERO));
        assert_eq!(hand.frames(&mut peer, 3).len(), 3);
    }

    #[test]
    fn a_part_of_the_next_request_changes_nothing() {
        let mut hand = ByHand::new();
        let _partition = hand.with_topic(PartitionConfig::default());
        let mut peer = hand.connect();
        let third = request(3);
        let bytes = framed(&[request(1), request(2), third.clone()]);
        hand.send(&mut peer, &bytes[..bytes.len() - third.len() / 2]);
        hand.reactor.turn();
        assert!(hand.reactor.until_next_turn(SHORT).is_some());
        hand.send(&mut peer, &bytes[bytes.len() - third.len() / 2..]);
        hand.reactor.turn();
        assert_eq!(hand.frames(&mut peer, 3).len(), 3);
        assert_eq!(hand.reactor.received, 0);
    }

    #[test]
    fn one_request_of_each_of_several_clients_is_not() {
        let mut hand = ByHand::new();
        let _partition = hand.with_topic(PartitionConfig::default());
        let (mut one, mut other) = (hand.connect(), hand.connect());
        hand.gather(&mut one, &[request(1)]);
        hand.gather(&mut other, &[request(1)]);
        hand.reactor.turn();
        assert_eq!(hand.reactor.until_next_turn(SHORT), None);
    }

    #[test]
    fn what_is_there_to_do_is_done_at_once() {
        let mut hand = ByHand::new();
        let _partition = hand.with_topic(PartitionConfig::default());
        let mut peer = hand.connect();
        turn_with(&mut hand, &mut peer, &[1, 2]);
        hand.reactor.make_dirty(peer.local);
        assert_eq!(hand.reactor.until_next_turn(SHORT), None);
    }
}
