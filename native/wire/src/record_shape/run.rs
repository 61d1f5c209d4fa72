//! The passes over records of one shape: a few words of each are compared, and all that changes
//! from one to the next is in registers.

use super::{Length, Likeness, Shape, u16_at, u32_at, u64_at};

/// Records in a row of one shape, each with the offset delta that belongs to its place.
#[derive(Debug, Default)]
pub struct Run<T> {
    pub count: i32,
    pub bytes: usize,
    pub seen: T,
}

/// What is done with each record of a run.
pub trait Take {
    /// What the run leaves behind. Apart from `self`, so that it is in registers.
    type Seen: Default;

    /// `head` is the record's, `expected` the same without the timestamp. False ends the run.
    fn take(&mut self, seen: &mut Self::Seen, shape: &Shape, head: u64, expected: u64) -> bool;
}

/// Calls a function with the number of each record in the run and its timestamp delta. False ends
/// the run behind it.
pub struct Each<F>(pub F);

/// Only finds the extremes of the timestamps.
pub struct Summarize;

/// The extremes of the timestamps of a run, as `Field::rank` has them.
#[derive(Debug)]
pub struct Extremes {
    min: i64,
    max: i64,
    /// The head of the first record with the largest timestamp, without it.
    max_at: u64,
}

impl Shape {
    /// Of all records of the shape.
    pub fn has_key(&self) -> bool {
        self.has_key
    }

    /// The records at the start of `bytes` that have this shape and the offset deltas `first`,
    /// `first + 1`, ...; at most `most`. The one behind them may be good all the same. One pass, no
    /// allocation.
    #[inline(always)]
    pub fn run<T: Take>(&self, bytes: &[u8], first: i32, most: i32, take: &mut T) -> Run<T::Seen> {
        let most = self.offset.end().saturating_sub(first).min(most);
        let Ok(most @ 1..) = usize::try_from(most) else { return Run::default() };
        // Where there are no headers, their count is all there is behind the value.
        let has_headers = self.tail_bytes != 1;
        match (self.likeness, has_headers) {
            (Likeness::Equal, false) => self.equal_run::<false, T>(bytes, first, most, take),
            (Likeness::Equal, true) => self.equal_run::<true, T>(bytes, first, most, take),
            (Likeness::Varying, false) => self.varying_run::<false, T>(bytes, first, most, take),
            (Likeness::Varying, true) => self.varying_run::<true, T>(bytes, first, most, take),
        }
    }

    // The place of the next record does not wait for the bytes of this one, so that records overlap
    // in the processor.
    #[inline(never)]
    fn equal_run<const HEADERS: bool, T: Take>(
        &self,
        bytes: &[u8],
        first: i32,
        most: usize,
        take: &mut T,
    ) -> Run<T::Seen> {
        let (size, value_at) = (self.size, self.value.start(self.size));
        // Never so; said here, it need not be looked at for each record.
        if size < size_of::<u64>() || value_at > size - size_of::<u32>() {
            return Run::default();
        }
        let (mut expected, mut seen) = (self.first_head(first), T::Seen::default());
        let end = bytes.len().min(size * most);
        let mut rest = &bytes[..end];
        while let Some(record) = rest.get(..size) {
            let (Some(head), Some(value)) = (u64_at(record, 0), u32_at(record, value_at)) else {
                break;
            };
            let wrong = head & self.head.mask ^ expected
                | self.value.word.wrong(value)
                | self.wrong_tail::<HEADERS>(record);
            if wrong != 0 {
                break;
            }
            rest = &rest[size..];
            if !take.take(&mut seen, self, head, expected) {
                break;
            }
            expected = self.next_head(expected);
        }
        let bytes = end - rest.len();
        Run { count: (bytes / size) as i32, bytes, seen }
    }

