//! A group of one voter over a log in memory.

use ms_consensus::{
    Consensus, ConsensusError, Descriptor, EntryKind, GroupLog, HardState, NewEntry, Payload,
    RaftConsensus, Start,
};

/// Entries from index 1, the oldest of which may be gone.
#[derive(Default)]
struct MemoryLog {
    first_index: u64,
    first_prev_term: u32,
    entries: Vec<NewEntry>,
}

impl MemoryLog {
    fn new() -> MemoryLog {
        MemoryLog { first_index: 1, ..MemoryLog::default() }
    }

    fn at(&self, index: u64) -> Option<&NewEntry> {
        self.entries.get(usize::try_from(index.checked_sub(self.first_index)?).ok()?)
    }

    fn drop_below(&mut self, index: u64) {
        self.first_prev_term = self.term(index - 1).expect("an entry");
        self.entries.drain(..(index - self.first_index) as usize);
        self.first_index = index;
    }
}

impl GroupLog for MemoryLog {
    fn first_index(&self) -> u64 {
        self.first_index
    }
    fn last_index(&self) -> u64 {
        self.first_index + self.entries.len() as u64 - 1
    }
    fn term(&self, index: u64) -> Option<u32> {
        if index + 1 == self.first_index {
            return Some(self.first_prev_term);
        }
        self.at(index).map(|entry| entry.term)
    }
    fn kind(&self, index: u64) -> Option<EntryKind> {
        self.at(index).map(|entry| match entry.payload {
            Payload::Data(_) => EntryKind::Data,
            Payload::Control { kind, .. } => kind,
        })
    }
    fn payload(&self, index: u64) -> Option<(Payload, u32)> {
        self.at(index).map(|entry| (entry.payload.clone(), 100))
    }
}

fn start(log: MemoryLog, hard_state: HardState) -> RaftConsensus<MemoryLog> {
    let applied = hard_state.commit;
    let start = Start { node_id: 1, voters: vec![1], hard_state, applied };
    RaftConsensus::new(log, &start).expect("a group")
}

/// Handles one Ready; gives its number, hard state and entries.
fn turn(group: &mut RaftConsensus<MemoryLog>) -> (u64, Option<HardState>, Vec<NewEntry>) {
    let mut entries = Vec::new();
    let ready = group.ready(&mut entries).expect("something to do");
    group.log_mut().entries.extend(entries.iter().cloned());
    group.written();
    (ready.number, ready.hard_state, entries)
}

fn descriptor(base_offset: u64) -> Descriptor {
    Descriptor { base_offset, count: 1, size: 100, crc: 7 }
}

#[test]
fn a_single_voter_leads_the_next_term_once_its_vote_is_durable() {
    let mut group = start(MemoryLog::new(), HardState::default());
    assert!(!group.is_leader());
    assert_eq!(group.propose(&[descriptor(0)]), Err(ConsensusError::NotLeader));
    group.campaign().unwrap();
    let (number, hard_state, entries) = turn(&mut group);
    assert_eq!(hard_state, Some(HardState { term: 1, vote: 1, commit: 0 }));
    let no_op = Payload::Control { kind: EntryKind::NoOp, data: Default::default() };
    assert_eq!(entries, [NewEntry { index: 1, term: 1, payload: no_op }]);
    assert_eq!(group.commit_index(), 0);
    group.persisted(number);
    assert!(group.is_leader());
    assert_eq!((group.term(), group.commit_index()), (1, 1));
}

#[test]
fn a_turn_is_one_ready_and_never_touches_the_hard_state() {
    let mut group = start(MemoryLog::new(), HardState::default());
    group.campaign().unwrap();
    let (number, ..) = turn(&mut group);
    group.persisted(number);
    for round in 0..100_u64 {
        let batches: Vec<_> = (0..round % 7 + 1).map(descriptor).collect();
        let first = group.propose(&batches).unwrap();
        let (number, hard_state, entries) = turn(&mut group);
        assert_eq!(hard_state, None);
        assert_eq!(entries.len(), batches.len());
        assert_eq!(entries[0].index, first);
        assert_eq!(entries[0].payload, Payload::Data(batches[0]));
        group.persisted(number);
        assert_eq!(group.commit_index(), group.log().last_index());
        assert_eq!(group.applied_index(), first - 1, "what was committed before this turn");
    }
}

