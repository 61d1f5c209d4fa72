//! One pass over the records of a batch, plain or compressed, in bounded memory.
//!
//! A record is `length varint | attributes i8 | timestampDelta varlong | offsetDelta varint |
//! key | value | headerCount varint | headers`, where key, value and the parts of a header are a
//! varint length, -1 for null, and that many bytes.

use std::io;

use thiserror::Error;

use crate::batch::{BatchHeader, HEADER_BYTES};
use crate::compression::{Codec, CodecScratch, Stream};
use crate::record_shape::Shape;
use crate::stream_window::{WINDOW_BYTES, Window};

mod walker;

use walker::Walker;

/// What is wrong inside a batch.
#[derive(Debug, Error)]
pub enum WalkError {
    #[error("record {0} is malformed")]
    Malformed(i32),
    #[error("the length of record {0} does not end")]
    EndlessLength(i32),
    #[error("{declared} records are declared, {found} are there")]
    Missing { declared: i32, found: i32 },
    #[error("bytes are left behind the last record")]
    Leftover,
    #[error("codec {0} is unknown")]
    UnknownCodec(i16),
    #[error("more than {limit} bytes come out")]
    TooLarge { limit: usize },
    #[error("broken {codec:?} data: {source}")]
    Corrupt { codec: Codec, source: io::Error },
}

/// The parts of a record that validation and time look-ups need.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordHead {
    /// Position in the batch, from 0.
    pub index: i32,
    pub offset_delta: i32,
    pub timestamp: i64,
    pub has_key: bool,
}

/// What validation needs to know of records in a row whose offset deltas are their positions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RecordRow {
    pub min_timestamp: i64,
    pub max_timestamp: i64,
    /// Of the first record with that timestamp.
    pub max_timestamp_offset_delta: i32,
    /// All have one, or none.
    pub has_key: bool,
}

/// Whether a walk goes on behind a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    Next,
    Stop,
}

/// What a walk calls for records, in order.
pub(crate) trait Visitor {
    /// Takes records that look alike in rows, not one by one. Only from a batch of CreateTime.
    const TAKES_ROWS: bool = false;

    fn visit(&mut self, head: RecordHead) -> Step;

    /// Takes a row. Where a record of it has no timestamp, none has.
    fn visit_row(&mut self, row: &RecordRow) {
        unreachable!("nobody asked for {row:?}");
    }
}

impl<F: FnMut(RecordHead) -> Step> Visitor for F {
    #[inline(always)]
    fn visit(&mut self, head: RecordHead) -> Step {
        self(head)
    }
}

/// Memory that walks reuse from batch to batch; one for each thread.
#[derive(Debug, Default)]
pub struct Scratch {
    window: Vec<u8>,
    codecs: CodecScratch,
    // Kept because it is large; a walk reads nothing of it that it has not learnt itself.
    shape: Shape,
}

impl Scratch {
    pub(crate) fn codecs(&mut self) -> &mut CodecScratch {
        &mut self.codecs
    }
}

/// Calls `visit` for each record of a whole batch, in order, and checks the structure of each:
/// every length, the number of records, and that nothing is left over, unless `visit` stops the
/// walk. Compressed batches are streamed through 64 KiB; at most `output_limit` bytes may come out.
/// No allocation for plain batches.
pub fn walk_records(
    batch: &[u8],
    header: &BatchHeader,
    output_limit: usize,
    scratch: &mut Scratch,
    visit: impl FnMut(RecordHead) -> Step,
) -> Result<(), WalkError> {
    let mut output_left = output_limit;
    walk_within(batch, header, &mut output_left, scratch, visit)
}

/// `walk_records` that takes what came out of a compressed batch, well formed or not, from
/// `output_left`, which is 0 when it was not enough.
pub(crate) fn walk_within(
    batch: &[u8],
    header: &BatchHeader,
    output_left: &mut usize,
    scratch: &mut Scratch,
    visit: impl Visitor,
) -> Result<(), WalkError> {
    let codec = header.codec().ok_or(WalkError::UnknownCodec(header.attributes & 7))?;
    let body = batch.get(HEADER_BYTES..).unwrap_or_default();
    let mut walker = Walker::new(header, visit);
    if codec == Codec::None {
        let used = walker.walk(body, &mut scratch.shape)?;
        return walker.finish(used == body.len());
    }
    let Scratch { window, codecs, shape } = scratch;
    window.resize(WINDOW_BYTES, 0);
    let walked = match Stream::open(codec, body, codecs) {
        Ok(stream) => {
            let mut window = Window::new(stream, codec, window, *output_left);
            let walked = walker.walk_stream(&mut window, shape);
            *output_left = window.left();
            walked
        }
        Err(source) => Err(WalkError::Corrupt { codec, source }),
    };
    codecs.trim();
    walked
}

/// The most that a batch may decompress to: 64 times `max.message.bytes`, and no more than any sane
/// codec makes of its size. Keeps a small batch from costing seconds of CPU.
pub fn output_limit(batch_bytes: usize, max_message_bytes: usize) -> usize {
    const FLOOR: usize = 4 << 20;
    let by_ratio = batch_bytes.saturating_mul(1100).max(FLOOR);
    max_message_bytes.saturating_mul(64).max(FLOOR).min(by_ratio)
}

/// About how many bytes a whole batch decompresses to, at no cost: 0 for a plain batch. A reactor
/// hands batches above its bound to a worker.
pub fn output_estimate(batch: &[u8], header: &BatchHeader) -> usize {
    let body = batch.get(HEADER_BYTES..).unwrap_or_default();
    match header.codec() {
        None | Some(Codec::None) => 0,
        Some(Codec::Snappy) => crate::snappy::claimed_len(body),
        Some(Codec::Zstd) => match zstd::zstd_safe::get_frame_content_size(body) {
            Ok(Some(len)) => usize::try_from(len).unwrap_or(usize::MAX),
            _ => body.len().saturating_mul(4),
        },
        Some(Codec::Gzip | Codec::Lz4) => body.len().saturating_mul(4),
    }
}
