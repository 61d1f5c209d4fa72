//! Produce: from a frame to batches of the turn, and from their outcomes to the answer.

use std::ops::Range;
use std::sync::atomic::Ordering;

use hashbrown::HashMap;
use ms_partition::{AppendDone, ReplySlot};
use ms_wire::cursor::WireError;
use ms_wire::error_code;
use ms_wire::header::{finish_frame, put_response_header, start_frame};
use ms_wire::leader::NodeEndpoint;
use ms_wire::produce::ProduceRequest;
use ms_wire::produce_response::{ProducePartitionResponse, ProduceResponseWriter};
use ms_wire::topic::TopicKey;
use ms_wire::validate::{BatchRejection, Budget, Scratch, validate_within};

use crate::fetch::add_endpoint;
use crate::ids::{ConnectionId, ORDINALS, RequestRef, Seq};
use crate::large::PRODUCE_MAX;
use crate::named_again::NamedAgain;
use crate::out::OutQueue;
use crate::shared::Shared;
use crate::topology::{TopicRef, Topology};
use crate::turn::{Item, Outcome, RequestKind, Turn, TurnRequest};
use crate::validation::{self, ProduceFrameParts, Verdict, Weight};

const API_KEY: i16 = 0;
const FIRST_BY_ID: i16 = 13;
const FIRST_WITH_LEADER: i16 = 10;

/// A frame that was found to be a Produce.
pub struct ProduceFrame {
    pub connection: ConnectionId,
    pub reactor: u16,
    pub seq: Seq,
    pub block: usize,
    pub frame: Range<usize>,
    pub body: usize,
    pub version: i16,
    pub correlation_id: i32,
    /// What a worker has found, by ordinal of the partition; empty: not asked.
    pub verdicts: Vec<Option<Verdict>>,
}

/// Why a frame was not put into the turn.
#[derive(Debug)]
pub enum NotGathered {
    /// It cannot be read, or names more partitions than an answer can be put together for: its connection is closed.
    Malformed,
    /// The batches of so many partitions must be validated by a worker first.
    Long(usize),
    /// It names more partitions than who gathers may work on.
    Large,
}

/// Why the partitions of a frame are not entered.
enum NotEntered {
    Malformed,
    Large,
    /// Some of the batches, for so many partitions, are compressed and not yet validated.
    Compressed {
        partitions: usize,
        is_long: bool,
    },
}

impl From<WireError> for NotEntered {
    fn from(_: WireError) -> Self {
        Self::Malformed
    }
}

/// Puts a Produce into the turn, if it names no more than `max` topics or partitions: finds its partitions, validates its
/// batches.
/// No allocation for a request whose batches are plain.
pub fn gather(
    turn: &mut Turn,
    frame: &mut ProduceFrame,
    shared: &Shared,
    topology: &Topology,
    now_ms: i64,
    scratch: &mut Scratch,
    max: usize,
) -> Result<(), NotGathered> {
    let first_item = turn.items.len();
    let checks_compressed = shared.config.producer_check_compressed;
    let find = |turn: &mut Turn, frame: &ProduceFrame, bytes: &[u8]| {
        find_partitions(turn, frame, bytes, topology, max, checks_compressed)
    };
    // The bytes leave the turn while it is filled, and come back whatever happens.
    let mut bytes = std::mem::take(&mut turn.blocks[frame.block].bytes);
    let gathered = match find(turn, frame, &bytes) {
        Err(NotEntered::Compressed { partitions, is_long }) => {
            let (body, version) = (frame.body, frame.version);
            let parts =
                ProduceFrameParts { frame: frame.frame.clone(), body, version, topology, now_ms };
            let (verdicts, taken) = (&mut frame.verdicts, &mut turn.inline_output);
            if is_long || !validation::inline(&parts, &mut bytes, verdicts, taken, scratch) {
                Err(NotGathered::Long(partitions))
            } else {
                let entered = find(turn, frame, &bytes);
                entered.map_err(|_| NotGathered::Malformed)
            }
        }
        Err(NotEntered::Large) => Err(NotGathered::Large),
        entered => entered.map_err(|_| NotGathered::Malformed),
    };
    if gathered.is_ok() {
        // Compressed batches have their verdict, or are not looked into.
        let budget = Budget::of_output(0);
        let mut validator =
            Validator { bytes: &mut bytes, version: frame.version, now_ms, scratch, budget };
        let is_short_of_space = shared.is_short_of_space.load(Ordering::Relaxed);
        for at in first_item..turn.items.len() {
            let known = frame.verdicts.get_mut(at - first_item).and_then(Option::take);
            validator.validate(turn, at, known, is_short_of_space);
        }
    }
    turn.blocks[frame.block].bytes = bytes;
    gathered
}

