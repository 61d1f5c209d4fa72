//! What is known of one segment besides its bytes: sparse index, time index, control frames, paddings.

use crate::disk::File;
use crate::entry::{Entry, EntryKind};
use crate::padding::{Padding, Paddings};
use crate::read::{FileRange, ReadPlan};
use std::sync::Arc;

/// One line of the sparse index; offset and index relative to the segment's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct IndexEntry {
    pub offset: u32,
    pub position: u32,
    pub index: u32,
}

/// One line of the time index: the largest timestamp so far, and the last offset of the batch that has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TimeEntry {
    pub timestamp: i64,
    pub offset: u32,
}

/// A control frame, which no client may get. The segment header, at position 0, is not listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ControlFrame {
    pub position: u32,
    pub len: u32,
    pub index: u64,
    pub base_offset: u64,
    pub term: u32,
    pub kind: EntryKind,
}

/// The maps of one segment, each ascending.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SegmentMaps {
    pub index: Vec<IndexEntry>,
    pub times: Vec<TimeEntry>,
    pub controls: Vec<ControlFrame>,
    pub paddings: Paddings,
}

impl SegmentMaps {
    /// Bytes in memory.
    pub fn bytes(&self) -> usize {
        size_of_val(self.index.as_slice())
            + size_of_val(self.times.as_slice())
            + size_of_val(self.controls.as_slice())
            + size_of_val(self.paddings.list())
    }

    /// The last line at or below an offset.
    pub fn by_offset(&self, relative: u32) -> Option<IndexEntry> {
        before(&self.index, |line| line.offset <= relative)
    }

    /// The last line at or below an index.
    pub fn by_index(&self, relative: u32) -> Option<IndexEntry> {
        before(&self.index, |line| line.index <= relative)
    }

    /// The last line at or below a position.
    pub fn by_position(&self, position: u64) -> Option<IndexEntry> {
        before(&self.index, |line| u64::from(line.position) <= position)
    }

    /// The last time line at or below a timestamp.
    pub fn by_time(&self, timestamp: i64) -> Option<TimeEntry> {
        before(&self.times, |line| line.timestamp <= timestamp)
    }

    /// What no client may get of a read of `max_bytes` that begins with a batch behind the line at `from`. `size`: where the
    /// segment ends.
    pub fn hidden(&self, from: u32, max_bytes: u32, size: u32) -> Hidden {
        let first = self.controls.partition_point(|frame| frame.position < from);
        let paddings = self.paddings.from(from);
        let within = (!paddings.is_empty()).then(|| {
            // The batch that is wanted begins before the next line.
            let next = self.index.partition_point(|line| line.position <= from);
            let begins = self.index.get(next).map_or(size, |line| line.position);
            let to = u64::from(begins) + u64::from(max_bytes);
            paddings[..paddings.partition_point(|it| u64::from(it.position) < to)].into()
        });
        Hidden { controls: self.controls[first..].into(), paddings: within }
    }

    /// Notes an entry that was written at `position`.
    pub fn note_control(&mut self, entry: &Entry, position: u32) {
        self.controls.push(ControlFrame {
            position,
            len: entry.size,
            index: entry.index,
            base_offset: entry.base_offset,
            term: entry.term,
            kind: entry.kind,
        });
    }
}

/// What lies between the batches of a part of a segment.
#[derive(Clone)]
pub(crate) struct Hidden {
    pub controls: Arc<[ControlFrame]>,
    pub paddings: Option<Arc<[Padding]>>,
}

fn before<T: Copy>(lines: &[T], below: impl FnMut(&T) -> bool) -> Option<T> {
    lines.get(lines.partition_point(below).checked_sub(1)?).copied()
}

/// The file ranges between two frame boundaries minus control frames and paddings: **the only way to get bytes for a
/// client**. No allocation when neither lies strictly between two batches of the range.
pub(crate) fn consumer_ranges(
    file: &Arc<dyn File>,
    (controls, paddings): (&[ControlFrame], &[Padding]),
    from: u32,
    to: u32,
) -> ReadPlan {
    let mut controls = &controls[controls.partition_point(|frame| frame.position < from)..];
    let mut paddings = match paddings {
        [] => paddings,
        _ => &paddings[paddings.partition_point(|it| it.position < from)..],
    };
    let mut ranges = Pieces { file, plan: ReadPlan::Empty };
    let mut at = from;
    loop {
        let (position, len) = match (controls, paddings) {
            ([], []) => break,
            ([frame, behind @ ..], []) => {
                controls = behind;
                (frame.position, frame.len)
            }
            ([frame, behind @ ..], [padding, ..]) if frame.position < padding.position => {
                controls = behind;
                (frame.position, frame.len)
            }
            (_, [padding, behind @ ..]) => {
                paddings = behind;
                (padding.position, padding.len)
            }
        };
        if position >= to {
            break;
        }
        ranges.push(at, position);
        at = position + len;
    }
    ranges.push(at, to);
    ranges.plan
}

struct Pieces<'a> {
    file: &'a Arc<dyn File>,
    plan: ReadPlan,
}

impl Pieces<'_> {
    fn push(&mut self, from: u32, to: u32) {
        if from >= to {
            return;
        }
        let range =
            FileRange { file: self.file.clone(), position: u64::from(from), len: to - from };
        self.plan = match std::mem::replace(&mut self.plan, ReadPlan::Empty) {
            ReadPlan::Range(one) => ReadPlan::Ranges(vec![one, range]),
            ReadPlan::Ranges(mut many) => {
                many.push(range);
                ReadPlan::Ranges(many)
            }
            ReadPlan::Empty | ReadPlan::Locate(_) => ReadPlan::Range(range),
        };
    }
}
