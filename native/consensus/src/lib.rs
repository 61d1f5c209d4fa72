//! Consensus over the entries of one group. A pure state machine: no thread, no clock, no disk.
//!
//! Payloads never enter it. What is proposed is a descriptor of 20 bytes; the bytes themselves go from the receive buffer
//! to the segment file, which is the Raft log. The owner of a group drives it like this, under the partition's lock:
//! `propose`, `ready`, write the frames of its entries, `written`, and `persisted` as soon as the mode's rule says so.

mod entry;
mod raft_consensus;
mod store;

pub use entry::{Descriptor, EntryKind, NewEntry, Payload};
pub use raft_consensus::RaftConsensus;
pub use store::GroupLog;
use thiserror::Error;

/// What must survive a restart, and be durable before the group acts on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HardState {
    pub term: u64,
    /// Node voted for in `term`, 0 = none.
    pub vote: u64,
    pub commit: u64,
}

/// How a group begins, from its log and the hard-state log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Start {
    /// This voter; not 0.
    pub node_id: u64,
    pub voters: Vec<u64>,
    pub hard_state: HardState,
    /// Everything up to here was applied.
    pub applied: u64,
}

/// What the owner has to do before the group can go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ready {
    /// To be given to `persisted`, in order.
    pub number: u64,
    /// A new term or vote: must be durable before any frame of this Ready is written or message sent.
    pub hard_state: Option<HardState>,
}

#[derive(Debug, Error, PartialEq, Eq)]
pub enum ConsensusError {
    /// Nothing changed.
    #[error("this voter does not lead")]
    NotLeader,
    /// The term is a leader epoch of 31 bits in Kafka's protocol.
    #[error("term {0} is too large for a leader epoch")]
    TermExhausted(u64),
    #[error("raft: {0}")]
    Raft(String),
}

/// One group on one voter.
pub trait Consensus {
    /// The log, which the group reads and its owner writes.
    type Log: GroupLog;

    fn log(&self) -> &Self::Log;
    fn log_mut(&mut self) -> &mut Self::Log;
    /// Gives the log back; the group is gone.
    fn into_log(self) -> Self::Log;

    /// The current term = leader epoch.
    fn term(&self) -> u32;
    /// Elected. Whether it may serve is for the owner to say: only with this term's no-op in the file.
    fn is_leader(&self) -> bool;
    /// Everything up to here is committed.
    fn commit_index(&self) -> u64;
    /// Entries up to here are not read again to be committed. Lags behind `commit_index` until the next `ready`.
    fn applied_index(&self) -> u64;

    /// Asks for leadership. A single voter leads at once; its first entry is the no-op.
    fn campaign(&mut self) -> Result<(), ConsensusError>;
    /// Proposes data entries; returns the index of the first. On error nothing changed.
    fn propose(&mut self, descriptors: &[Descriptor]) -> Result<u64, ConsensusError>;
    /// Proposes a control entry; `data` is what its frame carries.
    fn propose_control(&mut self, kind: EntryKind, data: &[u8]) -> Result<u64, ConsensusError>;

    /// Takes what is to be done, once per turn; `entries` gets the new entries in order. `None`: nothing. After `Some`
    /// nothing else may be called before `written` or `into_log`.
    fn ready(&mut self, entries: &mut Vec<NewEntry>) -> Option<Ready>;
    /// The frames of the last Ready are in the log (`log().last_index()` includes them).
    fn written(&mut self);
    /// All Readys up to `number` are persisted by the mode's rule; may move the commit index.
    fn persisted(&mut self, number: u64);
}
