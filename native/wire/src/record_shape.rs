//! Records that look like the one before them. Most batches hold little else, and what looks alike
//! is compared, not decoded.

use crate::varint::{unzigzag, varint, varlong};

mod learner;
mod run;
#[cfg(test)]
mod tests;

pub use learner::Learner;
pub use run::{Each, Summarize};

/// Lengths in headers that are compared, two for each; a record with more of them has no shape.
const HEADER_LENGTHS_MAX: usize = 16;

/// The continuation bits of a word of varints.
const CONTINUED: u64 = 0x8080_8080_8080_8080;

/// In what records of a shape may differ, beside their bytes, their timestamps and their places.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum Likeness {
    /// In nothing.
    #[default]
    Equal,
    /// In the lengths of key and value.
    Varying,
}

/// Where the fields of a record stand and what they hold, learnt from one and true of those that
/// agree with it in a few bits.
#[derive(Debug, Default)]
pub struct Shape {
    likeness: Likeness,
    /// All bytes of a record, its length included, where they are equal.
    size: usize,
    has_key: bool,
    /// The word that holds the timestamp delta, the offset delta and the length of the key. It
    /// starts with the record's length where that is equal, and behind it where it varies. `bits`
    /// has no offset delta, which follows from the place of the record; `mask` has it.
    head: Bits<u64>,
    timestamp: Field,
    offset: Field,
    /// The length of a key that varies.
    key: Field,
    /// The value's length where that is equal.
    value: Length,
    /// Where it stands where it varies, from the start of the head; the key is added.
    value_at: usize,
    /// Bytes behind the value.
    tail_bytes: usize,
    header_count: Length,
    header_lengths: [Length; HEADER_LENGTHS_MAX],
    header_lengths_used: usize,
}

/// Bits that a word must have.
#[derive(Debug, Default, Clone, Copy)]
struct Bits<T> {
    mask: T,
    bits: T,
}

/// A length that is equal, in the word that starts `back` bytes before the end of the record.
#[derive(Debug, Default, Clone, Copy)]
struct Length {
    back: u32,
    word: Bits<u32>,
}

/// A varint of at most three bytes in the head.
#[derive(Debug, Default, Clone, Copy)]
struct Field {
    shift: u32,
    bytes: u32,
    mask: u64,
}

impl Shape {
    /// Becomes the shape of a well-formed record and of those that are like it. False, and no
    /// shape, for one with long fields or many headers. `is_ordered` promises that a larger timestamp
    /// delta, as long as it takes three bytes, makes a later time, and none -1; else all records of
    /// the shape have the same timestamp.
    pub fn learn(&mut self, record: &[u8], likeness: Likeness, is_ordered: bool) -> bool {
        let is_learnt = self.try_learn(record, likeness, is_ordered).is_some();
        if !is_learnt {
            // As by default: no record has it.
            self.offset = Field::default();
        }
        is_learnt
    }

    // What was learnt before is overwritten field by field: a new value would be copied.
    #[inline(never)]
    fn try_learn(&mut self, record: &[u8], likeness: Likeness, is_ordered: bool) -> Option<()> {
        let is_varying = likeness == Likeness::Varying;
        let mut at = 0;
        varint(record, &mut at)?;
        let base = if is_varying { at } else { 0 };
        let length_mask = mask(0, at - base);
        at += 1;
        let timestamp_at = at - base;
        varlong(record, &mut at)?;
        let offset_at = at - base;
        varint(record, &mut at)?;
        let key_at = at - base;
        let key_len = varint(record, &mut at)?;
        let key_end = at - base;
        if key_end > size_of::<u64>() {
            return None;
        }
        self.likeness = likeness;
        self.has_key = key_len >= 0;
        self.timestamp = Field::new(timestamp_at, offset_at)?;
        self.offset = Field::new(offset_at, key_at)?;
        self.key = Field::default();
        let mut key_mask = mask(key_at, key_end);
        if is_varying && self.has_key {
            self.key = Field::of_one_byte(key_at, key_end)?;
            // Another key is neither longer than one byte can say nor null.
            key_mask = 0x81 << self.key.shift;
        }
        let mut timestamp_mask = self.timestamp.mask;
        if is_ordered {
            // Another timestamp has as many bytes.
            timestamp_mask = self.timestamp.mask & CONTINUED;
        }
        let fixed = length_mask | timestamp_mask | key_mask;
        let bits = u64_at(record, base)? & fixed;
        self.head = Bits { mask: fixed | self.offset.mask, bits };
        self.value_at = key_end;
        at += usize::try_from(key_len).unwrap_or(0);
        let from = at;
        let value_len = varint(record, &mut at)?;
        self.value = Length::new(record, from, at)?;
        at += usize::try_from(value_len).unwrap_or(0);
        self.size = record.len();
        self.tail_bytes = self.size.checked_sub(at)?;
        self.learn_tail(record, at)
    }

