//! A log on a simulated disk, and a model of what it must hold.
#![allow(dead_code, clippy::unwrap_used)]

use ms_log::checkpoint::PartitionCheckpoint;
use ms_log::hard_state::HardState;
use ms_log::sim::SimDisk;
use ms_log::{
    AppendError, BatchVisitor, Disk, Entry, EntryKind, FrameToWrite, LogIdentity, LogOptions,
    NextAppend, OpenLog, PaddingOptions, PartitionLog, ReadError, ReadPlan, ReadRequest, Recovery,
    read_exact_at,
};
use ms_wire::batch::{self, BatchHeader};
use ms_wire::frame::{self, ControlKind, ControlPosition, FrameHeader};
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub const IDENTITY: LogIdentity = LogIdentity { topic_id: [7; 16], group_id: 77 };

/// A number from a seed.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % n.max(1)
    }
}

/// A batch of `count` records, `payload` bytes of them, not stamped.
pub fn batch(count: u32, payload: &[u8], timestamp: i64, sequence: i32) -> Vec<u8> {
    let header = BatchHeader {
        base_offset: 0,
        batch_length: (batch::HEADER_BYTES + payload.len() - batch::LENGTH_OVERHEAD) as i32,
        partition_leader_epoch: 0,
        crc: 0,
        attributes: 0,
        last_offset_delta: count as i32 - 1,
        base_timestamp: timestamp,
        max_timestamp: timestamp,
        producer_id: 5,
        producer_epoch: 0,
        base_sequence: sequence,
        record_count: count as i32,
    };
    let mut bytes = header.encode().to_vec();
    bytes.extend_from_slice(payload);
    batch::write_crc(&mut bytes);
    bytes
}

/// What replay gave: the snapshot, and base offsets and sequences of the batches.
#[derive(Default, Debug, PartialEq, Eq)]
pub struct Seen {
    pub snapshot: Vec<u8>,
    pub batches: Vec<(i64, i32)>,
    /// The next offset.
    next: Option<i64>,
}

impl BatchVisitor for Seen {
    fn snapshot(&mut self, producers: &[u8]) {
        assert!(self.batches.is_empty());
        self.snapshot = producers.to_vec();
    }

    fn batch(&mut self, header: &BatchHeader) {
        self.batches.push((header.base_offset, header.base_sequence));
        self.next = Some(header.last_offset() + 1);
    }

    fn encode(&self) -> Vec<u8> {
        self.next.map_or(self.snapshot.clone(), |next| next.to_string().into_bytes())
    }

    fn fresh(&self) -> Box<dyn BatchVisitor> {
        Box::new(Seen::default())
    }
}

pub struct Rig {
    pub disk: SimDisk,
    pub dir: PathBuf,
    pub log: PartitionLog,
    pub term: u32,
    pub now_ms: i64,
    pub sequence: i32,
    /// Payloads hold valid frames of other offsets and terms.
    pub hostile: bool,
    /// Batches of the last turn, written or not.
    pub turn: Vec<Vec<u8>>,
}

/// A valid frame of one record with these fields, which lie outside its CRC.
pub fn frame_of(base_offset: u64, term: u32) -> Vec<u8> {
    let mut bytes = batch(1, b"inner", 1000, 0);
    batch::stamp(&mut bytes, base_offset as i64, term as i32);
    bytes
}

pub fn options(segment_bytes: u32) -> LogOptions {
    LogOptions { segment_bytes, index_interval_bytes: 256, ..LogOptions::default() }
}

impl Rig {
    pub fn new(segment_bytes: u32) -> Rig {
        Rig::with(options(segment_bytes))
    }

    /// Padding behind most turns.
    pub fn padded(segment_bytes: u32) -> Rig {
        let padding = PaddingOptions { turn_bytes: 1, share: 1, most: 256, least: 64 };
        Rig::with(LogOptions { padding, ..options(segment_bytes) })
    }

