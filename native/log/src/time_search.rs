//! Offsets by time: a job over the segments, without the partition's lock.

use crate::disk::{File, read_exact_at};
use crate::log::PartitionLog;
use crate::maps::SegmentMaps;
use crate::segment::{HEADER_BYTES, SealedSegment, SegmentEnd, SegmentStart};
use crate::walk::{Depth, Step, Walker};
use ms_wire::batch::BatchHeader;
use ms_wire::frame::FrameHeader;
use ms_wire::records::{self, OffsetAndTimestamp};
use ms_wire::walk::Scratch;
use std::io;
use std::sync::Arc;

/// A record found by time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeFound {
    pub offset: u64,
    pub timestamp: i64,
    pub leader_epoch: u32,
}

/// Holds the segments it needs; those that are open stay readable while it lives.
pub struct TimeSearch {
    target: Target,
    log_start: u64,
    up_to: u64,
    /// Oldest first.
    pieces: Vec<Piece>,
}

#[derive(Clone, Copy)]
enum Target {
    /// The first record not before this time.
    NotBefore(i64),
    /// The first record with the largest time.
    Largest,
}

struct Piece {
    start: SegmentStart,
    end: SegmentEnd,
    source: Source,
}

enum Source {
    Sealed(Arc<SealedSegment>),
    /// The active segment's file, and a frame boundary at or before what is looked for.
    Active(Arc<dyn File>, u32),
}

impl PartitionLog {
    /// Search for the first record with a timestamp of at least `timestamp` from the log start to below `up_to`. Copies the
    /// list of segments; what reads the disk runs without the lock.
    pub fn search_timestamp(&self, timestamp: i64, up_to: u64) -> TimeSearch {
        self.search(Target::NotBefore(timestamp), up_to)
    }

    /// As [`PartitionLog::search_timestamp`], for the first record with the largest timestamp.
    pub fn search_max_timestamp(&self, up_to: u64) -> TimeSearch {
        self.search(Target::Largest, up_to)
    }

    fn search(&self, target: Target, up_to: u64) -> TimeSearch {
        let sealed = self.sealed.iter().map(|segment| Piece {
            start: segment.start,
            end: segment.end,
            source: Source::Sealed(segment.clone()),
        });
        let active = &self.active;
        let hint = hint(&active.maps, &active.start, &active.end, target);
        let active = Piece {
            start: active.start,
            end: active.end,
            source: Source::Active(active.file.clone(), hint),
        };
        let reaches = |piece: &Piece| {
            piece.end.end_offset > self.log_start && piece.start.base_offset < up_to
        };
        let pieces = sealed.chain([active]).filter(reaches).collect();
        TimeSearch { target, log_start: self.log_start, up_to, pieces }
    }
}

/// A frame boundary at or before the batch that is looked for, by time index and sparse index.
fn hint(maps: &SegmentMaps, start: &SegmentStart, end: &SegmentEnd, target: Target) -> u32 {
    let offset = match target {
        Target::NotBefore(timestamp) => maps.by_time(timestamp).map(|line| line.offset),
        Target::Largest => Some((end.max_timestamp_offset - start.base_offset) as u32),
    };
    let line = offset.and_then(|offset| maps.by_offset(offset));
    line.map_or(HEADER_BYTES, |line| line.position)
}

impl TimeSearch {
    /// Reads headers, and decompresses the batch in question. Waits for the disk: on a worker. `InvalidData`: damage.
    pub fn run(self) -> io::Result<Option<TimeFound>> {
        let mut scratch = Scratch::default();
        match self.target {
            Target::NotBefore(timestamp) => self.first_not_before(timestamp, &mut scratch),
            Target::Largest => self.largest(&mut scratch),
        }
    }

