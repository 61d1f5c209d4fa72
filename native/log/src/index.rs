//! Index files of sealed segments: `.index` with the segment's ends, control frames and producer state in its tail, and
//! `.timeindex` as Kafka's. Both can be rebuilt from the segment.
//!
//! ```text
//! .index      n x (offset u32, position u32, index u32)   relative to the segment's base offset and base index
//!             m x (position u32, length u32)              of paddings
//!             tail: version u32 | group id u64 | base offset u64 | base index u64 | prevTerm u32 | size u32
//!                   | next index u64 | end offset u64 | last term u32 | max timestamp i64 | its offset u64
//!                   | last frame's position u32, crc u32 | CRC-32C of the lines u32 | CRC-32C of .timeindex u32
//!                   then sections: kind u32 | len u32 | bytes      kind 1 control frames, 2 producer state, 3 m u32
//!                   (the first CRC is of lines and paddings; without section 3 there are none)
//!             tail length u32 | CRC-32C of the tail u32 | magic u32
//! .timeindex  n x (timestamp i64, offset u32)
//! ```
//! Big endian. The tail can be read without the rest: its CRC covers that of the rest.

use crate::bytes::{Reader, put_u32, put_u64};
use crate::disk::{Disk, OpenMode, read_all, read_exact_at, replace_file};
use crate::entry::{Entry, EntryKind};
use crate::maps::{ControlFrame, IndexEntry, SegmentMaps, TimeEntry};
use crate::padding::Padding;
use crate::segment::{ActiveSegment, LastFrame, SegmentEnd, SegmentStart};
use crate::walk::{Depth, Step, Walker, entry_of};
use ms_wire::crc::crc32c;
use ms_wire::frame::FrameHeader;
use std::io::{self, IoSlice};
use std::path::{Path, PathBuf};

const VERSION: u32 = 1;
const MAGIC: u32 = 0x4d53_4958;
const FOOTER_BYTES: usize = 12;
const LINE_BYTES: usize = 12;
const CONTROL_BYTES: usize = 32;
const SECTION_CONTROLS: u32 = 1;
const SECTION_PRODUCERS: u32 = 2;
const SECTION_PADDINGS: u32 = 3;
/// An index cannot be larger: 2^31 bytes of segment, one line for at least the header of a frame.
const MAX_INDEX_BYTES: u64 = 1 << 30;

/// What an `.index` file says, apart from its lines.
pub(crate) struct IndexTail {
    pub group_id: u64,
    pub start: SegmentStart,
    pub end: SegmentEnd,
    pub controls: Vec<ControlFrame>,
    /// Producer state at the end; absent from an index that was rebuilt.
    pub producers: Option<Vec<u8>>,
    lines_crc: u32,
    times_crc: u32,
    /// Bytes of the lines before the tail, and of the paddings between both.
    lines_bytes: u64,
    paddings_bytes: u64,
}

/// Both files.
pub(crate) struct SealedIndex {
    pub start: SegmentStart,
    pub end: SegmentEnd,
    pub maps: SegmentMaps,
}

/// Names of the index files of a segment.
pub(crate) fn paths(log: &Path) -> (PathBuf, PathBuf) {
    (log.with_extension("index"), log.with_extension("timeindex"))
}

