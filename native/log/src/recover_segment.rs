//! Recovery of one segment file.

use crate::checkpoint::{LogPoint, PartitionCheckpoint};
use crate::disk::{File, OpenMode, read_exact_at};
use crate::error::{LogError, at};
use crate::index::{self, max_timestamp};
use crate::maps::ControlFrame;
use crate::padding::MOST_BYTES;
use crate::recovery::OpenLog;
use crate::resync::{Bounds, Follow, find_valid, is_frame};
use crate::ring::EntryRing;
use crate::segment::{
    ActiveSegment, BEHIND_DAMAGE, HEADER_BYTES, INDEX_END, SealedSegment, SegmentEnd, SegmentStart,
    file_name, header_crc,
};
use crate::trust::Trust;
use crate::walk::{Depth, Step, Walker, entry_of};
use ms_wire::batch::{BatchError, LENGTH_OVERHEAD};
use ms_wire::frame::{self, ControlKind, FrameHeader};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A turn writes so much at once, unless one frame is larger.
const TURN_BYTES: u64 = 1 << 20;

/// What became of a segment file.
pub(crate) enum Loaded {
    /// Its index is whole and says what the file's length says: it was synced when that was written.
    Trusted(SealedSegment),
    /// Every frame was read.
    Whole { segment: ActiveSegment, checked: u64 },
    /// Whole up to its end, and what follows never was.
    Torn { segment: ActiveSegment, tail: Tail, checked: u64 },
    /// Whole up to its end, and what follows was once.
    Damaged { segment: ActiveSegment, tail: Tail, checked: u64 },
}

/// What lies behind the readable part of a segment.
pub(crate) struct Tail {
    pub len: u64,
    /// Valid frames in it.
    pub follow: Option<Follow>,
    /// What a whole index says of the segment's end.
    claimed: Option<SegmentEnd>,
}

/// Loads segments of one log.
pub(crate) struct Loader<'a> {
    pub how: &'a OpenLog<'a>,
    pub checkpoint: Option<&'a PartitionCheckpoint>,
    /// Everything before must be there.
    pub claim: LogPoint,
    /// Base offsets of the segments that have an index, ascending.
    pub indexes: &'a [u64],
}

/// A segment file and what its index said.
struct Candidate {
    path: PathBuf,
    file: Arc<dyn File>,
    len: u64,
    /// Base offset of the segment behind it.
    next: Option<u64>,
    /// The end that a whole index claims.
    claimed: Option<SegmentEnd>,
}

/// What the header of a segment says, and its CRC.
#[derive(Clone, Copy)]
struct Header {
    start: SegmentStart,
    crc: u32,
    flags: u32,
}

impl Loaded {
    pub fn start(&self) -> SegmentStart {
        match self {
            Loaded::Trusted(segment) => segment.start,
            Loaded::Whole { segment, .. }
            | Loaded::Torn { segment, .. }
            | Loaded::Damaged { segment, .. } => segment.start,
        }
    }

    pub fn end(&self) -> &SegmentEnd {
        match self {
            Loaded::Trusted(segment) => &segment.end,
            Loaded::Whole { segment, .. }
            | Loaded::Torn { segment, .. }
            | Loaded::Damaged { segment, .. } => &segment.end,
        }
    }

    pub fn controls(&self) -> &[ControlFrame] {
        match self {
            Loaded::Trusted(segment) => &segment.controls,
            Loaded::Whole { segment, .. }
            | Loaded::Torn { segment, .. }
            | Loaded::Damaged { segment, .. } => &segment.maps.controls,
        }
    }

    pub fn checked_bytes(&self) -> u64 {
        match self {
            Loaded::Trusted(_) => 0,
            Loaded::Whole { checked, .. }
            | Loaded::Torn { checked, .. }
            | Loaded::Damaged { checked, .. } => *checked,
        }
    }
}

impl Tail {
    /// The least that a segment behind this one may begin with: no offset and no index is used twice, whatever was lost.
    pub fn resume(&self, segment: &ActiveSegment, least: SegmentStart) -> SegmentStart {
        let lost = (self.len - u64::from(segment.end.size)) / frame::CONTROL_HEADER_BYTES as u64;
        let end = &segment.end;
        let follow =
            self.follow.unwrap_or(Follow { end_offset: end.end_offset, term: end.last_term });
        let claimed = self.claimed.as_ref().unwrap_or(end);
        let end_offset = end.end_offset.max(claimed.end_offset);
        let term = end.last_term.max(claimed.last_term);
        SegmentStart {
            base_offset: least.base_offset.max(follow.end_offset).max(end_offset),
            base_index: least.base_index.max(end.next_index + lost + 1).max(claimed.next_index),
            prev_term: least.prev_term.max(follow.term).max(term),
        }
    }
}

