//! Padding behind a turn, so that the next one begins where appends are cheap.
//!
//! The page cache takes an append in folios, each as large as what is left of the write and as the place where it begins
//! allows: one of 128 KiB that begins at a multiple of 128 KiB gets one folio, any other six or more, and costs half as much
//! again; what it costs to remove them is twice as much (docs/design/large-produce.md). Producers fill batches up to a power
//! of two and leave some bytes of it: those are filled here.

use crate::bytes::{Reader, put_u32};
use crate::entry::FrameToWrite;
use crate::log::PartitionLog;
use ms_wire::frame::{self, CONTROL_HEADER_BYTES, ControlPosition};

/// Which turns are padded, and how far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PaddingOptions {
    /// Turns of so many bytes or more; `u32::MAX`: none.
    pub turn_bytes: u32,
    /// The padding is at most the turn divided by this.
    pub share: u32,
    /// The multiples that are tried, the largest first: powers of two.
    pub most: u32,
    pub least: u32,
}

impl Default for PaddingOptions {
    fn default() -> Self {
        PaddingOptions { turn_bytes: 64 << 10, share: 128, most: LARGEST_UNIT, least: 4 << 10 }
    }
}

const LARGEST_UNIT: u32 = 1 << 20;
/// No padding is longer.
pub(crate) const MOST_BYTES: u64 = LARGEST_UNIT as u64 + CONTROL_HEADER_BYTES as u64;

/// Most paddings of a segment: a segment of 1 GiB in turns of 64 KiB. Their places are kept in memory.
const MOST_PADDINGS: usize = 16 << 10;
/// Turns that fill a multiple, and begin somewhere else, are brought to where it begins once all padding of the segment is
/// at most its size divided by this.
const MOVED_SHARE: u64 = 32;

impl PaddingOptions {
    /// How many bytes are to follow a turn of `bytes` that ends at `end`, in a segment that has `padded` bytes of padding;
    /// 0: none.
    fn behind(&self, end: u64, bytes: u64, padded: u64) -> u64 {
        if bytes < u64::from(self.turn_bytes) {
            return 0;
        }
        let most = bytes / u64::from(self.share);
        let mut may_move = true;
        let mut unit = u64::from(self.most);
        while unit >= u64::from(self.least) {
            let padding = frame_up_to(end, unit);
            let fills = may_move && frame_up_to(bytes, unit) <= most;
            if padding <= most || fills && padded + padding <= end / MOVED_SHARE {
                return padding;
            }
            may_move &= !fills;
            unit /= 2;
        }
        0
    }
}

/// Bytes of a frame that ends at a multiple; there is none with less than a header.
fn frame_up_to(end: u64, unit: u64) -> u64 {
    let missing = end.next_multiple_of(unit) - end;
    let is_short = (1..CONTROL_HEADER_BYTES as u64).contains(&missing);
    if is_short { missing + unit } else { missing }
}

impl PartitionLog {
    /// The padding that follows a turn; empty for most. None that would be the first to go beyond `segment.bytes`.
    pub(crate) fn padding_behind(&self, frames: &[FrameToWrite<'_>]) -> Vec<u8> {
        let (segment, options) = (&self.active, &self.options);
        let bytes: u64 = frames.iter().map(|frame| frame.bytes.len() as u64).sum();
        if bytes < u64::from(options.padding.turn_bytes) {
            return Vec::new();
        }
        let end = u64::from(segment.end.size) + bytes;
        let paddings = &segment.maps.paddings;
        let len = options.padding.behind(end, bytes, paddings.bytes);
        let has_room =
            end + len <= u64::from(options.segment_bytes) && paddings.list.len() < MOST_PADDINGS;
        match frames.last().map(|frame| frame.entry) {
            Some(last) if len > 0 && has_room => {
                let position = ControlPosition {
                    next_offset: last.end_offset() as i64,
                    index: last.index + 1,
                    prev_term: last.term,
                    term: last.term,
                };
                frame::padding(len as usize, position)
            }
            _ => Vec::new(),
        }
    }
}

/// Where padding lies in a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Padding {
    pub position: u32,
    pub len: u32,
}

/// All padding of a segment, ascending.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Paddings {
    list: Vec<Padding>,
    bytes: u64,
}

impl Padding {
    /// Bytes in a file.
    pub const BYTES: usize = 8;

