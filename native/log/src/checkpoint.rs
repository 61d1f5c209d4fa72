//! One file per log directory that says, for every partition, where recovery may start.
//!
//! ```text
//! magic u32 | version u32 | n u32 | n x (len u32 | CRC-32C u32 | record)
//! ```

use crate::bytes::{Reader, put_u32, put_u64};
use crate::disk::{Disk, read_all, replace_file};
use crate::epochs::{Epoch, EpochTable};
use crate::index::{
    put_control, put_end, put_start, read_control, read_end, read_line, read_start, read_time,
};
use crate::log::PartitionLog;
use crate::maps::SegmentMaps;
use crate::padding::{Padding, Paddings};
use crate::segment::{SegmentEnd, SegmentStart};
use ms_wire::crc::crc32c;
use std::collections::HashMap;
use std::io::{self, IoSlice};
use std::path::Path;

const NAME: &str = "checkpoint";
const MAGIC: u32 = 0x4d53_4350;
const VERSION: u32 = 1;
/// Lines of the active segment's index that a checkpoint carries; a longer one is thinned.
const MOST_LINES: usize = 4096;
/// A checkpoint cannot be larger.
const MAX_BYTES: u64 = 4 << 30;

/// A place in a partition's log: the end of an entry, or of a segment's header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogPoint {
    /// Base offset of the segment.
    pub segment: u64,
    /// Bytes of the segment before the place.
    pub position: u32,
    /// Index and term of the entry.
    pub index: u64,
    pub term: u32,
    /// The next offset.
    pub offset: u64,
    /// Position and CRC of the last frame that is not padding: a file in which it is found holds everything before it too.
    pub last_frame: u32,
    pub last_crc: u32,
}

/// What the checkpoint knows of a partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionCheckpoint {
    pub group_id: u64,
    /// Everything before was given to the operating system.
    pub written: LogPoint,
    /// Everything before is durable.
    pub flushed: LogPoint,
    /// Durable, as is all that was written before it moved there.
    pub log_start: u64,
    /// Producer state at `written`, opaque.
    pub producers: Vec<u8>,
    pub(crate) truncations: u64,
    pub(crate) start: SegmentStart,
    pub(crate) end: SegmentEnd,
    pub(crate) first_timestamp: i64,
    pub(crate) created_ms: i64,
    pub(crate) epochs: EpochTable,
    pub(crate) maps: SegmentMaps,
}

impl PartitionLog {
    /// Where recovery may start. `producers` is the producer state at the log end. Copies at most 4,096 lines of the active
    /// segment's index, and the places of its padding.
    pub fn checkpoint_state(&self, producers: Vec<u8>) -> PartitionCheckpoint {
        let active = &self.active;
        let step = active.maps.index.len().div_ceil(MOST_LINES).max(1);
        let maps = SegmentMaps {
            index: active.maps.index.iter().step_by(step).copied().collect(),
            times: active.maps.times.iter().step_by(step).copied().collect(),
            controls: active.maps.controls.clone(),
            paddings: active.maps.paddings.clone(),
        };
        PartitionCheckpoint {
            group_id: self.identity.group_id,
            written: active.point(),
            flushed: self.flush.point(),
            log_start: self.durable_start.offset(),
            producers,
            truncations: self.truncations,
            start: active.start,
            end: active.end,
            first_timestamp: active.first_timestamp.unwrap_or(i64::MIN),
            created_ms: active.created_ms,
            epochs: self.epochs.clone(),
            maps,
        }
    }
}

/// Writes the file: temporary, fsync, rename, fsync of the folder. Waits for the disk. A partition that has not changed is
/// given as the bytes of last time ([`PartitionCheckpoint::encode`]).
pub fn write(disk: &dyn Disk, log_dir: &Path, partitions: &[&[u8]]) -> io::Result<()> {
    let mut head = Vec::with_capacity(12);
    put_u32(&mut head, MAGIC);
    put_u32(&mut head, VERSION);
    put_u32(&mut head, partitions.len() as u32);
    let mut frames = Vec::with_capacity(partitions.len() * 8);
    for record in partitions {
        put_u32(&mut frames, record.len() as u32);
        put_u32(&mut frames, crc32c(record));
    }
    let mut parts = Vec::with_capacity(1 + 2 * partitions.len());
    parts.push(IoSlice::new(&head));
    for (frame, record) in frames.chunks_exact(8).zip(partitions) {
        parts.push(IoSlice::new(frame));
        parts.push(IoSlice::new(record));
    }
    replace_file(disk, &log_dir.join(NAME), &parts)
}

