//! What the counted functions work on: always the same bytes.

use std::path::PathBuf;
use std::sync::Arc;

use ms_consensus::{Consensus, Descriptor, HardState, NewEntry, RaftConsensus, Start};
use ms_log::Disk;
use ms_log::hard_state::HardStateLog;
use ms_partition::{
    Env, EnvState, Handle, Isolation, JobKind, LogDirState, Notifier, Origin, Partition,
    PartitionConfig, PartitionEvent, PartitionSpec, PendingAppend, ReadQuery, ReplySlot, Waiter,
};
use ms_wire::batch::{BatchHeader, HEADER_BYTES, write_crc};
use ms_wire::fetch::{FetchOptions, FetchPartition, FetchRequestWriter};
use ms_wire::header::{FETCH, PRODUCE, put_request_header};
use ms_wire::produce::ProduceRequestWriter;
use ms_wire::put::{put_varint, put_varlong};
use ms_wire::topic::TopicKey;
use ms_wire::validate::ValidBatch;

use crate::memory_disk::MemoryDisk;
use crate::memory_log::MemoryLog;

pub const TOPIC: &[u8] = b"orders-of-the-day";
pub const NOW_MS: i64 = 1_700_000_000_000;
/// After so many entries the oldest are no longer in the ring of a log.
pub const TURNS_TO_LEAVE_THE_RING: usize = 5000;
const VALUE_BYTES: usize = 100;
const TOPIC_ID: [u8; 16] = [7; 16];

/// A batch of records without keys, with a value of 100 bytes and headers for none.
pub fn batch_of(records: usize) -> Vec<u8> {
    let mut body = Vec::new();
    for i in 0..records {
        let mut record = vec![0];
        put_varlong(&mut record, i as i64 / 10);
        put_varint(&mut record, i as i32);
        put_varint(&mut record, -1);
        put_varint(&mut record, VALUE_BYTES as i32);
        record.extend((0..VALUE_BYTES).map(|at| (at * i) as u8));
        put_varint(&mut record, 0);
        put_varint(&mut body, record.len() as i32);
        body.extend_from_slice(&record);
    }
    let header = BatchHeader {
        base_offset: 0,
        batch_length: (HEADER_BYTES - 12 + body.len()) as i32,
        partition_leader_epoch: -1,
        crc: 0,
        attributes: 0,
        last_offset_delta: records as i32 - 1,
        base_timestamp: NOW_MS,
        max_timestamp: NOW_MS + (records as i64 - 1) / 10,
        producer_id: -1,
        producer_epoch: -1,
        base_sequence: -1,
        record_count: records as i32,
    };
    let mut batch = header.encode().to_vec();
    batch.extend_from_slice(&body);
    write_crc(&mut batch);
    batch
}

fn topic_key(is_by_id: bool) -> TopicKey<'static> {
    if is_by_id { TopicKey::Id(TOPIC_ID) } else { TopicKey::Name(TOPIC) }
}

/// A Produce request of one batch, without the prefix of its length.
pub fn produce_frame(version: i16, batch: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    put_request_header(&mut out, PRODUCE, version, 7, Some(b"a-client"));
    let writer = ProduceRequestWriter::start(&mut out, version, None, -1, 30_000, 1);
    writer.topic(&mut out, topic_key(version >= 13), 1);
    writer.partition(&mut out, 3, Some(batch));
    writer.end_topic(&mut out);
    writer.finish(&mut out);
    out
}

/// A Fetch request of so many partitions of one topic, without the prefix of its length.
pub fn fetch_frame(version: i16, partitions: i32) -> Vec<u8> {
    let mut out = Vec::new();
    put_request_header(&mut out, FETCH, version, 7, Some(b"a-client"));
    let options = FetchOptions { max_wait_ms: 500, min_bytes: 1, ..FetchOptions::default() };
    let writer = FetchRequestWriter::start(&mut out, version, options, 1);
    writer.topic(&mut out, topic_key(version >= 13), partitions as usize);
    for partition in 0..partitions {
        writer.partition(&mut out, &FetchPartition::new(partition, 1000, 1 << 20));
    }
    writer.end_topic(&mut out);
    writer.forgotten_topics(&mut out, 0);
    writer.finish(&mut out);
    out
}

struct Quiet;