fn find_partitions(
    turn: &mut Turn,
    frame: &ProduceFrame,
    bytes: &[u8],
    topology: &Topology,
    max: usize,
    checks_compressed: bool,
) -> Result<(), NotEntered> {
    let first_item = turn.items.len();
    let (version, body) = (frame.version, frame.body);
    let parsed = ProduceRequest::parse_up_to(&bytes[frame.frame.clone()], version, body, max)?;
    let request = parsed.ok_or(NotEntered::Large)?;
    if request.partition_count >= ORDINALS {
        return Err(NotEntered::Malformed);
    }
    if frame.verdicts.is_empty() && checks_compressed {
        let weight = validation::weight(&request, &bytes[frame.frame.clone()]);
        if weight != Weight::Plain {
            let (partitions, is_long) = (request.partition_count, weight == Weight::Long);
            return Err(NotEntered::Compressed { partitions, is_long });
        }
    }
    let again = NamedAgain::of(&request);
    if again.is_none() {
        turn.items.reserve(request.partition_count);
    }
    let mut place = 0..;
    for topic in request.topics() {
        let found = topology.topic(&topic.key);
        for (partition, place) in topic.partitions().zip(&mut place) {
            if NamedAgain::supersedes(again.as_ref(), place) {
                continue;
            }
            let at = turn.items.len();
            let ordinal = (at - first_item) as u16;
            let local = frame.connection.local();
            let id = RequestRef { local, seq: frame.seq, ordinal }.pack();
            let slot = ReplySlot { reactor: frame.reactor, id };
            let range = partition.records.clone().unwrap_or(0..0);
            let range = frame.frame.start + range.start..frame.frame.start + range.end;
            turn.items.push(Item::new(frame.block, range, request.acks, slot));
            let refusal = match found {
                None => Err(unknown_topic(&topic.key)),
                Some(found) => found.partition(partition.index),
            };
            match refusal {
                Err(code) => turn.items[at].outcome = Some(Outcome::error(code)),
                Ok(_) if !matches!(request.acks, -1..=1) => {
                    let outcome = Outcome::error(error_code::INVALID_REQUIRED_ACKS);
                    turn.items[at].outcome = Some(outcome);
                }
                Ok(_) if found.is_some_and(|topic| topic.is_internal) => {
                    let outcome = Outcome::error(error_code::INVALID_TOPIC_EXCEPTION);
                    turn.items[at].outcome = Some(outcome);
                }
                Ok(_) if partition.records.is_none() => {
                    let outcome = Outcome::rejected(BatchRejection::null_records());
                    turn.items[at].outcome = Some(outcome);
                }
                Ok(partition) => turn.touch(at, partition),
            }
        }
    }
    let items = turn.items.len() - first_item;
    let (acks, timeout_ms) = (request.acks, request.timeout_ms);
    turn.requests.push(TurnRequest {
        connection: frame.connection,
        seq: frame.seq,
        kind: RequestKind::Produce { acks, timeout_ms, first_item, items, again },
        block: frame.block,
        frame: frame.frame.clone(),
        body: frame.body,
        version: frame.version,
        correlation_id: frame.correlation_id,
    });
    Ok(())
}

struct Validator<'a> {
    /// The block of the request.
    bytes: &'a mut [u8],
    version: i16,
    now_ms: i64,
    scratch: &'a mut Scratch,
    budget: Budget,
}

