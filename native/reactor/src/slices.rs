//! What a turn does of large frames and of large answers: a slice of each, when everything small was read, answered and
//! sent. Whoever asks for something meanwhile waits for as long as a slice takes.

use crate::conn::Connection;
use crate::reactor::{ROOM_MIN, Reactor};
use crate::send_file::PIECE_MIN;
use crate::turn::RECEIVE_BLOCK;

/// Bytes that a turn receives of large frames, those of all connections together.
pub const SLICE: usize = 64 << 10;
/// Bytes that a turn sends of large answers, likewise. A fetch of 128 KiB goes in one piece: in three it costs the broker
/// 1.6 times the processor time.
pub const SEND_SLICE: usize = 160 << 10;
/// What a connection has to send is large beyond this, or the rest of what was.
const LARGE_ANSWER: u64 = 16 << 10;

impl Reactor {
    /// Receives the next slice of the large frames, and takes up what is complete. They take turns.
    pub fn receive_slice(&mut self) {
        if self.receiving.is_empty() {
            return;
        }
        self.slice_left = SLICE;
        while self.slice_left > 0
            && self.turn.blocks[RECEIVE_BLOCK].bytes.len() - self.received >= ROOM_MIN
            && let Some(local) = self.receiving.pop_front()
        {
            self.read_connection(local);
        }
        self.slice_left = 0;
        // Also without a request to answer: the receive buffer may be full of what is carried over or with TypeScript, and
        // who is read next with no room would seem to have left.
        self.finish_gathered();
        self.wake_due();
        self.turn.fresh.clear();
    }

    /// Whether this connection has to wait for the slice of a turn with what it sends, and does so now.
    pub fn waits_to_send(&mut self, local: u32) -> bool {
        let connection = self.connections[local as usize].as_ref();
        let is_waiting = connection.is_some_and(|connection| has_large_answer(connection));
        if is_waiting {
            self.sending.push_back(local);
        }
        is_waiting
    }

    /// Sends the next slice of the large answers. They take turns. What an answer leaves of it goes to the next one, unless
    /// it is so little that its pages would be copied.
    pub fn send_slice(&mut self) {
        let mut left = SEND_SLICE;
        while left >= PIECE_MIN
            && let Some(local) = self.sending.pop_front()
        {
            left -= self.flush(local, left);
        }
    }
}

