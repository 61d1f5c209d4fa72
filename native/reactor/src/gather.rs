//! From bytes to requests: frames, headers, and what is done with each API.

use std::ops::Range;
use std::sync::Arc;

use ms_wire::cursor::Cursor;
use ms_wire::header::{API_VERSIONS, FETCH, PRODUCE, RequestHeader, parse_request_header};
use ms_wire::validate::Scratch;
use ms_wire::{fetch, produce as produce_versions};

use crate::config::{CONTROL_ITEMS_MAX, FRAME_MAX};
use crate::conn::{CloseReason, Connection, PREFIX};
use crate::control::ControlFrame;
use crate::handed::Handed;
use crate::large::{FETCH_FRAME_MAX, FETCH_MAX, LargeKind, PRODUCE_MAX};
use crate::malformed::MalformedLog;
use crate::place;
use crate::pool::Pool;
use crate::produce::{self, NotGathered, ProduceFrame};
use crate::reactor::Counters;
use crate::room::LARGE_BYTES;
use crate::shared::Shared;
use crate::slots::Slot;
use crate::topology::Topology;
use crate::turn::{Item, Outcome, RequestKind, Turn, TurnRequest};
use crate::validation::{self, ValidatedFrame};

/// Partitions of Produces after which a turn takes up no further frame: each costs a few hundred bytes while it lasts.
pub const ITEMS_PER_TURN: usize = 1 << 16;
/// Their answers wait for other members of the group.
const JOIN_GROUP: i16 = 11;
const SYNC_GROUP: i16 = 14;
/// From this version on ApiVersions says which client asks (KIP-511).
const FIRST_WITH_SOFTWARE: i16 = 3;

/// What a reactor lends to the parsing of frames.
pub struct Gather<'a> {
    pub shared: &'a Arc<Shared>,
    pub topology: &'a Topology,
    pub turn: &'a mut Turn,
    pub scratch: &'a mut Scratch,
    pub pool: &'a mut Pool,
    pub counters: &'a mut Counters,
    pub malformed: &'a mut MalformedLog,
    pub reactor: u16,
    pub now_ms: i64,
    pub out_max: u64,
}

/// The frame is not taken up yet: its bytes stay unread.
struct NotYet;

