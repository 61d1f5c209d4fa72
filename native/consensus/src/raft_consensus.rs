//! [`Consensus`] over raft-rs.

use bytes::{Bytes, BytesMut};
use raft::eraftpb::{Entry, Message, MessageType};
use raft::{Config, RawNode, StateRole};

use crate::entry::{Descriptor, EntryKind, NewEntry, Payload};
use crate::store::{GroupLog, Store, entry_of, new_entry};
use crate::{Consensus, ConsensusError, HardState, Ready, Start};

/// The largest term that fits into a leader epoch.
const MAX_TERM: u64 = i32::MAX as u64;

/// One group run by raft-rs. Single-voter groups take the same way as replicated ones.
pub struct RaftConsensus<L: GroupLog> {
    raw: RawNode<Store<L>>,
    /// Between `ready` and `written`.
    pending: Option<raft::Ready>,
    applied: u64,
    /// Term and vote that the owner was last told.
    told: (u64, u64),
}

impl<L: GroupLog> RaftConsensus<L> {
    /// A follower. On error the log is lost to the caller, who opens it again.
    pub fn new(log: L, start: &Start) -> Result<RaftConsensus<L>, ConsensusError> {
        let config = Config {
            id: start.node_id,
            applied: start.applied,
            election_tick: 6,
            heartbeat_tick: 2,
            max_size_per_msg: 1 << 20,
            max_inflight_msgs: 64,
            check_quorum: true,
            pre_vote: true,
            batch_append: true,
            max_committed_size_per_ready: u64::MAX,
            ..Config::default()
        };
        let logger = slog::Logger::root(slog::Discard, slog::o!());
        let raw = RawNode::new(&config, Store::new(log, start), &logger).map_err(raft_error)?;
        let told = (raw.raft.term, raw.raft.vote);
        Ok(RaftConsensus { raw, pending: None, applied: start.applied, told })
    }

    fn step(&mut self, entries: Vec<Entry>) -> Result<u64, ConsensusError> {
        debug_assert!(self.pending.is_none(), "a Ready is being handled");
        // A follower of raft-rs would forward the proposal, and a forwarded descriptor has no payload.
        if !self.is_leader() {
            return Err(ConsensusError::NotLeader);
        }
        let first = self.raw.raft.raft_log.last_index() + 1;
        let mut message = Message::default();
        message.set_msg_type(MessageType::MsgPropose);
        message.from = self.raw.raft.id;
        message.set_entries(entries.into());
        self.raw.raft.step(message).map_err(raft_error)?;
        Ok(first)
    }
}

impl<L: GroupLog> Consensus for RaftConsensus<L> {
    type Log = L;

    fn log(&self) -> &L {
        self.raw.store().log()
    }

    fn log_mut(&mut self) -> &mut L {
        self.raw.mut_store().log_mut()
    }

    fn into_log(mut self) -> L {
        self.raw.mut_store().take_log()
    }

    fn term(&self) -> u32 {
        u32::try_from(self.raw.raft.term).unwrap_or(u32::MAX)
    }

    fn is_leader(&self) -> bool {
        self.raw.raft.state == StateRole::Leader
    }

    fn commit_index(&self) -> u64 {
        let log = &self.raw.raft.raft_log;
        log.committed.min(log.persisted)
    }

    fn applied_index(&self) -> u64 {
        self.applied
    }

    fn campaign(&mut self) -> Result<(), ConsensusError> {
        if self.raw.raft.term >= MAX_TERM {
            return Err(ConsensusError::TermExhausted(self.raw.raft.term));
        }
        self.raw.campaign().map_err(raft_error)
    }

    /// Two allocations a call and one per kind of list inside raft-rs; the descriptors share one buffer.
    fn propose(&mut self, descriptors: &[Descriptor]) -> Result<u64, ConsensusError> {
        let mut arena = BytesMut::with_capacity(descriptors.len() * Descriptor::LEN);
        for descriptor in descriptors {
            descriptor.put(&mut arena);
        }
        let mut arena = arena.freeze();
        let entries = descriptors
            .iter()
            .map(|_| Entry { data: arena.split_to(Descriptor::LEN), ..Entry::default() })
            .collect();
        self.step(entries)
    }

    fn propose_control(&mut self, kind: EntryKind, data: &[u8]) -> Result<u64, ConsensusError> {
        assert!(kind == EntryKind::SetLogStart && data.len() == 8, "no such control entry");
        let payload = Payload::Control { kind, data: Bytes::copy_from_slice(data) };
        self.step(vec![entry_of(&payload)])
    }

    fn ready(&mut self, entries: &mut Vec<NewEntry>) -> Option<Ready> {
        assert!(self.pending.is_none(), "the last Ready was not written");
        if !self.raw.has_ready() {
            return None;
        }
        let mut ready = self.raw.ready();
        for entry in ready.entries() {
            entries.push(new_entry(entry).expect("entries are proposed here"));
        }
        if let Some(last) = ready.take_committed_entries().last() {
            self.applied = last.index;
        }
        let told = self.told;
        let hard_state = ready
            .hs()
            .filter(|state| (state.term, state.vote) != told)
            .map(|state| HardState { term: state.term, vote: state.vote, commit: state.commit });
        if let Some(state) = hard_state {
            self.told = (state.term, state.vote);
        }
        let number = ready.number();
        self.pending = Some(ready);
        Some(Ready { number, hard_state })
    }

    fn written(&mut self) {
        let ready = self.pending.take().expect("a Ready is being handled");
        self.raw.advance_append_async(ready);
        self.raw.advance_apply_to(self.applied);
    }

    fn persisted(&mut self, number: u64) {
        self.raw.on_persist_ready(number);
    }
}

fn raft_error(error: raft::Error) -> ConsensusError {
    match error {
        raft::Error::ProposalDropped => ConsensusError::NotLeader,
        other => ConsensusError::Raft(other.to_string()),
    }
}
