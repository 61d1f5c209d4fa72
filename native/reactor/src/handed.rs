//! Requests that a reactor hands to the thread `ms-large`, and what comes back of them.

use std::cmp::Reverse;

use ms_partition::{AppendDone, Waiter};

use crate::conn::{CloseReason, REQUEST_BYTES_MAX};
use crate::fetch::WaitingFetch;
use crate::ids::RequestRef;
use crate::large::{LargeFrame, LargeJob, LargeKind, LargeOutcome};
use crate::out::OutQueue;
use crate::produce::WaitingProduce;
use crate::reactor::{Reactor, connection_of};
use crate::slots::Slot;
use crate::turn::{RECEIVE_BLOCK, TurnRequest};

/// A request that is with the other thread, and what came for it meanwhile.
#[derive(Default)]
pub struct Handed {
    /// It has not taken effect yet: nothing behind it is parsed.
    pub holds_gate: bool,
    /// Something is new in a partition of this Fetch.
    pub is_woken: bool,
    /// Outcomes of this Produce, by ordinal of the partition.
    pub early: Vec<(u16, AppendDone)>,
}

impl Reactor {
    /// Hands a request of this turn over, after the turn has appended.
    pub fn hand_over(&mut self, request: &TurnRequest, kind: LargeKind) {
        let id = request.connection;
        let Some(connection) = connection_of(&mut self.connections, id) else { return };
        let (listener, can_wait) = (connection.listener, self.stopping.is_none());
        let block = &mut self.turn.blocks[request.block];
        // Nothing behind it was parsed, and what is in front of it in the same bytes was answered.
        let (bytes, frame) = if request.block != RECEIVE_BLOCK && block.owner.is_none() {
            (std::mem::take(&mut block.bytes), request.frame.clone())
        } else {
            let len = request.frame.len();
            let Some(mut bytes) = self.pool.take(len) else {
                connection.slots.finish(request.seq, &mut connection.out, |_| {});
                connection.closing = Some(CloseReason::Slow);
                return self.make_dirty(id.local());
            };
            bytes[..len].copy_from_slice(&block.bytes[request.frame.clone()]);
            (bytes, 0..len)
        };
        if let Some(slot) = connection.slots.get_mut(request.seq) {
            *slot = Slot::Large(Box::new(Handed { holds_gate: true, ..Handed::default() }));
        }
        connection.is_gate_closed = true;
        self.shared.large.push(LargeJob::Frame(LargeFrame {
            kind,
            connection: id,
            seq: request.seq,
            listener,
            bytes,
            frame,
            body: request.body,
            version: request.version,
            correlation_id: request.correlation_id,
            clock_ms: self.clock_ms,
            can_wait,
        }));
    }

    /// Has the other thread look again for a Fetch; its slot is emptied.
    pub fn hand_fetch(&mut self, request: RequestRef, fetch: Box<WaitingFetch>, can_wait: bool) {
        let waiter = Waiter { reactor: self.number, id: request.pack() };
        self.put_handed(request);
        self.shared.large.push(LargeJob::Fetch { waiter, fetch, can_wait });
    }

    /// Has the other thread answer a Produce whose outcomes are all known.
    pub fn hand_answer(&mut self, request: RequestRef, listener: u8, waiting: Box<WaitingProduce>) {
        let reactor = self.number;
        self.put_handed(request);
        self.shared.large.push(LargeJob::Answer { reactor, request, listener, waiting });
    }

    fn put_handed(&mut self, request: RequestRef) {
        if let Some(Some(connection)) = self.connections.get_mut(request.local as usize)
            && let Some(slot) = connection.slots.get_mut(request.seq)
        {
            *slot = Slot::Large(Box::default());
        }
    }