impl Gather<'_> {
    /// Takes up the complete frames in `range` of a block, as far as the connection may go on; returns where it stopped.
    pub fn frames(
        &mut self,
        connection: &mut Connection,
        block: usize,
        range: Range<usize>,
    ) -> usize {
        let mut at = range.start;
        let mut frames = 0;
        while connection.may_parse(self.out_max) && self.turn.items.len() < ITEMS_PER_TURN {
            let bytes = &self.turn.blocks[block].bytes[at..range.end];
            let Some(prefix) = bytes.first_chunk::<PREFIX>() else { break };
            // A length is refused as soon as it is known, before its bytes arrive.
            let max = self.request_bytes_max(&bytes[PREFIX..]);
            let len = match usize::try_from(i32::from_be_bytes(*prefix)) {
                Ok(len) if (1..=max).contains(&len) => len,
                _ => {
                    self.refuse(connection);
                    break;
                }
            };
            self.counters.note_frame(len);
            if bytes.len() < PREFIX + len {
                if len > CONTROL_ITEMS_MAX {
                    self.refuse_hopeless(connection, block, at + PREFIX..range.end, len);
                }
                break;
            }
            let frame = at + PREFIX..at + PREFIX + len;
            if let Err(NotYet) = self.frame(connection, block, frame.clone()) {
                break;
            }
            at = frame.end;
            connection.counting = None;
            frames += 1;
        }
        self.counters.pipelined_reads += u64::from(frames > 1);
        at
    }

    /// How long a frame may be that begins like this: what TypeScript decodes costs many times its size.
    fn request_bytes_max(&self, begun: &[u8]) -> usize {
        let config = &self.shared.config;
        let max = config.max_request_bytes.min(FRAME_MAX);
        match begun.first_chunk().map(|key| i16::from_be_bytes(*key)) {
            None | Some(PRODUCE | FETCH) => max,
            Some(_) => max.min(config.max_control_request_bytes),
        }
    }

    fn frame(
        &mut self,
        connection: &mut Connection,
        block: usize,
        range: Range<usize>,
    ) -> Result<(), NotYet> {
        let frame = &self.turn.blocks[block].bytes[range.clone()];
        let Ok(header) = parse_request_header(frame) else {
            self.refuse(connection);
            return Ok(());
        };
        let RequestHeader { api_key, api_version: version, correlation_id, body, .. } = header;
        match api_key {
            PRODUCE if self.shared.env.is_saturated() => {
                connection.waits_for_disk = true;
                Err(NotYet)
            }
            PRODUCE => {
                self.produce(connection, block, range, body, version, correlation_id);
                Ok(())
            }
            FETCH => {
                self.fetch(connection, block, range, body, version, correlation_id);
                Ok(())
            }
            _ => self.control(connection, block, range, body, version, correlation_id, api_key),
        }
    }

    fn produce(
        &mut self,
        connection: &mut Connection,
        block: usize,
        frame: Range<usize>,
        body: usize,
        version: i16,
        correlation_id: i32,
    ) {
        if !(produce_versions::MIN_VERSION..=produce_versions::MAX_VERSION).contains(&version) {
            return self.refuse(connection);
        }
        let (id, seq) = (connection.id, connection.slots.next_seq());
        let reactor = self.reactor;
        let verdicts = Vec::new();
        let mut frame = ProduceFrame {
            connection: id,
            reactor,
            seq,
            block,
            frame,
            body,
            version,
            correlation_id,
            verdicts,
        };
        let (before, start, bytes) = (self.turn.items.len(), frame.frame.start, frame.frame.len());
        let gathered = produce::gather(
            self.turn,
            &mut frame,
            self.shared,
            self.topology,
            self.now_ms,
            self.scratch,
            PRODUCE_MAX,
        );
        match gathered {
            Ok(()) => {
                connection.slots.push(Slot::Turn, bytes);
                let begins = self.turn.items.get(before).map_or(0, |item| item.range.start);
                connection.carry.records_at = match bytes >= place::LARGE {
                    true => begins.saturating_sub(start - PREFIX),
                    false => 0,
                };
                self.close_if_refused_in_silence(connection, before);
            }
            Err(NotGathered::Malformed) => return self.refuse(connection),
            Err(NotGathered::Large) => {
                let ProduceFrame { connection: id, seq, block, frame, body, .. } = frame;
                let kind = RequestKind::Large(LargeKind::Produce);
                let request = TurnRequest {
                    connection: id,
                    seq,
                    kind,
                    block,
                    frame,
                    body,
                    version,
                    correlation_id,
                };
                return self.large(connection, request);
            }
            Err(NotGathered::Long(partitions)) => {
                return self.validate_elsewhere(connection, frame, partitions);
            }
        };
        self.counters.produce_requests += 1;
        self.counters.produce_batches += (self.turn.items.len() - before) as u64;
    }

    /// Closes the connection of a Produce that wants no answer and is known to fail: what its client sent behind it is not
    /// looked at, as in Kafka.
    fn close_if_refused_in_silence(&self, connection: &mut Connection, first_item: usize) {
        let kind = self.turn.requests.last().map(|request| &request.kind);
        let is_refused = |item: &Item| item.outcome.as_ref().is_some_and(Outcome::is_error);
        if matches!(kind, Some(RequestKind::Produce { acks: 0, .. }))
            && self.turn.items[first_item..].iter().any(is_refused)
        {
            connection.closing = Some(CloseReason::Refused);
        }
    }

    // It is handed over at the end of the turn, behind what the turn appends; nothing behind it is parsed.
    fn large(&mut self, connection: &mut Connection, request: TurnRequest) {
        let handed = Handed { holds_gate: true, ..Handed::default() };
        connection.slots.push(Slot::Large(Box::new(handed)), request.frame.len());
        connection.is_gate_closed = true;
        self.turn.requests.push(request);
    }

    // The frame waits as a whole, in a buffer of its own; nothing behind it is parsed.
    fn validate_elsewhere(
        &mut self,
        connection: &mut Connection,
        frame: ProduceFrame,
        partitions: usize,
    ) {
        let range = frame.frame;
        let Some(mut bytes) = self.pool.take(range.len()) else {
            connection.closing = Some(CloseReason::Slow);
            return;
        };
        let len = range.len();
        bytes[..len].copy_from_slice(&self.turn.blocks[frame.block].bytes[range]);
        let seq = connection.slots.push(Slot::Validating, len);
        connection.is_gate_closed = true;
        let validated = ValidatedFrame {
            connection: connection.id,
            seq,
            bytes,
            frame: 0..len,
            body: frame.body,
            version: frame.version,
            correlation_id: frame.correlation_id,
            partitions,
            verdicts: frame.verdicts,
        };
        validation::on_worker(self.shared, validated);
    }

    /// Takes a validated Produce up again; its block is the turn's last.
    pub fn validated(&mut self, connection: &mut Connection, validated: ValidatedFrame) {
        let ValidatedFrame { seq, frame, body, version, correlation_id, verdicts, .. } = validated;
        let (id, reactor) = (connection.id, self.reactor);
        let block = self.turn.blocks.len() - 1;
        let mut frame = ProduceFrame {
            connection: id,
            reactor,
            seq,
            block,
            frame,
            body,
            version,
            correlation_id,
            verdicts,
        };
        let before = self.turn.items.len();
        let gathered = produce::gather(
            self.turn,
            &mut frame,
            self.shared,
            self.topology,
            self.now_ms,
            self.scratch,
            PRODUCE_MAX,
        );
        if gathered.is_err() {
            // Its connection closes when nothing is left to be answered.
            connection.slots.finish(seq, &mut connection.out, |_| {});
            return self.refuse(connection);
        }
        self.close_if_refused_in_silence(connection, before);
        self.counters.produce_requests += 1;
        self.counters.produce_batches += (self.turn.items.len() - before) as u64;
    }

    fn fetch(
        &mut self,
        connection: &mut Connection,
        block: usize,
        frame: Range<usize>,
        body: usize,
        version: i16,
        correlation_id: i32,
    ) {
        let bytes = &self.turn.blocks[block].bytes[frame.clone()];
        let is_large = bytes.len() > FETCH_FRAME_MAX
            || match fetch::FetchRequest::parse(bytes, version, body) {
                Ok(request) => request.partition_count > FETCH_MAX,
                Err(_) => return self.refuse(connection),
            };
        self.counters.fetch_requests += 1;
        let kind = if is_large { RequestKind::Large(LargeKind::Fetch) } else { RequestKind::Fetch };
        let request = TurnRequest {
            connection: connection.id,
            seq: connection.slots.next_seq(),
            kind,
            block,
            frame,
            body,
            version,
            correlation_id,
        };
        if is_large {
            return self.large(connection, request);
        }
        connection.slots.push(Slot::Turn, request.frame.len());
        self.turn.requests.push(request);
    }

    #[allow(clippy::too_many_arguments)]
    fn control(
        &mut self,
        connection: &mut Connection,
        block: usize,
        range: Range<usize>,
        body: usize,
        api_version: i16,
        correlation_id: i32,
        api_key: i16,
    ) -> Result<(), NotYet> {
        let frame = &self.turn.blocks[block].bytes[range.clone()];
        let is_api_versions = api_key == API_VERSIONS;
        // ApiVersions of any version is answered, so that a newer client learns what we speak (KIP-511).
        if !is_api_versions && !self.shared.apis.is_served(api_key, api_version) {
            self.refuse(connection);
            return Ok(());
        }
        let answers = self.shared.answers.load();
        if let Some(answer) = answers.get(&(api_key, api_version))
            && (!is_api_versions
                || api_version < FIRST_WITH_SOFTWARE
                || is_software_named(frame, body))
        {
            let seq = connection.slots.push(Slot::Turn, frame.len());
            connection.slots.finish(seq, &mut connection.out, |out| {
                let out = out.bytes();
                out.extend_from_slice(&(answer.len() as u32 + 4).to_be_bytes());
                out.extend_from_slice(&correlation_id.to_be_bytes());
                out.extend_from_slice(answer);
            });
            self.counters.constant_answers += 1;
            connection.room = None;
            return Ok(());
        }
        // Kafka takes requests one by one: what TypeScript looks up has in it what this connection wrote before.
        if connection.slots.is_working() {
            connection.is_control_held = true;
            return Err(NotYet);
        }
        // What its client has not taken of an answer is enough for one connection.
        let is_large = frame.len() > LARGE_BYTES;
        let used_ms = connection.used_ms;
        if connection.untaken.is_some()
            || is_large && !connection.enter_room(&self.shared.room, frame.len(), used_ms)
        {
            connection.is_control_held = true;
            return Err(NotYet);
        }
        // No item takes less than a byte. A client that learns versions sends little else.
        let (len, api) = (frame.len(), (api_key, api_version));
        if len > CONTROL_ITEMS_MAX
            && !is_api_versions
            && !self.count_items(connection, block, range.clone(), len, body, api)
        {
            // The rest in the next turns, unless it is refused.
            return Err(NotYet);
        }
        let frame = &self.turn.blocks[block].bytes[range];
        let seq = connection.slots.next_seq();
        let (connection_id, listener) = (connection.id, connection.listener);
        let control = &self.shared.hub.control;
        // Most of what only connects, or sends nonsense, is none of TypeScript's business.
        if !std::mem::replace(&mut connection.is_announced, true) {
            control.connected(connection_id, listener, connection.address);
        }
        let bytes = frame.len();
        let frame = ControlFrame {
            connection: connection_id,
            listener,
            api_key,
            api_version,
            correlation_id,
            seq,
            frame,
        };
        if !control.push_frame(&frame) {
            connection.is_control_held = true;
            return Err(NotYet);
        }
        connection.slots.push(Slot::Control, bytes);
        connection.is_gate_closed = true;
        if matches!(api_key, JOIN_GROUP | SYNC_GROUP) {
            // It may be answered when others have sent theirs, and those need room.
            connection.room = None;
        }
        self.counters.control_requests += 1;
        Ok(())
    }

    // Requests before the bad one are answered first, as Kafka does, which takes them one by one.
    pub fn refuse(&mut self, connection: &mut Connection) {
        self.counters.malformed_frames += 1;
        connection.closing = Some(CloseReason::Refused);
    }
}