#[test]
fn nothing_commits_before_it_is_persisted_and_later_readys_carry_earlier_ones() {
    let mut group = start(MemoryLog::new(), HardState::default());
    group.campaign().unwrap();
    let (number, ..) = turn(&mut group);
    group.persisted(number);
    let mut numbers = Vec::new();
    for offset in 0..3 {
        group.propose(&[descriptor(offset)]).unwrap();
        numbers.push(turn(&mut group).0);
    }
    assert_eq!(group.commit_index(), 1);
    group.persisted(numbers[1]);
    assert_eq!(group.commit_index(), 3);
    group.persisted(numbers[2]);
    assert_eq!(group.commit_index(), 4);
}

#[test]
fn control_entries_keep_their_kind_and_data() {
    let mut group = start(MemoryLog::new(), HardState::default());
    group.campaign().unwrap();
    let (number, ..) = turn(&mut group);
    group.persisted(number);
    let index = group.propose_control(EntryKind::SetLogStart, &77_u64.to_be_bytes()).unwrap();
    let (.., entries) = turn(&mut group);
    let data = 77_u64.to_be_bytes().to_vec().into();
    let payload = Payload::Control { kind: EntryKind::SetLogStart, data };
    assert_eq!(entries, [NewEntry { index, term: 1, payload }]);
}

#[test]
fn a_group_goes_on_from_its_log_in_a_higher_term() {
    let mut group = start(MemoryLog::new(), HardState::default());
    group.campaign().unwrap();
    let (number, ..) = turn(&mut group);
    group.persisted(number);
    group.propose(&[descriptor(0), descriptor(1), descriptor(2)]).unwrap();
    let (number, ..) = turn(&mut group);
    group.persisted(number);
    let mut log = group.into_log();
    log.drop_below(3);
    let mut group = start(log, HardState { term: 1, vote: 1, commit: 4 });
    group.campaign().unwrap();
    let (number, hard_state, entries) = turn(&mut group);
    assert_eq!(hard_state.map(|state| state.term), Some(2));
    assert_eq!((entries[0].index, entries[0].term), (5, 2));
    group.persisted(number);
    assert_eq!(group.commit_index(), 5);
}

#[test]
fn the_log_comes_back_from_a_group_whose_write_failed() {
    let mut group = start(MemoryLog::new(), HardState::default());
    group.campaign().unwrap();
    let (number, ..) = turn(&mut group);
    group.persisted(number);
    group.propose(&[descriptor(0)]).unwrap();
    let mut entries = Vec::new();
    group.ready(&mut entries).expect("an entry to write");
    let log = group.into_log();
    assert_eq!(log.last_index(), 1);
    let mut group = start(log, HardState { term: 1, vote: 1, commit: 1 });
    group.campaign().unwrap();
    let (number, ..) = turn(&mut group);
    group.persisted(number);
    assert_eq!((group.term(), group.commit_index()), (2, 2));
}

#[test]
fn no_campaign_beyond_the_largest_leader_epoch() {
    let term = i32::MAX as u64;
    let mut group = start(MemoryLog::new(), HardState { term, vote: 1, commit: 0 });
    assert_eq!(group.campaign(), Err(ConsensusError::TermExhausted(term)));
    let mut group = start(MemoryLog::new(), HardState { term: term - 1, vote: 1, commit: 0 });
    group.campaign().unwrap();
    assert_eq!(turn(&mut group).1.map(|state| state.term), Some(term));
}

#[test]
fn descriptors_are_20_bytes_and_nothing_else_is_one() {
    let mut bytes = Vec::new();
    descriptor(5).put(&mut bytes);
    assert_eq!(bytes.len(), Descriptor::LEN);
    assert_eq!(Descriptor::read(&bytes), Some(descriptor(5)));
    assert_eq!(Descriptor::read(&bytes[1..]), None);
    bytes.push(0);
    assert_eq!(Descriptor::read(&bytes), None);
}