fn has_large_answer(connection: &Connection) -> bool {
    !connection.is_write_blocked
        && !connection.is_reading_cold
        && connection.out.len() > LARGE_ANSWER
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::io::{Read, Write};

    use ms_partition::PartitionConfig;
    use ms_wire::topic::TopicKey;

    use super::*;
    use crate::by_hand::frames::{batch, framed, header, produce, produced};
    use crate::by_hand::{ByHand, Peer, TOPIC};
    use crate::reactor::make_ready;

    fn connection<'a>(hand: &'a mut ByHand, peer: &Peer) -> &'a mut Connection {
        hand.reactor.connections[peer.local as usize].as_mut().unwrap()
    }

    /// As if the poller had said that these have bytes: each is looked at once.
    fn look(hand: &mut ByHand, peers: &[Peer]) {
        for peer in peers {
            let connection = hand.reactor.connections[peer.local as usize].as_mut().unwrap();
            connection.is_readable = true;
            make_ready(&mut hand.reactor.ready, connection);
        }
        for local in std::mem::take(&mut hand.reactor.ready) {
            // Those that wait for their slice were told of before.
            if !hand.reactor.receiving.contains(&local) {
                hand.reactor.read_connection(local);
            }
        }
    }

    #[test]
    fn a_turn_receives_one_slice_of_all_large_frames_and_those_who_send_them_take_turns() {
        let mut hand = ByHand::new();
        let partition = hand.with_topic(PartitionConfig::default());
        let key = TopicKey::Name(TOPIC.as_bytes());
        let records = batch(&[&vec![b'x'; 500_000]]);
        let frame = framed(&[produce(9, 1, 1, key, &[(0, Some(&records))])]);
        let mut peers: Vec<Peer> = (0..3).map(|_| hand.connect()).collect();
        let writers: Vec<_> = peers
            .iter()
            .map(|peer| {
                let (mut stream, frame) = (peer.stream.try_clone().unwrap(), frame.clone());
                std::thread::spawn(move || stream.write_all(&frame).unwrap())
            })
            .collect();
        let mut still: Vec<u32> = Vec::new();
        while partition.log_end_offset() < 3 {
            look(&mut hand, &peers);
            // A socket may take a whole frame before anybody looks.
            hand.reactor.finish_gathered();
            let waiting: Vec<u32> = hand.reactor.receiving.iter().copied().collect();
            // Who had none in the turn before is in front of who had some.
            assert!(waiting.starts_with(&still));
            let before = hand.reactor.counters.bytes_in;
            hand.reactor.receive_slice();
            let received = (hand.reactor.counters.bytes_in - before) as usize;
            assert!(received <= SLICE);
            still = hand.reactor.receiving.iter().copied().collect();
            assert!(waiting.ends_with(&still) && (still.is_empty() || received == SLICE));
        }
        writers.into_iter().for_each(|writer| writer.join().unwrap());
        for peer in &mut peers {
            assert_eq!(produced(&hand.frames(peer, 1)[0], 9)[0].error_code, 0);
        }
        assert_eq!(hand.shared.pool_limit.used(), 0);
    }

    #[test]
    fn who_sends_large_batches_is_known_by_the_last_one() {
        let mut hand = ByHand::new();
        hand.with_topic(PartitionConfig::default());
        let key = TopicKey::Name(TOPIC.as_bytes());
        let of = |bytes: usize| {
            let records = batch(&[&vec![b'x'; bytes]]);
            (produce(9, 1, 1, key, &[(0, Some(&records))]), records)
        };
        let peer = hand.connect();
        let ((large, records), (small, _)) = (of(100_000), of(1000));
        for (frame, placed) in [(&large, true), (&large, true), (&small, false), (&large, true)] {
            hand.carried(&peer, std::slice::from_ref(frame));
            hand.work();
            let begins = framed(std::slice::from_ref(frame))
                .windows(32)
                .position(|bytes| bytes[8..] == records[8..32]);
            let expected = if placed { begins.unwrap() } else { 0 };
            assert_eq!(connection(&mut hand, &peer).carry.records_at, expected);
        }
    }

    #[test]
    fn what_no_request_of_a_turn_lies_in_leaves_the_next_turn_all_its_room() {
        let mut hand = ByHand::with_control_bytes(1 << 20);
        let end = 2 * ROOM_MIN;
        hand.reactor.turn.blocks[RECEIVE_BLOCK].bytes.truncate(end);
        let (mut large, mut other) = (hand.connect(), hand.connect());
        // The name of a group; behind it more than there is room for, which waits for the answer.
        let head = [0, 10, 0, 0, 0, 0, 0, 1, 0xff, 0xff, 0x65, 0x90];
        let frame = [&head[..], &[b'g'; 26_000]].concat();
        hand.begin(&mut large, &frame[..20_000], frame.len());
        let behind = framed(&[header(10, 0, 2), vec![0; 3 * ROOM_MIN]]);
        hand.send(&mut large, &[&frame[20_000..], &behind].concat());
        assert_eq!(hand.reactor.receiving, [large.local]);
        hand.reactor.receive_slice();
        assert_eq!(hand.control_requests(), 1);
        hand.gather(&mut other, &[header(2, 0, 3)]);
        assert_eq!(hand.control_requests(), 1);
    }

    #[test]
    fn a_turn_sends_what_is_small_and_one_slice_of_all_large_answers() {
        let mut hand = ByHand::new();
        let peers: Vec<Peer> = (0..3).map(|_| hand.connect()).collect();
        let small = hand.connect();
        let dirty = |hand: &mut ByHand, peer: &Peer, len: usize| {
            connection(hand, peer).out.bytes().resize(len, 0);
            hand.reactor.make_dirty(peer.local);
        };
        peers.iter().for_each(|peer| dirty(&mut hand, peer, 2 * SEND_SLICE));
        let mut seen = vec![0; SEND_SLICE];
        for expected in [[1, 0, 0], [1, 1, 0], [1, 1, 1], [2, 1, 1], [2, 2, 1], [2, 2, 2]] {
            let slices = |hand: &mut ByHand| {
                let sent = |peer| connection(hand, peer).bytes_sent as usize / SEND_SLICE;
                peers.iter().map(sent).collect::<Vec<_>>()
            };
            let before = slices(&mut hand);
            dirty(&mut hand, &small, 100);
            hand.reactor.flush_dirty();
            assert!(connection(&mut hand, &small).out.is_empty());
            assert_eq!(slices(&mut hand), expected);
            // No socket has to hold two.
            let next = (0..3).find(|i| before[*i] < expected[*i]).unwrap();
            (&peers[next].stream).read_exact(&mut seen).unwrap();
        }
        assert!(!hand.reactor.has_to_send());
    }

    #[test]
    fn what_an_answer_leaves_of_a_slice_is_for_the_next_one_if_it_is_much() {
        for (left, given) in [(PIECE_MIN, PIECE_MIN), (PIECE_MIN - 1, 0)] {
            let mut hand = ByHand::new();
            let peers = [hand.connect(), hand.connect()];
            for (peer, len) in peers.iter().zip([SEND_SLICE - left, 2 * SEND_SLICE]) {
                connection(&mut hand, peer).out.bytes().resize(len, 0);
                hand.reactor.make_dirty(peer.local);
            }
            hand.reactor.flush_dirty();
            let sent = peers.each_ref().map(|peer| connection(&mut hand, peer).bytes_sent as usize);
            assert_eq!(sent, [SEND_SLICE - left, given]);
            assert!(hand.reactor.has_to_send());
        }
    }

    #[test]
    fn who_leaves_while_waiting_for_a_slice_is_forgotten() {
        let mut hand = ByHand::new();
        let peers: Vec<Peer> = (0..2).map(|_| hand.connect()).collect();
        for peer in &peers {
            connection(&mut hand, peer).out.bytes().resize(2 * SEND_SLICE, 0);
            hand.reactor.make_dirty(peer.local);
            hand.reactor.receiving.push_back(peer.local);
        }
        hand.reactor.flush_dirty();
        for peer in &peers {
            hand.reactor.close(peer.local, crate::conn::CloseReason::Client);
        }
        hand.reactor.receive_slice();
        hand.reactor.flush_dirty();
        hand.reactor.flush_dirty();
        assert!(!hand.reactor.has_to_send() && hand.reactor.receiving.is_empty());
    }
}
