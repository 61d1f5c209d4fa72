//! A partition's log as consensus reads it.

use ms_consensus::{Descriptor, EntryKind, GroupLog, Payload};
use ms_log::PartitionLog;
use ms_wire::frame;

/// The log, owned by the group. Consensus and the log do not know each other.
pub(crate) struct GroupFiles(pub PartitionLog);

impl GroupLog for GroupFiles {
    fn first_index(&self) -> u64 {
        self.0.first_index()
    }

    fn last_index(&self) -> u64 {
        self.0.last_index()
    }

    fn term(&self, index: u64) -> Option<u32> {
        self.0.term(index)
    }

    fn kind(&self, index: u64) -> Option<EntryKind> {
        self.0.entry(index).map(|entry| kind_of(entry.kind))
    }

    fn payload(&self, index: u64) -> Option<(Payload, u32)> {
        let mut entries = Vec::with_capacity(1);
        self.0.entries(index, index + 1, 0, &mut entries).ok()?;
        let entry = entries.first()?;
        let payload = match kind_of(entry.kind) {
            EntryKind::Data => Payload::Data(Descriptor {
                base_offset: entry.base_offset,
                count: entry.count,
                size: entry.size,
                crc: entry.crc,
            }),
            kind => {
                let bytes = self.0.read_frame(index).ok()?;
                Payload::Control { kind, data: frame::control_data(&bytes).to_vec().into() }
            }
        };
        Some((payload, entry.size))
    }
}

fn kind_of(kind: ms_log::EntryKind) -> EntryKind {
    match kind {
        ms_log::EntryKind::Data => EntryKind::Data,
        ms_log::EntryKind::NoOp => EntryKind::NoOp,
        ms_log::EntryKind::ConfChange => EntryKind::ConfChange,
        ms_log::EntryKind::SetLogStart => EntryKind::SetLogStart,
    }
}

/// The log's word for a kind, and the frame's.
pub(crate) fn control_kinds(kind: EntryKind) -> (ms_log::EntryKind, frame::ControlKind) {
    match kind {
        EntryKind::NoOp => (ms_log::EntryKind::NoOp, frame::ControlKind::NoOp),
        EntryKind::ConfChange => (ms_log::EntryKind::ConfChange, frame::ControlKind::ConfChange),
        EntryKind::SetLogStart => (ms_log::EntryKind::SetLogStart, frame::ControlKind::SetLogStart),
        EntryKind::Data => unreachable!("a data frame is no control frame"),
    }
}
