//! Frames of the replicated log: what a segment file and a Raft message hold.
//!
//! A data frame is a record batch, byte for byte. A control frame (magic 0x7f) shares its first 27
//! bytes, consumes no Kafka offset (lastOffsetDelta -1) and goes on:
//! ```text
//! 27 index u64 | 35 prevTerm u32 | 39 term u32 (the epoch again, under the CRC) | 43 reserved u32
//! 47 data
//! ```

use crate::batch::{
    self, BatchError, BatchHeader, HEADER_BYTES, LENGTH_OVERHEAD, i16_at, i32_at, i64_at,
};

/// The magic of a control frame.
pub const CONTROL_MAGIC: i8 = 0x7f;
/// Bytes of a control frame before its data.
pub const CONTROL_HEADER_BYTES: usize = 47;
/// Bytes that tell how long a frame is and of which kind.
pub const PREFIX_BYTES: usize = 17;

/// The kinds of control frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ControlKind {
    /// The first entry of a term.
    NoOp,
    /// A membership change; the data is Raft's ConfChangeV2.
    ConfChange,
    /// Moves the log start offset; the data is the offset.
    SetLogStart,
    /// The first frame of a segment file, no Raft entry: its index is that of the frame behind it,
    /// its prevTerm the term of the frame before it.
    SegmentHeader,
    /// Fills a segment file up to a place where appends are cheaper, no Raft entry: its index is that
    /// of the frame behind it, its prevTerm and its term are the term of the frame before it.
    Padding,
}

impl ControlKind {
    fn from_attributes(attributes: i16) -> Option<Self> {
        match attributes as u8 {
            0 => Some(Self::NoOp),
            2 => Some(Self::ConfChange),
            3 => Some(Self::SetLogStart),
            4 => Some(Self::SegmentHeader),
            5 => Some(Self::Padding),
            _ => None,
        }
    }

    fn attributes(self) -> i16 {
        match self {
            Self::NoOp => 0,
            Self::ConfChange => 2,
            Self::SetLogStart => 3,
            Self::SegmentHeader => 4,
            Self::Padding => 5,
        }
    }
}

/// The fields of a control frame before its data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ControlHeader {
    /// The next Kafka offset; the frame itself consumes none.
    pub base_offset: i64,
    pub batch_length: i32,
    pub crc: u32,
    pub kind: ControlKind,
    pub index: u64,
    pub prev_term: u32,
    pub term: u32,
}

/// The header of either kind of frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FrameHeader {
    Data(BatchHeader),
    Control(ControlHeader),
}

impl FrameHeader {
    /// Reads the header at the start of `bytes`, which need not hold the rest of the frame. Checks
    /// magic, length and kind, not the CRC.
    pub fn parse(bytes: &[u8]) -> Result<Self, BatchError> {
        if bytes.len() < PREFIX_BYTES {
            return Err(BatchError::Truncated { needed: PREFIX_BYTES, left: bytes.len() });
        }
        match bytes[16] as i8 {
            batch::MAGIC => BatchHeader::parse(bytes).map(Self::Data),
            CONTROL_MAGIC => ControlHeader::parse(bytes).map(Self::Control),
            magic => Err(BatchError::Magic(magic)),
        }
    }

    /// Bytes of the whole frame.
    pub fn size(&self) -> usize {
        match self {
            Self::Data(header) => header.size(),
            Self::Control(header) => header.size(),
        }
    }

    /// The offset of the first record, or the next offset for a control frame.
    pub fn base_offset(&self) -> i64 {
        match self {
            Self::Data(header) => header.base_offset,
            Self::Control(header) => header.base_offset,
        }
    }

    /// How many Kafka offsets the frame consumes; 0 for control frames.
    pub fn offset_count(&self) -> i64 {
        match self {
            Self::Data(header) => i64::from(header.last_offset_delta) + 1,
            Self::Control(_) => 0,
        }
    }

    /// The Raft term, which is the leader epoch.
    pub fn term(&self) -> u32 {
        match self {
            Self::Data(header) => header.partition_leader_epoch as u32,
            Self::Control(header) => header.term,
        }
    }

    pub fn crc(&self) -> u32 {
        match self {
            Self::Data(header) => header.crc,
            Self::Control(header) => header.crc,
        }
    }

    /// Whether it fills a place and says nothing.
    pub fn is_padding(&self) -> bool {
        matches!(self, Self::Control(header) if header.kind == ControlKind::Padding)
    }
}

