//! Fetch: reading all partitions of a request within its limits, waiting for more, and the answer.

use std::io;
use std::sync::Arc;

use ms_log::{LocateJob, ReadPlan};
use ms_partition::{Isolation, Partition, ReadAnswer, ReadQuery, Waiter};
use ms_wire::error_code;
use ms_wire::fetch::FetchRequest;
use ms_wire::fetch_response::{EpochAndOffset, FetchPartitionResponse, FetchResponseWriter};
use ms_wire::header::{put_response_header, start_frame};
use ms_wire::leader::NodeEndpoint;

use crate::fresh::Fresh;
use crate::large::FETCH_MAX;
use crate::out::OutQueue;
use crate::session::{NotBegun, SessionPartition, SessionUse, TOO_MANY, Told};
use crate::shared::Shared;
use crate::topology::{TopicRef, Topology};

const API_KEY: i16 = 1;
const FIRST_BY_ID: i16 = 13;
const FIRST_WITH_ENDPOINTS: i16 = 16;
/// How often a request is read again at once because something was written meanwhile.
const TRIES: usize = 8;
/// Records in one answer, whatever `fetch.max.bytes` says: the length of a frame has 31 bits.
const BYTES_MAX: usize = 1 << 30;
/// A fetch of more partitions that are not there is not left waiting. Those that are there bound themselves.
const UNKNOWN_MAX: usize = 4096;

/// A Fetch that is being served, now or when there is more to read.
pub struct WaitingFetch {
    version: i16,
    correlation_id: i32,
    listener: u8,
    by_id: bool,
    /// On the reactor's clock.
    pub deadline_ms: i64,
    min_bytes: u64,
    max_bytes: u32,
    isolation: Isolation,
    /// Of the whole response; nothing is read then.
    error_code: i16,
    session: SessionUse,
    partitions: Vec<FetchedPartition>,
    is_waiting: bool,
    /// Headers of frames that must be read by a thread that may wait, by partition.
    cold: Vec<ColdPlan>,
}

/// What to do with a fetch that was looked at.
pub enum Verdict {
    Answer,
    /// The waiter is entered with every partition that may bring more.
    Wait,
    /// Only another thread can tell where the records are; then `take_plans`.
    Locate(Vec<ColdPlan>),
}

/// A read whose place in the files is looked for on another thread.
pub struct ColdPlan {
    at: usize,
    job: LocateJob,
}

/// What `ColdPlan::run` found.
pub struct FoundPlan {
    at: usize,
    plan: io::Result<ReadPlan>,
}

impl ColdPlan {
    /// Waits for the disk.
    pub fn run(self) -> FoundPlan {
        FoundPlan { at: self.at, plan: self.job.run() }
    }
}

struct FetchedPartition {
    of_session: SessionPartition,
    partition: Option<Arc<Partition>>,
    answer: ReadAnswer,
    /// The most that it could give.
    max_bytes: u32,
}

/// What a request comes from.
pub struct FetchOrigin {
    pub version: i16,
    pub correlation_id: i32,
    pub listener: u8,
    /// The reactor's clock.
    pub clock_ms: i64,
    /// Wall clock.
    pub now_ms: i64,
}

impl WaitingFetch {
    /// Takes up a request: its session and its partitions. `None`: they are more than `max`, and nothing was done.
    pub fn new(
        request: &FetchRequest<'_>,
        origin: &FetchOrigin,
        shared: &Shared,
        topology: &Topology,
        max: usize,
    ) -> Option<Self> {
        let options = &request.options;
        let max_bytes = options.max_bytes.clamp(0, i32::MAX) as usize;
        let max_bytes = max_bytes.min(shared.config.fetch_max_bytes).min(BYTES_MAX) as u32;
        let mut fetch = Self {
            version: origin.version,
            correlation_id: origin.correlation_id,
            listener: origin.listener,
            by_id: origin.version >= FIRST_BY_ID,
            deadline_ms: origin.clock_ms + i64::from(options.max_wait_ms.max(0)),
            min_bytes: u64::from(options.min_bytes.max(0) as u32).min(u64::from(max_bytes)),
            max_bytes,
            isolation: match options.isolation_level {
                1 => Isolation::ReadCommitted,
                _ => Isolation::ReadUncommitted,
            },
            error_code: error_code::NONE,
            session: SessionUse::None,
            partitions: Vec::new(),
            is_waiting: false,
            cold: Vec::new(),
        };
        match shared.sessions.begin(request, topology, origin.now_ms, max) {
            Ok((session, partitions)) => {
                fetch.session = session;
                fetch.partitions = partitions.into_iter().map(FetchedPartition::new).collect();
                if matches!(fetch.session, SessionUse::New) {
                    // A session has the order of the answer that it begins with.
                    fetch.partitions.sort_by_key(FetchedPartition::is_unknown);
                }
            }
            Err(NotBegun::Refused(code)) => fetch.error_code = code,
            Err(NotBegun::Large) => return None,
        }
        Some(fetch)
    }

