//! The later steps of a turn: append, answer, messages, wake-ups, deadlines.

use std::cmp::Reverse;
use std::ops::Range;
use std::time::Instant;

use ms_partition::{AppendDone, Waiter};
use ms_wire::error_code;
use ms_wire::fetch::FetchRequest;

use crate::commands::{Command, Executor};
use crate::conn::{CloseReason, Connection, REQUEST_BYTES_MAX};
use crate::fetch::{FetchOrigin, FoundPlan, Verdict, WaitingFetch};
use crate::hub::Message;
use crate::ids::{RequestRef, Seq};
use crate::large::{FETCH_MAX, LargeJob, LargeKind};
use crate::named_again::NamedAgain;
use crate::produce::{self, AnswerContext, WaitingProduce};
use crate::reactor::{Reactor, connection_of};
use crate::slots::Slot;
use crate::turn::{Outcome, RECEIVE_BLOCK, RequestKind, TurnRequest};

/// Messages taken in one turn.
const MESSAGES_MAX: usize = 4096;

impl Reactor {
    /// Appends what the turn gathered, encodes the answers, and gives the turn's buffers back.
    pub fn finish_gathered(&mut self) {
        self.turn.append(self.now_ms, self.number);
        let requests = std::mem::take(&mut self.turn.requests);
        for request in &requests {
            match request.kind {
                RequestKind::Produce { acks, timeout_ms, first_item, items, ref again } => {
                    let items = first_item..first_item + items;
                    self.answer_produce(request, acks, timeout_ms, items, again.as_ref());
                }
                RequestKind::Fetch => self.answer_fetch(request),
                RequestKind::Large(kind) => self.hand_over(request, kind),
            }
            self.release_control(request.connection.local());
        }
        self.turn.requests = requests;
        self.turn.clear();
        for block in self.turn.blocks.split_off(RECEIVE_BLOCK + 1) {
            let owner = block
                .owner
                .and_then(|(id, rest)| Some((connection_of(&mut self.connections, id)?, rest)));
            let Some((connection, rest)) = owner else {
                self.pool.give(block.bytes);
                continue;
            };
            connection.is_carry_lent = false;
            connection.carry.restore(block.bytes, rest, &mut self.pool);
            let local = connection.id.local();
            self.revive(local);
        }
        self.received = 0;
    }

    fn answer_produce(
        &mut self,
        request: &TurnRequest,
        acks: i16,
        timeout_ms: i32,
        items: Range<usize>,
        again: Option<&NamedAgain>,
    ) {
        let id = request.connection;
        let Some(connection) = connection_of(&mut self.connections, id) else { return };
        let items = &mut self.turn.items[items];
        let frame = &self.turn.blocks[request.block].bytes[request.frame.clone()];
        let topology = self.topology.load();
        if acks == 0 && items.iter().flat_map(|item| &item.outcome).any(Outcome::is_error) {
            // The only way to tell a client that wants no answer, as Kafka does.
            connection.closing = Some(CloseReason::Refused);
        }
        let is_done = items.iter().all(|item| item.outcome.is_some());
        if acks == 0 && is_done {
            return connection.slots.finish(request.seq, &mut connection.out, |_| {});
        }
        let context = AnswerContext { topology, listener: connection.listener };
        if is_done && again.is_none() {
            return connection.slots.finish(request.seq, &mut connection.out, |out| {
                produce::answer(out, request, frame, items, context);
            });
        }
        let waiting = WaitingProduce::new(request, acks, again, frame, items, topology);
        if waiting.is_complete() {
            return connection.slots.finish(request.seq, &mut connection.out, |out| {
                waiting.answer(out, context);
            });
        }
        let Some(slot) = connection.slots.get_mut(request.seq) else { return };
        *slot = Slot::Produce(Box::new(waiting));
        // Nobody waits for the answer of one without acks, but what comes behind it.
        if acks != 0 {
            let deadline_ms = self.clock_ms + i64::from(timeout_ms.max(0));
            let waiting = RequestRef { local: id.local(), seq: request.seq, ordinal: 0 };
            self.deadlines.push(Reverse((deadline_ms, waiting.pack())));
        }
    }

