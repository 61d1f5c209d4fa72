//! What raft-rs reads of a log, asked of a small trait.

use bytes::{BufMut, Bytes, BytesMut};
use raft::eraftpb::{ConfState, Entry, EntryType, HardState, Snapshot};
use raft::{Error, GetEntriesContext, RaftState, Result, Storage, StorageError};

use crate::entry::{Descriptor, EntryKind, NewEntry, Payload};
use crate::{ConsensusError, Start};

/// The log of a group as far as consensus reads it.
pub trait GroupLog {
    fn first_index(&self) -> u64;
    /// `first_index() - 1` when the log is empty.
    fn last_index(&self) -> u64;
    /// Term of an index in `first_index() - 1 ..= last_index()`. Never asks the disk.
    fn term(&self, index: u64) -> Option<u32>;
    /// Kind of an entry. Never asks the disk for what has not been applied yet.
    fn kind(&self, index: u64) -> Option<EntryKind>;
    /// What the entry carries, for a peer; and its frame's size. `None` when it cannot be read.
    fn payload(&self, index: u64) -> Option<(Payload, u32)>;
}

/// `raft::Storage` over a [`GroupLog`]. The log is an `Option` only so that it can be taken out when the group is dropped.
pub(crate) struct Store<L> {
    log: Option<L>,
    start: RaftState,
}

impl<L: GroupLog> Store<L> {
    pub(crate) fn new(log: L, start: &Start) -> Store<L> {
        let hard_state = HardState {
            term: start.hard_state.term,
            vote: start.hard_state.vote,
            commit: start.hard_state.commit,
            ..HardState::default()
        };
        let conf_state = ConfState { voters: start.voters.clone(), ..ConfState::default() };
        Store { log: Some(log), start: RaftState::new(hard_state, conf_state) }
    }

    pub(crate) fn log(&self) -> &L {
        self.log.as_ref().expect("the log is taken only with the group")
    }

    pub(crate) fn log_mut(&mut self) -> &mut L {
        self.log.as_mut().expect("the log is taken only with the group")
    }

    pub(crate) fn take_log(&mut self) -> L {
        self.log.take().expect("the log is taken only with the group")
    }

    /// An entry without its data is enough to commit it, unless it changes the configuration.
    #[inline]
    fn committed_entry(&self, index: u64) -> Result<Entry> {
        let log = self.log();
        let kind = log.kind(index).ok_or(Error::Store(StorageError::Unavailable))?;
        if kind == EntryKind::ConfChange {
            return self.whole_entry(index).map(|(entry, _)| entry);
        }
        Ok(Entry { index, term: self.term(index)?, ..Entry::default() })
    }

    fn whole_entry(&self, index: u64) -> Result<(Entry, u32)> {
        let (payload, size) =
            self.log().payload(index).ok_or(Error::Store(StorageError::Unavailable))?;
        let mut entry = entry_of(&payload);
        entry.index = index;
        entry.term = self.term(index)?;
        Ok((entry, size))
    }

    /// Whole entries of so many bytes, one at least. Out of line: a turn of one voter never comes here.
    #[inline(never)]
    fn for_peer(&self, low: u64, high: u64, max_size: u64) -> Result<Vec<Entry>> {
        let mut entries = Vec::with_capacity(room(low, high));
        let mut total = 0;
        for index in low..high {
            let (entry, size) = self.whole_entry(index)?;
            total += u64::from(size);
            if total > max_size && !entries.is_empty() {
                break;
            }
            entries.push(entry);
        }
        Ok(entries)
    }
}

/// How many entries to make room for at first.
#[inline]
fn room(low: u64, high: u64) -> usize {
    usize::try_from(high - low).unwrap_or(0).min(1024)
}

impl<L: GroupLog> Storage for Store<L> {
    fn initial_state(&self) -> Result<RaftState> {
        Ok(self.start.clone())
    }

    /// Counts the bytes of frames, not of descriptors.
    #[inline]
    fn entries(
        &self,
        low: u64,
        high: u64,
        max_size: impl Into<Option<u64>>,
        context: GetEntriesContext,
    ) -> Result<Vec<Entry>> {
        if low < self.log().first_index() {
            return Err(Error::Store(StorageError::Compacted));
        }
        if context.can_async() {
            return self.for_peer(low, high, max_size.into().unwrap_or(u64::MAX));
        }
        let mut entries = Vec::with_capacity(room(low, high));
        for index in low..high {
            entries.push(self.committed_entry(index)?);
        }
        Ok(entries)
    }

    fn term(&self, index: u64) -> Result<u64> {
        let log = self.log();
        match log.term(index) {
            Some(term) => Ok(u64::from(term)),
            None if index < log.first_index() => Err(Error::Store(StorageError::Compacted)),
            None => Err(Error::Store(StorageError::Unavailable)),
        }
    }

    fn first_index(&self) -> Result<u64> {
        Ok(self.log().first_index())
    }

    fn last_index(&self) -> Result<u64> {
        Ok(self.log().last_index())
    }

    fn snapshot(&self, _request_index: u64, _to: u64) -> Result<Snapshot> {
        Err(Error::Store(StorageError::SnapshotTemporarilyUnavailable))
    }
}

/// The raft-rs entry of a payload. A control entry's data begins with its kind; no control entry is 20 bytes long.
pub(crate) fn entry_of(payload: &Payload) -> Entry {
    let mut entry = Entry::default();
    match payload {
        Payload::Data(descriptor) => {
            let mut data = BytesMut::with_capacity(Descriptor::LEN);
            descriptor.put(&mut data);
            entry.data = data.freeze();
        }
        Payload::Control { kind: EntryKind::NoOp, .. } => {}
        Payload::Control { kind: EntryKind::ConfChange, data } => {
            entry.set_entry_type(EntryType::EntryConfChangeV2);
            entry.data = data.clone();
        }
        Payload::Control { kind, data } => {
            let mut tagged = BytesMut::with_capacity(1 + data.len());
            tagged.put_u8(*kind as u8);
            tagged.put_slice(data);
            entry.data = tagged.freeze();
        }
    }
    entry
}

/// The payload of a raft-rs entry.
pub(crate) fn new_entry(entry: &Entry) -> std::result::Result<NewEntry, ConsensusError> {
    let term = u32::try_from(entry.term).map_err(|_| ConsensusError::TermExhausted(entry.term))?;
    let control = |kind, data| Payload::Control { kind, data };
    let payload = if entry.get_entry_type() == EntryType::EntryConfChangeV2 {
        control(EntryKind::ConfChange, entry.data.clone())
    } else if let Some(descriptor) = Descriptor::read(&entry.data) {
        Payload::Data(descriptor)
    } else if entry.data.is_empty() {
        control(EntryKind::NoOp, Bytes::new())
    } else if entry.data[0] == EntryKind::SetLogStart as u8 {
        control(EntryKind::SetLogStart, entry.data.slice(1..))
    } else {
        return Err(ConsensusError::Raft(format!("entry {} of an unknown kind", entry.index)));
    };
    Ok(NewEntry { index: entry.index, term, payload })
}

#[cfg(test)]
mod tests;
