//! Segments: the active one, which grows, and the sealed ones below it, which do not change any more.

use crate::checkpoint::LogPoint;
use crate::descriptors::{Descriptors, Slot};
use crate::disk::{Disk, File, OpenMode};
use crate::entry::{Entry, EntryKind};
use crate::error::{LogError, at};
use crate::index;
use crate::maps::{ControlFrame, IndexEntry, SegmentMaps, TimeEntry};
use crate::options::LogIdentity;
use crate::padding::Padding;
use crate::trust::Trust;
use ms_wire::frame::{self, ControlPosition, SegmentInfo};
use parking_lot::Mutex;
use std::io::{self, IoSlice};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Bytes of a segment header.
pub(crate) const HEADER_BYTES: u32 = (frame::CONTROL_HEADER_BYTES + 12) as u32;
/// Flag in a segment's header: it was begun behind damage, whatever the segment before it looks like.
pub(crate) const BEHIND_DAMAGE: u32 = 2;

/// Where a segment begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SegmentStart {
    pub base_offset: u64,
    pub base_index: u64,
    pub prev_term: u32,
}

/// The last frame before a place, which proves that a log holds what a checkpoint says: Raft frames of one index and term
/// are equal, and so is everything before them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LastFrame {
    pub position: u32,
    pub crc: u32,
}

/// What is known of a segment's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SegmentEnd {
    /// Bytes that hold frames.
    pub size: u32,
    pub next_index: u64,
    pub end_offset: u64,
    pub last_term: u32,
    /// Largest timestamp, or -1, and the last offset of the first batch that has it.
    pub max_timestamp: i64,
    pub max_timestamp_offset: u64,
    pub last_frame: LastFrame,
}

/// The segment that grows.
pub(crate) struct ActiveSegment {
    pub start: SegmentStart,
    pub end: SegmentEnd,
    pub path: PathBuf,
    pub file: Arc<dyn File>,
    pub maps: SegmentMaps,
    /// Bytes since the last line of the index.
    pub since_line: u32,
    /// Largest timestamp of the first batch, which the time of the roll counts from.
    pub first_timestamp: Option<i64>,
    pub created_ms: i64,
    pub trust: Arc<Trust>,
    /// Up to where writeback has begun.
    pub started: u32,
    /// Up to where space was reserved, by this process.
    pub reserved: u32,
}

/// A segment that does not grow any more. Its file and maps are opened on demand, without the partition's lock.
pub(crate) struct SealedSegment {
    pub start: SegmentStart,
    pub end: SegmentEnd,
    pub path: PathBuf,
    pub controls: Vec<ControlFrame>,
    pub trust: Arc<Trust>,
    disk: Arc<dyn Disk>,
    open: Arc<Slot>,
    /// Space behind the end was given back, or the segment grows again.
    is_trimmed: Mutex<bool>,
    is_removed: AtomicBool,
}

/// No log has so many entries: who says so has not read one. Behind it numbers would overflow.
pub(crate) const INDEX_END: u64 = 1 << 62;

/// `<base offset, 20 digits>.<suffix>`, as Kafka names them.
pub(crate) fn file_name(base_offset: u64, suffix: &str) -> String {
    format!("{base_offset:020}.{suffix}")
}

/// The base offset in the name of a segment file with this suffix.
pub(crate) fn parse_name(name: &str, suffix: &str) -> Option<u64> {
    let digits = name.strip_suffix(suffix)?.strip_suffix('.')?;
    let plain = digits.len() == 20 && digits.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| digits.parse().ok()).flatten()
}

impl SegmentEnd {
    /// Whether a segment that begins so goes on exactly here.
    pub fn joins(&self, next: &SegmentStart) -> bool {
        next.base_offset == self.end_offset
            && next.base_index == self.next_index
            && next.prev_term == self.last_term
    }

    /// Whether a segment that begins so may end here. Indexes begin with 1.
    pub fn is_possible(&self, start: &SegmentStart) -> bool {
        (1..INDEX_END).contains(&start.base_index)
            && (start.base_index..=INDEX_END).contains(&self.next_index)
            && (start.base_offset..=self.end_offset).contains(&self.max_timestamp_offset)
    }

    /// The end of a segment that holds nothing but its header.
    pub fn empty(start: &SegmentStart, header_crc: u32) -> SegmentEnd {
        SegmentEnd {
            size: HEADER_BYTES,
            next_index: start.base_index,
            end_offset: start.base_offset,
            last_term: start.prev_term,
            max_timestamp: -1,
            max_timestamp_offset: start.base_offset,
            last_frame: LastFrame { position: 0, crc: header_crc },
        }
    }
}