impl Loader<'_> {
    /// Reads one segment as far as the rules ask for; `next` is the one behind it. The ring is filled from what is walked.
    pub fn load(
        &self,
        base_offset: u64,
        next: Option<u64>,
        previous: Option<&SegmentEnd>,
        ring: &mut EntryRing,
    ) -> Result<Loaded, LogError> {
        let path = self.how.dir.join(file_name(base_offset, "log"));
        let disk = self.how.disk.as_ref();
        let file = self.open(&path, OpenMode::Write)?;
        let len = file.len().map_err(at("look at", &path))?;
        let header = self.read_header(file.as_ref(), len, base_offset, &path)?;
        let tail = match self.indexes.binary_search(&base_offset) {
            Ok(_) => index::read_tail(disk, &path).map_err(at("read index of", &path))?,
            Err(_) => None,
        };
        let fits = |tail: &index::IndexTail| {
            tail.group_id == self.how.identity.group_id
                && tail.start.base_offset == base_offset
                && tail.end.is_possible(&tail.start)
                && header.is_none_or(|header| header.start == tail.start)
        };
        let tail = tail.filter(fits);
        if let Some(tail) = &tail
            && header.is_some()
            && u64::from(tail.end.size) == len
        {
            let controls = tail.controls.clone();
            return Ok(Loaded::Trusted(SealedSegment::closed(
                &self.how.disk,
                &self.how.descriptors,
                tail.start,
                tail.end,
                path,
                controls,
            )));
        }
        let claimed = tail.map(|tail| tail.end);
        let candidate = Candidate { path, file, len, next, claimed };
        match header {
            Some(Header { start, crc, .. }) => self.walk(candidate, start, crc, ring),
            None => self.without_header(candidate, base_offset, previous, ring),
        }
    }

    /// Whether a segment was begun behind damage.
    pub fn is_behind_damage(&self, base_offset: u64) -> Result<bool, LogError> {
        let path = self.how.dir.join(file_name(base_offset, "log"));
        let file = self.open(&path, OpenMode::Read)?;
        let len = file.len().map_err(at("look at", &path))?;
        match self.read_header(file.as_ref(), len, base_offset, &path) {
            Err(LogError::WrongIdentity { .. }) => Ok(false),
            header => Ok(header?.is_some_and(|header| header.flags & BEHIND_DAMAGE != 0)),
        }
    }

    /// A file as the disk has it, where that need not be what was written: pages of which a sync failed are read until the page
    /// cache lets go of them.
    fn open(&self, path: &Path, mode: OpenMode) -> Result<Arc<dyn File>, LogError> {
        let file = self.how.disk.open(path, mode).map_err(at("open", path))?;
        if !self.how.same_boot {
            file.forget_cached().map_err(at("read", path))?;
        }
        Ok(file)
    }

    /// The header of a segment, if it is whole.
    fn read_header(
        &self,
        file: &dyn File,
        len: u64,
        base_offset: u64,
        path: &Path,
    ) -> Result<Option<Header>, LogError> {
        if len < u64::from(HEADER_BYTES) {
            return Ok(None);
        }
        let mut bytes = [0; HEADER_BYTES as usize];
        read_exact_at(file, &mut bytes, 0).map_err(at("read", path))?;
        let Ok(FrameHeader::Control(header)) = frame::check_frame(&bytes) else { return Ok(None) };
        let is_here = header.base_offset as u64 == base_offset;
        let is_reached = (1..INDEX_END).contains(&header.index);
        if header.kind != ControlKind::SegmentHeader || !is_here || !is_reached {
            return Ok(None);
        }
        let info = frame::segment_info(&bytes);
        let Some(info) = info.filter(|info| info.group_id == self.how.identity.group_id) else {
            return Err(LogError::WrongIdentity { path: path.to_path_buf() });
        };
        let start =
            SegmentStart { base_offset, base_index: header.index, prev_term: header.prev_term };
        Ok(Some(Header { start, crc: header_crc(&bytes), flags: info.flags }))
    }

    fn without_header(
        &self,
        candidate: Candidate,
        base_offset: u64,
        previous: Option<&SegmentEnd>,
        ring: &mut EntryRing,
    ) -> Result<Loaded, LogError> {
        let known = self.checkpoint.map(|found| found.start);
        let start = match (previous, known) {
            (_, Some(start)) if start.base_offset == base_offset => start,
            (Some(end), _) => {
                SegmentStart { base_offset, base_index: end.next_index, prev_term: end.last_term }
            }
            (None, _) => SegmentStart { base_offset, base_index: 1, prev_term: 0 },
        };
        let end = SegmentEnd { size: 0, ..SegmentEnd::empty(&start, 0) };
        *ring = EntryRing::new(start.base_index);
        let Candidate { path, file, .. } = &candidate;
        let segment = ActiveSegment::new(start, end, path.clone(), file.clone(), self.how.now_ms);
        self.classify(candidate, segment, Step::Bad, 0)
    }

    fn walk(
        &self,
        candidate: Candidate,
        start: SegmentStart,
        crc: u32,
        ring: &mut EntryRing,
    ) -> Result<Loaded, LogError> {
        let fail = at("read", &candidate.path);
        let walked = self.walk_frames(&candidate, start, crc, ring);
        let (segment, stop, checked) = walked.map_err(fail)?;
        if stop == Step::End {
            return Ok(Loaded::Whole { segment, checked });
        }
        self.classify(candidate, segment, stop, checked)
    }

    fn walk_frames(
        &self,
        candidate: &Candidate,
        start: SegmentStart,
        crc: u32,
        ring: &mut EntryRing,
    ) -> io::Result<(ActiveSegment, Step, u64)> {
        let mut segment = self.begin(candidate, start, crc)?;
        *ring = EntryRing::new(segment.end.next_index);
        ring.need_from(
            self.how.hard_state.map_or(u64::MAX, |state| state.commit.saturating_add(1)),
        );
        // What was flushed is only walked; the rest is checked.
        let flushed = match self.checkpoint {
            Some(found) if !self.how.same_boot && found.flushed.segment == start.base_offset => {
                u64::from(found.flushed.position).min(candidate.len)
            }
            _ => 0,
        };
        if u64::from(segment.end.size) < flushed {
            let stop = self.note_frames(&mut segment, Depth::Headers, flushed, ring)?;
            segment.trust = Arc::new(Trust::from(segment.end.size, &start));
            if stop != Step::End {
                return Ok((segment, stop, 0));
            }
        }
        let from = u64::from(segment.end.size);
        let stop = self.note_frames(&mut segment, Depth::Checked, candidate.len, ring)?;
        let checked = u64::from(segment.end.size) - from;
        Ok((segment, stop, checked))
    }

    /// The segment as the checkpoint knows it, if its last frame is found where it says; else from its first frame on.
    fn begin(
        &self,
        candidate: &Candidate,
        start: SegmentStart,
        crc: u32,
    ) -> io::Result<ActiveSegment> {
        let (path, file) = (candidate.path.clone(), candidate.file.clone());
        if let Some(found) = self.checkpoint
            && self.how.same_boot
            && found.start == start
            && u64::from(found.written.position) <= candidate.len
            && found.written.position == found.end.size
            && found.end.size >= HEADER_BYTES
            && is_there(file.as_ref(), &found.written)?
        {
            let created = found.created_ms;
            let mut segment = ActiveSegment::new(start, found.end, path, file, created);
            segment.maps = found.maps.clone();
            segment.trust = Arc::new(Trust::from(found.end.size, &start));
            let first = found.first_timestamp;
            segment.first_timestamp = (first != i64::MIN).then_some(first);
            return Ok(segment);
        }
        let end = SegmentEnd::empty(&start, crc);
        let created = self.checkpoint.filter(|found| found.start == start);
        let created_ms = created.map_or(self.how.now_ms, |found| found.created_ms);
        Ok(ActiveSegment::new(start, end, path, file, created_ms))
    }

    /// Notes the frames up to `end`; says what stands there instead of a frame that continues the log.
    fn note_frames(
        &self,
        segment: &mut ActiveSegment,
        depth: Depth,
        end: u64,
        ring: &mut EntryRing,
    ) -> io::Result<Step> {
        let file = segment.file.clone();
        let (from, most) = (u64::from(segment.end.size), self.how.options.max_frame_bytes);
        let mut walker = Walker::new(file.as_ref(), depth, from, end, most);
        loop {
            let step = walker.step()?;
            let Step::Frame { position, header } = step else { return Ok(step) };
            if !continues(&segment.end, &header) {
                return Ok(Step::Bad);
            }
            if header.is_padding() {
                segment.note_padding(header.size() as u32);
                continue;
            }
            let Some(entry) = entry_of(&header, segment.end.next_index) else {
                return Ok(Step::Bad);
            };
            ring.push(&entry, position as u32);
            let interval = self.how.options.index_interval_bytes;
            segment.note(&entry, max_timestamp(&header), interval);
        }
    }

    fn classify(
        &self,
        candidate: Candidate,
        segment: ActiveSegment,
        stop: Step,
        checked: u64,
    ) -> Result<Loaded, LogError> {
        let end = &segment.end;
        let from = u64::from(end.size);
        let follow = self.find_follow(&candidate, end).map_err(at("read", &candidate.path))?;
        let left = candidate.len - from;
        let claimed = self.claim.segment > segment.start.base_offset
            || (self.claim.segment == segment.start.base_offset && end.size < self.claim.position)
            || candidate.claimed.is_some_and(|claimed| end.size < claimed.size);
        let torn = if self.how.same_boot {
            let one_write = stop == Step::Torn
                || left <= TURN_BYTES
                || self.is_one_frame(&candidate, from, left);
            candidate.next.is_none() && follow.is_none() && one_write
        } else {
            true
        };
        let claimed = claimed
            || match candidate.next {
                // It was damage before, and the log has gone on behind it.
                Some(next) if torn => self.is_behind_damage(next)?,
                _ => false,
            };
        let tail = Tail { len: candidate.len, follow, claimed: candidate.claimed };
        if torn && !claimed {
            Ok(Loaded::Torn { segment, tail, checked })
        } else {
            Ok(Loaded::Damaged { segment, tail, checked })
        }
    }

    /// Valid frames behind the readable end.
    fn find_follow(&self, candidate: &Candidate, end: &SegmentEnd) -> io::Result<Option<Follow>> {
        let known_term = self.how.hard_state.map_or(0, |state| state.term);
        let bounds = Bounds {
            offset: end.end_offset,
            term: end.last_term,
            known_term: u32::try_from(known_term).unwrap_or(u32::MAX),
        };
        let file = candidate.file.as_ref();
        let from = self.search_from(candidate, end, bounds)?;
        find_valid(file, from, candidate.len, bounds)
    }

    /// Where the next frame may begin. What stands at the end may be a whole header of a frame that continues the log; what
    /// it announces is its payload then, which is not searched: to the end of the file if that comes before, and if it is
    /// followed by a frame or the end of the file. Else its length may be wrong, and everything is searched.
    fn search_from(
        &self,
        candidate: &Candidate,
        end: &SegmentEnd,
        bounds: Bounds,
    ) -> io::Result<u64> {
        let (file, from, to) = (candidate.file.as_ref(), u64::from(end.size), candidate.len);
        let mut head = vec![0; (to - from).min(frame::MAX_HEADER_BYTES as u64) as usize];
        read_exact_at(file, &mut head, from)?;
        let size = match FrameHeader::parse(&head) {
            Ok(header) if continues(end, &header) => header.size() as u64,
            Err(BatchError::Truncated { .. }) => return Ok(to),
            _ => return Ok(from),
        };
        let most = u64::from(self.how.options.max_frame_bytes) + frame::MAX_HEADER_BYTES as u64;
        if size > most {
            return Ok(from);
        }
        let behind = from.saturating_add(size);
        let is_confirmed = behind >= to || is_frame(file, behind, to, bounds)?;
        Ok(if is_confirmed { behind.min(to) } else { from })
    }

    /// Whether what is left claims to be one frame that ends with the file.
    fn is_one_frame(&self, candidate: &Candidate, from: u64, left: u64) -> bool {
        let mut head = [0; frame::MAX_HEADER_BYTES];
        let read = read_exact_at(candidate.file.as_ref(), &mut head, from);
        let header = read.ok().and_then(|()| FrameHeader::parse(&head).ok());
        header.is_some_and(|header| header.size() as u64 >= left)
    }

    /// Whether a log that ends here lacks what must be there.
    pub fn is_short(&self, end: &SegmentEnd) -> bool {
        end.next_index - 1 < self.claim.index
    }
}

