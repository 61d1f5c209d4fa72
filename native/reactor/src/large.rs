//! The thread `ms-large`: requests that name very many partitions. A reactor would keep all its clients waiting for one;
//! this thread keeps nobody but those who send more of them. docs/design/data-plane.md has the reasons.

use std::ops::Range;

use ms_partition::{Notifier, Waiter};
use ms_wire::fetch::FetchRequest;
use ms_wire::validate::Scratch;

use crate::conn::CloseReason;
use crate::fetch::{ColdPlan, FetchOrigin, Verdict, WaitingFetch};
use crate::hub::Message;
use crate::ids::{ConnectionId, RequestRef, Seq};
use crate::jobs::JobQueue;
use crate::out::OutQueue;
use crate::produce::{self, AnswerContext, NotGathered, ProduceFrame, WaitingProduce};
use crate::shared::{Shared, Stats, now_ms};
use crate::turn::{Block, RECEIVE_BLOCK, RequestKind, Turn};
use crate::validation::{self, ValidatedFrame};

/// A reactor works on Produces that name so many topics or partitions, and no more.
pub const PRODUCE_MAX: usize = 64;
/// On Fetches that name so many partitions, those of their session included.
pub const FETCH_MAX: usize = 512;
/// And whose frame has so many bytes: what such a frame holds beside partitions is as little.
pub const FETCH_FRAME_MAX: usize = 64 << 10;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LargeKind {
    Produce,
    Fetch,
}

/// A request that is handed over as a whole.
pub struct LargeFrame {
    pub kind: LargeKind,
    pub connection: ConnectionId,
    pub seq: Seq,
    pub listener: u8,
    /// A buffer of the pool that holds the frame.
    pub bytes: Vec<u8>,
    pub frame: Range<usize>,
    pub body: usize,
    pub version: i16,
    pub correlation_id: i32,
    /// The clock of the connection's reactor.
    pub clock_ms: i64,
    pub can_wait: bool,
}

/// What the thread does.
pub enum LargeJob {
    Frame(LargeFrame),
    /// Looks again for a Fetch that waited.
    Fetch {
        waiter: Waiter,
        fetch: Box<WaitingFetch>,
        can_wait: bool,
    },
    /// Answers a Produce whose outcomes are all known by now.
    Answer {
        reactor: u16,
        request: RequestRef,
        listener: u8,
        waiting: Box<WaitingProduce>,
    },
    /// Nobody waits for this Fetch any more.
    Forget {
        waiter: Waiter,
        fetch: Box<WaitingFetch>,
    },
}

/// What has become of a request.
pub enum LargeOutcome {
    /// The answer, nothing for who wants none; and whether the connection ends behind it.
    Answered { answer: OutQueue, closing: Option<CloseReason> },
    /// The frame cannot be read.
    Malformed,
    /// It is entered with every partition that may bring more.
    Waits(Box<WaitingFetch>),
    /// Appended, and not acknowledged by then.
    Appended { waiting: Box<WaitingProduce>, deadline_ms: i64 },
}

/// Requests that wait for the thread; what comes of one comes as `Message::Large`.
pub type LargeQueue = JobQueue<LargeJob>;

/// The body of the thread.
pub fn run(shared: &Shared) {
    while let Some(job) = shared.large.next() {
        job.run(shared);
    }
}

impl LargeJob {
    pub fn run(self, shared: &Shared) {
        let mut buffer = Vec::new();
        let (reactor, request, outcome) = match self {
            LargeJob::Frame(frame) => {
                let reactor = frame.connection.reactor();
                let (local, seq) = (frame.connection.local(), frame.seq);
                let outcome;
                (outcome, buffer) = match frame.kind {
                    LargeKind::Produce => produce(shared, frame),
                    LargeKind::Fetch => fetch(shared, frame),
                };
                (reactor, RequestRef { local, seq, ordinal: 0 }.pack(), outcome)
            }
            LargeJob::Fetch { waiter, fetch, can_wait } => {
                (usize::from(waiter.reactor), waiter.id, look(shared, waiter, fetch, can_wait))
            }
            LargeJob::Answer { reactor, request, listener, waiting } => {
                (usize::from(reactor), request.pack(), answered(shared, &waiting, listener))
            }
            LargeJob::Forget { waiter, mut fetch } => return fetch.cancel(waiter),
        };
        shared.hub.send(reactor, Message::Large { request, outcome, buffer });
    }
}