impl ActiveSegment {
    /// Creates the file with its header. Nothing is synced. What a failed call left behind is removed.
    pub fn create(
        disk: &dyn Disk,
        dir: &Path,
        start: SegmentStart,
        identity: &LogIdentity,
        flags: u32,
        preallocate: Option<u32>,
        now_ms: i64,
    ) -> Result<ActiveSegment, LogError> {
        let path = dir.join(file_name(start.base_offset, "log"));
        let mut header = Vec::with_capacity(HEADER_BYTES as usize);
        let position = ControlPosition {
            next_offset: start.base_offset as i64,
            index: start.base_index,
            prev_term: start.prev_term,
            term: start.prev_term,
        };
        let info = SegmentInfo { flags, group_id: identity.group_id };
        frame::put_segment_header(&mut header, position, info);
        let crc = header_crc(&header);
        let file = disk.open(&path, OpenMode::Create).map_err(at("create", &path))?;
        let written = write_header(file.as_ref(), &header, preallocate);
        if let Err(source) = written {
            // If this fails, the next attempt creates it again, or what follows in the log removes it.
            let _ = disk.remove_file(&path);
            return Err(at("write", &path)(source));
        }
        let end = SegmentEnd::empty(&start, crc);
        let mut segment = ActiveSegment::new(start, end, path, file, now_ms);
        segment.reserved = preallocate.unwrap_or(0);
        Ok(segment)
    }

    /// A segment with nothing noted yet.
    pub fn new(
        start: SegmentStart,
        end: SegmentEnd,
        path: PathBuf,
        file: Arc<dyn File>,
        created_ms: i64,
    ) -> ActiveSegment {
        ActiveSegment {
            start,
            end,
            path,
            file,
            maps: SegmentMaps::default(),
            since_line: 0,
            first_timestamp: None,
            created_ms,
            trust: Arc::new(Trust::from(0, &start)),
            started: end.size,
            reserved: 0,
        }
    }

    /// Notes an entry that stands at the end of the segment. Amortized O(1).
    pub fn note(&mut self, entry: &Entry, max_timestamp: i64, interval: u32) {
        let position = self.end.size;
        if entry.kind == EntryKind::Data {
            if max_timestamp > self.end.max_timestamp {
                self.end.max_timestamp = max_timestamp;
                self.end.max_timestamp_offset = entry.end_offset() - 1;
            }
            self.first_timestamp.get_or_insert(max_timestamp);
        } else {
            self.maps.note_control(entry, position);
        }
        if self.maps.index.is_empty() || self.since_line >= interval {
            self.add_lines(entry, position);
        }
        self.since_line = self.since_line.saturating_add(entry.size);
        self.end.size += entry.size;
        self.end.next_index = entry.index + 1;
        self.end.end_offset = entry.end_offset();
        self.end.last_term = entry.term;
        self.end.last_frame = LastFrame { position, crc: entry.crc };
    }

    /// Notes padding that stands at the end of the segment, if it has any bytes.
    pub fn note_padding(&mut self, len: u32) {
        if len > 0 {
            self.maps.paddings.push(Padding { position: self.end.size, len });
            self.end.size += len;
        }
    }

    fn add_lines(&mut self, entry: &Entry, position: u32) {
        self.maps.index.push(IndexEntry {
            offset: (entry.base_offset - self.start.base_offset) as u32,
            position,
            index: (entry.index - self.start.base_index) as u32,
        });
        self.since_line = 0;
        self.add_time_line();
    }

    /// Notes the largest timestamp so far in the time index, if it is new.
    pub fn add_time_line(&mut self) {
        let timestamp = self.end.max_timestamp;
        if timestamp > self.maps.times.last().map_or(-1, |line| line.timestamp) {
            let offset = (self.end.max_timestamp_offset - self.start.base_offset) as u32;
            self.maps.times.push(TimeEntry { timestamp, offset });
        }
    }

    /// Its end as a place in the log.
    pub fn point(&self) -> LogPoint {
        LogPoint {
            segment: self.start.base_offset,
            position: self.end.size,
            index: self.end.next_index - 1,
            term: self.end.last_term,
            offset: self.end.end_offset,
            last_frame: self.end.last_frame.position,
            last_crc: self.end.last_frame.crc,
        }
    }

    /// Whether it holds a record.
    pub fn has_data(&self) -> bool {
        self.end.end_offset > self.start.base_offset
    }

    /// The same segment, sealed; it is open until others need the place.
    pub fn seal(mut self, disk: &Arc<dyn Disk>, descriptors: &Arc<Descriptors>) -> SealedSegment {
        self.add_time_line();
        let controls = self.maps.controls.clone();
        let open = Slot::new(descriptors);
        open.keep(Some(self.file), Some(Arc::new(self.maps)));
        SealedSegment {
            start: self.start,
            end: self.end,
            path: self.path,
            controls,
            trust: self.trust,
            disk: disk.clone(),
            open,
            is_trimmed: Mutex::new(false),
            is_removed: AtomicBool::new(false),
        }
    }
}