impl Validator<'_> {
    fn validate(
        &mut self,
        turn: &mut Turn,
        at: usize,
        known: Option<Verdict>,
        is_short_of_space: bool,
    ) {
        if turn.items[at].outcome.is_some() {
            return;
        }
        let Some(partition) = turn.partition_of(&turn.items[at]) else { return };
        let mut rules = **partition.rules();
        rules.produce_version = self.version;
        let log_start = partition.log_start_offset();
        let item = &mut turn.items[at];
        let range = item.range.clone();
        let records = &mut self.bytes[range.clone()];
        let verdict = match known {
            Some(verdict) => verdict.map(Some),
            None => {
                let budget = &mut self.budget;
                let now_ms = validation::time_for(&rules, self.now_ms);
                validate_within(records, &rules, now_ms, self.scratch, budget)
            }
        };
        match verdict {
            Err(rejection) => {
                let log_start = if rejection.is_of_log { log_start } else { -1 };
                let mut outcome = Outcome::rejected(rejection);
                outcome.done.log_start_offset = log_start;
                item.outcome = Some(outcome);
            }
            // Its partition came here while the others were validated: the client asks again.
            Ok(None) => item.outcome = Some(Outcome::error(error_code::NOT_LEADER_OR_FOLLOWER)),
            // There are no transactions yet. What the request says of one counts for such batches only.
            Ok(Some(batch)) if batch.is_transactional => {
                item.outcome = Some(Outcome::error(error_code::INVALID_TXN_STATE));
            }
            Ok(Some(_)) if is_short_of_space => {
                item.outcome = Some(Outcome::error(error_code::KAFKA_STORAGE_ERROR));
            }
            Ok(Some(batch)) => {
                item.range = range.start + batch.range.start..range.start + batch.range.end;
                item.batch = Some(batch);
            }
        }
    }
}

fn unknown_topic(key: &TopicKey<'_>) -> i16 {
    match key {
        TopicKey::Name(_) => error_code::UNKNOWN_TOPIC_OR_PARTITION,
        TopicKey::Id(_) => error_code::UNKNOWN_TOPIC_ID,
    }
}

/// What every answer needs to know.
#[derive(Clone, Copy)]
pub struct AnswerContext<'a> {
    pub topology: &'a Topology,
    pub listener: u8,
}

/// Encodes the answer of a request whose outcomes are all known; `frame` is its request. No allocation beyond `out`.
pub fn answer(
    out: &mut OutQueue,
    request: &TurnRequest,
    frame: &[u8],
    outcomes: &[Item],
    context: AnswerContext<'_>,
) {
    // The structure was checked when the request was gathered.
    let Ok(produce) = ProduceRequest::parse(frame, request.version, request.body) else { return };
    let out = out.bytes();
    let start = start_frame(out);
    put_response_header(out, API_KEY, request.version, request.correlation_id);
    let writer = ProduceResponseWriter::start(out, request.version, produce.topic_count);
    let mut outcomes = outcomes.iter();
    let mut endpoints = Vec::new();
    for topic in produce.topics() {
        writer.topic(out, topic.key, topic.partition_count);
        for partition in topic.partitions() {
            let Some(outcome) = outcomes.next().and_then(|item| item.outcome.as_ref()) else {
                return;
            };
            let put = PutPartition { writer: &writer, version: request.version, context };
            put.put(out, partition.index, outcome, &topic.key, &mut endpoints);
        }
        writer.end_topic(out);
    }
    writer.finish(out, 0, &endpoints);
    finish_frame(out, start, 0);
}

struct PutPartition<'a> {
    writer: &'a ProduceResponseWriter,
    version: i16,
    context: AnswerContext<'a>,
}

impl PutPartition<'_> {
    fn put(
        &self,
        out: &mut Vec<u8>,
        index: i32,
        outcome: &Outcome,
        key: &TopicKey<'_>,
        endpoints: &mut Vec<NodeEndpoint>,
    ) {
        let done = &outcome.done;
        let mut response = ProducePartitionResponse::error(index, done.error_code);
        response.base_offset = done.base_offset;
        response.log_append_time_ms = done.log_append_time_ms;
        response.log_start_offset = done.log_start_offset;
        if let Some(rejection) = &outcome.rejection
            && rejection.has_words
        {
            response.record_errors = &rejection.record_errors;
            response.error_message = Some(&rejection.message);
        }
        if done.error_code == error_code::NOT_LEADER_OR_FOLLOWER
            && self.version >= FIRST_WITH_LEADER
        {
            let AnswerContext { topology, listener } = self.context;
            response.current_leader = topology.topic(key).and_then(|topic| topic.leader(index));
            if let Some(leader) = response.current_leader {
                add_endpoint(endpoints, topology, leader.leader_id, listener);
            }
        }
        self.writer.partition(out, &response);
    }
}

/// A Produce that was appended and is not acknowledged yet, that was left to who has the lock of a partition, or whose
/// answer cannot follow the request.
pub struct WaitingProduce {
    acks: i16,
    version: i16,
    correlation_id: i32,
    topics: Vec<WaitingTopic>,
    outcomes: Vec<Option<Outcome>>,
    missing: usize,
}

