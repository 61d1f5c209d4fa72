//! Validation of compressed batches: by the reactor within a budget, beyond it on a worker while the gate of their
//! connection is closed. What comes out is counted, not estimated, and bounded for a request as a whole.

use std::ops::Range;
use std::sync::Arc;

use ms_wire::batch::{BatchHeader, TimestampType};
use ms_wire::produce::ProduceRequest;
use ms_wire::validate::{
    BatchRejection, Budget, Scratch, ValidBatch, ValidationRules, validate_within,
};
use ms_wire::walk::output_estimate;

use crate::hub::Message;
use crate::ids::{ConnectionId, Seq};
use crate::named_again::NamedAgain;
use crate::shared::{Shared, now_ms};
use crate::topology::Topology;
use crate::workers::Job;

/// A reactor decompresses so much of a request by itself, and so much in a turn.
const INLINE_MAX: usize = 64 << 10;
const INLINE_TURN_MAX: usize = 256 << 10;
/// A request may decompress to so much, or to so many times its size: more is refused, as a batch is that is too large.
const OUTPUT_FLOOR: usize = 64 << 20;
const OUTPUT_RATIO: usize = 128;
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
    pub partitions: usize,
    /// By ordinal of the partition, as far as they are known; `None`: it has no batch that could be validated.
    pub verdicts: Vec<Option<Verdict>>,
}

pub type Verdict = Result<ValidBatch, BatchRejection>;

/// What decompressing the batches of a request will take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// None is compressed.
    Plain,
    /// Little, if the batches are as they claim.
    Short,
    Long,
}

/// What the headers of a request's batches say. A few nanoseconds for plain batches.
pub fn weight(request: &ProduceRequest<'_>, frame: &[u8]) -> Weight {
    let mut output = 0_usize;
    let mut weight = Weight::Plain;
    for topic in request.topics() {
        for partition in topic.partitions() {
            let Some(range) = partition.records else { continue };
            let records = &frame[range];
            if records.get(ATTRIBUTES_AT).is_some_and(|attributes| attributes & CODEC_BITS != 0)
                && let Ok(header) = BatchHeader::parse(records)
            {
                weight = Weight::Short;
                output = output.saturating_add(output_estimate(records, &header));
            }
        }
    }
    if output > INLINE_MAX { Weight::Long } else { weight }
}

/// The batches of a request, found before one is validated.
struct Batches {
    /// Where the frame is in its buffer.
    frame: usize,
    version: i16,
    by_ordinal: Vec<Option<(Range<usize>, ValidationRules)>>,
}

impl Batches {
    fn of(request: &ProduceRequest<'_>, frame: usize, version: i16, topology: &Topology) -> Self {
        let mut by_ordinal = Vec::new();
        let again = NamedAgain::of(request);
        let mut place = 0..;
        for topic in request.topics() {
            let found = topology.topic(&topic.key);
            for (partition, place) in topic.partitions().zip(&mut place) {
                if NamedAgain::supersedes(again.as_ref(), place) {
                    continue;
                }
                let hosted = found.and_then(|topic| topic.partition(partition.index).ok());
                by_ordinal.push(partition.records.zip(hosted.map(|hosted| **hosted.rules())));
            }
        }
        Self { frame, version, by_ordinal }
    }

    /// Goes on behind the last verdict; false when the budget ends before the batches do.
    fn validate(
        &self,
        bytes: &mut [u8],
        verdicts: &mut Vec<Option<Verdict>>,
        budget: &mut Budget,
        now_ms: i64,
        scratch: &mut Scratch,
    ) -> bool {
        for batch in &self.by_ordinal[verdicts.len()..] {
            let Some((range, rules)) = batch else {
                verdicts.push(None);
                continue;
            };
            let records = &mut bytes[self.frame + range.start..self.frame + range.end];
            let rules = ValidationRules { produce_version: self.version, ..*rules };
            let now_ms = time_for(&rules, now_ms);
            let verdict = match validate_within(records, &rules, now_ms, scratch, budget) {
                Ok(None) => return false,
                Ok(Some(valid)) => Ok(valid),
                Err(rejection) => Err(rejection),
            };
            verdicts.push(Some(verdict));
        }
        true
    }
}

/// The time at which a batch is validated. The clock of the turn was read before the turn received the request; the
/// time that LogAppendTime gives a record is not before its producer sent it.
pub fn time_for(rules: &ValidationRules, turn_ms: i64) -> i64 {
    match rules.timestamp_type {
        TimestampType::LogAppendTime => now_ms(),
        TimestampType::CreateTime => turn_ms,
    }
}