/// Writes both files durably, the time index first: a valid `.index` means that both are there, and that the segment was
/// synced before.
pub(crate) fn write(
    disk: &dyn Disk,
    log: &Path,
    group_id: u64,
    start: &SegmentStart,
    end: &SegmentEnd,
    maps: &SegmentMaps,
    producers: Option<&[u8]>,
) -> io::Result<()> {
    let (index_path, time_path) = paths(log);
    let mut lines = Vec::with_capacity(
        maps.index.len() * LINE_BYTES + maps.paddings.list().len() * Padding::BYTES,
    );
    for line in &maps.index {
        put_u32(&mut lines, line.offset);
        put_u32(&mut lines, line.position);
        put_u32(&mut lines, line.index);
    }
    maps.paddings.list().iter().for_each(|padding| padding.put(&mut lines));
    let mut times = Vec::with_capacity(maps.times.len() * LINE_BYTES);
    for line in &maps.times {
        put_u64(&mut times, line.timestamp as u64);
        put_u32(&mut times, line.offset);
    }
    let mut tail = Vec::with_capacity(
        128 + maps.controls.len() * CONTROL_BYTES + producers.map_or(0, <[u8]>::len),
    );
    put_u32(&mut tail, VERSION);
    put_u64(&mut tail, group_id);
    put_start(&mut tail, start);
    put_end(&mut tail, end);
    put_u32(&mut tail, crc32c(&lines));
    put_u32(&mut tail, crc32c(&times));
    put_u32(&mut tail, SECTION_CONTROLS);
    put_u32(&mut tail, (maps.controls.len() * CONTROL_BYTES) as u32);
    maps.controls.iter().for_each(|frame| put_control(&mut tail, frame));
    if let Some(producers) = producers {
        put_u32(&mut tail, SECTION_PRODUCERS);
        put_u32(&mut tail, producers.len() as u32);
        tail.extend_from_slice(producers);
    }
    if !maps.paddings.list().is_empty() {
        put_u32(&mut tail, SECTION_PADDINGS);
        put_u32(&mut tail, 4);
        put_u32(&mut tail, maps.paddings.list().len() as u32);
    }
    let mut footer = Vec::with_capacity(FOOTER_BYTES);
    put_u32(&mut footer, tail.len() as u32);
    put_u32(&mut footer, crc32c(&tail));
    put_u32(&mut footer, MAGIC);
    replace_file(disk, &time_path, &[IoSlice::new(&times)])?;
    let parts = [IoSlice::new(&lines), IoSlice::new(&tail), IoSlice::new(&footer)];
    replace_file(disk, &index_path, &parts)
}

/// Reads the tail alone. `None` when the file is missing or not whole: it can be rebuilt.
pub(crate) fn read_tail(disk: &dyn Disk, log: &Path) -> io::Result<Option<IndexTail>> {
    let (path, _) = paths(log);
    let file = match disk.open(&path, OpenMode::Read) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let len = file.len()?;
    if !(FOOTER_BYTES as u64..=MAX_INDEX_BYTES).contains(&len) {
        return Ok(None);
    }
    let mut footer = [0; FOOTER_BYTES];
    read_exact_at(file.as_ref(), &mut footer, len - FOOTER_BYTES as u64)?;
    let mut footer = Reader(&footer);
    let (tail_len, crc, magic) = (footer.u32(), footer.u32(), footer.u32());
    let tail_len = u64::from(tail_len.unwrap_or(u32::MAX));
    let Some(before) = (len - FOOTER_BYTES as u64).checked_sub(tail_len) else {
        return Ok(None);
    };
    if magic != Some(MAGIC) {
        return Ok(None);
    }
    let mut tail = vec![0; tail_len as usize];
    read_exact_at(file.as_ref(), &mut tail, before)?;
    if Some(crc32c(&tail)) != crc {
        return Ok(None);
    }
    Ok(parse_tail(&tail, before))
}

/// Name of the newest index whose segment was deleted: what is left of the log may hold no other producer state.
const OF_DELETED: &str = "producers";

/// The tail of the newest index whose segment was deleted.
pub(crate) fn read_deleted(disk: &dyn Disk, dir: &Path) -> io::Result<Option<IndexTail>> {
    read_tail(disk, &dir.join(OF_DELETED).with_extension("log"))
}

