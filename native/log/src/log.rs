//! One partition's log: an active segment, sealed ones below it, and the maps over them.

use crate::descriptors::{Descriptors, Unsynced};
use crate::disk::Disk;
use crate::entry::{AppendPosition, Entry, FrameToWrite};
use crate::epochs::EpochTable;
use crate::error::{AppendError, LogError, at};
use crate::flush::FlushState;
use crate::log_start::DurableStart;
use crate::options::{LogIdentity, LogOptions};
use crate::ring::EntryRing;
use crate::segment::{ActiveSegment, SealedSegment, SegmentStart, file_name, header_crc};
use crate::tend::Behind;
use std::io::{self, IoSlice};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What the next append will bring, to decide whether a new segment must begin first (as Kafka's `shouldRoll`).
#[derive(Clone, Copy, Debug)]
pub struct NextAppend {
    /// Bytes of all frames of the turn.
    pub bytes: u32,
    /// Largest timestamp in them, or -1.
    pub max_timestamp: i64,
    /// The last offset they will consume.
    pub last_offset: u64,
}

/// Answer of OffsetForLeaderEpoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EpochEnd {
    /// The largest epoch at or below the one asked for.
    pub epoch: u32,
    /// Start of the next epoch, or the log end.
    pub end_offset: u64,
}

/// The log of one partition. Every method is called under the partition's lock; none waits for the disk except where it
/// says so.
pub struct PartitionLog {
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) descriptors: Arc<Descriptors>,
    pub(crate) dir: PathBuf,
    pub(crate) identity: LogIdentity,
    pub(crate) options: LogOptions,
    /// Oldest first; each ends where the next one, or the active one, begins.
    pub(crate) sealed: Vec<Arc<SealedSegment>>,
    pub(crate) active: ActiveSegment,
    pub(crate) epochs: EpochTable,
    pub(crate) ring: EntryRing,
    pub(crate) log_start: u64,
    pub(crate) durable_start: DurableStart,
    pub(crate) sealed_bytes: u64,
    /// False after a failed write whose file could not be cut back.
    pub(crate) usable: bool,
    pub(crate) version: u64,
    /// How often the log was cut; a checkpoint of before says nothing.
    pub(crate) truncations: u64,
    pub(crate) flush: FlushState,
    pub(crate) behind: Behind,
    /// The file of a segment that could not be begun, if it may still be there.
    unborn: Option<PathBuf>,
}

/// Most parts given to one write without building a list.
const PARTS: usize = 64;

impl PartitionLog {
    /// A log of one segment and nothing known beyond it.
    pub(crate) fn from_parts(
        disk: Arc<dyn Disk>,
        descriptors: Arc<Descriptors>,
        dir: &Path,
        identity: LogIdentity,
        options: LogOptions,
        mut active: ActiveSegment,
    ) -> PartitionLog {
        active.started = active.end.size;
        PartitionLog {
            disk,
            descriptors,
            dir: dir.to_path_buf(),
            identity,
            options,
            sealed: Vec::new(),
            epochs: EpochTable::default(),
            ring: EntryRing::new(active.end.next_index),
            log_start: active.start.base_offset,
            durable_start: DurableStart::new(active.start.base_offset),
            sealed_bytes: 0,
            usable: true,
            version: 0,
            truncations: 0,
            flush: FlushState::default(),
            behind: Behind::default(),
            unborn: None,
            active,
        }
    }

