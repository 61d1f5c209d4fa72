//! Validation of batches that decompress to much: on a worker, while the gate of their connection is closed.

use std::ops::Range;
use std::sync::Arc;

use ms_wire::batch::BatchHeader;
use ms_wire::error_code;
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
    /// By ordinal of the partition; `None`: it has no batch that could be validated.
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
pub fn on_worker(shared: &Arc<Shared>, frame: ValidatedFrame) {
    let shared_then = Arc::clone(shared);
    let job = Box::new(move || {
        let reactor = frame.connection.reactor();
        let give_back = |frame| shared_then.hub.send(reactor, Message::Validated(Box::new(frame)));
        let mut owed = OwedFrame { frame: Some(frame), give_back };
        owed.work(|frame| validate(&shared_then, frame));
    });
    shared.hub.work.push(LANE, Job::Run(job));
}

/// What a frame says of its partitions until they are validated: all are refused.
pub fn not_validated(partitions: usize) -> Vec<Option<Verdict>> {
    let refusal = || BatchRejection {
        error_code: error_code::UNKNOWN_SERVER_ERROR,
        message: "the batch could not be validated".into(),
        record_errors: Vec::new(),
    };
    (0..partitions).map(|_| Some(Err(refusal()))).collect()
}

/// The frame goes back even when the work panics: the gate of its connection is closed until then.
struct OwedFrame<F: FnMut(ValidatedFrame)> {
    frame: Option<ValidatedFrame>,
    give_back: F,
}

impl<F: FnMut(ValidatedFrame)> OwedFrame<F> {
    fn work(&mut self, validate: impl FnOnce(&mut ValidatedFrame) -> Option<Vec<Option<Verdict>>>) {
        if let Some(frame) = &mut self.frame
            && let Some(verdicts) = validate(frame)
        {
            frame.verdicts = verdicts;
        }
    }
}

impl<F: FnMut(ValidatedFrame)> Drop for OwedFrame<F> {
    fn drop(&mut self) {
        if let Some(frame) = self.frame.take() {
            (self.give_back)(frame);
        }
    }
}

// `None` for a frame that cannot be read, which its reactor has read before.
fn validate(shared: &Shared, validated: &mut ValidatedFrame) -> Option<Vec<Option<Verdict>>> {
    let topology = shared.topology.load();
    let frame = &validated.bytes[validated.frame.clone()];
    let request = ProduceRequest::parse(frame, validated.version, validated.body).ok()?;
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
    Some(verdicts.collect())
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;

    #[test]
    fn a_frame_whose_validation_panics_goes_back_with_all_its_batches_refused() {
        let given_back = RefCell::new(None);
        let give_back = |frame| _ = given_back.replace(Some(frame));
        let frame = ValidatedFrame {
            connection: ConnectionId::new(0, 1, 2),
            seq: Seq::from_u32(3),
            bytes: vec![1; 16],
            frame: 0..16,
            body: 8,
            version: 9,
            correlation_id: 4,
            verdicts: not_validated(2),
        };
        let work = AssertUnwindSafe(|| {
            let mut owed = OwedFrame { frame: Some(frame), give_back };
            owed.work(|_| panic!("on purpose"));
        });
        assert!(catch_unwind(work).is_err());
        let frame: ValidatedFrame = given_back.take().expect("the frame");
        assert_eq!(frame.bytes.len(), 16);
        let codes: Vec<_> = frame.verdicts.into_iter().map(|v| v.unwrap().unwrap_err()).collect();
        let codes: Vec<_> = codes.iter().map(|rejection| rejection.error_code).collect();
        assert_eq!(codes, [error_code::UNKNOWN_SERVER_ERROR; 2]);
    }
}
