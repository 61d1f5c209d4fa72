//! Entries by index: from the ring, or by the sparse index and a scan of headers.

use crate::disk::File;
use crate::entry::Entry;
use crate::error::{LogError, at};
use crate::log::PartitionLog;
use crate::maps::SegmentMaps;
use crate::segment::{HEADER_BYTES, SegmentEnd, SegmentStart};
use crate::walk::{Depth, Step, Walker, entry_of};
use std::io;
use std::path::Path;
use std::sync::Arc;

/// One segment, opened for reading.
pub(crate) struct OpenSegment<'a> {
    pub start: SegmentStart,
    pub end: SegmentEnd,
    pub file: Arc<dyn File>,
    pub path: &'a Path,
}

impl PartitionLog {
    /// Appends the descriptors of `lo..hi` to `out`, stopping before their frames exceed `max_bytes` (at least one). Asks
    /// the disk only for entries older than the ring.
    pub fn entries(
        &self,
        lo: u64,
        hi: u64,
        max_bytes: u64,
        out: &mut Vec<Entry>,
    ) -> Result<(), LogError> {
        let (mut index, mut bytes) = (lo, 0);
        let before = out.len();
        let mut take = |entry: Entry, out: &mut Vec<Entry>| {
            bytes += u64::from(entry.size);
            let fits = bytes <= max_bytes || out.len() == before;
            if fits {
                out.push(entry);
            }
            fits
        };
        while index < hi {
            if let Some((entry, _)) = self.ring.get(index) {
                if !take(entry, out) {
                    return Ok(());
                }
                index += 1;
                continue;
            }
            let mut full = false;
            let below = hi.min(self.ring.first_index());
            self.scan(index, below, |entry, _| {
                full = !take(entry, out);
                !full
            })?;
            if full {
                return Ok(());
            }
            index = out.last().map_or(hi, |entry| entry.index + 1);
        }
        Ok(())
    }

    /// The bytes of one frame: payloads of configuration changes, frames for peers. Asks the page cache or the disk.
    pub fn read_frame(&self, index: u64) -> Result<Vec<u8>, LogError> {
        let (entry, position) = self.find(index)?;
        let segment = self.open_segment(self.segment_of_index(index))?;
        let mut bytes = vec![0; entry.size as usize];
        crate::disk::read_exact_at(segment.file.as_ref(), &mut bytes, u64::from(position))
            .map_err(at("read", segment.path))?;
        Ok(bytes)
    }

    /// The Kafka offset after the frame of `index`: the high watermark of a commit index. `first_index() - 1` gives the
    /// offset the log begins with. Asks the disk only for entries older than the ring.
    pub fn offset_after(&self, index: u64) -> Result<u64, LogError> {
        if index == self.last_index() {
            return Ok(self.log_end_offset());
        }
        if index + 1 == self.first_index() {
            let oldest = self.sealed.first().map_or(&self.active.start, |oldest| &oldest.start);
            return Ok(oldest.base_offset);
        }
        self.find(index).map(|(entry, _)| entry.end_offset())
    }

    /// An entry and its position in its segment.
    pub(crate) fn find(&self, index: u64) -> Result<(Entry, u32), LogError> {
        let (first, last) = (self.first_index(), self.last_index());
        if index < first || index > last {
            return Err(LogError::IndexOutOfRange { index, first, last });
        }
        if let Some(found) = self.ring.get(index) {
            return Ok(found);
        }
        let mut found = None;
        self.scan(index, index + 1, |entry, position| {
            found = Some((entry, position));
            false
        })?;
        found.ok_or(LogError::IndexOutOfRange { index, first, last })
    }

    /// Gives the entries `lo..hi` with their positions to `visit` until it says no. Reads headers.
    fn scan(
        &self,
        lo: u64,
        hi: u64,
        mut visit: impl FnMut(Entry, u32) -> bool,
    ) -> Result<(), LogError> {
        let mut lo = lo;
        while lo < hi {
            let number = self.segment_of_index(lo);
            let segment = self.open_segment(number)?;
            if lo >= segment.end.next_index {
                let (segment, offset) = (segment.start.base_offset, segment.end.end_offset);
                return Err(LogError::Damaged { segment, offset });
            }
            let from = self.position_before(number, lo)?;
            let below = hi.min(segment.end.next_index);
            if !scan_segment(&segment, from, lo, below, &mut visit)? {
                return Ok(());
            }
            lo = below;
        }
        Ok(())
    }

    /// A frame boundary at or before an index, and the index of the frame there.
    fn position_before(&self, number: usize, index: u64) -> Result<(u32, u64), LogError> {
        let look = |maps: &SegmentMaps, base: u64| {
            maps.by_index((index - base) as u32)
                .map_or((HEADER_BYTES, base), |line| (line.position, base + u64::from(line.index)))
        };
        match self.sealed.get(number) {
            Some(sealed) => {
                let maps = sealed.maps().map_err(at("read index of", &sealed.path))?;
                Ok(look(&maps, sealed.start.base_index))
            }
            None => Ok(look(&self.active.maps, self.active.start.base_index)),
        }
    }

    /// A segment by its place in the list, the active one behind the last. Opens its file if need be.
    pub(crate) fn open_segment(&self, number: usize) -> Result<OpenSegment<'_>, LogError> {
        match self.sealed.get(number) {
            Some(sealed) => Ok(OpenSegment {
                start: sealed.start,
                end: sealed.end,
                file: sealed.file().map_err(at("open", &sealed.path))?,
                path: &sealed.path,
            }),
            None => Ok(OpenSegment {
                start: self.active.start,
                end: self.active.end,
                file: self.active.file.clone(),
                path: &self.active.path,
            }),
        }
    }
}

fn scan_segment(
    segment: &OpenSegment<'_>,
    from: (u32, u64),
    lo: u64,
    hi: u64,
    visit: &mut impl FnMut(Entry, u32) -> bool,
) -> Result<bool, LogError> {
    let (position, mut index) = from;
    let (file, size) = (segment.file.as_ref(), u64::from(segment.end.size));
    let mut walker = Walker::new(file, Depth::Headers, u64::from(position), size, i32::MAX as u32);
    let bad = || at("read", segment.path)(io::ErrorKind::InvalidData.into());
    while index < hi {
        let step = walker.step().map_err(at("read", segment.path))?;
        let Step::Frame { position, header } = step else { return Err(bad()) };
        if header.is_padding() {
            continue;
        }
        let entry = entry_of(&header, index).ok_or_else(bad)?;
        if index >= lo && !visit(entry, position as u32) {
            return Ok(false);
        }
        index += 1;
    }
    Ok(true)
}