    /// Whether it has more partitions than a reactor works on.
    pub fn is_large(&self) -> bool {
        self.partitions.len() > FETCH_MAX
    }

    /// No answer is given: the request asks for too much.
    pub fn is_refused(&self) -> bool {
        self.error_code == TOO_MANY
    }

    /// Bytes of memory that are kept while it waits.
    pub fn kept_bytes(&self) -> usize {
        let entry = size_of::<FetchedPartition>() + size_of::<(Waiter, i64)>();
        size_of::<Self>() + self.partitions.capacity() * entry
    }

    /// Reads all partitions and says what comes next.
    pub fn poll(&mut self, waiter: Waiter, can_wait: bool) -> Verdict {
        self.cancel(waiter);
        let can_wait = can_wait
            && (self.partitions.len() <= UNKNOWN_MAX
                || self.partitions.iter().filter(|p| p.is_unknown()).count() <= UNKNOWN_MAX);
        for _ in 0..TRIES {
            let bytes = self.read();
            if !self.cold.is_empty() {
                return Verdict::Locate(std::mem::take(&mut self.cold));
            }
            if !can_wait || self.is_due(bytes) {
                return Verdict::Answer;
            }
            if self.wait(waiter) {
                return Verdict::Wait;
            }
            self.cancel(waiter);
        }
        Verdict::Answer
    }

    /// Enters what other threads found; the fetch is to be answered then.
    pub fn take_plans(&mut self, found: Vec<FoundPlan>) {
        for FoundPlan { at, plan } in found {
            let answer = &mut self.partitions[at].answer;
            (answer.plan, answer.error_code) = settle_plan(plan, answer.error_code);
        }
    }

    /// There is no waiting for what other threads would find: it is left to the next fetch.
    pub fn give_up(&mut self, plans: Vec<ColdPlan>) {
        for ColdPlan { at, .. } in plans {
            self.partitions[at].answer.plan = ReadPlan::Empty;
        }
    }

    /// Takes the waiter back from all partitions.
    pub fn cancel(&mut self, waiter: Waiter) {
        if std::mem::take(&mut self.is_waiting) {
            self.hosted().for_each(|(partition, _)| partition.cancel_wait(waiter));
        }
    }

    fn hosted(&self) -> impl Iterator<Item = (&Arc<Partition>, &ReadAnswer)> {
        self.partitions.iter().filter_map(|p| Some((p.partition.as_ref()?, &p.answer)))
    }

