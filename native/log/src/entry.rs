//! Descriptors of frames: what Raft, the indexes and the callers know of a frame without its bytes.

/// Kind of a Raft entry. A segment header is a frame but no entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// A Kafka record batch; consumes `count` offsets.
    Data,
    /// First entry of every term.
    NoOp,
    /// ConfChangeV2.
    ConfChange,
    /// Moves the log start offset.
    SetLogStart,
}

/// One Raft entry = one frame in a segment file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Raft index.
    pub index: u64,
    /// Raft term = Kafka leader epoch.
    pub term: u32,
    /// What the frame is.
    pub kind: EntryKind,
    /// First offset of the batch; of a control frame the next offset.
    pub base_offset: u64,
    /// Offsets consumed: lastOffsetDelta + 1, 0 for control frames.
    pub count: u32,
    /// Bytes of the whole frame.
    pub size: u32,
    /// The CRC in its header.
    pub crc: u32,
}

impl Entry {
    /// The offset after this frame.
    pub fn end_offset(&self) -> u64 {
        self.base_offset + u64::from(self.count)
    }
}

/// A frame to be appended: its bytes, already stamped with base offset and term, and what is known of them.
#[derive(Clone, Copy, Debug)]
pub struct FrameToWrite<'a> {
    /// Descriptor; index, term and base offset must continue the log.
    pub entry: Entry,
    /// Largest timestamp of the batch, or -1 (control frames, batches without one).
    pub max_timestamp: i64,
    /// The frame.
    pub bytes: &'a [u8],
}

/// Where an append went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AppendPosition {
    /// Base offset of the segment.
    pub segment: u64,
    /// Position of the first frame.
    pub position: u32,
    /// Index of the last frame.
    pub last_index: u64,
    /// The new log end offset.
    pub log_end: u64,
}