impl ControlHeader {
    fn parse(bytes: &[u8]) -> Result<Self, BatchError> {
        if bytes.len() < CONTROL_HEADER_BYTES {
            return Err(BatchError::Truncated { needed: CONTROL_HEADER_BYTES, left: bytes.len() });
        }
        let batch_length = i32_at(bytes, 8);
        if batch_length < (CONTROL_HEADER_BYTES - LENGTH_OVERHEAD) as i32 {
            return Err(BatchError::Length(batch_length));
        }
        let (attributes, offset_delta) = (i16_at(bytes, 21), i32_at(bytes, 23));
        let kind = ControlKind::from_attributes(attributes).ok_or(BatchError::Kind(attributes))?;
        if offset_delta != -1 {
            return Err(BatchError::ControlOffsetDelta(offset_delta));
        }
        Ok(Self {
            base_offset: i64_at(bytes, 0),
            batch_length,
            crc: i32_at(bytes, 17) as u32,
            kind,
            index: i64_at(bytes, 27) as u64,
            prev_term: i32_at(bytes, 35) as u32,
            term: i32_at(bytes, 39) as u32,
        })
    }

    /// Bytes of the whole frame.
    pub fn size(&self) -> usize {
        LENGTH_OVERHEAD + self.batch_length as usize
    }
}

/// Reads the header of a whole frame and compares its CRC; `frame` may be longer than the frame.
/// For a control frame the term under the CRC must also be the epoch outside it.
pub fn check_frame(frame: &[u8]) -> Result<FrameHeader, BatchError> {
    let header = FrameHeader::parse(frame)?;
    let size = header.size();
    let Some(whole) = frame.get(..size) else {
        return Err(BatchError::Truncated { needed: size, left: frame.len() });
    };
    let computed = crate::crc::crc32c(&whole[batch::CRC_START..]);
    if computed != header.crc() {
        return Err(BatchError::Crc { stored: header.crc(), computed });
    }
    if matches!(header, FrameHeader::Control(_)) && i32_at(whole, 12) as u32 != header.term() {
        return Err(BatchError::TermMismatch {
            outside: i32_at(whole, 12) as u32,
            inside: header.term(),
        });
    }
    Ok(header)
}

/// The data of a whole control frame.
pub fn control_data(frame: &[u8]) -> &[u8] {
    frame.get(CONTROL_HEADER_BYTES..).unwrap_or_default()
}

/// Where a control frame stands in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ControlPosition {
    pub next_offset: i64,
    pub index: u64,
    pub prev_term: u32,
    pub term: u32,
}

/// Appends a control frame with its CRC.
pub fn put_control_frame(
    out: &mut Vec<u8>,
    kind: ControlKind,
    position: ControlPosition,
    data: &[u8],
) {
    let start = out.len();
    put_control_header(out, kind, position, data.len());
    out.extend_from_slice(data);
    batch::write_crc(&mut out[start..]);
}

fn put_control_header(
    out: &mut Vec<u8>,
    kind: ControlKind,
    position: ControlPosition,
    data_len: usize,
) {
    let batch_length =
        i32::try_from(CONTROL_HEADER_BYTES - LENGTH_OVERHEAD + data_len).expect("a short frame");
    out.extend_from_slice(&position.next_offset.to_be_bytes());
    out.extend_from_slice(&batch_length.to_be_bytes());
    out.extend_from_slice(&position.term.to_be_bytes());
    out.push(CONTROL_MAGIC as u8);
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(&kind.attributes().to_be_bytes());
    out.extend_from_slice(&(-1_i32).to_be_bytes());
    out.extend_from_slice(&position.index.to_be_bytes());
    out.extend_from_slice(&position.prev_term.to_be_bytes());
    out.extend_from_slice(&position.term.to_be_bytes());
    out.extend_from_slice(&[0; 4]);
}

/// Padding of so many bytes, at least [`CONTROL_HEADER_BYTES`]: its data are zeros.
pub fn padding(len: usize, position: ControlPosition) -> Vec<u8> {
    let mut out = Vec::with_capacity(len);
    put_control_header(&mut out, ControlKind::Padding, position, len - CONTROL_HEADER_BYTES);
    out.resize(len, 0);
    batch::write_crc(&mut out);
    out
}

/// Appends a SetLogStart frame.
pub fn put_set_log_start(out: &mut Vec<u8>, position: ControlPosition, log_start_offset: i64) {
    put_control_frame(out, ControlKind::SetLogStart, position, &log_start_offset.to_be_bytes());
}

/// The offset in a whole SetLogStart frame; `None` when its data is cut short.
pub fn set_log_start_offset(frame: &[u8]) -> Option<i64> {
    control_data(frame).first_chunk().map(|bytes| i64::from_be_bytes(*bytes))
}

/// What the header of a segment says about the whole file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SegmentInfo {
    /// Bit 0: the segment was compacted, so offsets may be missing.
    pub flags: u32,
    pub group_id: u64,
}

/// Appends a segment header: `position.index` is that of the frame behind it, `prev_term` the term
/// before it.
pub fn put_segment_header(out: &mut Vec<u8>, position: ControlPosition, info: SegmentInfo) {
    let mut data = [0; 12];
    data[..4].copy_from_slice(&info.flags.to_be_bytes());
    data[4..].copy_from_slice(&info.group_id.to_be_bytes());
    put_control_frame(out, ControlKind::SegmentHeader, position, &data);
}