    // The bytes are handed out in the order of the request; the first batch at all is given even if it is too large
    // (KIP-74).
    fn read(&mut self) -> u64 {
        let (mut total, mut left) = (0, self.max_bytes);
        for (at, entry) in self.partitions.iter_mut().enumerate() {
            let Some(partition) = &entry.partition else { continue };
            let fetch = &entry.of_session.fetch;
            entry.max_bytes = left.min(fetch.partition_max_bytes.max(0) as u32);
            let query = ReadQuery {
                fetch_offset: fetch.fetch_offset,
                max_bytes: entry.max_bytes,
                at_least_one: total == 0,
                // Any number below zero says that the client knows none.
                current_leader_epoch: fetch.current_leader_epoch.max(-1),
                last_fetched_epoch: fetch.last_fetched_epoch,
                isolation: self.isolation,
            };
            entry.answer = partition.read(&query);
            let mut len = entry.answer.plan.total_bytes();
            if let ReadPlan::Locate(job) = &entry.answer.plan {
                match job.run_cached() {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                        // How much it is comes later; as much as it may be is set aside.
                        len = u64::from(query.max_bytes.max(1));
                        self.cold.push(ColdPlan { at, job: job.clone() });
                    }
                    plan => {
                        let (plan, code) = settle_plan(plan, entry.answer.error_code);
                        len = plan.total_bytes();
                        (entry.answer.plan, entry.answer.error_code) = (plan, code);
                    }
                }
            }
            total += len;
            left = left.saturating_sub(u32::try_from(len).unwrap_or(u32::MAX));
            if self.by_id && entry.answer.error_code == error_code::UNKNOWN_TOPIC_OR_PARTITION {
                entry.answer.error_code = error_code::UNKNOWN_TOPIC_ID;
            }
        }
        total
    }

    fn is_due(&self, bytes: u64) -> bool {
        let mut is_empty = true;
        for (_, answer) in self.hosted() {
            if answer.error_code != error_code::NONE || answer.diverging.is_some() {
                return true;
            }
            is_empty = false;
        }
        is_empty || bytes >= self.min_bytes
    }

    fn wait(&mut self, waiter: Waiter) -> bool {
        self.is_waiting = true;
        self.hosted().all(|(partition, answer)| partition.wait(waiter, answer.high_watermark))
    }

    /// Encodes the answer: heads and tails into the queue's bytes, the records as parts of files, or copied from what the
    /// turn has `received`.
    pub fn answer(
        mut self,
        out: &mut OutQueue,
        shared: &Shared,
        topology: &Topology,
        now_ms: i64,
        received: Option<(&Fresh, &[u8])>,
    ) {
        let mut included = vec![true; self.partitions.len()];
        let session_id = self.tell_session(&mut included, shared, now_ms);
        let start = start_frame(out.bytes());
        put_response_header(out.bytes(), API_KEY, self.version, self.correlation_id);
        if self.error_code != error_code::NONE {
            included.clear();
        }
        let by_id = self.by_id;
        let mut named: Vec<&FetchedPartition> = self
            .partitions
            .iter()
            .zip(&included)
            .filter_map(|(partition, included)| included.then_some(partition))
            .collect();
        named.sort_by_key(|partition| partition.is_unknown());
        let topics = || named.chunk_by(|a, b| a.topic().is_same(b.topic(), by_id));
        let writer = FetchResponseWriter::start(
            out.bytes(),
            self.version,
            0,
            self.error_code,
            session_id,
            topics().count(),
        );
        let mut elsewhere = 0;
        let mut endpoints = Vec::new();
        for partitions in topics() {
            writer.topic(out.bytes(), partitions[0].topic().key(by_id), partitions.len());
            for partition in partitions {
                let answer = &partition.answer;
                let head = self.head(partition, topology, &mut endpoints);
                let len = answer.plan.total_bytes() as usize;
                writer.partition(out.bytes(), &head, Some(len));
                match received.and_then(|(fresh, bytes)| partition.copies(fresh, bytes)) {
                    Some(copies) => copies.iter().for_each(|copy| out.bytes().extend(*copy)),
                    None => {
                        answer.plan.ranges().iter().for_each(|range| out.push_file(range));
                        elsewhere += len;
                    }
                }
                writer.end_partition(out.bytes(), &head);
                out.part();
            }
            writer.end_topic(out.bytes());
        }
        writer.finish(out.bytes(), &endpoints);
        out.finish_frame(start, elsewhere);
    }

    fn head(
        &self,
        partition: &FetchedPartition,
        topology: &Topology,
        endpoints: &mut Vec<NodeEndpoint>,
    ) -> FetchPartitionResponse<'static> {
        let answer = &partition.answer;
        let index = partition.of_session.fetch.partition;
        let mut head = FetchPartitionResponse::error(index, answer.error_code);
        let is_read = answer.error_code == error_code::NONE;
        if is_read {
            head.high_watermark = answer.high_watermark;
            head.last_stable_offset = answer.last_stable_offset;
        }
        // A consumer below the log start learns where the log begins (Kafka leaves it at -1).
        if is_read || answer.error_code == error_code::OFFSET_OUT_OF_RANGE {
            head.log_start_offset = answer.log_start_offset;
        }
        // Of a partition that is here null means: it was not looked for. Of others Kafka has an empty list.
        let is_asked = self.isolation == Isolation::ReadCommitted;
        let is_looked_for = answer.diverging.is_none() && !partition.is_first_too_large();
        let is_listed = is_read && is_asked && is_looked_for;
        if !is_listed && partition.partition.is_some() {
            head.aborted_transactions = None;
        }
        head.diverging_epoch = answer
            .diverging
            .map(|end| EpochAndOffset { epoch: end.leader_epoch, end_offset: end.end_offset });
        let is_about_leader = matches!(
            answer.error_code,
            error_code::NOT_LEADER_OR_FOLLOWER | error_code::FENCED_LEADER_EPOCH
        );
        if is_about_leader
            && self.version >= FIRST_WITH_ENDPOINTS
            && let TopicRef::Known(topic) = partition.topic()
        {
            head.current_leader = topic.leader(index);
            if let Some(leader) = head.current_leader {
                add_endpoint(endpoints, topology, leader.leader_id, self.listener);
            }
        }
        head
    }

    // Which partitions the answer names, and the id of the session it belongs to.
    fn tell_session(&mut self, included: &mut Vec<bool>, shared: &Shared, now_ms: i64) -> i32 {
        match &self.session {
            SessionUse::None => 0,
            SessionUse::New => {
                let mut partitions = Vec::with_capacity(self.partitions.len());
                for entry in &self.partitions {
                    let mut partition = entry.of_session.clone();
                    partition.tell(&entry.told());
                    partitions.push(partition);
                }
                shared.sessions.create(self.version, partitions, now_ms)
            }
            SessionUse::Incremental(session) => {
                let told: Vec<_> = self.partitions.iter().map(FetchedPartition::told).collect();
                match session.answer(&told, included) {
                    Ok(id) => id,
                    Err(code) => {
                        self.error_code = code;
                        0
                    }
                }
            }
        }
    }
}