/// Keeps the index of a segment that is about to be deleted, if it has one, unless that of a later one is kept. Without a
/// sync.
pub(crate) fn keep_deleted(disk: &dyn Disk, log: &Path) -> io::Result<()> {
    let (Some(dir), (path, _)) = (log.parent(), paths(log)) else { return Ok(()) };
    let kept = dir.join(OF_DELETED).with_extension("index");
    let of_kept = read_deleted(disk, dir)?.map_or(0, |tail| tail.end.next_index);
    let moved = match read_tail(disk, log)? {
        Some(tail) if tail.producers.is_some() && tail.end.next_index > of_kept => {
            disk.rename(&path, &kept)
        }
        _ => disk.remove_file(&path),
    };
    match moved {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Reads both files. `None` when one is missing or not whole.
pub(crate) fn read(disk: &dyn Disk, log: &Path) -> io::Result<Option<SealedIndex>> {
    let Some(tail) = read_tail(disk, log)? else { return Ok(None) };
    let (index_path, time_path) = paths(log);
    let file = disk.open(&index_path, OpenMode::Read)?;
    let mut lines = vec![0; (tail.lines_bytes + tail.paddings_bytes) as usize];
    read_exact_at(file.as_ref(), &mut lines, 0)?;
    let times = read_all(disk, &time_path, MAX_INDEX_BYTES)?;
    let whole = tail.lines_bytes.is_multiple_of(LINE_BYTES as u64)
        && times.len().is_multiple_of(LINE_BYTES)
        && crc32c(&lines) == tail.lines_crc
        && crc32c(&times) == tail.times_crc;
    if !whole {
        return Ok(None);
    }
    let (lines, paddings) = lines.split_at(tail.lines_bytes as usize);
    let index =
        lines.chunks_exact(LINE_BYTES).filter_map(|bytes| read_line(&mut Reader(bytes))).collect();
    let times =
        times.chunks_exact(LINE_BYTES).filter_map(|bytes| read_time(&mut Reader(bytes))).collect();
    let paddings = paddings
        .chunks_exact(Padding::BYTES)
        .filter_map(|bytes| Padding::read(&mut Reader(bytes)))
        .collect();
    let maps = SegmentMaps { index, times, controls: tail.controls, paddings };
    Ok(Some(SealedIndex { start: tail.start, end: tail.end, maps }))
}

/// Notes every frame of a segment's file up to `size`, headers only, and gives it to `noted` with its position; an error
/// where they do not fit.
pub(crate) fn note_all(
    segment: &mut ActiveSegment,
    size: u64,
    interval: u32,
    mut noted: impl FnMut(&Entry, u32),
) -> io::Result<()> {
    let file = segment.file.clone();
    let from = u64::from(segment.end.size);
    let mut walker = Walker::new(file.as_ref(), Depth::Headers, from, size, i32::MAX as u32);
    loop {
        let Step::Frame { position, header } = walker.step()? else {
            let whole = walker.position() == size;
            return if whole { Ok(()) } else { Err(io::ErrorKind::InvalidData.into()) };
        };
        if header.is_padding() {
            segment.note_padding(header.size() as u32);
            continue;
        }
        let entry = entry_of(&header, segment.end.next_index);
        let end = &segment.end;
        let follows = |it: &Entry| it.base_offset >= end.end_offset && it.index >= end.next_index;
        let entry = entry.filter(follows).ok_or(io::ErrorKind::InvalidData)?;
        noted(&entry, position as u32);
        segment.note(&entry, max_timestamp(&header), interval);
    }
}

/// Interval of index lines where the topic's own is not at hand.
pub(crate) const INTERVAL: u32 = 4096;

/// Largest timestamp of a frame, -1 for control frames.
pub(crate) fn max_timestamp(header: &FrameHeader) -> i64 {
    match header {
        FrameHeader::Data(batch) => batch.max_timestamp,
        FrameHeader::Control(_) => -1,
    }
}

/// `before`: bytes of the file before the tail.
fn parse_tail(tail: &[u8], before: u64) -> Option<IndexTail> {
    let mut reader = Reader(tail);
    if reader.u32()? != VERSION {
        return None;
    }
    let mut found = IndexTail {
        group_id: reader.u64()?,
        start: read_start(&mut reader)?,
        end: read_end(&mut reader)?,
        lines_crc: reader.u32()?,
        times_crc: reader.u32()?,
        controls: Vec::new(),
        producers: None,
        lines_bytes: before,
        paddings_bytes: 0,
    };
    while !reader.0.is_empty() {
        let (kind, len) = (reader.u32()?, reader.u32()? as usize);
        let section = reader.take(len)?;
        match kind {
            SECTION_CONTROLS => {
                found.controls = section
                    .chunks(CONTROL_BYTES)
                    .map(|bytes| read_control(&mut Reader(bytes)))
                    .collect::<Option<_>>()?;
            }
            SECTION_PRODUCERS => found.producers = Some(section.to_vec()),
            SECTION_PADDINGS => {
                let bytes = u64::from(Reader(section).u32()?) * Padding::BYTES as u64;
                (found.lines_bytes, found.paddings_bytes) = (before.checked_sub(bytes)?, bytes);
            }
            _ => {}
        }
    }
    Some(found)
}

pub(crate) fn read_line(reader: &mut Reader<'_>) -> Option<IndexEntry> {
    Some(IndexEntry { offset: reader.u32()?, position: reader.u32()?, index: reader.u32()? })
}

pub(crate) fn read_time(reader: &mut Reader<'_>) -> Option<TimeEntry> {
    Some(TimeEntry { timestamp: reader.u64()? as i64, offset: reader.u32()? })
}

pub(crate) fn put_start(out: &mut Vec<u8>, start: &SegmentStart) {
    put_u64(out, start.base_offset);
    put_u64(out, start.base_index);
    put_u32(out, start.prev_term);
}

pub(crate) fn read_start(reader: &mut Reader<'_>) -> Option<SegmentStart> {
    Some(SegmentStart {
        base_offset: reader.u64()?,
        base_index: reader.u64()?,
        prev_term: reader.u32()?,
    })
}

pub(crate) fn put_end(out: &mut Vec<u8>, end: &SegmentEnd) {
    put_u32(out, end.size);
    put_u64(out, end.next_index);
    put_u64(out, end.end_offset);
    put_u32(out, end.last_term);
    put_u64(out, end.max_timestamp as u64);
    put_u64(out, end.max_timestamp_offset);
    put_u32(out, end.last_frame.position);
    put_u32(out, end.last_frame.crc);
}

pub(crate) fn read_end(reader: &mut Reader<'_>) -> Option<SegmentEnd> {
    Some(SegmentEnd {
        size: reader.u32()?,
        next_index: reader.u64()?,
        end_offset: reader.u64()?,
        last_term: reader.u32()?,
        max_timestamp: reader.u64()? as i64,
        max_timestamp_offset: reader.u64()?,
        last_frame: LastFrame { position: reader.u32()?, crc: reader.u32()? },
    })
}

pub(crate) fn put_control(out: &mut Vec<u8>, frame: &ControlFrame) {
    put_u32(out, frame.position);
    put_u32(out, frame.len);
    put_u64(out, frame.index);
    put_u64(out, frame.base_offset);
    put_u32(out, frame.term);
    let kind = match frame.kind {
        EntryKind::NoOp | EntryKind::Data => 0,
        EntryKind::ConfChange => 2,
        EntryKind::SetLogStart => 3,
    };
    put_u32(out, kind);
}

pub(crate) fn read_control(reader: &mut Reader<'_>) -> Option<ControlFrame> {
    let (position, len) = (reader.u32()?, reader.u32()?);
    // Where the next batch begins is told from it.
    position.checked_add(len)?;
    Some(ControlFrame {
        position,
        len,
        index: reader.u64()?,
        base_offset: reader.u64()?,
        term: reader.u32()?,
        kind: match reader.u32()? {
            0 => EntryKind::NoOp,
            2 => EntryKind::ConfChange,
            3 => EntryKind::SetLogStart,
            _ => return None,
        },
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_control_frame_ends_where_a_file_may_end() {
        let read = |position: u32, len: u32| {
            let kind = EntryKind::NoOp;
            let mut bytes = Vec::new();
            let frame = ControlFrame { position, len, index: 1, base_offset: 0, term: 1, kind };
            put_control(&mut bytes, &frame);
            read_control(&mut Reader(&bytes)).map(|frame| frame.position + frame.len)
        };
        assert_eq!(read(u32::MAX - 40, 40), Some(u32::MAX));
        assert_eq!(read(u32::MAX - 40, 41), None);
    }
}
