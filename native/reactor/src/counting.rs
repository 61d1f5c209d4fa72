//! Counts the items of large control requests before TypeScript is given them, a part in each turn.

use std::ops::Range;

use ms_wire::header::{API_VERSIONS, FETCH, PRODUCE, RequestHeader, parse_request_header};
use ms_wire::request_items::ItemCount;

use crate::config::CONTROL_ITEMS_MAX;
use crate::conn::Connection;
use crate::gather::Gather;

/// Steps of a few nanoseconds that a turn takes in counting items: large control requests of all connections together.
const COUNT_STEPS: usize = 1 << 12;

impl Gather<'_> {
    /// Refuses an incomplete frame that announces more items than TypeScript decodes: the rest need not be received.
    pub fn refuse_hopeless(
        &mut self,
        connection: &mut Connection,
        block: usize,
        range: Range<usize>,
        len: usize,
    ) {
        let begun = &self.turn.blocks[block].bytes[range.clone()];
        let Ok(RequestHeader { api_key, api_version, body, .. }) = parse_request_header(begun)
        else {
            return;
        };
        let is_control = !matches!(api_key, PRODUCE | FETCH | API_VERSIONS);
        if is_control && self.shared.apis.is_served(api_key, api_version) {
            self.count_items(connection, block, range, len, body, (api_key, api_version));
        }
    }

    /// Goes on counting the items of a control request of `len` bytes, and refuses it when it has too many. True: all are
    /// counted, and it has not.
    pub fn count_items(
        &mut self,
        connection: &mut Connection,
        block: usize,
        range: Range<usize>,
        len: usize,
        body: usize,
        api: (i16, i16),
    ) -> bool {
        let mut steps = COUNT_STEPS.saturating_sub(self.turn.count_steps);
        self.turn.count_steps += steps;
        let counting = match connection.counting.take() {
            Some(counting) => Ok(counting),
            None => ItemCount::new(body, api.0, api.1, CONTROL_ITEMS_MAX).map(Box::new),
        };
        let counted = counting.and_then(|mut counting| {
            let begun = &self.turn.blocks[block].bytes[range];
            let is_done = counting.go_on(begun, len, &mut steps)?;
            connection.counting = Some(counting);
            Ok(is_done)
        });
        self.turn.count_steps -= steps;
        counted.unwrap_or_else(|error| {
            self.malformed.tell(&self.shared.hub.control, self.now_ms, api, &error);
            self.refuse(connection);
            false
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::by_hand::ByHand;

    /// FindCoordinator of so many groups, of one letter each.
    fn long_request(groups: usize) -> Vec<u8> {
        let mut frame = vec![0, 10, 0, 4, 0, 0, 0, 1, 0xff, 0xff, 0, 0];
        ms_wire::put::put_len_in(&mut frame, true, Some(groups));
        frame.extend([2, b'a'].repeat(groups));
        frame.extend([0]);
        frame
    }

    #[test]
    fn a_request_with_too_many_items_is_not_handed_over() {
        let mut hand = ByHand::with_control_bytes(1 << 20);
        let cut = long_request(120_000).split_at(180_000).0.to_vec();
        let good = (long_request(120_000), false);
        for (frame, is_refused) in [good, (long_request(120_001), true), (cut, true)] {
            let peer = hand.connect();
            hand.carried(&peer, &[frame]);
            while !hand.reactor.ready.is_empty() {
                hand.reactor.finish_gathered();
                hand.read_ready();
            }
            let connection = hand.reactor.connections[peer.local as usize].as_ref();
            assert_eq!(connection.is_none_or(|c| c.closing.is_some()), is_refused);
            assert_eq!(hand.control_requests(), usize::from(!is_refused));
        }
    }

    #[test]
    fn items_are_counted_over_several_turns_and_nobody_else_waits_for_that() {
        let mut hand = ByHand::with_control_bytes(1 << 20);
        let peers = [hand.connect(), hand.connect()];
        let mut other = hand.connect();
        // The second one is another count, of another request.
        let all = [long_request(60_000), long_request(119_999), long_request(0)];
        for peer in &peers {
            hand.carried(peer, &all);
        }
        hand.gather(&mut other, &[long_request(1)]);
        assert_eq!(hand.control_requests(), 1);
        for takes_turns in [false, true, false] {
            let mut turns = 0;
            while !hand.reactor.ready.is_empty() {
                assert!(hand.reactor.turn.count_steps <= COUNT_STEPS);
                hand.reactor.finish_gathered();
                hand.read_ready();
                turns += 1;
            }
            assert!(turns > 8 || !takes_turns);
            assert_eq!(hand.control_requests(), 2);
            for peer in &peers {
                let slots = &hand.reactor.connections[peer.local as usize].as_ref().unwrap().slots;
                let seq = slots.iter().next().unwrap().0;
                hand.respond(peer, seq.as_u32());
            }
        }
    }

    #[test]
    fn a_request_that_announces_too_many_items_is_not_received() {
        let mut hand = ByHand::with_control_bytes(1 << 20);
        for (items, is_refused) in [(120_000, false), (120_001, true), (1 << 30, true)] {
            let mut frame = vec![0, 10, 0, 4, 0, 0, 0, 1, 0xff, 0xff, 0, 0];
            ms_wire::put::put_len_in(&mut frame, true, Some(items));
            frame.extend([2, b'a'].repeat(10_000));
            hand.reactor.finish_gathered();
            let mut peer = hand.connect();
            hand.begin(&mut peer, &frame, 300_000);
            let connection = hand.reactor.connections[peer.local as usize].as_ref();
            assert_eq!(connection.is_none_or(|c| c.closing.is_some()), is_refused, "{items}");
        }
    }
}
