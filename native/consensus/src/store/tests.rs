#![allow(clippy::unwrap_used)]

use super::*;

/// Entries from index 3 on, all of term 2, whose frames have 100 bytes. The disk may fail.
struct Disk {
    payloads: Vec<Payload>,
    is_broken: bool,
}

impl Disk {
    fn at(&self, index: u64) -> Option<&Payload> {
        self.payloads.get(usize::try_from(index.checked_sub(3)?).ok()?)
    }
}

impl GroupLog for Disk {
    fn first_index(&self) -> u64 {
        3
    }
    fn last_index(&self) -> u64 {
        2 + self.payloads.len() as u64
    }
    fn term(&self, index: u64) -> Option<u32> {
        (2..=self.last_index()).contains(&index).then_some(2)
    }
    fn kind(&self, index: u64) -> Option<EntryKind> {
        self.at(index).map(|payload| match payload {
            Payload::Data(_) => EntryKind::Data,
            Payload::Control { kind, .. } => *kind,
        })
    }
    fn payload(&self, index: u64) -> Option<(Payload, u32)> {
        self.at(index).filter(|_| !self.is_broken).map(|payload| (payload.clone(), 100))
    }
}

fn data(base_offset: u64) -> Payload {
    Payload::Data(Descriptor { base_offset, count: 1, size: 100, crc: 7 })
}

fn control(kind: EntryKind, data: &'static [u8]) -> Payload {
    Payload::Control { kind, data: Bytes::from_static(data) }
}

/// One entry of each kind, from index 3 on.
fn payloads() -> Vec<Payload> {
    vec![
        control(EntryKind::NoOp, b""),
        data(0),
        control(EntryKind::ConfChange, b"voters"),
        control(EntryKind::SetLogStart, &[0; 8]),
    ]
}

fn store(is_broken: bool) -> Store<Disk> {
    let hard_state = crate::HardState { term: 2, vote: 1, commit: 4 };
    let start = Start { node_id: 1, voters: vec![1, 2, 3], hard_state, applied: 4 };
    Store::new(Disk { payloads: payloads(), is_broken }, &start)
}

/// The entries of a range, for a peer or, without their data, to be committed.
fn entries(store: &Store<Disk>, low: u64, high: u64, max: u64, peer: bool) -> Result<Vec<Entry>> {
    store.entries(low, high, max, GetEntriesContext::empty(peer))
}

#[test]
fn a_payload_goes_through_raft_and_comes_back() {
    for (index, payload) in (3..).zip(payloads()) {
        let entry = Entry { index, term: 2, ..entry_of(&payload) };
        assert_eq!(new_entry(&entry), Ok(NewEntry { index, term: 2, payload }));
    }
}

#[test]
fn an_entry_that_nobody_here_proposed_is_refused() {
    let unknown = Entry { index: 9, data: Bytes::from_static(b"?x"), ..Entry::default() };
    let refused = ConsensusError::Raft("entry 9 of an unknown kind".to_owned());
    assert_eq!(new_entry(&unknown), Err(refused));
    let term = u64::from(u32::MAX) + 1;
    let late = Entry { term, ..Entry::default() };
    assert_eq!(new_entry(&late), Err(ConsensusError::TermExhausted(term)));
}

#[test]
fn a_group_begins_with_its_voters_and_hard_state() {
    let RaftState { hard_state, conf_state } = store(false).initial_state().unwrap();
    assert_eq!((hard_state.term, hard_state.vote, hard_state.commit), (2, 1, 4));
    assert_eq!(conf_state.voters, [1, 2, 3]);
}

#[test]
fn a_peer_gets_whole_entries_and_no_more_bytes_of_frames_than_it_asked_for() {
    let store = store(false);
    for (max, count) in [(u64::MAX, 4), (399, 3), (200, 2), (100, 1), (0, 1)] {
        let found = entries(&store, 3, 7, max, true).unwrap();
        let found: Vec<_> = found.iter().map(|entry| new_entry(entry).unwrap()).collect();
        let expected = (3..).zip(payloads()).take(count);
        let expected: Vec<_> =
            expected.map(|(index, payload)| NewEntry { index, term: 2, payload }).collect();
        assert_eq!(found, expected, "of at most {max} bytes");
    }
}

#[test]
fn what_is_to_be_committed_is_known_without_the_disk_but_for_a_new_configuration() {
    let found = entries(&store(false), 3, 7, 0, false).unwrap();
    let found: Vec<_> = found.iter().map(|it| (it.index, it.term, it.data.len())).collect();
    assert_eq!(found, [(3, 2, 0), (4, 2, 0), (5, 2, b"voters".len()), (6, 2, 0)]);
    let broken = store(true);
    assert_eq!(entries(&broken, 3, 5, 0, false).unwrap().len(), 2);
    let unavailable = Err(Error::Store(StorageError::Unavailable));
    assert_eq!(entries(&broken, 3, 7, 0, false), unavailable);
    assert_eq!(entries(&broken, 3, 5, u64::MAX, true), unavailable);
}

#[test]
fn what_is_gone_and_what_is_not_there_yet_are_told_apart() {
    let store = store(false);
    let compacted = Error::Store(StorageError::Compacted);
    let unavailable = Error::Store(StorageError::Unavailable);
    assert_eq!((store.first_index(), store.last_index()), (Ok(3), Ok(6)));
    assert_eq!(store.term(2), Ok(2), "of the entry before the first");
    assert_eq!((store.term(1), store.term(7)), (Err(compacted), Err(unavailable)));
    for peer in [true, false] {
        assert_eq!(entries(&store, 2, 4, 0, peer), Err(Error::Store(StorageError::Compacted)));
        assert_eq!(
            entries(&store, 6, 8, u64::MAX, peer),
            Err(Error::Store(StorageError::Unavailable))
        );
    }
    let none_yet = Error::Store(StorageError::SnapshotTemporarilyUnavailable);
    assert_eq!(store.snapshot(0, 2), Err(none_yet));
}
