//! What the lock of a leading partition protects: the group with its log, producer state, and the way from an accepted
//! batch to the file.

use std::collections::VecDeque;

use ms_consensus::{
    Consensus, ConsensusError, Descriptor, EntryKind, NewEntry, Payload, RaftConsensus, Ready,
};
use ms_log::{AppendError, Entry, FrameToWrite, LogError, NextAppend, PartitionLog};
use ms_wire::batch::CRC_START;
use ms_wire::frame::{self, ControlPosition, put_control_frame};

use crate::api::ReplySlot;
use crate::append::TurnFailure;
use crate::group_files::{GroupFiles, control_kinds};
use crate::producers::{Producers, Undo};

/// A batch of this turn that was let in, stamped, in the order of its offsets.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Accepted {
    /// Where it is in the turn.
    pub position: usize,
    pub base_offset: u64,
    pub count: u32,
    pub max_timestamp: i64,
}

/// A Ready that waits until its frames are durable, or that those before it are.
pub(crate) struct Unpersisted {
    number: u64,
    last_index: u64,
    /// It waits for the sync of its own frames, by the rule that held when they were written.
    waits_for_sync: bool,
}

/// A SetLogStart that is not committed yet.
pub(crate) struct PendingLogStart {
    pub index: u64,
    pub offset: u64,
    /// Who waits for it.
    pub slots: Vec<ReplySlot>,
}

pub(crate) struct Core {
    pub group: RaftConsensus<GroupFiles>,
    pub producers: Producers,
    /// The next offset. Valid in this term only.
    pub next_offset: u64,
    /// What has to be committed before this term serves; `None`: it does not even ask. A term that began when the log was
    /// opened serves at once, its no-op is written in front of what is appended first.
    pub serves_from: Option<u64>,
    /// First offset of this term.
    pub term_start: u64,
    /// TypeScript knows that this term is led.
    pub is_role_told: bool,
    /// Readys whose frames are written and that consensus does not know as persisted yet, oldest first.
    pub unpersisted: VecDeque<Unpersisted>,
    pub log_starts: VecDeque<PendingLogStart>,
    /// A commit index and the offset after it.
    known_high_watermark: (u64, u64),
    /// The commit index that was last put into the hard-state log.
    pub noted_commit: u64,
    pub undo: Undo,
    pub accepted: Vec<Accepted>,
    descriptors: Vec<Descriptor>,
    entries: Vec<NewEntry>,
    control: Vec<u8>,
}

impl Core {
    pub fn new(group: RaftConsensus<GroupFiles>, producers: Producers) -> Core {
        let next_offset = group.log().0.log_end_offset();
        Core {
            group,
            producers,
            next_offset,
            serves_from: None,
            term_start: next_offset,
            is_role_told: false,
            unpersisted: VecDeque::new(),
            log_starts: VecDeque::new(),
            known_high_watermark: (0, 0),
            noted_commit: 0,
            undo: Undo::default(),
            accepted: Vec::new(),
            descriptors: Vec::new(),
            entries: Vec::new(),
            control: Vec::new(),
        }
    }

    pub fn log(&self) -> &PartitionLog {
        &self.group.log().0
    }

    pub fn log_mut(&mut self) -> &mut PartitionLog {
        &mut self.group.log_mut().0
    }

    /// This check decides whether a proposal may be made, not raft-rs.
    pub fn is_serving(&self) -> bool {
        self.serves_from.is_some() && self.group.is_leader()
    }

    /// Puts off the first entry of the term, whose hard state is durable: until something is appended the files stay as they
    /// are. The only voter knows that all of its log is committed, and needs no entry of its own term to find out.
    pub fn serve_at_once(&mut self) {
        self.serves_from = Some(self.log().last_index());
    }

    /// Bytes of the first entry of this term, while it is put off.
    fn put_off_bytes(&self) -> usize {
        let is_written = self.log().latest_epoch() == Some(self.group.term());
        if is_written { 0 } else { frame::CONTROL_HEADER_BYTES }
    }

    /// Begins a new segment if the turn belongs into one.
    pub fn roll_if_needed(&mut self, next: &NextAppend, now_ms: i64) -> Result<bool, TurnFailure> {
        // The state up to the log end: what this turn let in comes after the roll.
        let (producers, undo) = (&self.producers, &self.undo);
        let next =
            NextAppend { bytes: next.bytes.saturating_add(self.put_off_bytes() as u32), ..*next };
        let log = &mut self.group.log_mut().0;
        if !log.should_roll(&next, now_ms) {
            return Ok(false);
        }
        log.roll(now_ms, producers.encode_before(undo)).map(|()| true).map_err(roll_failure)
    }