    fn answer_fetch(&mut self, request: &TurnRequest) {
        let id = request.connection;
        let Some(connection) = connection_of(&mut self.connections, id) else { return };
        if connection.is_gate_closed && connection.slots.is_behind_handed(request.seq) {
            // One in front of it, whose session was found to be large, may be of the same session.
            return self.hand_over(request, LargeKind::Fetch);
        }
        let frame = &self.turn.blocks[request.block].bytes[request.frame.clone()];
        // The structure was checked when the request was gathered.
        let Ok(parsed) = FetchRequest::parse(frame, request.version, request.body) else { return };
        let origin = FetchOrigin {
            version: request.version,
            correlation_id: request.correlation_id,
            listener: connection.listener,
            clock_ms: self.clock_ms,
            now_ms: self.now_ms,
        };
        let topology = self.topology.load();
        let fetch = WaitingFetch::new(&parsed, &origin, &self.shared, topology, FETCH_MAX);
        let Some(fetch) = fetch.map(Box::new) else {
            return self.hand_over(request, LargeKind::Fetch);
        };
        if fetch.is_refused() {
            connection.slots.finish(request.seq, &mut connection.out, |_| {});
            connection.closing = Some(CloseReason::Refused);
            return self.make_dirty(id.local());
        }
        let deadline_ms = fetch.deadline_ms;
        let request = RequestRef { local: id.local(), seq: request.seq, ordinal: 0 };
        if self.poll_fetch(request, fetch) {
            self.deadlines.push(Reverse((deadline_ms, request.pack())));
        }
    }

    /// Answers a fetch or lets it wait; true when it waits.
    pub fn poll_fetch(&mut self, request: RequestRef, mut fetch: Box<WaitingFetch>) -> bool {
        let can_wait = fetch.deadline_ms > self.clock_ms && self.stopping.is_none();
        if fetch.is_large() {
            self.hand_fetch(request, fetch, can_wait);
            return false;
        }
        let waiter = Waiter { reactor: self.number, id: request.pack() };
        let verdict = fetch.poll(waiter, can_wait);
        if matches!(verdict, Verdict::Answer) {
            self.finish_fetch(request, fetch);
            return false;
        }
        let Some(Some(connection)) = self.connections.get_mut(request.local as usize) else {
            return false;
        };
        if !connection.slots.keep(request.seq, fetch.kept_bytes(), REQUEST_BYTES_MAX) {
            fetch.cancel(waiter);
            if let Verdict::Locate(plans) = verdict {
                fetch.give_up(plans);
            }
            self.finish_fetch(request, fetch);
            return false;
        }
        let Some(place) = connection.slots.get_mut(request.seq) else { return false };
        match verdict {
            Verdict::Locate(plans) => {
                *place = Slot::Locating(fetch);
                self.shared.cold.locate(self.number, request.pack(), plans);
                false
            }
            Verdict::Wait | Verdict::Answer => {
                *place = Slot::Fetch(fetch);
                true
            }
        }
    }

    pub fn finish_fetch(&mut self, request: RequestRef, fetch: Box<WaitingFetch>) {
        let Some(Some(connection)) = self.connections.get_mut(request.local as usize) else {
            return;
        };
        let topology = self.topology.load();
        let is_sent_at_once = connection.out.is_empty()
            && !connection.is_write_blocked
            && connection.slots.is_first(request.seq);
        let received = is_sent_at_once
            .then(|| (&self.turn.fresh, self.turn.blocks[RECEIVE_BLOCK].bytes.as_slice()));
        connection.slots.finish(request.seq, &mut connection.out, |out| {
            fetch.answer(out, &self.shared, topology, self.now_ms, received);
        });
        self.make_dirty(request.local);
    }

    fn located(&mut self, request: RequestRef, found: Vec<FoundPlan>) {
        let Some(Some(connection)) = self.connections.get_mut(request.local as usize) else {
            return;
        };
        let Some(slot) = connection.slots.get_mut(request.seq) else { return };
        if let Slot::Locating(_) = slot
            && let Slot::Locating(mut fetch) = std::mem::replace(slot, Slot::Turn)
        {
            fetch.take_plans(found);
            self.finish_fetch(request, fetch);
            self.revive(request.local);
        }
    }

    /// Does what other threads left in the mailbox; true when there was anything.
    pub fn take_messages(&mut self) -> bool {
        let mut count = 0;
        while count < MESSAGES_MAX {
            let mailbox = &self.shared.hub.mailboxes[usize::from(self.number)];
            let Some(message) = mailbox.pop() else { break };
            count += 1;
            self.take_message(message);
        }
        count > 0
    }