    pub fn put(&self, out: &mut Vec<u8>) {
        put_u32(out, self.position);
        put_u32(out, self.len);
    }

    pub fn read(reader: &mut Reader<'_>) -> Option<Padding> {
        let (position, len) = (reader.u32()?, reader.u32()?);
        // Where the next batch begins is told from it.
        position.checked_add(len)?;
        Some(Padding { position, len })
    }
}

impl Paddings {
    pub fn push(&mut self, padding: Padding) {
        self.bytes += u64::from(padding.len);
        self.list.push(padding);
    }

    pub fn list(&self) -> &[Padding] {
        &self.list
    }

    /// Those that begin at a place or behind it.
    pub fn from(&self, position: u32) -> &[Padding] {
        &self.list[self.list.partition_point(|padding| padding.position < position)..]
    }
}

impl FromIterator<Padding> for Paddings {
    fn from_iter<T: IntoIterator<Item = Padding>>(paddings: T) -> Paddings {
        let list: Vec<_> = paddings.into_iter().collect();
        let bytes = list.iter().map(|padding| u64::from(padding.len)).sum();
        Paddings { list, bytes }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;
    const KIB: u64 = 1 << 10;

    #[test]
    fn a_turn_that_ends_shortly_before_a_multiple_is_filled_up_to_the_largest_one() {
        let options = PaddingOptions::default();
        for (end, bytes, padding) in [
            // A batch that leaves 61 bytes of 128 KiB, then one of 1 MiB.
            (128 * KIB - 61, 128 * KIB - 61, 61),
            (5 * MIB - 61, MIB - 61, 61),
            (5 * MIB, MIB, 0),
            // Eight KiB are a hundred-and-twenty-eighth of 1 MiB; otherwise a multiple that is nearer.
            (5 * MIB - 8 * KIB, MIB, 8 * KIB),
            (5 * MIB - 8 * KIB - 100, MIB, 100),
            (5 * MIB + 5 * KIB, MIB - 61, 3 * KIB),
            (128 * KIB + 3 * KIB, 128 * KIB, KIB),
            (128 * KIB + 3 * KIB - 1, 128 * KIB, 0),
            // No room for the frame: up to the next one, where that is little.
            (5 * MIB - 46, MIB, 4 * KIB + 46),
            (128 * KIB - 46, 128 * KIB - 46, 0),
            (5 * MIB - 47, MIB, 47),
            // Small turns are left as they are.
            (64 * KIB - 61, 64 * KIB - 61, 0),
            (128 * KIB - 61, 64 * KIB, 61),
        ] {
            let found = options.behind(end, bytes, end);
            assert_eq!(found, padding, "{bytes} bytes that end at {end}");
        }
    }

    #[test]
    fn turns_that_fill_a_multiple_are_brought_to_where_it_begins_once_that_is_little() {
        let options = PaddingOptions::default();
        let turn = MIB - 51;
        let moved = |end, padded| options.behind(end, turn, padded);
        assert_eq!(moved(31 * MIB + 8 * KIB - 51, 8 * KIB), 51);
        assert_eq!(moved(32 * MIB + 8 * KIB - 51, 8 * KIB), MIB - 8 * KIB + 51);
        assert_eq!(moved(32 * MIB + 8 * KIB - 51, 40 * KIB), 51);
        // One that does not fill it is left where it is.
        assert_eq!(options.behind(64 * MIB + 8 * KIB - 51, turn - 9 * KIB, 0), 51);
    }

    #[test]
    fn padding_has_room_for_its_header_and_ends_at_a_multiple() {
        let options = PaddingOptions { share: 1, ..PaddingOptions::default() };
        for end in (MIB - 40 * KIB..MIB).step_by(13) {
            let padding = options.behind(end, MIB, 0);
            assert!(padding == 0 || padding >= 47, "{padding}");
            assert!(padding == 0 || (end + padding).is_multiple_of(4 * KIB));
        }
    }

    #[test]
    fn a_padding_ends_where_a_file_may_end() {
        let read = |position, len| {
            let mut bytes = Vec::new();
            Padding { position, len }.put(&mut bytes);
            Padding::read(&mut Reader(&bytes)).map(|padding| padding.position + padding.len)
        };
        assert_eq!(read(u32::MAX - 40, 40), Some(u32::MAX));
        assert_eq!(read(u32::MAX - 40, 41), None);
    }
}