    pub fn with(options: LogOptions) -> Rig {
        let disk = SimDisk::new();
        disk.create_dir_all(Path::new("/data")).unwrap();
        disk.sync_dir(Path::new("/")).unwrap();
        let dir = PathBuf::from("/data/t-0");
        let shared: Arc<dyn Disk> = Arc::new(disk.clone());
        let log = PartitionLog::create(
            shared,
            ms_log::Descriptors::new(1000),
            &dir,
            IDENTITY,
            options,
            1000,
        )
        .unwrap();
        let turn = Vec::new();
        Rig { disk, dir, log, term: 0, now_ms: 1000, sequence: 0, hostile: false, turn }
    }

    /// Opens the log again, as after a crash.
    pub fn reopen(
        &mut self,
        checkpoint: Option<&PartitionCheckpoint>,
        same_boot: bool,
        commit: u64,
    ) -> (Recovery, Seen) {
        let mut seen = Seen::default();
        let how = OpenLog {
            disk: Arc::new(self.disk.clone()),
            descriptors: ms_log::Descriptors::new(1000),
            dir: &self.dir,
            identity: IDENTITY,
            is_own: false,
            options: *self.log.options(),
            checkpoint,
            same_boot,
            hard_state: Some(HardState { term: 9, vote: 1, commit }),
            sync_on_open: false,
            now_ms: self.now_ms,
        };
        let (log, recovery) = PartitionLog::open(how, &mut seen).unwrap();
        self.log = log;
        self.term = self.log.latest_epoch().unwrap_or(0);
        (recovery, seen)
    }

    pub fn entry(&self, bytes: &[u8], index: u64, kind: EntryKind) -> FrameToWriteOwned {
        let header = FrameHeader::parse(bytes).unwrap();
        let max_timestamp = match &header {
            FrameHeader::Data(batch) => batch.max_timestamp,
            FrameHeader::Control(_) => -1,
        };
        let entry = Entry {
            index,
            term: header.term(),
            kind,
            base_offset: header.base_offset() as u64,
            count: header.offset_count() as u32,
            size: header.size() as u32,
            crc: header.crc(),
        };
        FrameToWriteOwned { entry, max_timestamp, bytes: bytes.to_vec() }
    }

    /// The first entry of a new term.
    pub fn begin_term(&mut self) -> Result<(), AppendError> {
        let frame = self.control(ControlKind::NoOp, self.term + 1, &[]);
        self.append(&[frame])?;
        self.term += 1;
        Ok(())
    }

    pub fn set_log_start(&mut self, offset: u64) {
        let frame = self.control(ControlKind::SetLogStart, self.term, &offset.to_be_bytes());
        self.append(&[frame]).unwrap();
        self.log.set_log_start(offset);
    }

    fn control(&self, kind: ControlKind, term: u32, data: &[u8]) -> FrameToWriteOwned {
        let mut bytes = Vec::new();
        let position = ControlPosition {
            next_offset: self.log.log_end_offset() as i64,
            index: self.log.last_index() + 1,
            prev_term: self.log.latest_epoch().unwrap_or(0),
            term,
        };
        frame::put_control_frame(&mut bytes, kind, position, data);
        let kind = match kind {
            ControlKind::NoOp => EntryKind::NoOp,
            ControlKind::SetLogStart => EntryKind::SetLogStart,
            _ => EntryKind::ConfChange,
        };
        self.entry(&bytes, self.log.last_index() + 1, kind)
    }

    /// Batches of one turn: (records, payload bytes) each. Rolls first if it must.
    pub fn produce(&mut self, batches: &[(u32, usize)]) -> Result<Vec<Vec<u8>>, AppendError> {
        let frames = self.stamp(batches);
        self.turn = frames.iter().map(|frame| frame.bytes.clone()).collect();
        let last = frames.last().unwrap();
        let next = NextAppend {
            bytes: frames.iter().map(|frame| frame.entry.size).sum(),
            max_timestamp: self.now_ms,
            last_offset: last.entry.end_offset() - 1,
        };
        let snapshot = format!("producers at {}", self.log.log_end_offset());
        self.log.roll_if_needed(&next, self.now_ms, || snapshot.into_bytes()).map_err(|error| {
            match error {
                ms_log::LogError::Io { source, .. } => {
                    AppendError { source, position: 0, usable: true }
                }
                other => panic!("{other}"),
            }
        })?;
        self.append(&frames)?;
        Ok(self.turn.clone())
    }