impl Notifier for Quiet {
    fn wake(&self, _waiter: Waiter) {}
    fn append_done(&self, _slot: ReplySlot, _done: ms_partition::AppendDone) {}
    fn flush_wanted(&self, _partition: Arc<Partition>) {}
    fn seal_wanted(&self, _partition: Arc<Partition>) {}
    fn tend_wanted(&self, _partition: Arc<Partition>) {}
    fn relief_wanted(&self) {}
    fn left_turns(&self, _partition: Arc<Partition>, _reactor: u16) {}
    fn job_wanted(&self, _partition: Arc<Partition>, _job: JobKind) {}
    fn job_wanted_in(&self, _partition: Arc<Partition>, _job: JobKind, _delay_ms: i64) {}
    fn event(&self, _handle: Handle, _event: PartitionEvent) {}
    fn log_dir(&self, _state: LogDirState) {}
}

/// A log directory in memory.
pub struct Host {
    env: Arc<Env>,
}

impl Host {
    pub fn start() -> Self {
        let log_dir = PathBuf::from("/data");
        let disk: Arc<dyn Disk> = Arc::new(MemoryDisk::default());
        disk.create_dir_all(&log_dir).expect("memory");
        let (hard_state, _) = HardStateLog::open(Arc::clone(&disk), &log_dir).expect("memory");
        let env = Env {
            disk,
            log_dir,
            hard_state: Arc::new(hard_state),
            notifier: Arc::new(Quiet),
            same_boot: true,
            node_id: 1,
            producer_id_expiration_ms: 86_400_000,
            producer_id_expiration_check_ms: 600_000,
            producer_check_compressed: true,
            retention_check_interval_ms: 300_000,
            now_ms: || NOW_MS,
            state: EnvState::default(),
        };
        Self { env: Arc::new(env) }
    }

    /// A new partition that this node leads.
    pub fn open(&self, group_id: u64) -> Arc<Partition> {
        let spec = PartitionSpec {
            topic_id: TOPIC_ID,
            topic_name: format!("orders-{group_id}"),
            partition_index: 0,
            group_id,
            config: PartitionConfig::default(),
            watch_commits: false,
            fsync_always: false,
        };
        let handle = Handle { index: group_id as u32, generation: 1 };
        Partition::open(&self.env, spec, handle).expect("a partition opens")
    }
}

/// One turn with one batch, acknowledged.
#[inline]
pub fn append(partition: &Arc<Partition>, bytes: &mut [u8]) {
    let header = BatchHeader::parse(bytes).expect("a batch");
    let mut due = Vec::new();
    let mut turn = [PendingAppend {
        bytes,
        batch: ValidBatch::from_header(&header),
        acks: -1,
        slot: ReplySlot { reactor: 0, id: 1 },
        origin: Origin::Client,
        result: None,
    }];
    partition.append_turn(&mut turn, NOW_MS, 0, &mut due);
    let is_done = turn[0].result.is_some_and(|done| done.error_code == 0);
    assert!(is_done, "one voter acknowledges at once");
}

/// A consumer's read of a megabyte.
#[inline]
pub fn query(fetch_offset: i64) -> ReadQuery {
    ReadQuery {
        fetch_offset,
        max_bytes: 1 << 20,
        at_least_one: true,
        current_leader_epoch: -1,
        last_fetched_epoch: -1,
        isolation: Isolation::ReadUncommitted,
    }
}

/// A group of one voter that leads.
pub struct Group {
    raft: RaftConsensus<MemoryLog>,
    entries: Vec<NewEntry>,
    next_offset: u64,
}

impl Group {
    pub fn elected() -> Self {
        let hard_state = HardState { term: 0, vote: 0, commit: 0 };
        let start = Start { node_id: 1, voters: vec![1], hard_state, applied: 0 };
        let raft = RaftConsensus::new(MemoryLog::default(), &start).expect("a group");
        let mut group = Self { raft, entries: Vec::new(), next_offset: 0 };
        group.raft.campaign().expect("the only voter");
        group.raft.log_mut().term = group.raft.term();
        while group.raft.commit_index() < group.raft.log().last_index + 1 {
            if !group.persist() {
                break;
            }
        }
        group
    }

    /// Proposes one entry and commits it.
    #[inline]
    pub fn turn(&mut self) {
        let descriptor =
            Descriptor { base_offset: self.next_offset, count: 1, size: 170, crc: 0x1234_5678 };
        let index = self.raft.propose(&[descriptor]).expect("it leads");
        self.next_offset += 1;
        while self.persist() {}
        assert!(self.raft.commit_index() >= index, "committed");
    }

    #[inline]
    fn persist(&mut self) -> bool {
        self.entries.clear();
        let Some(ready) = self.raft.ready(&mut self.entries) else { return false };
        self.raft.log_mut().last_index += self.entries.len() as u64;
        self.raft.written();
        self.raft.persisted(ready.number);
        true
    }
}