/// A turn of one request, as a reactor has it of many. Gives the frame's buffer back as well.
fn produce(shared: &Shared, frame: LargeFrame) -> (LargeOutcome, Vec<u8>) {
    let LargeFrame { connection, seq, body, version, correlation_id, listener, .. } = frame;
    let reactor = connection.reactor() as u16;
    let topology = shared.topology.load();
    let mut turn = Turn::default();
    let block = RECEIVE_BLOCK + 1;
    turn.blocks.push(Block { bytes: Vec::new(), owner: None });
    turn.blocks.push(Block { bytes: frame.bytes, owner: None });
    let mut produce = ProduceFrame {
        connection,
        reactor,
        seq,
        block,
        frame: frame.frame,
        body,
        version,
        correlation_id,
        verdicts: Vec::new(),
    };
    let mut scratch = Scratch::default();
    let mut gather = |turn: &mut Turn, produce: &mut ProduceFrame| {
        produce::gather(turn, produce, shared, &topology, now_ms(), &mut scratch, usize::MAX)
    };
    let mut gathered = gather(&mut turn, &mut produce);
    if let Err(NotGathered::Long(partitions)) = gathered {
        validate(shared, &mut turn.blocks[block].bytes, &mut produce, partitions);
        gathered = gather(&mut turn, &mut produce);
    }
    let outcome = match gathered {
        Ok(()) => append(shared, &mut turn, reactor),
        Err(_) => None,
    };
    let bytes = turn.blocks.pop().map_or_else(Vec::new, |block| block.bytes);
    // Hundreds of bytes a partition, while the answer is made.
    drop(turn);
    let outcome = match outcome {
        None => LargeOutcome::Malformed,
        Some((waiting, _)) if waiting.is_complete() => answered(shared, &waiting, listener),
        Some((waiting, timeout_ms)) => {
            let deadline_ms = frame.clock_ms + i64::from(timeout_ms.max(0));
            LargeOutcome::Appended { waiting, deadline_ms }
        }
    };
    (outcome, bytes)
}

fn validate(shared: &Shared, bytes: &mut Vec<u8>, produce: &mut ProduceFrame, partitions: usize) {
    let mut validated = ValidatedFrame {
        connection: produce.connection,
        seq: produce.seq,
        bytes: std::mem::take(bytes),
        frame: produce.frame.clone(),
        body: produce.body,
        version: produce.version,
        correlation_id: produce.correlation_id,
        partitions,
        verdicts: std::mem::take(&mut produce.verdicts),
    };
    validation::validate(shared, &mut validated);
    *bytes = validated.bytes;
    produce.verdicts = validated.verdicts;
}

/// Appends the one request of a turn: what its answer needs, and how long it may wait for the rest of that.
fn append(shared: &Shared, turn: &mut Turn, reactor: u16) -> Option<(Box<WaitingProduce>, i32)> {
    turn.append(now_ms(), reactor);
    for waiter in turn.due.drain(..) {
        shared.hub.wake(waiter);
    }
    let request = turn.requests.pop()?;
    let RequestKind::Produce { acks, timeout_ms, ref again, .. } = request.kind else {
        return None;
    };
    Stats::add(&shared.stats.produce_requests, 1);
    Stats::add(&shared.stats.produce_batches, turn.items.len() as u64);
    let frame = &turn.blocks[request.block].bytes[request.frame.clone()];
    let topology = shared.topology.load();
    let items = &mut turn.items;
    let waiting = WaitingProduce::new(&request, acks, again.as_ref(), frame, items, &topology);
    Some((Box::new(waiting), timeout_ms))
}

fn answered(shared: &Shared, waiting: &WaitingProduce, listener: u8) -> LargeOutcome {
    let mut answer = OutQueue::in_blocks();
    waiting.answer(&mut answer, AnswerContext { topology: &shared.topology.load(), listener });
    let closing = waiting.is_refused_in_silence().then_some(CloseReason::Refused);
    LargeOutcome::Answered { answer, closing }
}

fn fetch(shared: &Shared, frame: LargeFrame) -> (LargeOutcome, Vec<u8>) {
    let LargeFrame { connection, seq, version, correlation_id, listener, clock_ms, .. } = frame;
    let bytes = &frame.bytes[frame.frame];
    let Ok(request) = FetchRequest::parse(bytes, version, frame.body) else {
        return (LargeOutcome::Malformed, frame.bytes);
    };
    let now_ms = now_ms();
    let origin = FetchOrigin { version, correlation_id, listener, clock_ms, now_ms };
    let topology = shared.topology.load();
    let fetch = WaitingFetch::new(&request, &origin, shared, &topology, usize::MAX);
    let Some(fetch) = fetch.filter(|fetch| !fetch.is_refused()) else {
        let closing = Some(CloseReason::Refused);
        let outcome = LargeOutcome::Answered { answer: OutQueue::new(), closing };
        return (outcome, frame.bytes);
    };
    let id = RequestRef { local: connection.local(), seq, ordinal: 0 }.pack();
    let waiter = Waiter { reactor: connection.reactor() as u16, id };
    let can_wait = frame.can_wait && fetch.deadline_ms > clock_ms;
    (look(shared, waiter, Box::new(fetch), can_wait), frame.bytes)
}

/// Reads the partitions of a Fetch, and answers or waits.
fn look(
    shared: &Shared,
    waiter: Waiter,
    mut fetch: Box<WaitingFetch>,
    can_wait: bool,
) -> LargeOutcome {
    match fetch.poll(waiter, can_wait) {
        Verdict::Answer => {}
        Verdict::Wait => return LargeOutcome::Waits(fetch),
        Verdict::Locate(plans) => fetch.take_plans(plans.into_iter().map(ColdPlan::run).collect()),
    }
    let mut answer = OutQueue::in_blocks();
    fetch.answer(&mut answer, shared, &shared.topology.load(), now_ms(), None);
    LargeOutcome::Answered { answer, closing: None }
}