    /// Takes back what the other thread was given.
    pub fn take_large(&mut self, request: RequestRef, outcome: LargeOutcome) {
        let connection = self.connections.get_mut(request.local as usize);
        let connection = connection.and_then(Option::as_mut);
        let slot = connection.and_then(|connection| connection.slots.get_mut(request.seq));
        let Some(slot @ Slot::Large(_)) = slot else { return self.forget(request, outcome) };
        let Slot::Large(handed) = std::mem::replace(slot, Slot::Turn) else { return };
        match outcome {
            LargeOutcome::Malformed => {
                self.counters.malformed_frames += 1;
                self.finish_handed(request, Some(CloseReason::Refused), OutQueue::new());
            }
            LargeOutcome::Answered { answer, closing } => {
                self.finish_handed(request, closing, answer);
            }
            LargeOutcome::Waits(fetch) => self.let_wait(request, fetch, &handed),
            LargeOutcome::Appended { mut waiting, deadline_ms } => {
                for (ordinal, done) in handed.early {
                    waiting.complete(ordinal, done);
                }
                // Nobody waits for the answer of one without acks, but what comes behind it.
                if waiting.wants_answer() {
                    self.deadlines.push(Reverse((deadline_ms, request.pack())));
                }
                self.let_produce_wait(request, waiting);
            }
        }
        if handed.holds_gate
            && let Some(Some(connection)) = self.connections.get_mut(request.local as usize)
        {
            connection.open_gate(self.clock_ms);
        }
        self.make_dirty(request.local);
        self.revive(request.local);
    }

    // The connection is gone, or has gone on without an answer.
    fn forget(&mut self, request: RequestRef, outcome: LargeOutcome) {
        if let LargeOutcome::Waits(fetch) = outcome {
            let waiter = Waiter { reactor: self.number, id: request.pack() };
            self.shared.large.push(LargeJob::Forget { waiter, fetch });
        }
    }

    fn finish_handed(
        &mut self,
        request: RequestRef,
        closing: Option<CloseReason>,
        answer: OutQueue,
    ) {
        let Some(Some(connection)) = self.connections.get_mut(request.local as usize) else {
            return;
        };
        connection.slots.finish(request.seq, &mut connection.out, |out| out.append(answer));
        connection.closing = closing.or(connection.closing);
    }

    fn let_wait(&mut self, request: RequestRef, mut fetch: Box<WaitingFetch>, handed: &Handed) {
        let deadline_ms = fetch.deadline_ms;
        let Some(Some(connection)) = self.connections.get_mut(request.local as usize) else {
            return;
        };
        let (bytes, is_leaving) = (fetch.kept_bytes(), connection.closing.is_some());
        let may_wait = !is_leaving && connection.slots.keep(request.seq, bytes, REQUEST_BYTES_MAX);
        if handed.holds_gate {
            self.deadlines.push(Reverse((deadline_ms, request.pack())));
        }
        if !may_wait && fetch.is_large() {
            self.hand_fetch(request, fetch, false);
        } else if !may_wait {
            fetch.cancel(Waiter { reactor: self.number, id: request.pack() });
            self.finish_fetch(request, fetch);
        } else if handed.is_woken {
            self.poll_fetch(request, fetch);
        } else if let Some(Some(connection)) = self.connections.get_mut(request.local as usize)
            && let Some(slot) = connection.slots.get_mut(request.seq)
        {
            *slot = Slot::Fetch(fetch);
        }
    }