    /// Proposes the accepted batches; `bytes_of` finds one's frame by its position in the turn. Index of the first.
    pub fn propose<'a>(
        &mut self,
        bytes_of: impl Fn(usize) -> &'a [u8],
    ) -> Result<u64, ConsensusError> {
        self.descriptors.clear();
        self.descriptors.extend(self.accepted.iter().map(|batch| {
            let bytes = bytes_of(batch.position);
            Descriptor {
                base_offset: batch.base_offset,
                count: batch.count,
                size: bytes.len() as u32,
                crc: frame_crc(bytes),
            }
        }));
        self.group.propose(&self.descriptors)
    }

    /// What consensus wants done, once a turn.
    pub fn ready(&mut self) -> Option<Ready> {
        self.entries.clear();
        self.group.ready(&mut self.entries)
    }

    /// Writes the frames of `ready` by one `pwritev`: data from this turn's batches, of which the first has index
    /// `first_data`, control frames born here. On error nothing of it is in the log, and the group must be dropped.
    /// `waits_for_sync`: it counts as persisted once it is durable.
    pub fn write<'a>(
        &mut self,
        ready: Ready,
        first_data: u64,
        bytes_of: impl Fn(usize) -> &'a [u8],
        waits_for_sync: bool,
    ) -> Result<(), AppendError> {
        if !self.entries.is_empty() {
            self.put_control_frames();
            let log = &mut self.group.log_mut().0;
            let log_end = log.log_end_offset();
            let accepted = &self.accepted;
            let data = |index: u64| {
                let batch = &accepted[(index - first_data) as usize];
                (batch, bytes_of(batch.position))
            };
            let frames = frames(&self.entries, &self.control, log_end, data);
            log.append(&frames)?;
        }
        let last_index = self.group.log().0.last_index();
        let no_op = self.entries.iter().find(|entry| is_no_op(entry)).map(|entry| entry.index);
        self.serves_from = self.serves_from.or(no_op);
        self.group.written();
        // Consensus counts everything before a Ready as persisted with it.
        if waits_for_sync || !self.unpersisted.is_empty() {
            let number = ready.number;
            self.unpersisted.push_back(Unpersisted { number, last_index, waits_for_sync });
        } else {
            self.group.persisted(ready.number);
        }
        Ok(())
    }

    /// Tells consensus what has become durable; says whether anything is still to come.
    pub fn persisted_up_to(&mut self, flushed_index: u64) -> bool {
        let mut number = None;
        while let Some(first) = self.unpersisted.front()
            && (first.last_index <= flushed_index || !first.waits_for_sync)
        {
            number = Some(first.number);
            self.unpersisted.pop_front();
        }
        if let Some(number) = number {
            self.group.persisted(number);
        }
        !self.unpersisted.is_empty()
    }

    /// The high watermark: the offset after the last committed frame. Looks into the log only when the commit index moved;
    /// the entry there is in memory then, because all from the commit index before are kept.
    pub fn high_watermark(&mut self) -> u64 {
        let (commit, log) = (self.group.commit_index(), &self.group.log().0);
        if commit >= log.last_index() {
            self.known_high_watermark = (commit, log.log_end_offset());
        } else if commit != self.known_high_watermark.0
            && let Ok(offset) = log.offset_after(commit)
        {
            self.known_high_watermark = (commit, offset);
        }
        self.known_high_watermark.1
    }

    fn put_control_frames(&mut self) {
        self.control.clear();
        let log = &self.group.log().0;
        let mut prev_term = log.term(self.entries[0].index - 1).unwrap_or_default();
        let mut next_offset = log.log_end_offset();
        for entry in &self.entries {
            match &entry.payload {
                Payload::Data(descriptor) => next_offset += u64::from(descriptor.count),
                Payload::Control { kind, data } => {
                    let (index, term) = (entry.index, entry.term);
                    let next_offset = next_offset as i64;
                    let position = ControlPosition { next_offset, index, prev_term, term };
                    put_control_frame(&mut self.control, control_kinds(*kind).1, position, data);
                }
            }
            prev_term = entry.term;
        }
    }
}

/// The frames of `entries` in order; `control` holds those born here one behind the other, `data` finds the others.
fn frames<'a>(
    entries: &[NewEntry],
    mut control: &'a [u8],
    log_end: u64,
    data: impl Fn(u64) -> (&'a Accepted, &'a [u8]),
) -> Vec<FrameToWrite<'a>> {
    let mut frames = Vec::with_capacity(entries.len());
    let mut next_offset = log_end;
    for entry in entries {
        let (index, term) = (entry.index, entry.term);
        frames.push(match &entry.payload {
            Payload::Data(Descriptor { base_offset, count, size, crc }) => {
                let (batch, bytes) = data(index);
                assert!(batch.base_offset == *base_offset, "an entry of another turn");
                next_offset += u64::from(*count);
                let entry = Entry {
                    index,
                    term,
                    kind: ms_log::EntryKind::Data,
                    base_offset: *base_offset,
                    count: *count,
                    size: *size,
                    crc: *crc,
                };
                FrameToWrite { entry, max_timestamp: batch.max_timestamp, bytes }
            }
            Payload::Control { kind, data } => {
                let size = frame::CONTROL_HEADER_BYTES + data.len();
                let (bytes, rest) = control.split_at(size);
                control = rest;
                let entry = Entry {
                    index,
                    term,
                    kind: control_kinds(*kind).0,
                    base_offset: next_offset,
                    count: 0,
                    size: size as u32,
                    crc: frame_crc(bytes),
                };
                FrameToWrite { entry, max_timestamp: -1, bytes }
            }
        });
    }
    frames
}

/// A roll that failed has changed nothing that Raft knows of.
pub(crate) fn roll_failure(error: LogError) -> TurnFailure {
    let error = match error {
        LogError::Io { source, .. } => source,
        other => std::io::Error::other(other.to_string()),
    };
    TurnFailure::Disk { error, is_usable: true, is_proposed: false }
}

fn is_no_op(entry: &NewEntry) -> bool {
    matches!(entry.payload, Payload::Control { kind: EntryKind::NoOp, .. })
}

/// The CRC in a frame's header.
fn frame_crc(frame: &[u8]) -> u32 {
    let mut crc = [0; 4];
    crc.copy_from_slice(&frame[CRC_START - 4..CRC_START]);
    u32::from_be_bytes(crc)
}