    pub fn stamp(&mut self, batches: &[(u32, usize)]) -> Vec<FrameToWriteOwned> {
        let (mut offset, mut index) = (self.log.log_end_offset(), self.log.last_index() + 1);
        let mut frames = Vec::new();
        for &(count, size) in batches {
            self.now_ms += 10;
            self.sequence += 1;
            let mut payload: Vec<u8> =
                (0..size).map(|i| (i as u64 * 31 + offset * 7 + index) as u8).collect();
            if self.hostile {
                let term = [self.term, self.term + 1, 9, u32::MAX][index as usize % 4];
                let inner = frame_of(offset + [1, 0, 3, 1_000_000][index as usize / 4 % 4], term);
                if let Some(place) = payload.get_mut(8..8 + inner.len()) {
                    place.copy_from_slice(&inner);
                }
            }
            let mut bytes = batch(count, &payload, self.now_ms, self.sequence);
            batch::stamp(&mut bytes, offset as i64, self.term as i32);
            frames.push(self.entry(&bytes, index, EntryKind::Data));
            offset += u64::from(count);
            index += 1;
        }
        frames
    }

    pub fn append(&mut self, frames: &[FrameToWriteOwned]) -> Result<(), AppendError> {
        let frames: Vec<_> = frames.iter().map(FrameToWriteOwned::borrow).collect();
        self.log.append(&frames).map(|_| ())
    }

    pub fn flush(&mut self) {
        if let Some(job) = self.log.flush_job() {
            self.log.flushed(job.run()).unwrap();
        }
    }

    pub fn read(&self, from: u64, max_bytes: u32, up_to: u64) -> Result<Vec<u8>, ReadError> {
        read(&self.log, &ReadRequest { from_offset: from, max_bytes, up_to, min_one: true })
    }

    /// Everything a consumer gets from `from` on, batch by batch; offsets must be contiguous.
    pub fn consume(&self, from: u64, max_bytes: u32) -> Vec<Vec<u8>> {
        let end = self.log.log_end_offset();
        let (mut offset, mut batches) = (from, Vec::new());
        while offset < end {
            let bytes = self.read(offset, max_bytes, end).unwrap();
            assert!(!bytes.is_empty(), "nothing at {offset} of {end}");
            for batch in split(&bytes) {
                let header = BatchHeader::parse(&batch).unwrap();
                if batches.is_empty() {
                    assert!(header.base_offset as u64 <= offset);
                } else {
                    assert_eq!(header.base_offset as u64, offset);
                }
                offset = header.last_offset() as u64 + 1;
                batches.push(batch);
            }
        }
        batches
    }
}

pub struct FrameToWriteOwned {
    pub entry: Entry,
    pub max_timestamp: i64,
    pub bytes: Vec<u8>,
}

impl FrameToWriteOwned {
    pub fn borrow(&self) -> FrameToWrite<'_> {
        FrameToWrite { entry: self.entry, max_timestamp: self.max_timestamp, bytes: &self.bytes }
    }
}

pub fn read(log: &PartitionLog, request: &ReadRequest) -> Result<Vec<u8>, ReadError> {
    let mut plan = log.read_plan(request)?;
    if let ReadPlan::Locate(job) = &plan {
        plan = job.run().map_err(|error| {
            assert_eq!(error.kind(), std::io::ErrorKind::InvalidData);
            ReadError::Damaged { segment: 0, from_offset: request.from_offset }
        })?;
    }
    let mut bytes = Vec::new();
    for range in plan.ranges() {
        let at = bytes.len();
        bytes.resize(at + range.len as usize, 0);
        read_exact_at(range.file.as_ref(), &mut bytes[at..], range.position).unwrap();
    }
    Ok(bytes)
}

/// Whole magic-2 batches with a right CRC, and nothing else.
pub fn split(mut bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut batches = Vec::new();
    while !bytes.is_empty() {
        let header = BatchHeader::parse(bytes).unwrap();
        let (batch, rest) = bytes.split_at(header.size());
        batch::check_crc(batch).unwrap();
        batches.push(batch.to_vec());
        bytes = rest;
    }
    batches
}