/// The data of a whole segment header; `None` when it is cut short.
pub fn segment_info(frame: &[u8]) -> Option<SegmentInfo> {
    let data = control_data(frame).first_chunk::<12>()?;
    Some(SegmentInfo { flags: i32_at(data, 0) as u32, group_id: i64_at(data, 4) as u64 })
}

/// The largest header of a frame: reading this many bytes is enough for `FrameHeader::parse`.
pub const MAX_HEADER_BYTES: usize = HEADER_BYTES;

#[cfg(test)]
mod tests {
    use super::*;

    const POSITION: ControlPosition =
        ControlPosition { next_offset: 1000, index: 421, prev_term: 5, term: 6 };

    #[test]
    fn control_frames_come_back_and_consume_no_offset() {
        let kinds = [
            ControlKind::NoOp,
            ControlKind::ConfChange,
            ControlKind::SetLogStart,
            ControlKind::SegmentHeader,
            ControlKind::Padding,
        ];
        for kind in kinds {
            let mut bytes = b"before".to_vec();
            put_control_frame(&mut bytes, kind, POSITION, b"data");
            let frame = &bytes[6..];
            let header = check_frame(frame).expect("a good frame");
            assert_eq!((header.size(), header.offset_count()), (frame.len(), 0));
            assert_eq!((header.base_offset(), header.term()), (1000, 6));
            let FrameHeader::Control(control) = header else { panic!("{header:?}") };
            assert_eq!((control.kind, control.index, control.prev_term), (kind, 421, 5));
            assert_eq!(control_data(frame), b"data");
        }
    }

    #[test]
    fn the_layout_on_disk_does_not_change() {
        let mut bytes = Vec::new();
        put_set_log_start(&mut bytes, POSITION, 600);
        let expected = [
            "00000000000003e8", // base offset 1000
            "0000002b",         // 43 bytes follow
            "00000006",         // term 6
            "7f",
            "61139af7",
            "0003",     // SetLogStart
            "ffffffff", // lastOffsetDelta -1
            "00000000000001a5",
            "00000005",
            "00000006",
            "00000000",
            "0000000000000258", // offset 600
        ];
        assert_eq!(crate::recode::to_hex(&bytes), expected.concat());
        assert_eq!(set_log_start_offset(&bytes), Some(600));
    }

    #[test]
    fn segment_headers_carry_flags_and_group() {
        let mut bytes = Vec::new();
        let info = SegmentInfo { flags: 1, group_id: 77 };
        put_segment_header(&mut bytes, POSITION, info);
        assert_eq!(segment_info(&bytes), Some(info));
        assert_eq!(segment_info(&bytes[..50]), None);
        assert_eq!(set_log_start_offset(&bytes[..50]), None);
    }

    #[test]
    fn one_flipped_bit_is_noticed_unless_it_is_the_offset_in_front() {
        let mut good = Vec::new();
        put_set_log_start(&mut good, POSITION, 600);
        for bit in 8 * 8..good.len() * 8 {
            let mut bad = good.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(check_frame(&bad).is_err(), "bit {bit}");
        }
    }

    #[test]
    fn a_torn_frame_is_truncated() {
        let mut bytes = Vec::new();
        put_control_frame(&mut bytes, ControlKind::NoOp, POSITION, &[]);
        for len in 0..bytes.len() {
            let error = check_frame(&bytes[..len]);
            assert!(matches!(error, Err(BatchError::Truncated { .. })), "{len}: {error:?}");
        }
    }

    #[test]
    fn unknown_kinds_and_magics_are_refused() {
        let mut bytes = Vec::new();
        put_control_frame(&mut bytes, ControlKind::NoOp, POSITION, &[]);
        bytes[22] = 1;
        assert_eq!(FrameHeader::parse(&bytes), Err(BatchError::Kind(1)));
        bytes[22] = 0;
        bytes[26] = 0;
        assert_eq!(FrameHeader::parse(&bytes), Err(BatchError::ControlOffsetDelta(-256)));
        bytes[16] = 1;
        assert_eq!(FrameHeader::parse(&bytes), Err(BatchError::Magic(1)));
    }

    #[test]
    fn a_batch_is_a_data_frame() {
        let header = BatchHeader {
            base_offset: 7,
            batch_length: 49,
            partition_leader_epoch: 3,
            crc: 0,
            attributes: 0,
            last_offset_delta: 9,
            base_timestamp: 0,
            max_timestamp: 0,
            producer_id: -1,
            producer_epoch: -1,
            base_sequence: -1,
            record_count: 10,
        };
        let mut bytes = header.encode().to_vec();
        batch::write_crc(&mut bytes);
        let parsed = check_frame(&bytes).expect("a good frame");
        assert_eq!((parsed.size(), parsed.offset_count()), (HEADER_BYTES, 10));
        assert_eq!((parsed.base_offset(), parsed.term()), (7, 3));
    }
}