struct WaitingTopic {
    topic: TopicRef,
    /// Index and ordinal.
    partitions: Vec<(i32, u16)>,
}

impl WaitingTopic {
    /// The topics of a request, each once, with their partitions, each once and where it is named last.
    fn all_of(
        produce: &ProduceRequest<'_>,
        again: Option<&NamedAgain>,
        topology: &Topology,
    ) -> Vec<Self> {
        let mut topics: Vec<Self> = Vec::with_capacity(produce.topic_count);
        let mut by_key = HashMap::new();
        let (mut place, mut ordinal) = (0.., 0..=u16::MAX);
        for named in produce.topics() {
            let all = named.partitions().zip(&mut place);
            let counted = all.filter(|(_, place)| !NamedAgain::supersedes(again, *place));
            let indexes = counted.map(|(partition, _)| partition.index);
            let partitions: Vec<_> = indexes.zip(&mut ordinal).collect();
            let next = topics.len();
            let at = match again {
                None => next,
                Some(_) if partitions.is_empty() => continue,
                Some(_) => *by_key.entry(named.key).or_insert(next),
            };
            if at == next {
                topics.push(Self { topic: topology.topic_ref(&named.key), partitions });
            } else {
                topics[at].partitions.extend(partitions);
            }
        }
        topics
    }
}

impl WaitingProduce {
    /// Keeps what the answer needs; the frame is gone after the turn.
    pub fn new(
        request: &TurnRequest,
        acks: i16,
        again: Option<&NamedAgain>,
        frame: &[u8],
        items: &mut [Item],
        topology: &Topology,
    ) -> Self {
        let topics = ProduceRequest::parse(frame, request.version, request.body)
            .map(|produce| WaitingTopic::all_of(&produce, again, topology))
            .unwrap_or_default();
        let outcomes: Vec<_> = items.iter_mut().map(|item| item.outcome.take()).collect();
        let missing = outcomes.iter().filter(|outcome| outcome.is_none()).count();
        let (version, correlation_id) = (request.version, request.correlation_id);
        Self { acks, version, correlation_id, topics, outcomes, missing }
    }

    /// Whether the outcomes of all partitions are known.
    pub fn is_complete(&self) -> bool {
        self.missing == 0
    }

    /// Enters the outcome of one partition; true when none is missing any more.
    pub fn complete(&mut self, ordinal: u16, done: AppendDone) -> bool {
        if let Some(outcome @ None) = self.outcomes.get_mut(usize::from(ordinal)) {
            *outcome = Some(Outcome { done, rejection: None });
            self.missing -= 1;
        }
        self.is_complete()
    }

    /// What is still missing fails with this error.
    pub fn fail(&mut self, error_code: i16) {
        for outcome in self.outcomes.iter_mut().filter(|outcome| outcome.is_none()) {
            *outcome = Some(Outcome::error(error_code));
        }
        self.missing = 0;
    }

    /// Whether it failed and its client wants no answer.
    pub fn is_refused_in_silence(&self) -> bool {
        self.acks == 0 && self.outcomes.iter().flatten().any(Outcome::is_error)
    }

    /// Whether it has more partitions than a reactor answers.
    pub fn is_large(&self) -> bool {
        self.outcomes.len() > PRODUCE_MAX
    }

    pub fn wants_answer(&self) -> bool {
        self.acks != 0
    }

    pub fn answer(&self, out: &mut OutQueue, context: AnswerContext<'_>) {
        if self.acks == 0 {
            return;
        }
        let by_id = self.version >= FIRST_BY_ID;
        let start = start_frame(out.bytes());
        put_response_header(out.bytes(), API_KEY, self.version, self.correlation_id);
        let writer = ProduceResponseWriter::start(out.bytes(), self.version, self.topics.len());
        let mut endpoints = Vec::new();
        for topic in &self.topics {
            let key = topic.topic.key(by_id);
            writer.topic(out.bytes(), key, topic.partitions.len());
            for (index, ordinal) in &topic.partitions {
                let Some(Some(outcome)) = self.outcomes.get(usize::from(*ordinal)) else { return };
                let put = PutPartition { writer: &writer, version: self.version, context };
                put.put(out.bytes(), *index, outcome, &key, &mut endpoints);
                out.part();
            }
            writer.end_topic(out.bytes());
        }
        writer.finish(out.bytes(), 0, &endpoints);
        out.finish_frame(start, 0);
    }
}