/// Validates the batches of a short request at once, within what is left of the turn's budget. False when it is not enough:
/// a worker goes on behind the last verdict.
pub fn inline(
    request: &ProduceFrameParts<'_>,
    bytes: &mut [u8],
    verdicts: &mut Vec<Option<Verdict>>,
    taken_in_turn: &mut usize,
    scratch: &mut Scratch,
) -> bool {
    let ProduceFrameParts { frame, body, version, topology, now_ms } = request;
    let Ok(produce) = ProduceRequest::parse(&bytes[frame.clone()], *version, *body) else {
        return false;
    };
    let batches = Batches::of(&produce, frame.start, *version, topology);
    let may_take = INLINE_MAX.min(INLINE_TURN_MAX.saturating_sub(*taken_in_turn));
    let mut budget = Budget::of_output(may_take);
    let is_done = batches.validate(bytes, verdicts, &mut budget, *now_ms, scratch);
    *taken_in_turn += may_take - budget.output;
    is_done
}

/// Where a Produce is in its buffer, and what it is validated by.
pub struct ProduceFrameParts<'a> {
    pub frame: Range<usize>,
    pub body: usize,
    pub version: i16,
    pub topology: &'a Topology,
    pub now_ms: i64,
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

/// The refusal of a batch whose validation came to no end.
fn not_validated() -> Option<Verdict> {
    Some(Err(BatchRejection::unknown("the batch could not be validated")))
}

/// The frame goes back even when the work panics: the gate of its connection is closed until then.
struct OwedFrame<F: FnMut(ValidatedFrame)> {
    frame: Option<ValidatedFrame>,
    give_back: F,
}

impl<F: FnMut(ValidatedFrame)> OwedFrame<F> {
    fn work(&mut self, validate: impl FnOnce(&mut ValidatedFrame)) {
        if let Some(frame) = &mut self.frame {
            validate(frame);
        }
    }
}

impl<F: FnMut(ValidatedFrame)> Drop for OwedFrame<F> {
    fn drop(&mut self) {
        if let Some(mut frame) = self.frame.take() {
            frame.verdicts.resize_with(frame.partitions, not_validated);
            (self.give_back)(frame);
        }
    }
}

/// Validates what has no verdict yet, however long that takes.
pub fn validate(shared: &Shared, validated: &mut ValidatedFrame) {
    let topology = shared.topology.load();
    let ValidatedFrame { bytes, frame, body, version, verdicts, .. } = validated;
    // Its reactor has read it before.
    let Ok(request) = ProduceRequest::parse(&bytes[frame.clone()], *version, *body) else { return };
    let batches = Batches::of(&request, frame.start, *version, &topology);
    let mut budget = Budget::of_output(OUTPUT_FLOOR.max(frame.len().saturating_mul(OUTPUT_RATIO)));
    let mut scratch = Scratch::default();
    while !batches.validate(bytes, verdicts, &mut budget, now_ms(), &mut scratch) {
        verdicts.push(Some(Err(BatchRejection::too_large())));
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use ms_wire::batch::write_crc;
    use ms_wire::compression::{Codec, compress};
    use ms_wire::error_code;

    use super::*;

    /// One record of so many bytes, compressed.
    fn compressed(value_len: usize) -> Vec<u8> {
        let mut record = vec![0, 0, 0, 1];
        ms_wire::put::put_varint(&mut record, value_len as i32);
        record.resize(record.len() + value_len + 1, 0);
        let mut plain = Vec::new();
        ms_wire::put::put_varint(&mut plain, record.len() as i32);
        plain.extend_from_slice(&record);
        let mut batch = vec![0; 61];
        compress(Codec::Lz4, &plain, &mut batch).unwrap();
        let length = batch.len() as i32 - 12;
        batch[8..12].copy_from_slice(&length.to_be_bytes());
        batch[16] = 2;
        batch[22] = 3;
        batch[43..57].fill(0xff);
        batch[60] = 1;
        write_crc(&mut batch);
        batch
    }

    #[test]
    fn validation_stops_where_its_budget_ends_and_goes_on_from_there() {
        let batch = compressed(40 << 10);
        let size = batch.len();
        let mut bytes = batch.repeat(3);
        let found = |i: usize| Some((i * size..(i + 1) * size, ValidationRules::default()));
        let by_ordinal = vec![found(0), None, found(1), found(2)];
        let batches = Batches { frame: 0, version: 9, by_ordinal };
        let (mut verdicts, mut scratch) = (Vec::new(), Scratch::default());
        let mut budget = Budget::of_output(INLINE_MAX);
        assert!(!batches.validate(&mut bytes, &mut verdicts, &mut budget, 0, &mut scratch));
        assert_eq!((verdicts.len(), budget.output), (2, 0));
        assert_eq!(bytes, batch.repeat(3));
        budget.output = OUTPUT_FLOOR;
        assert!(batches.validate(&mut bytes, &mut verdicts, &mut budget, 0, &mut scratch));
        let are_valid: Vec<_> = verdicts.iter().map(|v| v.as_ref().map(Result::is_ok)).collect();
        assert_eq!(are_valid, [Some(true), None, Some(true), Some(true)]);
        assert!((80 << 10..81 << 10).contains(&(OUTPUT_FLOOR - budget.output)));
    }

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
            partitions: 2,
            verdicts: Vec::new(),
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