impl SealedSegment {
    /// A sealed segment found on disk, nothing of it opened or checked.
    pub fn closed(
        disk: &Arc<dyn Disk>,
        descriptors: &Arc<Descriptors>,
        start: SegmentStart,
        end: SegmentEnd,
        path: PathBuf,
        controls: Vec<ControlFrame>,
    ) -> SealedSegment {
        let (open, trust) = (Slot::new(descriptors), Arc::new(Trust::from(end.size, &start)));
        SealedSegment {
            start,
            end,
            path,
            controls,
            trust,
            disk: disk.clone(),
            open,
            is_trimmed: Mutex::new(true),
            is_removed: AtomicBool::new(false),
        }
    }

    /// The log was cut before its end: nobody asks for what it was any more.
    pub fn remove(&self) {
        self.is_removed.store(true, Ordering::Release);
    }

    /// Whether it is cut, and need not be synced.
    pub fn is_removed(&self) -> bool {
        self.is_removed.load(Ordering::Acquire)
    }

    /// The file, opened if it is not. May wait for the disk.
    pub fn file(&self) -> io::Result<Arc<dyn File>> {
        if let Some(file) = self.open.file() {
            return Ok(file);
        }
        // Two that open it at once: the second one's handle is kept.
        let file = self.disk.open(&self.path, OpenMode::Read)?;
        self.open.keep(Some(file.clone()), None);
        Ok(file)
    }

    /// The file, if it is open.
    pub fn open_file(&self) -> Option<Arc<dyn File>> {
        self.open.file()
    }

    /// A handle of its own that can write.
    pub fn open_to_write(&self) -> io::Result<Arc<dyn File>> {
        self.disk.open(&self.path, OpenMode::Write)
    }

    /// Gives back the space that was reserved behind its end, once. A file that holds more than frames is left alone.
    pub fn trim(&self, file: &dyn File) {
        let mut is_trimmed = self.is_trimmed.lock();
        let size = u64::from(self.end.size);
        if !std::mem::replace(&mut *is_trimmed, true) && file.len().is_ok_and(|len| len == size) {
            // Space only; a handle for reading cannot.
            let _ = file.truncate(size);
        }
    }

    /// The segment becomes the active one again: its file is not cut any more by [`SealedSegment::trim`].
    pub fn grows_again(&self) {
        *self.is_trimmed.lock() = true;
    }

    /// The maps if they are in memory.
    pub fn loaded_maps(&self) -> Option<Arc<SegmentMaps>> {
        self.open.maps()
    }

    /// The maps: from memory, else from the index files, else from the frames. May wait for the disk.
    pub fn maps(&self) -> io::Result<Arc<SegmentMaps>> {
        if let Some(maps) = self.loaded_maps() {
            return Ok(maps);
        }
        let read = index::read(self.disk.as_ref(), &self.path);
        let fits = |found: &index::SealedIndex| found.start == self.start && found.end == self.end;
        let maps = match read.ok().flatten().filter(fits) {
            Some(found) => Arc::new(found.maps),
            None => Arc::new(self.rebuild_maps()?),
        };
        self.open.keep(None, Some(maps.clone()));
        Ok(maps)
    }

    fn rebuild_maps(&self) -> io::Result<SegmentMaps> {
        let file = self.file()?;
        let end = SegmentEnd::empty(&self.start, 0);
        let mut segment = ActiveSegment::new(self.start, end, self.path.clone(), file.clone(), 0);
        index::note_all(&mut segment, u64::from(self.end.size), index::INTERVAL, |_, _| {})?;
        segment.add_time_line();
        Ok(segment.maps)
    }
}

/// The CRC in a frame's header.
pub(crate) fn header_crc(frame: &[u8]) -> u32 {
    frame.get(17..21).and_then(|b| b.first_chunk()).map_or(0, |b| u32::from_be_bytes(*b))
}

fn write_header(file: &dyn File, header: &[u8], preallocate: Option<u32>) -> io::Result<()> {
    // A file that was cut to nothing is written to the disk by ext4 when it is closed, deleted or not: not for every new one.
    if file.len()? > 0 {
        file.truncate(0)?;
    }
    // Before the header: what a failed roll leaves has none, so that a recovery does not take it for a segment.
    if let Some(len) = preallocate {
        file.allocate(0, u64::from(len))?;
    }
    file.write_vectored_at(&[IoSlice::new(header)], 0)
}
