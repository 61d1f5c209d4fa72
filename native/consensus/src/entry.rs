//! What consensus knows of an entry.

use bytes::{Buf, BufMut, Bytes};

/// A frame without its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Descriptor {
    pub base_offset: u64,
    /// Offsets consumed.
    pub count: u32,
    /// Bytes of the frame.
    pub size: u32,
    pub crc: u32,
}

impl Descriptor {
    /// Bytes of an encoded descriptor.
    pub const LEN: usize = 20;

    /// Appends the 20 bytes, big endian.
    pub fn put(&self, out: &mut impl BufMut) {
        out.put_u64(self.base_offset);
        out.put_u32(self.count);
        out.put_u32(self.size);
        out.put_u32(self.crc);
    }

    /// `None` unless there are exactly 20 bytes.
    pub fn read(mut bytes: &[u8]) -> Option<Descriptor> {
        if bytes.len() != Descriptor::LEN {
            return None;
        }
        Some(Descriptor {
            base_offset: bytes.get_u64(),
            count: bytes.get_u32(),
            size: bytes.get_u32(),
            crc: bytes.get_u32(),
        })
    }
}

/// Kinds of entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    Data,
    NoOp,
    ConfChange,
    SetLogStart,
}

/// What an entry carries inside consensus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Payload {
    Data(Descriptor),
    /// The data of a control frame: `kind` is never `Data`.
    Control {
        kind: EntryKind,
        data: Bytes,
    },
}

/// An entry whose frame is to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEntry {
    pub index: u64,
    pub term: u32,
    pub payload: Payload,
}