    pub fn take_message(&mut self, message: Message) {
        match message {
            Message::Listen(acceptors) => {
                for acceptor in acceptors {
                    if let Err(error) = self.acceptors.add(self.poll.registry(), acceptor) {
                        self.shared.hub.control.log(50, &format!("cannot listen: {error}"));
                    }
                }
            }
            Message::Accepted(accepted) => self.adopt(accepted),
            Message::Respond { connection, answer } => self.respond(connection, answer),
            Message::RespondPart { connection, seq, part } => {
                self.respond_part(connection, seq, part);
            }
            Message::Close(id) => {
                if self.connection(id).is_some() {
                    self.close(id.local(), CloseReason::Asked);
                }
            }
            Message::ControlRoom => self.retry_control(),
            Message::Wake(id) => self.turn.due.push(Waiter { reactor: self.number, id }),
            Message::AppendDone(id, done) => self.append_done(RequestRef::unpack(id), done),
            Message::LeftTurns(partition) => partition.take_left_turns(),
            Message::Flushed(partition, outcome) => partition.flush_finished(outcome),
            Message::Cold { connection, block } => self.cold_done(connection, block),
            Message::Located { request, found } => self.located(RequestRef::unpack(request), found),
            Message::Validated(validated) => self.take_validated(*validated),
            Message::Large { request, outcome, buffer } => {
                self.pool.give(buffer);
                self.take_large(RequestRef::unpack(request), outcome);
            }
            Message::Command(command) => self.execute(*command),
            Message::Shutdown(deadline) => self.begin_shutdown(deadline),
        }
    }

    fn execute(&mut self, command: Command) {
        let mut executor = Executor {
            shared: &self.shared,
            reactor: self.number,
            now_ms: self.now_ms,
            scratch: &mut self.scratch,
            due: &mut self.turn.due,
        };
        executor.execute(command);
    }

    fn append_done(&mut self, request: RequestRef, done: AppendDone) {
        let Some(Some(connection)) = self.connections.get_mut(request.local as usize) else {
            return;
        };
        let is_complete = match connection.slots.get_mut(request.seq) {
            Some(Slot::Produce(waiting)) => waiting.complete(request.ordinal, done),
            Some(Slot::Large(handed)) => {
                handed.early.push((request.ordinal, done));
                false
            }
            _ => false,
        };
        if is_complete {
            self.finish_produce(request.local, request.seq);
        }
    }

    /// Sends the answer of a produce whose outcomes are all known.
    pub fn finish_produce(&mut self, local: u32, seq: Seq) {
        let Some(Some(connection)) = self.connections.get_mut(local as usize) else { return };
        let Some(slot) = connection.slots.get_mut(seq) else { return };
        let Slot::Produce(waiting) = std::mem::replace(slot, Slot::Turn) else { return };
        if waiting.is_large() {
            let listener = connection.listener;
            self.hand_answer(RequestRef { local, seq, ordinal: 0 }, listener, waiting);
            return self.release_control(local);
        }
        let context =
            AnswerContext { topology: self.topology.load(), listener: connection.listener };
        if waiting.is_refused_in_silence() {
            connection.closing = Some(CloseReason::Refused);
        }
        connection.slots.finish(seq, &mut connection.out, |out| waiting.answer(out, context));
        self.make_dirty(local);
        self.release_control(local);
        self.revive(local);
    }

    /// Looks again for the fetches whose partitions have something new.
    pub fn wake_due(&mut self) {
        let mut due = std::mem::take(&mut self.turn.due);
        for waiter in due.drain(..) {
            let request = RequestRef::unpack(waiter.id);
            if let Some(fetch) = self.take_fetch(request) {
                self.poll_fetch(request, fetch);
                self.revive(request.local);
            }
        }
        self.turn.due = due;
    }

    fn take_fetch(&mut self, request: RequestRef) -> Option<Box<WaitingFetch>> {
        let connection = self.connections.get_mut(request.local as usize)?.as_mut()?;
        let slot = connection.slots.get_mut(request.seq)?;
        if let Slot::Large(handed) = slot {
            handed.is_woken = true;
        }
        if !matches!(slot, Slot::Fetch(_)) {
            return None;
        }
        match std::mem::replace(slot, Slot::Turn) {
            Slot::Fetch(fetch) => Some(fetch),
            _ => None,
        }
    }