    /// Writes all frames of a turn by one write, and the padding behind them. Roll first (`roll_if_needed`). No
    /// allocation beyond amortized growth of the index (64 frames or more: one list; padding: its bytes), one pass over the
    /// descriptors. After an error nothing of it is in the log; see [`AppendError`].
    pub fn append(&mut self, frames: &[FrameToWrite<'_>]) -> Result<AppendPosition, AppendError> {
        let position = self.active.end.size;
        self.check_frames(frames);
        if !self.usable {
            let source = io::Error::other("an earlier write could not be taken back");
            return Err(AppendError { source, position, usable: false });
        }
        if let Err(source) = self.remove_unborn() {
            return Err(AppendError { source, position, usable: true });
        }
        let padding = self.padding_behind(frames);
        if let Err(source) = self.write(frames, &padding, u64::from(position)) {
            self.usable = self.active.file.truncate(u64::from(position)).is_ok();
            self.active.reserved = 0;
            return Err(AppendError { source, position, usable: self.usable });
        }
        for frame in frames {
            let entry = &frame.entry;
            self.ring.push(entry, self.active.end.size);
            self.epochs.note(entry.term, entry.index, entry.base_offset);
            self.active.note(entry, frame.max_timestamp, self.options.index_interval_bytes);
        }
        self.active.note_padding(padding.len() as u32);
        self.version += 1;
        Ok(AppendPosition {
            segment: self.active.start.base_offset,
            position,
            last_index: self.last_index(),
            log_end: self.log_end_offset(),
        })
    }

    fn write(&self, frames: &[FrameToWrite<'_>], padding: &[u8], position: u64) -> io::Result<()> {
        let file = &self.active.file;
        if frames.len() < PARTS {
            let mut parts = [IoSlice::new(padding); PARTS];
            for (part, frame) in parts.iter_mut().zip(frames) {
                *part = IoSlice::new(frame.bytes);
            }
            let count = frames.len() + usize::from(!padding.is_empty());
            return file.write_vectored_at(&parts[..count], position);
        }
        let bytes = frames.iter().map(|frame| frame.bytes);
        let parts: Vec<_> = bytes.chain([padding]).map(IoSlice::new).collect();
        file.write_vectored_at(&parts, position)
    }

    /// Asserts the invariants that only a bug can break: indexes, offsets and terms continue, sizes are true.
    fn check_frames(&self, frames: &[FrameToWrite<'_>]) {
        let end = &self.active.end;
        let (mut index, mut offset, mut term) = (end.next_index, end.end_offset, end.last_term);
        for frame in frames {
            let entry = &frame.entry;
            assert_eq!(entry.index, index, "raft index out of step");
            assert_eq!(entry.base_offset, offset, "offset out of step");
            assert!(entry.term >= term, "term goes back");
            assert_eq!(entry.size as usize, frame.bytes.len(), "size of a frame");
            assert_eq!(entry.crc, header_crc(frame.bytes), "CRC of a frame");
            (index, offset, term) = (index + 1, entry.end_offset(), entry.term);
        }
    }

    /// Whether the next append belongs into a new segment (Kafka's `LogSegment.shouldRoll`). Never while the active one
    /// holds no record: its successor would have the same name.
    pub fn should_roll(&self, next: &NextAppend, now_ms: i64) -> bool {
        let (active, options) = (&self.active, &self.options);
        if !active.has_data() {
            return false;
        }
        let waited = match active.first_timestamp {
            Some(first) if first >= 0 && next.max_timestamp >= 0 => next.max_timestamp - first,
            _ => now_ms - active.created_ms,
        };
        let limit = options.segment_ms.saturating_sub(self.jitter());
        // As many lines as Kafka's index of 8 bytes each would hold.
        let most_lines = (options.index_bytes / 8) as usize;
        let size = u64::from(active.end.size) + u64::from(next.bytes);
        let must = size > i32::MAX as u64
            || next.last_offset.saturating_sub(active.start.base_offset) > i32::MAX as u64;
        let should = size > u64::from(options.segment_bytes)
            || (waited > 0 && waited as u64 > limit)
            || active.maps.index.len() >= most_lines;
        // A segment that is larger than asked for does no harm; files that wait for a disk which is behind would.
        must || should && !self.descriptors.are_many_unsynced()
    }

    /// How much earlier this segment rolls than `segment.ms` says.
    fn jitter(&self) -> u64 {
        let most = self.options.segment_jitter_ms.min(self.options.segment_ms);
        let seed = self.identity.group_id ^ self.active.start.base_offset.rotate_left(17);
        seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) % most.max(1)
    }

    /// Seals the active segment and begins a new one; nothing happens when it holds no record. `producers` is the producer
    /// state at the log end, kept opaque in the sealed index. Costs an open and one write; what has to be synced is in the
    /// next [`crate::FlushJob`].
    pub fn roll(&mut self, now_ms: i64, producers: Vec<u8>) -> Result<(), LogError> {
        if !self.active.has_data() {
            return Ok(());
        }
        let end = self.active.end;
        let start = SegmentStart {
            base_offset: end.end_offset,
            base_index: end.next_index,
            prev_term: end.last_term,
        };
        let path = self.dir.join(file_name(start.base_offset, "log"));
        self.remove_unborn().map_err(at("remove a segment of", &self.dir))?;
        self.unborn = Some(path);
        // Also if it fails: the file must not come back beside what is acknowledged afterwards.
        self.flush.names_changed();
        let reserve = self.options.preallocate.then_some(self.options.segment_bytes);
        let (disk, identity) = (self.disk.as_ref(), &self.identity);
        let next = ActiveSegment::create(disk, &self.dir, start, identity, 0, reserve, now_ms)?;
        self.unborn = None;
        self.behind.sealed(&self.active);
        let file = Unsynced::new(&self.descriptors, self.active.file.clone());
        let sealed = std::mem::replace(&mut self.active, next).seal(&self.disk, &self.descriptors);
        let sealed = Arc::new(sealed);
        self.sealed_bytes += u64::from(end.size);
        self.flush.rolled(sealed.clone(), Some(file), Some(producers));
        self.sealed.push(sealed);
        self.version += 1;
        Ok(())
    }

    /// Removes what a failed roll left behind, should that have failed too: the log must not go on beside it. A recovery would
    /// take it for the segment in which the log goes on, and the one before for one that ends there.
    fn remove_unborn(&mut self) -> io::Result<()> {
        let Some(path) = &self.unborn else { return Ok(()) };
        match self.disk.remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => self.unborn = None,
        }
        self.flush.names_changed();
        Ok(())
    }

    /// [`PartitionLog::roll`] if [`PartitionLog::should_roll`]; says whether it did.
    pub fn roll_if_needed(
        &mut self,
        next: &NextAppend,
        now_ms: i64,
        producers: impl FnOnce() -> Vec<u8>,
    ) -> Result<bool, LogError> {
        if !self.should_roll(next, now_ms) {
            return Ok(false);
        }
        self.roll(now_ms, producers()).map(|()| true)
    }

    /// Changes the settings; they hold from the next append on.
    pub fn configure(&mut self, options: LogOptions) {
        self.options = options;
    }

    /// The settings in force.
    pub fn options(&self) -> &LogOptions {
        &self.options
    }

    /// The folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// First offset of the segment that grows.
    pub fn active_base_offset(&self) -> u64 {
        self.active.start.base_offset
    }

    /// The oldest index in the log.
    pub fn first_index(&self) -> u64 {
        self.sealed.first().map_or(self.active.start.base_index, |first| first.start.base_index)
    }

    /// The newest index; `first_index() - 1` when the log is empty.
    pub fn last_index(&self) -> u64 {
        self.active.end.next_index - 1
    }

    /// Term of an index in `first_index() - 1 ..= last_index()`. Never asks the disk.
    pub fn term(&self, index: u64) -> Option<u32> {
        let first = self.first_index();
        if index + 1 == first {
            let start = self.sealed.first().map_or(&self.active.start, |oldest| &oldest.start);
            return Some(start.prev_term);
        }
        if index < first || index > self.last_index() {
            return None;
        }
        self.epochs.term_at_index(index)
    }

    /// Descriptor of an entry if it is in the entry ring; never asks the disk.
    pub fn entry(&self, index: u64) -> Option<Entry> {
        self.ring.get(index).map(|(entry, _)| entry)
    }

    /// The ring keeps entries from `index` on, whatever its size: call with the first index not yet applied.
    pub fn retain_entries_from(&mut self, index: u64) {
        self.ring.need_from(index);
    }

    /// The next offset.
    pub fn log_end_offset(&self) -> u64 {
        self.active.end.end_offset
    }

    /// The epoch of the last entry, or `None` in a log that never had one.
    pub fn latest_epoch(&self) -> Option<u32> {
        Some(self.active.end.last_term).filter(|&term| term > 0)
    }

    /// OffsetForLeaderEpoch as Kafka's `endOffsetFor`: `None` (answer -1/-1) for an epoch this log does not know yet. The
    /// caller checks the epoch against the leader's own.
    pub fn epoch_end_offset(&self, epoch: u32) -> Option<EpochEnd> {
        self.epochs.end_of(epoch, self.log_start, self.log_end_offset())
    }

    /// Epoch in force at an offset (for ListOffsets answers).
    pub fn epoch_at_offset(&self, offset: u64) -> Option<u32> {
        self.epochs.term_at_offset(offset)
    }

    /// Bytes of all segment files.
    pub fn size_bytes(&self) -> u64 {
        self.sealed_bytes + u64::from(self.active.end.size)
    }

    /// Moves with every change that a checkpoint would show; equal numbers mean the last checkpoint can be kept.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Position in `sealed` of the segment with this index; `sealed.len()` for the active one.
    pub(crate) fn segment_of_index(&self, index: u64) -> usize {
        if index >= self.active.start.base_index {
            return self.sealed.len();
        }
        self.sealed.partition_point(|segment| segment.start.base_index <= index).saturating_sub(1)
    }
}