    fn let_produce_wait(&mut self, request: RequestRef, waiting: Box<WaitingProduce>) {
        let is_complete = waiting.is_complete();
        let Some(Some(connection)) = self.connections.get_mut(request.local as usize) else {
            return;
        };
        if let Some(slot) = connection.slots.get_mut(request.seq) {
            *slot = Slot::Produce(waiting);
        }
        if is_complete {
            self.finish_produce(request.local, request.seq);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use ms_partition::PartitionConfig;
    use ms_wire::error_code;
    use ms_wire::fetch::{FetchOptions, FetchPartition};
    use ms_wire::topic::TopicKey;

    use super::*;
    use crate::by_hand::frames::{batch, fetch, fetched, gzip, header, produce, produced};
    use crate::by_hand::{ByHand, Peer, TOPIC};
    use crate::hub::Message;
    use crate::large::{FETCH_MAX, PRODUCE_MAX};

    const KEY: TopicKey<'static> = TopicKey::Name(TOPIC.as_bytes());

    /// A Produce to partition 0, named behind as many that are not there as it takes.
    fn large_produce(correlation_id: i32, acks: i16, records: &[u8]) -> Vec<u8> {
        let mut all: Vec<_> = (1..=PRODUCE_MAX as i32).map(|index| (index, None)).collect();
        all.push((0, Some(records)));
        produce(9, correlation_id, acks, KEY, &all)
    }

    /// The same of a Fetch from the end of an empty log.
    fn large_fetch(correlation_id: i32, max_wait_ms: i32) -> Vec<u8> {
        large_fetch_at(0, correlation_id, max_wait_ms)
    }

    fn large_fetch_at(offset: i64, correlation_id: i32, max_wait_ms: i32) -> Vec<u8> {
        let options = FetchOptions { max_wait_ms, min_bytes: 1, ..Default::default() };
        let all: Vec<_> =
            (0..=FETCH_MAX as i32).map(|p| FetchPartition::new(p, offset, 1 << 20)).collect();
        fetch(12, correlation_id, options, KEY, &all)
    }

    /// A Fetch in a session, whose epoch is its correlation id.
    fn of_session(id: i32, epoch: i32, partitions: &[FetchPartition]) -> Vec<u8> {
        let options =
            FetchOptions { session_id: id, session_epoch: epoch, ..FetchOptions::default() };
        fetch(12, epoch, options, KEY, partitions)
    }

    fn send(hand: &mut ByHand, peer: &mut Peer, frames: &[Vec<u8>]) {
        hand.gather(peer, frames);
        hand.reactor.finish_gathered();
    }

    fn slot(hand: &ByHand, peer: &Peer) -> Option<&'static str> {
        let connection = hand.reactor.connections[peer.local as usize].as_ref().unwrap();
        connection.slots.iter().next().map(|(_, slot)| match slot {
            Slot::Large(_) => "large",
            Slot::Fetch(_) => "fetch",
            Slot::Produce(_) => "produce",
            _ => "another",
        })
    }

    #[test]
    fn what_is_in_front_of_a_large_request_comes_first_and_what_is_behind_it_waits() {
        let mut hand = ByHand::new();
        let partition = hand.with_topic(PartitionConfig::default());
        let mut client = hand.connect();
        let records = batch(&[b"x"]);
        let small = |correlation_id| produce(9, correlation_id, 1, KEY, &[(0, Some(&records))]);
        let frames = [small(1), large_produce(2, 1, &records), small(3), header(2, 0, 4)];
        send(&mut hand, &mut client, &frames);
        hand.read_ready();
        hand.reactor.finish_gathered();
        assert_eq!((partition.log_end_offset(), slot(&hand, &client)), (1, Some("large")));
        hand.large();
        assert_eq!(partition.log_end_offset(), 2);
        hand.read_ready();
        hand.reactor.finish_gathered();
        assert_eq!((partition.log_end_offset(), slot(&hand, &client)), (3, None));
        hand.reactor.flush_dirty();
        hand.read_ready();
        assert_eq!(hand.control_requests(), 1);
        let answers = hand.frames(&mut client, 3);
        let offsets: Vec<i64> =
            answers.iter().map(|frame| produced(frame, 9).last().unwrap().base_offset).collect();
        assert_eq!(offsets, [0, 1, 2]);
        let large = produced(&answers[1], 9);
        assert_eq!((large.len(), large[0].correlation_id), (PRODUCE_MAX + 1, 2));
        assert_eq!(large[0].error_code, error_code::UNKNOWN_TOPIC_OR_PARTITION);
        assert_eq!(hand.shared.pool_limit.used(), 0);
    }

    #[test]
    fn compressed_batches_of_a_large_produce_are_appended() {
        let mut hand = ByHand::new();
        let partition = hand.with_topic(PartitionConfig::default());
        let mut client = hand.connect();
        // More than a reactor would decompress.
        let records = gzip(&batch(&[&[b'x'; 400_000]]));
        send(&mut hand, &mut client, &[large_produce(1, 1, &records)]);
        hand.large();
        let answer = produced(&hand.frames(&mut client, 1)[0], 9);
        assert_eq!(answer.last().unwrap().error_code, 0);
        assert_eq!(partition.log_end_offset(), 1);
    }

    #[test]
    fn a_large_produce_without_acks_is_appended_in_silence_or_closes_its_connection() {
        let mut hand = ByHand::new();
        let partition = hand.with_topic(PartitionConfig::default());
        let records = batch(&[b"x"]);
        let often = vec![(0, Some(records.as_slice())); PRODUCE_MAX + 1];
        let mut client = hand.connect();
        send(&mut hand, &mut client, &[produce(9, 1, 0, KEY, &often)]);
        hand.large();
        hand.reactor.flush_dirty();
        assert_eq!((partition.log_end_offset(), slot(&hand, &client)), (1, None));
        send(&mut hand, &mut client, &[large_produce(2, 0, &records)]);
        hand.large();
        hand.reactor.flush_dirty();
        assert_eq!(partition.log_end_offset(), 2);
        assert!(hand.reactor.connections[client.local as usize].is_none());
    }

    #[test]
    fn a_large_produce_waits_for_what_it_needs() {
        let mut hand = ByHand::new();
        let config = PartitionConfig { flush_messages: 1, ..PartitionConfig::default() };
        let partition = hand.with_topic(config);
        let mut client = hand.connect();
        let records = batch(&[b"x"]);
        let frames = [large_produce(1, -1, &records), header(2, 0, 2)];
        for is_early in [false, true] {
            send(&mut hand, &mut client, &frames);
            if is_early {
                // Its sync is over before the reactor hears of the append.
                hand.run_large();
                let appended = hand.shared.hub.mailboxes[0].pop().unwrap();
                let flushed = partition.flush_job().unwrap().run();
                partition.flush_finished(flushed);
                hand.reactor.take_messages();
                assert_eq!(slot(&hand, &client), Some("large"));
                hand.reactor.take_message(appended);
            } else {
                hand.large();
                hand.read_ready();
                assert_eq!((slot(&hand, &client), hand.control_requests()), (Some("produce"), 0));
                let flushed = partition.flush_job().unwrap().run();
                hand.reactor.take_message(Message::Flushed(partition.clone(), flushed));
                hand.reactor.take_messages();
            }
            // The answer is made by the other thread too; a control request need not wait for that.
            assert_eq!(slot(&hand, &client), Some("large"));
            hand.read_ready();
            assert_eq!(hand.control_requests(), 1);
            hand.large();
            hand.respond(&client, if is_early { 3 } else { 1 });
            let answers = hand.frames(&mut client, 2);
            assert_eq!(produced(&answers[0], 9).last().unwrap().error_code, 0);
        }
    }

    #[test]
    fn a_large_produce_whose_time_is_over_is_answered() {
        let mut hand = ByHand::new();
        let config = PartitionConfig { flush_messages: 1, ..PartitionConfig::default() };
        hand.with_topic(config);
        let mut client = hand.connect();
        send(&mut hand, &mut client, &[large_produce(1, -1, &batch(&[b"x"]))]);
        hand.large();
        hand.reactor.clock_ms += 60_000;
        hand.reactor.pass_deadlines();
        hand.large();
        let answer = produced(&hand.frames(&mut client, 1)[0], 9);
        assert_eq!(answer.last().unwrap().error_code, error_code::REQUEST_TIMED_OUT);
    }

    #[test]
    fn a_large_fetch_is_woken_wherever_it_is() {
        for is_away in [false, true] {
            let mut hand = ByHand::new();
            hand.with_topic(PartitionConfig::default());
            let (mut consumer, mut producer) = (hand.connect(), hand.connect());
            send(&mut hand, &mut consumer, &[large_fetch(1, 60_000), header(2, 0, 2)]);
            hand.run_large();
            if !is_away {
                hand.reactor.take_messages();
                assert_eq!(slot(&hand, &consumer), Some("fetch"));
            }
            let records = batch(&[b"x"]);
            send(&mut hand, &mut producer, &[produce(9, 1, 1, KEY, &[(0, Some(&records))])]);
            hand.reactor.wake_due();
            hand.reactor.take_messages();
            assert_eq!(slot(&hand, &consumer), Some("large"));
            // What is behind a long poll goes on.
            hand.read_ready();
            assert_eq!(hand.control_requests(), 1);
            hand.large();
            let answer = fetched(&hand.frames(&mut consumer, 1)[0], 12);
            assert_eq!(answer.partitions[0].base_offsets(), [0]);
            assert_eq!(answer.partitions.len(), FETCH_MAX + 1);
        }
    }

    #[test]
    fn a_large_fetch_whose_time_is_over_is_answered() {
        let mut hand = ByHand::new();
        hand.with_topic(PartitionConfig::default());
        let mut consumer = hand.connect();
        send(&mut hand, &mut consumer, &[large_fetch(1, 500)]);
        hand.large();
        hand.reactor.clock_ms += 500;
        hand.reactor.pass_deadlines();
        hand.large();
        assert_eq!(hand.answers(&mut consumer, 1), [1]);
    }

    #[test]
    fn requests_of_one_large_session_stay_in_order_however_small_they_are() {
        let mut hand = ByHand::new();
        hand.with_topic(PartitionConfig::default());
        let mut consumer = hand.connect();
        let all: Vec<_> = (0..=FETCH_MAX as i32).map(|p| FetchPartition::new(p, 0, 1)).collect();
        send(&mut hand, &mut consumer, &[of_session(0, 0, &all)]);
        hand.large();
        let id = fetched(&hand.frames(&mut consumer, 1)[0], 12).session_id;
        assert!(id > 0);
        // The third ends the session by which the others ask.
        let frames = [
            of_session(id, 1, &[]),
            of_session(id, 2, &[]),
            of_session(id, -1, &all[..1]),
            header(2, 0, 9),
        ];
        send(&mut hand, &mut consumer, &frames);
        hand.read_ready();
        assert_eq!((slot(&hand, &consumer), hand.control_requests()), (Some("large"), 0));
        // What is behind all three waits for the last of them.
        for is_last in [false, false, true] {
            assert!(hand.run_one_large());
            hand.reactor.take_messages();
            hand.read_ready();
            assert_eq!(hand.control_requests(), usize::from(is_last));
        }
        let answers = hand.frames(&mut consumer, 3);
        let codes: Vec<_> = answers.iter().map(|frame| fetched(frame, 12).error_code).collect();
        assert_eq!(codes, [0, 0, 0]);
        assert_eq!(hand.shared.sessions.count(), 0);
    }

    #[test]
    fn the_gate_opens_behind_a_validated_produce_only_if_nothing_in_front_of_it_holds_it() {
        let mut hand = ByHand::new();
        let partition = hand.with_topic(PartitionConfig::default());
        let mut client = hand.connect();
        let all: Vec<_> = (0..=FETCH_MAX as i32).map(|p| FetchPartition::new(p, 0, 1)).collect();
        send(&mut hand, &mut client, &[of_session(0, 0, &all)]);
        hand.large();
        let id = fetched(&hand.frames(&mut client, 1)[0], 12).session_id;
        let records = gzip(&batch(&[&[b'x'; 400_000]]));
        let produce = produce(9, 2, 1, KEY, &[(0, Some(&records))]);
        send(&mut hand, &mut client, &[of_session(id, 1, &[]), produce, header(2, 0, 3)]);
        hand.work();
        hand.reactor.finish_gathered();
        hand.read_ready();
        assert_eq!((partition.log_end_offset(), hand.control_requests()), (1, 0));
        hand.large();
        hand.read_ready();
        assert_eq!(hand.control_requests(), 1);
        assert_eq!(hand.answers(&mut client, 2), [1, 2]);
    }

    #[test]
    fn what_is_behind_the_request_that_makes_its_session_large_is_not_answered_before_it() {
        let mut hand = ByHand::new();
        hand.with_topic(PartitionConfig::default());
        let mut consumer = hand.connect();
        let all: Vec<_> = (0..=FETCH_MAX as i32).map(|p| FetchPartition::new(p, 0, 1)).collect();
        let (most, another) = all.split_at(FETCH_MAX);
        send(&mut hand, &mut consumer, &[of_session(0, 0, most)]);
        let id = fetched(&hand.frames(&mut consumer, 1)[0], 12).session_id;
        // The session is as it was until the other thread has come to the first of them.
        send(&mut hand, &mut consumer, &[of_session(id, 1, another), of_session(id, 2, &[])]);
        hand.large();
        let answers = hand.frames(&mut consumer, 2);
        let codes: Vec<_> = answers.iter().map(|frame| fetched(frame, 12).error_code).collect();
        assert_eq!(codes, [0, 0]);
    }

    #[test]
    fn nothing_is_left_of_a_large_fetch_whose_client_has_gone() {
        for is_away in [false, true] {
            let mut hand = ByHand::new();
            hand.with_topic(PartitionConfig::default());
            let (mut consumer, mut producer) = (hand.connect(), hand.connect());
            send(&mut hand, &mut consumer, &[large_fetch(1, 60_000)]);
            if is_away {
                hand.run_large();
            } else {
                hand.large();
            }
            hand.reactor.close(consumer.local, CloseReason::Client);
            hand.large();
            hand.large();
            let records = batch(&[b"x"]);
            send(&mut hand, &mut producer, &[produce(9, 1, 1, KEY, &[(0, Some(&records))])]);
            assert_eq!(hand.reactor.turn.due, []);
            assert_eq!(hand.shared.pool_limit.used(), 0);
        }
    }

    #[test]
    fn of_who_leaves_while_its_request_waits_a_produce_is_appended_and_a_fetch_does_not_go_on() {
        let mut hand = ByHand::new();
        let partition = hand.with_topic(PartitionConfig::default());
        for frame in [large_produce(1, 1, &batch(&[b"x"])), large_fetch_at(1, 1, 60_000)] {
            let mut peer = hand.connect();
            send(&mut hand, &mut peer, &[frame]);
            hand.close_side(&peer);
            hand.read_ready();
            assert_eq!(slot(&hand, &peer), Some("large"));
            hand.large();
            hand.read_ready();
            hand.reactor.flush_dirty();
            assert!(hand.reactor.connections[peer.local as usize].is_none());
            hand.run_large();
            assert_eq!((partition.log_end_offset(), hand.shared.pool_limit.used()), (1, 0));
        }
    }

    #[test]
    fn a_large_request_that_cannot_be_read_closes_its_connection_behind_what_is_before_it() {
        let mut hand = ByHand::new();
        hand.with_topic(PartitionConfig::default());
        let mut client = hand.connect();
        let records = batch(&[b"x"]);
        let small = produce(9, 1, 1, KEY, &[(0, Some(&records))]);
        for large in [large_produce(2, 1, &records), large_fetch(2, 0)] {
            let cut = large[..large.len() - 2].to_vec();
            // A Fetch is long enough to be handed over unread only with bytes behind its body.
            let cut = if large[1] == 1 { large_but_broken(cut) } else { cut };
            send(&mut hand, &mut client, &[small.clone(), cut]);
            hand.large();
            assert_eq!(hand.answers(&mut client, 1), [1]);
            assert!(hand.reactor.connections[client.local as usize].is_none());
            client = hand.connect();
        }
    }

    /// A Fetch that announces more topics than its bytes can hold, and has many.
    fn large_but_broken(mut frame: Vec<u8>) -> Vec<u8> {
        frame.resize(crate::large::FETCH_FRAME_MAX + 1, 0xff);
        frame
    }
}