    pub fn pass_deadlines(&mut self) {
        while let Some(Reverse((at, id))) = self.deadlines.peek().copied()
            && at <= self.clock_ms
        {
            self.deadlines.pop();
            self.pass_deadline(RequestRef::unpack(id));
        }
    }

    // An entry may be older than the request that it names now; that one has its own.
    pub fn pass_deadline(&mut self, request: RequestRef) {
        let clock_ms = self.clock_ms;
        let Some(Some(connection)) = self.connections.get_mut(request.local as usize) else {
            return;
        };
        if connection.muted_until_ms > 0 && connection.muted_until_ms <= clock_ms {
            connection.muted_until_ms = 0;
        }
        match connection.slots.get_mut(request.seq) {
            Some(Slot::Fetch(fetch)) if fetch.deadline_ms <= clock_ms => {
                if let Some(fetch) = self.take_fetch(request) {
                    self.poll_fetch(request, fetch);
                }
            }
            Some(Slot::Produce(waiting)) => {
                waiting.fail(error_code::REQUEST_TIMED_OUT);
                self.finish_produce(request.local, request.seq);
            }
            _ => {}
        }
        self.revive(request.local);
    }

    fn begin_shutdown(&mut self, deadline: Instant) {
        self.stopping = Some(deadline);
        self.acceptors.close();
        for local in 0..self.connections.len() as u32 {
            let Some(connection) = self.connections[local as usize].as_mut() else { continue };
            connection.closing = Some(CloseReason::Shutdown);
            let waiting: Vec<_> = connection
                .slots
                .iter()
                .filter(|(_, slot)| matches!(slot, Slot::Fetch(_)))
                .map(|(seq, _)| RequestRef { local, seq, ordinal: 0 })
                .collect();
            for request in waiting {
                if let Some(fetch) = self.take_fetch(request) {
                    self.poll_fetch(request, fetch);
                }
            }
            self.make_dirty(local);
        }
    }