/// Whether the names of client software and version are ones that KIP-511 allows.
fn is_software_named(frame: &[u8], body: usize) -> bool {
    let mut cursor = Cursor::at(frame, body);
    let mut is_next_name = || cursor.compact_string().is_ok_and(is_software_name);
    is_next_name() && is_next_name()
}

fn is_software_name(name: &[u8]) -> bool {
    let is_inner = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
    let is_outer = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    is_outer(name.first()) && is_outer(name.last()) && name.iter().all(is_inner)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use ms_partition::PartitionConfig;
    use ms_wire::fetch::{FetchOptions, FetchPartition};
    use ms_wire::topic::TopicKey;

    use super::*;
    use crate::by_hand::frames::{batch, fetch, produce};
    use crate::by_hand::{ByHand, TOPIC};

    #[test]
    fn the_bytes_of_requests_without_an_answer_are_bounded() {
        let mut hand = ByHand::new();
        hand.with_topic(PartitionConfig::default());
        let (mut consumer, mut producer) = (hand.connect(), hand.connect());
        let key = TopicKey::Name(TOPIC.as_bytes());
        let options = FetchOptions { max_wait_ms: 60_000, min_bytes: 1, ..Default::default() };
        let fetch = fetch(12, 1, options, key, &[FetchPartition::new(0, 0, 1000)]);
        // Bytes behind the body are tolerated.
        let fetch = [fetch, vec![0; 1 << 20]].concat();
        hand.carried(&consumer, &vec![fetch; 12]);
        // A frame of that size is handed over, and nothing behind it is parsed before it waits.
        let take_up = |hand: &mut ByHand| {
            for _ in 0..12 {
                hand.reactor.finish_gathered();
                hand.large();
                hand.read_ready();
            }
        };
        take_up(&mut hand);
        let waiting = |hand: &ByHand| {
            hand.reactor.connections[consumer.local as usize].as_ref().unwrap().slots.len()
        };
        assert_eq!(waiting(&hand), 8);
        hand.read_ready();
        assert_eq!(waiting(&hand), 8);
        let records = batch(&[b"x"]);
        hand.gather(&mut producer, &[produce(9, 1, 1, key, &[(0, Some(&records))])]);
        hand.reactor.finish_gathered();
        hand.reactor.wake_due();
        hand.reactor.flush_dirty();
        hand.read_ready();
        take_up(&mut hand);
        assert_eq!(hand.answers(&mut consumer, 12).len(), 12);
    }

    #[test]
    fn the_partitions_of_the_produces_of_one_turn_are_bounded() {
        let mut hand = ByHand::new();
        let key = TopicKey::Name(b"nowhere");
        let all: Vec<_> = (0..PRODUCE_MAX as i32).map(|index| (index, None)).collect();
        let peers: Vec<_> = (0..17).map(|_| hand.connect()).collect();
        for peer in &peers {
            hand.carried(peer, &vec![produce(9, 1, 1, key, &all); 64]);
        }
        assert_eq!(hand.reactor.turn.items.len(), ITEMS_PER_TURN);
        hand.reactor.finish_gathered();
        assert!(hand.reactor.turn.items.capacity() < 10_000);
        hand.reactor.revive(peers[16].local);
        hand.read_ready();
        assert_eq!(hand.reactor.turn.items.len(), ITEMS_PER_TURN / 16);
        hand.reactor.finish_gathered();
        // However often one is named, it is one.
        let often = vec![(7, None); PRODUCE_MAX];
        hand.carried(&peers[0], &vec![produce(9, 1, 1, key, &often); 3]);
        assert_eq!(hand.reactor.turn.items.len(), 3);
    }

    #[test]
    fn a_control_request_has_a_limit_of_its_own() {
        let mut hand = ByHand::new();
        let request = |key: i16, len: usize| {
            let mut frame = vec![0; len];
            frame[..2].copy_from_slice(&key.to_be_bytes());
            frame
        };
        let mut peer = hand.connect();
        hand.gather(&mut peer, &[request(10, 1000)]);
        assert_eq!(hand.control_requests(), 1);
        // The head of a longer one is enough.
        for (key, is_refused) in [(10, true), (2, true), (0, false), (1, false)] {
            let mut peer = hand.connect();
            let frame = request(key, 1001);
            hand.begin(&mut peer, &frame[..8], frame.len());
            let connection = hand.reactor.connections[peer.local as usize].as_ref();
            assert_eq!(connection.is_none_or(|c| c.closing.is_some()), is_refused, "{key}");
            assert_eq!(hand.control_requests(), 0);
        }
    }

    #[test]
    fn names_of_client_software_follow_the_kip() {
        for good in ["a", "apache-kafka-java", "4.4.0", "librdkafka"] {
            assert!(is_software_name(good.as_bytes()), "{good}");
        }
        for bad in ["", "-a", "a-", "a b", "ä", "a_b"] {
            assert!(!is_software_name(bad.as_bytes()), "{bad}");
        }
    }
}
