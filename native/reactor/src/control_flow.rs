//! When control requests go on: their answers, what they wait for, and the room that large ones need.

use std::cmp::Reverse;
use std::os::fd::AsRawFd;

use crate::conn::{CloseReason, Untaken};
use crate::hub::Answer;
use crate::ids::{ConnectionId, RequestRef, Seq};
use crate::packed::answer_flag;
use crate::reactor::{Reactor, connection_of};
use crate::room::{LARGE_BYTES, large_control_frame};
use crate::slots::Slot;
use crate::sys::unread_bytes;

impl Reactor {
    /// Keeps part of an answer: it is sent when all of it is there.
    pub fn respond_part(&mut self, id: ConnectionId, seq: Seq, part: Vec<u8>) {
        if let Some(connection) = self.connection(id)
            && matches!(connection.slots.get(seq), Some(Slot::Control))
        {
            connection.answer_parts.push(part);
        }
    }

    pub fn respond(&mut self, id: ConnectionId, answer: Answer) {
        let clock_ms = self.clock_ms;
        let Some(connection) = connection_of(&mut self.connections, id) else { return };
        if !matches!(connection.slots.get_mut(answer.seq), Some(Slot::Control)) {
            return;
        }
        connection.room = None;
        // The gate was closed behind the request: these are parts of its answer.
        let parts = std::mem::take(&mut connection.answer_parts);
        let len = parts.iter().map(Vec::len).sum::<usize>() + answer.payload.len();
        let is_sent = answer.flags & answer_flag::NO_ANSWER == 0;
        if is_sent && len > LARGE_BYTES {
            let place = self.shared.room.take(len, (clock_ms, connection.bytes_sent));
            connection.untaken = Some(Untaken { place, seq: answer.seq, until: None });
        }
        connection.slots.finish(answer.seq, &mut connection.out, |out| {
            if is_sent {
                out.bytes().extend_from_slice(&(len as u32).to_be_bytes());
                parts.into_iter().for_each(|part| out.push_block(part));
                out.bytes().extend_from_slice(&answer.payload);
            }
        });
        connection.open_gate(clock_ms);
        if answer.flags & answer_flag::CLOSE_AFTER != 0 {
            connection.closing = Some(CloseReason::Asked);
        }
        if answer.flags & answer_flag::MUTE != 0 && answer.mute_ms > 0 {
            connection.muted_until_ms = clock_ms + i64::from(answer.mute_ms);
            let request = RequestRef { local: id.local(), seq: answer.seq, ordinal: 0 };
            let until = connection.muted_until_ms;
            self.deadlines.push(Reverse((until, request.pack())));
        }
        self.make_dirty(id.local());
        self.revive(id.local());
    }

    /// A control request waited for what is in front of it; it may go now if that is done.
    pub fn release_control(&mut self, local: u32) {
        if let Some(Some(connection)) = self.connections.get_mut(local as usize)
            && connection.is_control_held
            && !connection.slots.is_working()
        {
            connection.retry_control(self.clock_ms);
            self.revive(local);
        }
    }

    /// There is room for control requests again. Who was first the last time is last now.
    pub fn retry_control(&mut self) {
        let count = self.connections.len();
        self.retried_first = (self.retried_first + 1) % count.max(1);
        for i in 0..count {
            let local = (self.retried_first + i) % count;
            if let Some(connection) = self.connections[local].as_mut() {
                connection.retry_control(self.clock_ms);
                self.revive(local as u32);
            }
        }
    }

    /// Tells all reactors when large control requests have room again that had none.
    pub fn share_room(&self) {
        if self.shared.room.is_there_again() {
            self.shared.hub.tell_of_control_room();
        }
    }

    /// Lets the next in the line have room that the first does not come for.
    pub fn look_after_room(&self) {
        if self.number == 0 {
            self.shared.room.look_after_line();
            self.share_room();
        }
    }

