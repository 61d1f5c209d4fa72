//! Validation of batches that decompress to much: on a worker, while the gate of their connection is closed.

use std::ops::Range;
use std::sync::Arc;

use ms_wire::batch::BatchHeader;
use ms_wire::produce::ProduceRequest;
use ms_wire::validate::{BatchRejection, Scratch, ValidBatch, validate_records};
use ms_wire::walk::output_estimate;

use crate::hub::Message;
use crate::ids::{ConnectionId, Seq};
use crate::shared::{Shared, now_ms};
use crate::workers::Job;

/// A reactor decompresses so much by itself.
const INLINE_MAX: usize = 64 << 10;
/// The lane of the worker that prefers validation.
const LANE: u32 = 0;
/// Offset of the low byte of a batch's attributes, and the bits of it that name a codec.
const ATTRIBUTES_AT: usize = 22;
const CODEC_BITS: u8 = 7;

/// A Produce on its way through a worker.
pub struct ValidatedFrame {
    pub connection: ConnectionId,
    pub seq: Seq,
    /// A buffer of the pool that holds the frame.
    pub bytes: Vec<u8>,
    pub frame: Range<usize>,
    pub body: usize,
    pub version: i16,
    pub correlation_id: i32,
    /// By ordinal of the partition; `None`: not validated.
    pub verdicts: Vec<Option<Verdict>>,
}

pub type Verdict = Result<ValidBatch, BatchRejection>;

/// Whether validating a request would keep a reactor too long. A few nanoseconds for plain batches.
pub fn is_long(request: &ProduceRequest<'_>, frame: &[u8]) -> bool {
    let mut output = 0_usize;
    for topic in request.topics() {
        for partition in topic.partitions() {
            let Some(range) = partition.records else { continue };
            let records = &frame[range];
            if records.get(ATTRIBUTES_AT).is_some_and(|attributes| attributes & CODEC_BITS != 0)
                && let Ok(header) = BatchHeader::parse(records)
            {
                output = output.saturating_add(output_estimate(records, &header));
            }
        }
    }
    output > INLINE_MAX
}

/// Validates the frame's batches on a worker; it comes back as `Message::Validated`.
pub fn on_worker(shared: &Arc<Shared>, mut validated: ValidatedFrame) {
    let shared_then = Arc::clone(shared);
    let job = Box::new(move || {
        validated.verdicts = validate(&shared_then, &mut validated);
        let reactor = validated.connection.reactor();
        shared_then.hub.send(reactor, Message::Validated(Box::new(validated)));
    });
    shared.hub.work.push(LANE, Job::Run(job));
}

fn validate(shared: &Shared, validated: &mut ValidatedFrame) -> Vec<Option<Verdict>> {
    let topology = shared.topology.load();
    let frame = &validated.bytes[validated.frame.clone()];
    let Ok(request) = ProduceRequest::parse(frame, validated.version, validated.body) else {
        return Vec::new();
    };
    let mut work = Vec::with_capacity(request.partition_count);
    for topic in request.topics() {
        let found = topology.topic(&topic.key);
        for partition in topic.partitions() {
            let hosted = found.and_then(|topic| topic.partition(partition.index).ok());
            work.push(partition.records.zip(hosted.map(|hosted| **hosted.rules())));
        }
    }
    let mut scratch = Scratch::default();
    let now_ms = now_ms();
    let verdicts = work.into_iter().map(|item| {
        let (range, mut rules) = item?;
        rules.produce_version = validated.version;
        let start = validated.frame.start;
        let records = &mut validated.bytes[start + range.start..start + range.end];
        Some(validate_records(records, &rules, now_ms, &mut scratch))
    });
    verdicts.collect()
}
