//! Records that look like the one before them: equally long, with equally long fields. Most batches hold little else.

use crate::varint::{unzigzag, varint, varlong};

/// Where the fields of a record without headers stand, learnt from one and true of those that agree with it in a few bits.
///
/// What is compared instead of being decoded costs nothing but a branch that is foreseen: the place of the next record does
/// not wait for the bytes of this one, so that records overlap in the processor.
#[derive(Debug, Default)]
pub struct Shape {
    /// All bytes of a record, its length included; 0 before one was learnt.
    pub size: usize,
    /// Its batch is unusual: nothing more is learnt.
    is_given_up: bool,
    has_key: bool,
    // Of the first eight bytes: the record's length, the key's, and how long timestamp and offset are.
    fixed: Fixed<u64>,
    timestamp: Field,
    offset: Field,
    value_at: usize,
    // Of the four bytes from there on: the value's length.
    value: Fixed<u32>,
}

/// Bits that a record must have.
#[derive(Debug, Default)]
struct Fixed<T> {
    mask: T,
    bits: T,
}

/// A varint of one or two bytes among the first eight.
#[derive(Debug, Default)]
struct Field {
    shift: usize,
    mask: u64,
}

/// The fields of a record that differ from one to the next.
pub struct Head {
    pub timestamp_delta: i64,
    pub offset_delta: i32,
    pub has_key: bool,
}

impl Shape {
    /// The record at `at` if it has this shape; it ends `size` bytes further on. `None` says nothing about it. No loop.
    #[inline(always)]
    pub fn read(&self, bytes: &[u8], at: usize) -> Option<Head> {
        let record = bytes.get(at..at + self.size)?;
        let first = u64::from_le_bytes(*record.first_chunk()?);
        let value = u32::from_le_bytes(*record.get(self.value_at..)?.first_chunk()?);
        let is_same = first & self.fixed.mask == self.fixed.bits
            && value & self.value.mask == self.value.bits
            && record.last() == Some(&0);
        is_same.then(|| Head {
            timestamp_delta: self.timestamp.decode(first),
            offset_delta: self.offset.decode(first) as i32,
            has_key: self.has_key,
        })
    }

    /// Learns from a whole record that was found to be well formed. Cheap where sizes differ: a record that is not as
    /// long as the last one is only noted.
    #[inline(always)]
    pub fn learn(&mut self, record: &[u8]) {
        if self.is_given_up {
            return;
        }
        let size = record.len();
        *self = if size == self.size {
            Self::of(record).unwrap_or(Self { is_given_up: true, ..Self::default() })
        } else {
            // No record reaches that far: only the size counts.
            Self { size, value_at: usize::MAX, ..Self::default() }
        };
    }

    #[inline(never)]
    fn of(record: &[u8]) -> Option<Self> {
        let first = u64::from_le_bytes(*record.first_chunk()?);
        let mut at = 0;
        varint(record, &mut at)?;
        let length = at;
        let timestamp_at = at + 1;
        at = timestamp_at;
        varlong(record, &mut at)?;
        let offset_at = at;
        varint(record, &mut at)?;
        let key_at = at;
        let key_len = varint(record, &mut at)?;
        let timestamp = Field::new(timestamp_at, offset_at)?;
        let offset = Field::new(offset_at, key_at)?;
        if at > size_of::<u64>() {
            return None;
        }
        let mask = mask(0, length) | timestamp.lengths() | offset.lengths() | mask(key_at, at);
        let fixed = Fixed { mask, bits: first & mask };
        let value_at = at + usize::try_from(key_len).unwrap_or(0);
        at = value_at;
        let value_len = varint(record, &mut at)?;
        if at + usize::try_from(value_len).unwrap_or(0) + 1 != record.len() {
            return None;
        }
        let value = u32::from_le_bytes(*record.get(value_at..)?.first_chunk()?);
        let value_mask = u32::try_from(self::mask(0, at - value_at)).ok()?;
        let value = Fixed { mask: value_mask, bits: value & value_mask };
        let (size, has_key, is_given_up) = (record.len(), key_len >= 0, false);
        Some(Self { size, is_given_up, has_key, fixed, timestamp, offset, value_at, value })
    }
}

impl Field {
    fn new(from: usize, to: usize) -> Option<Self> {
        (to - from <= 2 && to <= size_of::<u64>())
            .then(|| Self { shift: 8 * from, mask: mask(0, to - from) })
    }

    /// The bits that say how many bytes it has.
    fn lengths(&self) -> u64 {
        (self.mask & 0x8080) << self.shift
    }

    #[inline(always)]
    fn decode(&self, first: u64) -> i64 {
        let bits = first >> self.shift & self.mask;
        unzigzag(bits & 0x7f | bits >> 1 & 0x3f80)
    }
}

/// The bits of the bytes `from..to` of a word.
fn mask(from: usize, to: usize) -> u64 {
    let below = |bytes: usize| if bytes >= 8 { u64::MAX } else { (1 << (8 * bytes)) - 1 };
    below(to) & !below(from)
}