    fn learn_tail(&mut self, record: &[u8], mut at: usize) -> Option<()> {
        let from = at;
        let headers = usize::try_from(varint(record, &mut at)?).ok()?;
        self.header_count = Length::new(record, from, at)?;
        self.header_lengths_used = headers.checked_mul(2)?;
        for length in self.header_lengths.get_mut(..self.header_lengths_used)? {
            let from = at;
            let len = varint(record, &mut at)?;
            *length = Length::new(record, from, at)?;
            at += usize::try_from(len).unwrap_or(0);
        }
        Some(())
    }
}

impl Length {
    fn new(record: &[u8], from: usize, to: usize) -> Option<Self> {
        let back = record.len().checked_sub(from)?.max(size_of::<u32>());
        let start = record.len().checked_sub(back)?;
        // `None` when the word does not hold all of it.
        let mask = u32::try_from(mask(from - start, to - start)).ok()?;
        let bits = u32_at(record, start)? & mask;
        Some(Self { back: u32::try_from(back).ok()?, word: Bits { mask, bits } })
    }

    fn start(&self, record_bytes: usize) -> usize {
        record_bytes.wrapping_sub(self.back as usize)
    }
}

impl Bits<u32> {
    /// 0 for a word that has them.
    #[inline(always)]
    fn wrong(&self, word: u32) -> u64 {
        u64::from(word & self.mask ^ self.bits)
    }
}

impl Field {
    fn new(from: usize, to: usize) -> Option<Self> {
        let (shift, bytes) = (8 * from as u32, (to - from) as u32);
        (bytes <= 3).then(|| Self { shift, bytes, mask: mask(from, to) })
    }

    fn of_one_byte(from: usize, to: usize) -> Option<Self> {
        Self::new(from, to).filter(|field| field.bytes == 1)
    }

    #[inline(always)]
    fn decode(&self, head: u64) -> i64 {
        let bits = (head & self.mask) >> self.shift;
        unzigzag(bits & 0x7f | bits >> 1 & 0x3f80 | bits >> 2 & 0x1f_c000)
    }

    /// Orders values of equally many bytes as they stand in heads. Their bits do, but for the
    /// lowest, which is the sign and turns the order round.
    #[inline(always)]
    fn rank(&self, head: u64) -> i64 {
        let bits = head & self.mask;
        (bits ^ (bits & 1 << self.shift).wrapping_neg()) as i64
    }

    /// The head of a rank, but for other fields.
    fn of_rank(&self, rank: i64) -> u64 {
        if rank < 0 { rank as u64 ^ (1_u64 << self.shift).wrapping_neg() } else { rank as u64 }
    }

    /// A value that is not negative and less than `end`, as it stands in a head.
    fn encode(&self, value: i32) -> u64 {
        let raw = 2 * value as u64;
        let bits = raw & 0x7f | (raw & 0x3f80) << 1 | (raw & 0x1f_c000) << 2;
        bits << self.shift | self.continued()
    }

    /// The continuation bits of all bytes but the last.
    #[inline(always)]
    fn continued(&self) -> u64 {
        self.mask & self.mask >> 8 & CONTINUED
    }

    /// The least value that needs more bytes; 0 for a field that was not learnt.
    fn end(&self) -> i32 {
        (1 << (7 * self.bytes)) >> 1
    }
}

#[inline(always)]
fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

#[inline(always)]
fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

#[inline(always)]
fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// The bits of the bytes `from..to` of a word.
fn mask(from: usize, to: usize) -> u64 {
    let below = |bytes: usize| if bytes >= 8 { u64::MAX } else { (1 << (8 * bytes)) - 1 };
    below(to) & !below(from)
}
