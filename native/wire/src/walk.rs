//! One pass over the records of a batch, plain or compressed, in bounded memory.
//!
//! A record is `length varint | attributes i8 | timestampDelta varlong | offsetDelta varint |
//! key | value | headerCount varint | headers`, where key, value and the parts of a header are a
//! varint length, -1 for null, and that many bytes.

use std::io;

use thiserror::Error;

use crate::batch::{BatchHeader, HEADER_BYTES, TimestampType};
use crate::compression::{Codec, CodecScratch, Stream};
use crate::record_shape::Shape;
use crate::stream_window::{WINDOW_BYTES, Window};
use crate::varint::{MAX_VARINT_BYTES, varint, varlong};

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

/// Whether a walk goes on behind a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    Next,
    Stop,
}

/// Memory that walks reuse from batch to batch; one for each thread.
#[derive(Debug, Default)]
pub struct Scratch {
    window: Vec<u8>,
    codecs: CodecScratch,
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
    visit: impl FnMut(RecordHead) -> Step,
) -> Result<(), WalkError> {
    let codec = header.codec().ok_or(WalkError::UnknownCodec(header.attributes & 7))?;
    let body = batch.get(HEADER_BYTES..).unwrap_or_default();
    let mut walker = Walker::new(header, visit);
    if codec == Codec::None {
        let used = walker.walk(body)?;
        return walker.finish(used == body.len());
    }
    let Scratch { window, codecs } = scratch;
    window.resize(WINDOW_BYTES, 0);
    let walked = match Stream::open(codec, body, codecs) {
        Ok(stream) => {
            let mut window = Window::new(stream, codec, window, *output_left);
            let walked = walk_stream(&mut walker, &mut window);
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

fn walk_stream<V: FnMut(RecordHead) -> Step>(
    walker: &mut Walker<V>,
    input: &mut Window<'_>,
) -> Result<(), WalkError> {
    while !walker.is_done() {
        let used = walker.walk(input.available())?;
        input.consume(used);
        if walker.is_done() {
            break;
        }
        if used == 0 && input.available().len() == WINDOW_BYTES {
            walker.large_record(input)?;
        } else if !input.fill()? {
            // What is left is a part of a record, or nothing.
            return walker.finish(input.available().is_empty());
        }
    }
    let is_empty = walker.is_stopped || (input.available().is_empty() && !input.fill()?);
    walker.finish(is_empty)
}

struct Walker<V> {
    declared: i32,
    found: i32,
    base_timestamp: i64,
    // Under LogAppendTime every record has the batch's time.
    append_time: Option<i64>,
    is_stopped: bool,
    visit: V,
}

impl<V: FnMut(RecordHead) -> Step> Walker<V> {
    fn new(header: &BatchHeader, visit: V) -> Self {
        let append_time = match header.timestamp_type() {
            TimestampType::CreateTime => None,
            TimestampType::LogAppendTime => Some(header.max_timestamp),
        };
        Self {
            declared: header.record_count,
            found: 0,
            base_timestamp: header.base_timestamp,
            append_time,
            is_stopped: false,
            visit,
        }
    }

    fn is_done(&self) -> bool {
        self.found >= self.declared || self.is_stopped
    }

    fn finish(&self, is_empty: bool) -> Result<(), WalkError> {
        if self.is_stopped {
            Ok(())
        } else if self.found < self.declared && is_empty {
            Err(WalkError::Missing { declared: self.declared, found: self.found })
        } else if self.found < self.declared {
            Err(WalkError::Malformed(self.found))
        } else if !is_empty {
            Err(WalkError::Leftover)
        } else {
            Ok(())
        }
    }

    /// Walks the whole records at the start of `bytes` and returns how many bytes they take.
    #[inline]
    fn walk(&mut self, bytes: &[u8]) -> Result<usize, WalkError> {
        let mut at = 0;
        let mut shape = Shape::default();
        while !self.is_done() {
            if let Some(head) = shape.read(bytes, at) {
                self.emit(head.timestamp_delta, head.offset_delta, head.has_key);
                at += shape.size;
                continue;
            }
            let mut body = at;
            let Some(len) = varint(bytes, &mut body) else {
                if bytes.len() - at >= MAX_VARINT_BYTES {
                    return Err(WalkError::EndlessLength(self.found));
                }
                break;
            };
            let Ok(len) = usize::try_from(len) else {
                return Err(WalkError::Malformed(self.found));
            };
            if len > bytes.len() - body {
                break;
            }
            let end = body + len;
            self.record(&bytes[body..end]).ok_or(WalkError::Malformed(self.found))?;
            shape.learn(&bytes[at..end]);
            at = end;
        }
        Ok(at)
    }

    /// One record without its length, which it must fill exactly. `None` when it does not.
    #[inline(always)]
    fn record(&mut self, body: &[u8]) -> Option<()> {
        // Attributes of records are not used by anyone.
        let mut at = 1;
        let timestamp_delta = varlong(body, &mut at)?;
        let offset_delta = varint(body, &mut at)?;
        let key_len = varint(body, &mut at)?;
        at += usize::try_from(key_len).unwrap_or(0);
        let value_len = varint(body, &mut at)?;
        at += usize::try_from(value_len).unwrap_or(0);
        let header_count = varint(body, &mut at)?;
        if header_count != 0 {
            skip_headers(body, &mut at, header_count)?;
        }
        if at != body.len() {
            return None;
        }
        self.emit(timestamp_delta, offset_delta, key_len >= 0);
        Some(())
    }

    #[inline(always)]
    fn emit(&mut self, timestamp_delta: i64, offset_delta: i32, has_key: bool) {
        let timestamp =
            self.append_time.unwrap_or_else(|| self.base_timestamp.wrapping_add(timestamp_delta));
        let head = RecordHead { index: self.found, offset_delta, timestamp, has_key };
        self.found += 1;
        self.is_stopped = (self.visit)(head) == Step::Stop;
    }

    /// One record that is larger than the window, skipped piece by piece.
    fn large_record(&mut self, input: &mut Window<'_>) -> Result<(), WalkError> {
        let malformed = WalkError::Malformed(self.found);
        let declared_len = input.varint(self.found)?;
        let before = input.left_to_read();
        input.byte(self.found)?;
        let timestamp_delta = input.varlong(self.found)?;
        let offset_delta = input.varint(self.found)?;
        let key_len = input.varint(self.found)?;
        input.skip(key_len, self.found)?;
        let value_len = input.varint(self.found)?;
        input.skip(value_len, self.found)?;
        let header_count = input.varint(self.found)?;
        if header_count < 0 {
            return Err(malformed);
        }
        for _ in 0..header_count {
            let name_len = input.varint(self.found)?;
            if name_len < 0 {
                return Err(malformed);
            }
            input.skip(name_len, self.found)?;
            let value_len = input.varint(self.found)?;
            input.skip(value_len, self.found)?;
        }
        if i64::try_from(before - input.left_to_read()) != Ok(i64::from(declared_len)) {
            return Err(malformed);
        }
        self.emit(timestamp_delta, offset_delta, key_len >= 0);
        Ok(())
    }
}

fn skip_headers(body: &[u8], at: &mut usize, count: i32) -> Option<()> {
    if usize::try_from(count).ok()? > body.len() {
        return None;
    }
    for _ in 0..count {
        *at += usize::try_from(varint(body, at)?).ok()?;
        *at += usize::try_from(varint(body, at)?).unwrap_or(0);
    }
    Some(())
}