    // The next record waits for the length of this one, and for nothing else of it.
    #[inline(never)]
    fn varying_run<const HEADERS: bool, T: Take>(
        &self,
        bytes: &[u8],
        first: i32,
        most: usize,
        take: &mut T,
    ) -> Run<T::Seen> {
        let (mut expected, mut seen) = (self.first_head(first), T::Seen::default());
        let (mut rest, mut count) = (bytes, 0);
        while count < most {
            // A length of two bytes, and the head.
            let Some(start) = rest.first_chunk::<10>() else { break };
            let Some(length) = u16_at(start, 0) else { break };
            let length_bytes = 1 + (length >> 7 & 1) as usize;
            let low = (length >> 1 & 0x3f) as usize;
            let high = (length >> 2 & 0x1fc0) as usize;
            let size = if length & 0x80 == 0 { 1 + low } else { 2 + (high | low) };
            let Some(head) = u64_at(start, length_bytes) else { break };
            let key_bytes = ((head & self.key.mask) >> self.key.shift >> 1) as usize;
            let value_at = length_bytes + self.value_at + key_bytes;
            let (Some(record), Some(value)) = (rest.get(..size), u16_at(rest, value_at)) else {
                break;
            };
            let (twice_value, value_bytes) = twice_varint(value);
            let twice_size = 2 * (value_at + value_bytes + self.tail_bytes) + twice_value;
            // A length that is negative, or of three bytes, is told by its bits. A value's makes
            // the size odd, or larger than two bytes can say.
            let wrong = u64::from(length & 0x8001)
                | head & self.head.mask ^ expected
                | (twice_size ^ (2 * size)) as u64
                | self.wrong_tail::<HEADERS>(record);
            if wrong != 0 {
                break;
            }
            rest = &rest[size..];
            count += 1;
            if !take.take(&mut seen, self, head, expected) {
                break;
            }
            expected = self.next_head(expected);
        }
        Run { count: count as i32, bytes: bytes.len() - rest.len(), seen }
    }

    /// The head of the record at a place, without the timestamp.
    fn first_head(&self, index: i32) -> u64 {
        self.head.bits | self.offset.encode(index)
    }

    /// The head of the record behind one. A zigzag varint grows by two; a carry goes through the
    /// continuation bits, which are set, and leaves them clear.
    #[inline(always)]
    fn next_head(&self, head: u64) -> u64 {
        (head + (2 << self.offset.shift)) | self.offset.continued()
    }

    /// 0 when the lengths behind the value are as they were.
    #[inline(always)]
    fn wrong_tail<const HEADERS: bool>(&self, record: &[u8]) -> u64 {
        if !HEADERS {
            return record.last().map_or(1, |&count| u64::from(count));
        }
        let Some(lengths) = self.header_lengths.get(..self.header_lengths_used) else { return 1 };
        let is_wrong = |length: &Length| {
            u32_at(record, length.start(record.len()))
                .is_none_or(|word| length.word.wrong(word) != 0)
        };
        u64::from(is_wrong(&self.header_count) || lengths.iter().any(is_wrong))
    }
}

/// Twice the value of a varint at the start of a word, and its bytes. Odd for a negative one; for
/// one of more than two bytes two, and 16,384 or more.
#[inline(always)]
fn twice_varint(word: u16) -> (usize, usize) {
    let is_long = usize::from(word >> 7 & 1);
    let word = usize::from(word);
    (word & 0x7f | word >> 1 & 0x7f80 & is_long.wrapping_neg(), 1 + is_long)
}

/// The records so far, and the last timestamp as it stands in the head, and decoded.
#[derive(Default)]
pub struct Last {
    count: i32,
    timestamp: u64,
    delta: i64,
}

impl<F: FnMut(i32, i64) -> bool> Take for Each<F> {
    type Seen = Last;

    #[inline(always)]
    fn take(&mut self, seen: &mut Last, shape: &Shape, head: u64, _expected: u64) -> bool {
        let timestamp = head & shape.timestamp.mask;
        if timestamp != seen.timestamp {
            seen.timestamp = timestamp;
            seen.delta = shape.timestamp.decode(timestamp);
        }
        let number = seen.count;
        seen.count += 1;
        (self.0)(number, seen.delta)
    }
}

impl Take for Summarize {
    type Seen = Extremes;

    #[inline(always)]
    fn take(&mut self, seen: &mut Extremes, shape: &Shape, head: u64, expected: u64) -> bool {
        let timestamp = shape.timestamp.rank(head);
        seen.max_at = if timestamp > seen.max { expected } else { seen.max_at };
        seen.max = seen.max.max(timestamp);
        seen.min = seen.min.min(timestamp);
        true
    }
}

impl Default for Extremes {
    fn default() -> Self {
        Self { min: i64::MAX, max: i64::MIN, max_at: 0 }
    }
}

impl Run<Extremes> {
    /// Least and largest timestamp delta of a run that is not empty, and the offset delta of the
    /// first record with the largest.
    pub fn extremes(&self, shape: &Shape) -> (i64, i64, i32) {
        let Extremes { min, max, max_at } = self.seen;
        let delta = |rank| shape.timestamp.decode(shape.timestamp.of_rank(rank));
        (delta(min), delta(max), shape.offset.decode(max_at) as i32)
    }
}