    /// Whether the rest of what has begun may be received: not that of a large control request that has no room.
    pub fn has_room_to_receive(&mut self, local: u32) -> bool {
        let clock_ms = self.clock_ms;
        let Some(connection) = self.connections[local as usize].as_mut() else { return false };
        match large_control_frame(connection.carry.bytes()) {
            Some(len) => connection.enter_room(&self.shared.room, len, clock_ms),
            None => true,
        }
    }

    /// Whether the frame that has begun will never be whole: its client has closed its side, and not even in the socket, which
    /// is not read meanwhile, is enough for it.
    pub fn waits_in_vain(&mut self, local: u32) -> bool {
        let out_max = self.out_max;
        let Some(connection) = self.connections[local as usize].as_mut() else { return false };
        if !connection.is_read_closed || connection.may_read(out_max) {
            return false;
        }
        let carried = connection.carry.len();
        let missing = connection.carry.frame_len().map_or(0, |len| len.saturating_sub(carried));
        missing > 0 && unread_bytes(connection.stream.as_raw_fd()).is_some_and(|it| it < missing)
    }

    /// What has arrived of large control requests before it was known that there is no room is bounded as well.
    pub fn count_held(&mut self, local: u32) {
        let (clock_ms, out_max) = (self.clock_ms, self.out_max);
        let Some(connection) = self.connections[local as usize].as_mut() else { return };
        if connection.closing.is_some() {
            // Nothing more of it is parsed.
            connection.carry.release(&mut self.pool);
            (connection.held, connection.ticket) = (None, None);
            if !connection.is_gate_closed {
                connection.room = None;
            }
            return;
        }
        let carried = connection.carry.len();
        let Some(len) = large_control_frame(connection.carry.bytes()) else {
            connection.held = None;
            return;
        };
        // Behind a closed gate the room is that of the request in front, or not needed yet.
        let has_room = !connection.is_gate_closed && connection.room.is_some()
            || connection.may_parse(out_max)
                && connection.enter_room(&self.shared.room, len, clock_ms);
        if has_room || connection.held.is_some() || carried <= LARGE_BYTES {
            return;
        }
        connection.held = self.shared.held.enter(carried, clock_ms);
        if connection.held.is_none() {
            // What it was answered before is not cut.
            connection.carry.release(&mut self.pool);
            self.close_after_turn(local, CloseReason::Slow);
        }
    }