    fn first_not_before(
        &self,
        timestamp: i64,
        scratch: &mut Scratch,
    ) -> io::Result<Option<TimeFound>> {
        for piece in self.pieces.iter().filter(|piece| piece.end.max_timestamp >= timestamp) {
            let Some((file, from)) = piece.open(self.target)? else { continue };
            let mut walker = piece.walker(file.as_ref(), from);
            while let Some((position, header)) = next_batch(&mut walker)? {
                let below_start = (header.last_offset() as u64) < self.log_start;
                if header.base_offset as u64 >= self.up_to {
                    return Ok(None);
                }
                if below_start || header.max_timestamp < timestamp {
                    continue;
                }
                let batch = read_batch(file.as_ref(), position, &header)?;
                let least = self.log_start as i64;
                let record = records::find_timestamp(&batch, &header, timestamp, least, scratch);
                if let Some(record) = record.map_err(damage)? {
                    return Ok(self.found(record, &header));
                }
            }
        }
        Ok(None)
    }

    fn largest(&self, scratch: &mut Scratch) -> io::Result<Option<TimeFound>> {
        let mut best: Option<(i64, Arc<dyn File>, u64, BatchHeader)> = None;
        for piece in &self.pieces {
            let known = best.as_ref().map_or(-1, |(timestamp, ..)| *timestamp);
            if piece.end.max_timestamp <= known {
                continue;
            }
            // The segment's largest lies outside of what may be seen: its other batches are looked at one by one.
            let seen = self.log_start..self.up_to;
            let visible = seen.contains(&piece.end.max_timestamp_offset);
            let Some((file, hint)) = piece.open(self.target)? else { continue };
            let from = if visible { hint } else { HEADER_BYTES };
            let mut walker = piece.walker(file.as_ref(), from);
            let mut largest = known;
            while let Some((position, header)) = next_batch(&mut walker)? {
                let last = header.last_offset() as u64;
                if header.base_offset as u64 >= self.up_to {
                    break;
                }
                if last >= self.log_start && header.max_timestamp > largest {
                    largest = header.max_timestamp;
                    best = Some((largest, file.clone(), position, header));
                }
                if visible && last >= piece.end.max_timestamp_offset {
                    break;
                }
            }
        }
        let Some((_, file, position, header)) = best else { return Ok(None) };
        let batch = read_batch(file.as_ref(), position, &header)?;
        let record = records::max_timestamp_record(&batch, &header, scratch).map_err(damage)?;
        Ok(record.and_then(|record| self.found(record, &header)))
    }

    fn found(&self, record: OffsetAndTimestamp, header: &BatchHeader) -> Option<TimeFound> {
        let offset = record.offset as u64;
        (offset < self.up_to).then_some(TimeFound {
            offset,
            timestamp: record.timestamp,
            leader_epoch: header.partition_leader_epoch as u32,
        })
    }
}

impl Piece {
    /// The file and where to begin; `None` if the segment was deleted meanwhile.
    fn open(&self, target: Target) -> io::Result<Option<(Arc<dyn File>, u32)>> {
        let sealed = match &self.source {
            Source::Active(file, hint) => return Ok(Some((file.clone(), *hint))),
            Source::Sealed(sealed) => sealed,
        };
        let opened = sealed.file().and_then(|file| Ok((file, sealed.maps()?)));
        match opened {
            Ok((file, maps)) => Ok(Some((file, hint(&maps, &self.start, &self.end, target)))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn walker<'a>(&self, file: &'a dyn File, from: u32) -> Walker<'a> {
        let (from, end) = (u64::from(from), u64::from(self.end.size));
        Walker::new(file, Depth::Headers, from, end, i32::MAX as u32)
    }
}

/// The next data frame and its position.
fn next_batch(walker: &mut Walker<'_>) -> io::Result<Option<(u64, BatchHeader)>> {
    loop {
        match walker.step()? {
            Step::Frame { position, header: FrameHeader::Data(header) } => {
                return Ok(Some((position, header)));
            }
            Step::Frame { .. } => {}
            Step::End => return Ok(None),
            Step::Torn | Step::Bad => return Err(io::ErrorKind::InvalidData.into()),
        }
    }
}

fn read_batch(file: &dyn File, position: u64, header: &BatchHeader) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; header.size()];
    read_exact_at(file, &mut bytes, position)?;
    Ok(bytes)
}

fn damage(error: impl std::error::Error + Send + Sync + 'static) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}