    pub fn cancel_waits(&mut self, connection: &mut Connection) {
        let local = connection.id.local();
        let waiting: Vec<Seq> = connection
            .slots
            .iter()
            .filter(|(_, slot)| matches!(slot, Slot::Fetch(_)))
            .map(|(seq, _)| seq)
            .collect();
        for seq in waiting {
            let id = RequestRef { local, seq, ordinal: 0 }.pack();
            let waiter = Waiter { reactor: self.number, id };
            let Some(slot) = connection.slots.get_mut(seq) else { continue };
            let Slot::Fetch(mut fetch) = std::mem::replace(slot, Slot::Turn) else { continue };
            if fetch.is_large() {
                self.shared.large.push(LargeJob::Forget { waiter, fetch });
            } else {
                fetch.cancel(waiter);
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use ms_partition::PartitionConfig;
    use ms_wire::fetch::{FetchOptions, FetchPartition};
    use ms_wire::topic::TopicKey;

    use crate::by_hand::frames::{batch, fetch, fetched, gzip, header, produce};
    use crate::by_hand::{ByHand, TOPIC};
    use crate::hub::Message;

    const KEY: TopicKey<'static> = TopicKey::Name(TOPIC.as_bytes());

    #[test]
    fn a_control_request_waits_for_the_produce_in_front_of_it() {
        let mut hand = ByHand::new();
        let partition = hand.with_topic(PartitionConfig::default());
        let mut client = hand.connect();
        let records = batch(&[b"x"]);
        for round in 0..2 {
            let frames = [produce(9, 1, 1, KEY, &[(0, Some(&records))]), header(2, 0, 2)];
            hand.gather(&mut client, &frames);
            assert_eq!(hand.control_requests(), 0);
            hand.reactor.finish_gathered();
            hand.reactor.flush_dirty();
            assert_eq!(partition.log_end_offset(), round + 1);
            assert_eq!(hand.reactor.ready, [client.local]);
            hand.read_ready();
            assert_eq!(hand.control_requests(), 1);
            hand.respond(&client, 2 * round as u32 + 1);
        }
        assert_eq!(hand.answers(&mut client, 4), [1, 2, 1, 2]);
    }

    #[test]
    fn a_long_poll_is_answered_when_its_time_is_over_and_not_before() {
        let mut hand = ByHand::new();
        hand.with_topic(PartitionConfig::default());
        let mut client = hand.connect();
        let options = FetchOptions { max_wait_ms: 500, min_bytes: 1, ..Default::default() };
        let wanted = [FetchPartition::new(0, 0, 1000)];
        hand.gather(&mut client, &[fetch(12, 1, options, KEY, &wanted)]);
        hand.reactor.finish_gathered();
        for (ms, is_over) in [(0, false), (499, false), (1, true)] {
            hand.reactor.clock_ms += ms;
            hand.reactor.pass_deadlines();
            let connection = hand.reactor.connections[client.local as usize].as_ref().unwrap();
            assert_eq!(connection.slots.is_empty(), is_over);
        }
        let answer = fetched(&hand.frames(&mut client, 1)[0], 12);
        assert_eq!(answer.partitions[0].base_offsets(), []);
    }

    #[test]
    fn a_control_request_waits_until_what_was_produced_is_committed() {
        let mut hand = ByHand::new();
        let config = PartitionConfig { flush_messages: 1, ..PartitionConfig::default() };
        let partition = hand.with_topic(config);
        let mut client = hand.connect();
        let records = batch(&[b"x"]);
        let frames = [produce(9, 1, -1, KEY, &[(0, Some(&records))]), header(2, 0, 2)];
        hand.gather(&mut client, &frames);
        hand.reactor.finish_gathered();
        hand.reactor.flush_dirty();
        // Nothing spins while it waits.
        assert!(hand.reactor.ready.is_empty());
        assert_eq!((hand.control_requests(), partition.high_watermark()), (0, 0));
        let flushed = partition.flush_job().unwrap().run();
        hand.reactor.take_message(Message::Flushed(partition, flushed));
        assert!(hand.reactor.take_messages());
        hand.read_ready();
        assert_eq!(hand.control_requests(), 1);
    }

    #[test]
    fn a_waiting_fetch_is_answered_with_what_the_turn_received() {
        let mut hand = ByHand::new();
        hand.with_topic(PartitionConfig::default());
        let (mut consumer, mut producer) = (hand.connect(), hand.connect());
        let options = FetchOptions { max_wait_ms: 60_000, min_bytes: 1, ..Default::default() };
        let fetch = fetch(12, 1, options, KEY, &[FetchPartition::new(0, 0, 1 << 20)]);
        hand.gather(&mut consumer, std::slice::from_ref(&fetch));
        hand.reactor.finish_gathered();
        let records = batch(&[b"x", b"y"]);
        let produce = produce(9, 1, 1, KEY, &[(0, Some(&records))]);
        hand.gather(&mut producer, &[produce.clone(), produce]);
        hand.reactor.finish_gathered();
        hand.reactor.wake_due();
        // Nothing of it comes from the file.
        let folder = hand.shared.config.log_dir.join(format!("{TOPIC}-0"));
        let mut logs = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let log = logs.find(|path| path.extension().is_some_and(|e| e == "log")).unwrap();
        let kept = std::fs::read(&log).unwrap();
        std::fs::write(&log, vec![0; kept.len()]).unwrap();
        let received = fetched(&hand.frames(&mut consumer, 1)[0], 12);
        assert_eq!(received.partitions[0].base_offsets(), [0, 2]);
        // And it is what the file has.
        std::fs::write(&log, kept).unwrap();
        hand.reactor.turn.fresh.clear();
        hand.gather(&mut consumer, &[fetch]);
        hand.reactor.finish_gathered();
        let from_file = fetched(&hand.frames(&mut consumer, 1)[0], 12);
        assert_eq!(received.partitions, from_file.partitions);
    }

    #[test]
    fn a_refusal_without_acks_closes_its_own_connection_only() {
        let mut hand = ByHand::new();
        hand.with_topic(PartitionConfig::default());
        let mut client = hand.connect();
        let mut broken = batch(&[&[b'y'; 400_000], b"z"]);
        broken[61 + 6] ^= 0x55;
        let frame = produce(9, 1, 0, KEY, &[(0, Some(&gzip(&broken)))]);
        hand.gather(&mut client, &[frame]);
        hand.work();
        // It closes before the end of the turn, and another client gets its place.
        hand.reactor.close(client.local, crate::conn::CloseReason::Client);
        let other = hand.connect();
        assert_eq!(other.local, client.local);
        hand.reactor.finish_gathered();
        hand.reactor.flush_dirty();
        let connection = hand.reactor.connections[other.local as usize].as_ref().unwrap();
        assert!(connection.closing.is_none());
    }
}