/// Reads the file by group id. A missing file or damage in front gives an empty map, a damaged record leaves out its
/// partition: recovery then reads the log.
pub fn read(disk: &dyn Disk, log_dir: &Path) -> io::Result<HashMap<u64, PartitionCheckpoint>> {
    let bytes = match read_all(disk, &log_dir.join(NAME), MAX_BYTES) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(HashMap::new()),
        Err(error) => return Err(error),
    };
    let mut reader = Reader(&bytes);
    let mut found = HashMap::new();
    if (reader.u32(), reader.u32()) != (Some(MAGIC), Some(VERSION)) {
        return Ok(found);
    }
    for _ in 0..reader.u32().unwrap_or(0) {
        let (Some(len), Some(crc)) = (reader.u32(), reader.u32()) else { break };
        let Some(record) = reader.take(len as usize) else { break };
        let intact = crc32c(record) == crc;
        if let Some(partition) = intact.then(|| PartitionCheckpoint::decode(record)).flatten() {
            found.insert(partition.group_id, partition);
        }
    }
    Ok(found)
}

impl PartitionCheckpoint {
    /// One partition's record in the file.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(256 + self.maps.index.len() * 12 + self.producers.len());
        put_u64(&mut out, self.group_id);
        put_point(&mut out, &self.written);
        put_point(&mut out, &self.flushed);
        put_u64(&mut out, self.log_start);
        put_u64(&mut out, self.truncations);
        put_start(&mut out, &self.start);
        put_end(&mut out, &self.end);
        put_u64(&mut out, self.first_timestamp as u64);
        put_u64(&mut out, self.created_ms as u64);
        put_u32(&mut out, self.epochs.list().len() as u32);
        for epoch in self.epochs.list() {
            put_u32(&mut out, epoch.term);
            put_u64(&mut out, epoch.start_index);
            put_u64(&mut out, epoch.start_offset);
        }
        put_u32(&mut out, self.maps.index.len() as u32);
        for line in &self.maps.index {
            put_u32(&mut out, line.offset);
            put_u32(&mut out, line.position);
            put_u32(&mut out, line.index);
        }
        put_u32(&mut out, self.maps.times.len() as u32);
        for line in &self.maps.times {
            put_u64(&mut out, line.timestamp as u64);
            put_u32(&mut out, line.offset);
        }
        put_u32(&mut out, self.maps.controls.len() as u32);
        self.maps.controls.iter().for_each(|frame| put_control(&mut out, frame));
        put_u32(&mut out, self.producers.len() as u32);
        out.extend_from_slice(&self.producers);
        // Records of before end here.
        if !self.maps.paddings.list().is_empty() {
            put_u32(&mut out, self.maps.paddings.list().len() as u32);
            self.maps.paddings.list().iter().for_each(|padding| padding.put(&mut out));
        }
        out
    }

    fn decode(record: &[u8]) -> Option<PartitionCheckpoint> {
        let r = &mut Reader(record);
        let mut found = PartitionCheckpoint {
            group_id: r.u64()?,
            written: read_point(r)?,
            flushed: read_point(r)?,
            log_start: r.u64()?,
            truncations: r.u64()?,
            start: read_start(r)?,
            end: read_end(r)?,
            first_timestamp: r.u64()? as i64,
            created_ms: r.u64()? as i64,
            epochs: EpochTable::from_list(read_list(r, read_epoch)?)?,
            maps: SegmentMaps {
                index: read_list(r, read_line)?,
                times: read_list(r, read_time)?,
                controls: read_list(r, read_control)?,
                paddings: Paddings::default(),
            },
            producers: {
                let len = r.u32()? as usize;
                r.take(len)?.to_vec()
            },
        };
        if !r.0.is_empty() {
            found.maps.paddings = read_list(r, Padding::read)?.into_iter().collect();
        }
        Some(found)
    }
}

pub(crate) fn put_point(out: &mut Vec<u8>, point: &LogPoint) {
    put_u64(out, point.segment);
    put_u32(out, point.position);
    put_u64(out, point.index);
    put_u32(out, point.term);
    put_u64(out, point.offset);
    put_u32(out, point.last_frame);
    put_u32(out, point.last_crc);
}

pub(crate) fn read_point(reader: &mut Reader<'_>) -> Option<LogPoint> {
    Some(LogPoint {
        segment: reader.u64()?,
        position: reader.u32()?,
        index: reader.u64()?,
        term: reader.u32()?,
        offset: reader.u64()?,
        last_frame: reader.u32()?,
        last_crc: reader.u32()?,
    })
}

/// A list with its length in front; nothing is reserved by what the length says.
fn read_list<T>(
    reader: &mut Reader<'_>,
    mut read: impl FnMut(&mut Reader<'_>) -> Option<T>,
) -> Option<Vec<T>> {
    let count = reader.u32()?;
    (0..count).map(|_| read(reader)).collect()
}

fn read_epoch(reader: &mut Reader<'_>) -> Option<Epoch> {
    Some(Epoch { term: reader.u32()?, start_index: reader.u64()?, start_offset: reader.u64()? })
}