    /// Ends the long polls that a large answer waits behind while others wait for its room.
    pub fn end_polls_in_front(&mut self, local: u32) {
        let clock_ms = self.clock_ms;
        let Some(connection) = self.connections[local as usize].as_mut() else { return };
        let Some(untaken) = &connection.untaken else { return };
        if untaken.until.is_some() || !self.shared.room.is_short() {
            return;
        }
        let in_front = connection.slots.iter().map(|(seq, _)| seq);
        let in_front: Vec<Seq> = in_front.take_while(|seq| *seq != untaken.seq).collect();
        for seq in in_front {
            let connection = self.connections[local as usize].as_mut();
            if let Some(Slot::Fetch(fetch)) = connection.and_then(|it| it.slots.get_mut(seq)) {
                fetch.deadline_ms = clock_ms;
                self.pass_deadline(RequestRef { local, seq, ordinal: 0 });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use ms_partition::PartitionConfig;
    use ms_wire::fetch::{FetchOptions, FetchPartition};
    use ms_wire::topic::TopicKey;

    use super::*;
    use crate::by_hand::frames::fetch;
    use crate::by_hand::{ByHand, Peer, TOPIC};
    use crate::room::HELD_BYTES_MAX;

    /// FindCoordinator of so many groups, 26 KB each.
    fn request(groups: usize) -> Vec<u8> {
        let mut frame = vec![0, 10, 0, 4, 0, 0, 0, 1, 0xff, 0xff, 0, 0];
        ms_wire::put::put_len_in(&mut frame, true, Some(groups));
        for _ in 0..groups {
            ms_wire::put::put_len_in(&mut frame, true, Some(26_000));
            frame.extend([b'g'; 26_000]);
        }
        frame.push(0);
        frame
    }

    fn handed_over(hand: &ByHand) -> u64 {
        hand.reactor.counters.control_requests
    }

    /// As the reactors do when they are told that there is room.
    fn go_on(hand: &mut ByHand) {
        hand.shared.hub.control.drain(&mut vec![0; 16 << 20]);
        assert!(hand.shared.room.is_there_again());
        hand.reactor.retry_control();
        hand.read_ready();
    }

    fn answer(hand: &mut ByHand, peer: &Peer, parts: &[usize]) {
        let connection = hand.reactor.connections[peer.local as usize].as_ref().unwrap();
        let is_control = |(_, slot): &(Seq, &Slot)| matches!(slot, Slot::Control);
        let seq = connection.slots.iter().find(is_control).unwrap().0;
        let id = connection.id;
        for len in parts {
            hand.reactor.respond_part(id, seq, vec![0; *len]);
        }
        hand.respond(peer, seq.as_u32());
    }

    #[test]
    fn large_requests_wait_until_those_before_are_answered() {
        let mut hand = ByHand::with_control_bytes(16 << 20);
        let peers: Vec<Peer> = (0..4).map(|_| hand.connect()).collect();
        for peer in &peers {
            hand.carried(peer, &[request(70)]);
        }
        assert_eq!(handed_over(&hand), 2);
        let mut small = hand.connect();
        hand.gather(&mut small, &[request(0)]);
        assert_eq!(handed_over(&hand), 3);
        answer(&mut hand, &peers[0], &[]);
        go_on(&mut hand);
        assert_eq!(handed_over(&hand), 4);
        // Whose connection is gone leaves room too.
        let is_next = |hand: &ByHand, peer: &Peer| {
            hand.reactor.connections[peer.local as usize].as_ref().unwrap().is_gate_closed
        };
        let next = peers[2..].iter().find(|peer| is_next(&hand, peer)).unwrap();
        hand.reactor.close(next.local, CloseReason::Asked);
        go_on(&mut hand);
        assert_eq!(handed_over(&hand), 5);
    }

    #[test]
    fn a_frame_without_room_is_not_received() {
        let mut hand = ByHand::with_control_bytes(16 << 20);
        let first = hand.connect();
        hand.carried(&first, &[request(200)]);
        let mut second = hand.connect();
        let frame = request(200);
        hand.begin(&mut second, &frame[..100_000], frame.len());
        let connection = hand.reactor.connections[second.local as usize].as_mut().unwrap();
        assert!(connection.is_control_held && connection.held.is_some());
        assert!(!connection.may_read(u64::MAX));
        answer(&mut hand, &first, &[]);
        go_on(&mut hand);
        let connection = hand.reactor.connections[second.local as usize].as_mut().unwrap();
        assert!(connection.room.is_some() && connection.held.is_none());
        assert!(connection.may_read(u64::MAX));
    }

    #[test]
    fn no_other_request_is_begun_until_a_large_answer_is_taken() {
        let mut hand = ByHand::with_control_bytes(16 << 20);
        let mut peer = hand.connect();
        hand.gather(&mut peer, &[request(0)]);
        answer(&mut hand, &peer, &[50_000, 50_000]);
        hand.gather(&mut peer, &[request(0)]);
        assert_eq!(handed_over(&hand), 1);
        let frames = hand.frames(&mut peer, 1);
        assert_eq!(frames[0].len(), 100_004);
        hand.read_ready();
        assert_eq!(handed_over(&hand), 2);
    }

    #[test]
    fn who_does_not_take_a_large_answer_goes_when_others_wait_for_the_room() {
        let mut hand = ByHand::with_control_bytes(16 << 20);
        let mut slow = hand.connect();
        hand.gather(&mut slow, &[request(0)]);
        // More than the buffers of the two sockets hold.
        answer(&mut hand, &slow, &[7 << 20, 7 << 20]);
        hand.reactor.flush_dirty();
        let other = hand.connect();
        hand.carried(&other, &[request(200)]);
        assert_eq!(handed_over(&hand), 1);
        sweep_later(&mut hand, 0);
        assert!(hand.reactor.connections[slow.local as usize].is_some());
        sweep_later(&mut hand, 300_000);
        assert!(hand.reactor.connections[slow.local as usize].is_none());
        assert_eq!(handed_over(&hand), 2);
    }

    #[test]
    fn who_is_slow_to_take_a_large_answer_stays_when_nobody_waits() {
        let mut hand = ByHand::with_control_bytes(16 << 20);
        let mut slow = hand.connect();
        hand.gather(&mut slow, &[request(0)]);
        answer(&mut hand, &slow, &[7 << 20, 7 << 20]);
        hand.reactor.flush_dirty();
        sweep_later(&mut hand, 300_000);
        // One that waited and is gone makes no difference.
        let other = hand.connect();
        hand.carried(&other, &[request(200)]);
        assert!(hand.shared.room.is_short());
        hand.reactor.close(other.local, CloseReason::Client);
        sweep_later(&mut hand, 0);
        assert!(!hand.shared.room.is_short());
        sweep_later(&mut hand, 300_000);
        assert!(hand.reactor.connections[slow.local as usize].is_some());
    }

    #[test]
    fn a_long_poll_in_front_of_a_large_answer_ends_when_others_wait_for_the_room() {
        let mut hand = ByHand::with_control_bytes(16 << 20);
        hand.with_topic(PartitionConfig::default());
        let mut peer = hand.connect();
        let options = FetchOptions { max_wait_ms: i32::MAX, min_bytes: 1, ..Default::default() };
        let key = TopicKey::Name(TOPIC.as_bytes());
        let poll = fetch(12, 7, options, key, &[FetchPartition::new(0, 0, 1 << 20)]);
        hand.gather(&mut peer, &[poll, request(0)]);
        hand.reactor.finish_gathered();
        hand.read_ready();
        assert_eq!(handed_over(&hand), 1);
        answer(&mut hand, &peer, &[50_000, 50_000]);
        sweep_later(&mut hand, 300_000);
        let waits = |hand: &ByHand| {
            let connection = hand.reactor.connections[peer.local as usize].as_ref().unwrap();
            !connection.slots.is_empty()
        };
        assert!(waits(&hand));
        let other = hand.connect();
        hand.carried(&other, &[request(200)]);
        sweep_later(&mut hand, 0);
        assert!(!waits(&hand));
        let frames = hand.frames(&mut peer, 2);
        assert_eq!(frames[0][..4], 7_i32.to_be_bytes());
        assert_eq!(frames[1].len(), 100_004);
        go_on(&mut hand);
        assert_eq!(handed_over(&hand), 2);
    }

    #[test]
    fn a_frame_behind_a_request_that_is_not_answered_takes_no_room() {
        let mut hand = ByHand::with_control_bytes(16 << 20);
        let mut peer = hand.connect();
        let (small, large) = (request(0), request(200));
        let large_len = u32::try_from(large.len()).unwrap().to_be_bytes();
        let head = [&small[..], &large_len, &large[..100_000]].concat();
        hand.begin(&mut peer, &head, small.len());
        assert_eq!(handed_over(&hand), 1);
        let connection = hand.reactor.connections[peer.local as usize].as_ref().unwrap();
        assert!(connection.room.is_none() && connection.held.is_some());
        answer(&mut hand, &peer, &[]);
        hand.read_ready();
        let connection = hand.reactor.connections[peer.local as usize].as_ref().unwrap();
        assert!(connection.room.is_some() && connection.held.is_none());
    }

    #[test]
    fn who_leaves_before_its_frame_is_whole_keeps_nothing_while_others_have_the_room() {
        let mut hand = ByHand::with_control_bytes(16 << 20);
        let first = hand.connect();
        hand.carried(&first, &[request(200)]);
        let used = hand.shared.pool_limit.used();
        let (mut second, frame) = (hand.connect(), request(200));
        hand.begin(&mut second, &frame[..100_000], frame.len());
        assert!(hand.shared.room.is_short() && hand.shared.pool_limit.used() > used);
        hand.close_side(&second);
        hand.read_ready();
        assert!(hand.reactor.connections[second.local as usize].is_none());
        assert!(!hand.shared.room.is_short());
        assert!(hand.shared.held.enter(HELD_BYTES_MAX, 0).is_some());
        assert_eq!(hand.shared.pool_limit.used(), used);
    }

    #[test]
    fn who_has_sent_all_of_its_frame_and_closes_its_side_is_still_answered() {
        let mut hand = ByHand::with_control_bytes(16 << 20);
        let first = hand.connect();
        hand.carried(&first, &[request(200)]);
        let (mut second, frame) = (hand.connect(), request(4));
        hand.begin(&mut second, &frame[..100_000], frame.len());
        hand.arrive(&mut second, &frame[100_000..]);
        hand.close_side(&second);
        hand.read_ready();
        assert_eq!(handed_over(&hand), 1);
        answer(&mut hand, &first, &[]);
        go_on(&mut hand);
        assert_eq!(handed_over(&hand), 2);
        answer(&mut hand, &second, &[]);
        assert_eq!(hand.frames(&mut second, 1)[0], 2_i32.to_be_bytes());
    }

    #[test]
    fn of_who_leaves_behind_a_closed_gate_only_what_is_in_front_is_kept() {
        let mut hand = ByHand::with_control_bytes(16 << 20);
        let mut peer = hand.connect();
        let (small, large) = (request(0), request(200));
        let large_len = u32::try_from(large.len()).unwrap().to_be_bytes();
        let head = [&small[..], &large_len, &large[..100_000]].concat();
        hand.begin(&mut peer, &head, small.len());
        hand.close_side(&peer);
        hand.read_ready();
        let connection = hand.reactor.connections[peer.local as usize].as_ref().unwrap();
        assert!(connection.carry.is_empty() && connection.held.is_none());
        assert_eq!(hand.shared.pool_limit.used(), 0);
        answer(&mut hand, &peer, &[]);
        assert_eq!(hand.frames(&mut peer, 1)[0], 2_i32.to_be_bytes());
        assert!(hand.reactor.connections[peer.local as usize].is_none());
    }

    #[test]
    fn who_sends_more_than_can_be_held_is_still_answered_in_full() {
        let mut hand = ByHand::with_control_bytes(16 << 20);
        let _held = hand.shared.held.enter(HELD_BYTES_MAX, 0);
        let mut peer = hand.connect();
        hand.gather(&mut peer, &[request(0)]);
        answer(&mut hand, &peer, &[50_000, 50_000]);
        let frame = request(200);
        hand.begin(&mut peer, &frame[..100_000], frame.len());
        assert_eq!(hand.frames(&mut peer, 1)[0].len(), 100_004);
        assert!(hand.reactor.connections[peer.local as usize].is_none());
    }

    #[test]
    fn a_malformed_request_keeps_no_room_until_the_answers_before_it_are_taken() {
        let mut hand = ByHand::with_control_bytes(16 << 20);
        let mut peer = hand.connect();
        hand.gather(&mut peer, &[request(0)]);
        let mut malformed = request(70);
        malformed.truncate(1_000_000);
        answer(&mut hand, &peer, &[]);
        hand.carried(&peer, &[malformed, request(0)]);
        let connection = hand.reactor.connections[peer.local as usize].as_ref().unwrap();
        assert!(connection.closing.is_some() && connection.room.is_none());
        assert!(connection.carry.is_empty() && !connection.out.is_empty());
        assert_eq!(hand.frames(&mut peer, 1)[0], 2_i32.to_be_bytes());
        assert!(hand.reactor.connections[peer.local as usize].is_none());
    }

    /// Looks after the connections so much later; nothing but what is looked at has made no progress.
    fn sweep_later(hand: &mut ByHand, later_ms: i64) {
        hand.reactor.clock_ms += later_ms;
        for connection in hand.reactor.connections.iter_mut().flatten() {
            connection.used_ms += later_ms;
            connection.write_progress_ms += later_ms;
        }
        hand.reactor.sweep();
        hand.reactor.take_messages();
        hand.read_ready();
    }
}