impl FetchedPartition {
    fn new(of_session: SessionPartition) -> Self {
        let found = match &of_session.topic {
            TopicRef::Known(topic) => topic.partition(of_session.fetch.partition).map(Arc::clone),
            TopicRef::UnknownName(_) => Err(error_code::UNKNOWN_TOPIC_OR_PARTITION),
            TopicRef::UnknownId(_) => Err(error_code::UNKNOWN_TOPIC_ID),
        };
        let code = found.as_ref().err().copied().unwrap_or(error_code::NONE);
        Self { of_session, partition: found.ok(), answer: nothing(code), max_bytes: 0 }
    }

    /// The planned bytes, if the turn has received all of them.
    fn copies<'a>(&self, fresh: &Fresh, received: &'a [u8]) -> Option<Vec<&'a [u8]>> {
        let partition = self.partition.as_ref()?;
        let (offset, len) = (self.of_session.fetch.fetch_offset, self.answer.plan.total_bytes());
        let ranges = fresh.ranges(partition.handle(), offset, len)?;
        Some(ranges.into_iter().map(|range| &received[range]).collect())
    }

    /// There is something to read, and less was asked for than its first batch.
    fn is_first_too_large(&self) -> bool {
        let (answer, offset) = (&self.answer, self.of_session.fetch.fetch_offset);
        let is_empty = answer.plan.total_bytes() == 0;
        is_empty && self.max_bytes > 0 && offset < answer.last_stable_offset
    }

    /// Neither here nor anywhere. Such partitions come last in Kafka's answers.
    fn is_unknown(&self) -> bool {
        self.partition.is_none() && self.answer.error_code != error_code::NOT_LEADER_OR_FOLLOWER
    }

    fn topic(&self) -> &TopicRef {
        &self.of_session.topic
    }

    fn told(&self) -> Told {
        Told {
            error_code: self.answer.error_code,
            high_watermark: self.answer.high_watermark,
            log_start_offset: self.answer.log_start_offset,
            has_records: self.answer.plan.total_bytes() > 0,
            has_diverged: self.answer.diverging.is_some(),
        }
    }
}

fn nothing(error_code: i16) -> ReadAnswer {
    ReadAnswer {
        error_code,
        high_watermark: -1,
        last_stable_offset: -1,
        log_start_offset: -1,
        leader_epoch: -1,
        diverging: None,
        plan: ReadPlan::Empty,
    }
}

/// A plan that came from the files: one that cannot be read is an error of its partition.
fn settle_plan(plan: io::Result<ReadPlan>, error_code: i16) -> (ReadPlan, i16) {
    match plan {
        Ok(plan) => (plan, error_code),
        // Retention took the segment meanwhile: the next fetch is told.
        Err(error) if error.kind() == io::ErrorKind::NotFound => (ReadPlan::Empty, error_code),
        Err(_) => (ReadPlan::Empty, error_code::KAFKA_STORAGE_ERROR),
    }
}

/// Names each node once.
pub fn add_endpoint(
    endpoints: &mut Vec<NodeEndpoint>,
    topology: &Topology,
    node_id: i32,
    listener: u8,
) {
    if !endpoints.iter().any(|known| known.node_id == node_id) {
        endpoints.extend(topology.endpoint(node_id, listener));
    }
}

#[cfg(test)]
mod tests;