/// Whether a file ends at a place as a checkpoint says: with this last frame, and nothing or padding behind it.
fn is_there(file: &dyn File, written: &LogPoint) -> io::Result<bool> {
    let (position, end) = (u64::from(written.last_frame), u64::from(written.position));
    let mut head = [0; frame::PREFIX_BYTES + 4];
    if position + head.len() as u64 > end {
        return Ok(false);
    }
    read_exact_at(file, &mut head, position)?;
    let len = head[8..12].first_chunk().map_or(0, |len| i32::from_be_bytes(*len));
    let behind = position + LENGTH_OVERHEAD as u64 + u64::try_from(len).unwrap_or(0);
    if header_crc(&head) != written.last_crc || !(behind..=behind + MOST_BYTES).contains(&end) {
        return Ok(false);
    }
    let mut padding = vec![0; (end - behind) as usize];
    read_exact_at(file, &mut padding, behind)?;
    let is_padding = |header: &FrameHeader| header.is_padding() && header.size() == padding.len();
    Ok(padding.is_empty() || frame::check_frame(&padding).is_ok_and(|header| is_padding(&header)))
}

/// Whether a frame is the next one: offset, term, and of a control frame index and term before it.
fn continues(end: &SegmentEnd, header: &FrameHeader) -> bool {
    if header.base_offset() as u64 != end.end_offset {
        return false;
    }
    match header {
        FrameHeader::Data(_) => header.term() == end.last_term,
        FrameHeader::Control(control) => {
            control.term >= end.last_term
                && (control.kind != ControlKind::Padding || control.term == end.last_term)
                && control.index == end.next_index
                && control.prev_term == end.last_term
        }
    }
}
