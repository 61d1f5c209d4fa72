//! A partition over a disk in memory, with reactors, flusher and workers played by the test.
#![allow(dead_code)]

use std::cell::Cell;
use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;

use ms_log::hard_state::HardStateLog;
use ms_log::sim::SimDisk;
use ms_log::{Disk, ReadPlan, checkpoint, read_exact_at};
use ms_partition::*;
use ms_wire::batch::{self, BatchHeader, HEADER_BYTES};
use ms_wire::error_code;
use ms_wire::validate::ValidBatch;
use parking_lot::Mutex;

/// What the partition told the reactors.
#[derive(Default)]
pub struct Told {
    pub woken: Vec<Waiter>,
    pub done: Vec<(ReplySlot, AppendDone)>,
    pub flushes: Vec<Arc<Partition>>,
    pub seals: Vec<Arc<Partition>>,
    /// Jobs that are to be done after so many milliseconds.
    pub later: Vec<(Arc<Partition>, JobKind, i64)>,
    pub tends: Vec<Arc<Partition>>,
    pub reliefs: usize,
    /// With the reactor that is asked to go on.
    pub left: Vec<(Arc<Partition>, u16)>,
    pub jobs: Vec<(Arc<Partition>, JobKind)>,
    pub events: Vec<PartitionEvent>,
    pub log_dir: Vec<LogDirState>,
}

pub type Work = Box<dyn FnOnce() + Send>;

/// Each time a waiter is woken, under the lock, it does the next piece of work.
#[derive(Default)]
pub struct TestNotifier(pub Mutex<Told>, pub Mutex<VecDeque<Work>>);

impl Notifier for TestNotifier {
    fn wake(&self, waiter: Waiter) {
        self.0.lock().woken.push(waiter);
        let work = self.1.lock().pop_front();
        if let Some(work) = work {
            work();
        }
    }
    fn append_done(&self, slot: ReplySlot, done: AppendDone) {
        self.0.lock().done.push((slot, done));
    }
    fn flush_wanted(&self, partition: Arc<Partition>) {
        self.0.lock().flushes.push(partition);
    }
    fn seal_wanted(&self, partition: Arc<Partition>) {
        self.0.lock().seals.push(partition);
    }
    fn tend_wanted(&self, partition: Arc<Partition>) {
        self.0.lock().tends.push(partition);
    }
    fn relief_wanted(&self) {
        self.0.lock().reliefs += 1;
    }
    fn left_turns(&self, partition: Arc<Partition>, reactor: u16) {
        self.0.lock().left.push((partition, reactor));
    }
    fn job_wanted(&self, partition: Arc<Partition>, job: JobKind) {
        self.0.lock().jobs.push((partition, job));
    }
    fn job_wanted_in(&self, partition: Arc<Partition>, job: JobKind, delay_ms: i64) {
        self.0.lock().later.push((partition, job, delay_ms));
    }
    fn event(&self, _handle: Handle, event: PartitionEvent) {
        self.0.lock().events.push(event);
    }
    fn log_dir(&self, state: LogDirState) {
        self.0.lock().log_dir.push(state);
    }
}

pub const HANDLE: Handle = Handle { index: 0, generation: 1 };
pub const START_MS: i64 = 1_000_000_000_000;

thread_local! {
    static NOW_MS: Cell<i64> = const { Cell::new(START_MS) };
}

/// The clock of this test.
pub fn now_ms() -> i64 {
    NOW_MS.get()
}

/// Runs `work` at another time.
pub fn at_time<R>(now_ms: i64, work: impl FnOnce() -> R) -> R {
    let before = NOW_MS.replace(now_ms);
    let result = work();
    NOW_MS.set(before);
    result
}

/// One process over a disk.
pub struct Broker {
    pub disk: SimDisk,
    pub env: Arc<Env>,
    pub notifier: Arc<TestNotifier>,
}

impl Broker {
    pub fn start(disk: &SimDisk) -> Broker {
        Broker::try_start(disk).expect("a disk in order")
    }

    pub fn try_start(disk: &SimDisk) -> std::io::Result<Broker> {
        let log_dir = PathBuf::from("/data");
        let shared: Arc<dyn Disk> = Arc::new(disk.clone());
        shared.create_dir_all(&log_dir)?;
        shared.sync_dir("/".as_ref())?;
        let (hard_state, last_stop) = HardStateLog::open(Arc::clone(&shared), &log_dir)?;
        let checkpoints = checkpoint::read(shared.as_ref(), &log_dir)?;
        let notifier = Arc::new(TestNotifier::default());
        let env = Env {
            disk: shared,
            log_dir,
            hard_state: Arc::new(hard_state),
            notifier: notifier.clone(),
            same_boot: last_stop.lost_nothing(),
            node_id: 0,
            producer_id_expiration_ms: 86_400_000,
            producer_id_expiration_check_ms: 600_000,
            producer_check_compressed: true,
            retention_check_interval_ms: 300_000,
            now_ms,
            state: EnvState::new(checkpoints),
        };
        Ok(Broker { disk: disk.clone(), env: Arc::new(env), notifier })
    }

    pub fn open(&self, spec: PartitionSpec) -> Arc<Partition> {
        Partition::open(&self.env, spec, HANDLE).expect("a partition opens")
    }

    /// As if the time had come for what was wanted later.
    pub fn work_later(&self) {
        let later = std::mem::take(&mut self.notifier.0.lock().later);
        later.iter().for_each(|(partition, job, _)| partition.run_job(*job));
        self.work();
    }

    /// Runs the flusher, the workers and what reactors were asked for until nothing is left to do.
    pub fn work(&self) {
        loop {
            let (left, flushes, jobs) = {
                let mut told = self.notifier.0.lock();
                let left = std::mem::take(&mut told.left);
                let mut flushes = std::mem::take(&mut told.flushes);
                flushes.append(&mut told.seals);
                (left, flushes, std::mem::take(&mut told.jobs))
            };
            left.iter().for_each(|(partition, _)| partition.take_left_turns());
            if left.is_empty() && flushes.is_empty() && jobs.is_empty() {
                return;
            }
            for partition in flushes {
                if let Some(job) = partition.flush_job() {
                    partition.flush_finished(job.run());
                }
            }
            for (partition, job) in jobs {
                partition.run_job(job);
            }
        }
    }

    pub fn events(&self) -> Vec<PartitionEvent> {
        std::mem::take(&mut self.notifier.0.lock().events)
    }

    pub fn log_dir(&self) -> Vec<LogDirState> {
        std::mem::take(&mut self.notifier.0.lock().log_dir)
    }

    pub fn done(&self) -> Vec<(ReplySlot, AppendDone)> {
        std::mem::take(&mut self.notifier.0.lock().done)
    }

    pub fn woken(&self) -> Vec<Waiter> {
        std::mem::take(&mut self.notifier.0.lock().woken)
    }
}

pub fn spec() -> PartitionSpec {
    PartitionSpec {
        topic_id: [7; 16],
        topic_name: "orders".to_string(),
        partition_index: 0,
        group_id: 77,
        config: PartitionConfig::default(),
        watch_commits: false,
        fsync_always: false,
    }
}

/// As [`spec`], acknowledged once it is on the disk.
pub fn fsync_spec() -> PartitionSpec {
    let config = PartitionConfig { flush_messages: 1, ..PartitionConfig::default() };
    PartitionSpec { config, ..spec() }
}

/// So many partitions, with the handles they are opened with.
pub fn specs(count: i32) -> Vec<(PartitionSpec, Handle)> {
    let one = |index: i32| {
        let spec = PartitionSpec { partition_index: index, group_id: 100 + index as u64, ..spec() };
        (spec, Handle { index: index as u32, generation: 1 })
    };
    (0..count).map(one).collect()
}

/// A batch to be made.
#[derive(Debug, Clone)]
pub struct Batch {
    pub producer_id: i64,
    pub producer_epoch: i16,
    pub base_sequence: i32,
    pub attributes: i16,
    /// One a record.
    pub timestamps: Vec<i64>,
    pub value: Vec<u8>,
}

impl Batch {
    pub fn plain(records: usize) -> Batch {
        Batch {
            producer_id: -1,
            producer_epoch: -1,
            base_sequence: -1,
            attributes: 0,
            timestamps: vec![START_MS; records],
            value: b"value".to_vec(),
        }
    }

    pub fn of(producer_id: i64, producer_epoch: i16, base_sequence: i32, records: usize) -> Batch {
        Batch { producer_id, producer_epoch, base_sequence, ..Batch::plain(records) }
    }

    pub fn at(timestamps: &[i64]) -> Batch {
        Batch { timestamps: timestamps.to_vec(), ..Batch::plain(1) }
    }

    pub fn valid(&self) -> ValidBatch {
        let max_timestamp = *self.timestamps.iter().max().expect("a record");
        let at = self.timestamps.iter().position(|&it| it == max_timestamp).expect("it is there");
        ValidBatch {
            range: 0..self.encode().len(),
            attributes: self.attributes,
            record_count: self.timestamps.len() as i32,
            last_offset_delta: self.timestamps.len() as i32 - 1,
            max_timestamp,
            log_append_time_ms: if self.attributes & 8 == 0 { -1 } else { max_timestamp },
            max_timestamp_offset_delta: at as i32,
            producer_id: self.producer_id,
            producer_epoch: self.producer_epoch,
            base_sequence: self.base_sequence,
            is_transactional: self.attributes & 0x10 != 0,
            is_rewritten: false,
        }
    }

    pub fn encode(&self) -> Vec<u8> {
        let mut records = Vec::new();
        let base_timestamp = self.timestamps[0];
        for (delta, timestamp) in self.timestamps.iter().enumerate() {
            let mut record = vec![0];
            put_varint(&mut record, timestamp - base_timestamp);
            put_varint(&mut record, delta as i64);
            put_varint(&mut record, -1);
            put_varint(&mut record, self.value.len() as i64);
            record.extend_from_slice(&self.value);
            put_varint(&mut record, 0);
            put_varint(&mut records, record.len() as i64);
            records.extend_from_slice(&record);
        }
        if self.attributes & 7 == 1 {
            use std::io::Write;
            let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            gzip.write_all(&records).expect("memory");
            records = gzip.finish().expect("memory");
        }
        let header = BatchHeader {
            base_offset: 0,
            batch_length: (HEADER_BYTES - 12 + records.len()) as i32,
            partition_leader_epoch: -1,
            crc: 0,
            attributes: self.attributes,
            last_offset_delta: self.timestamps.len() as i32 - 1,
            base_timestamp,
            max_timestamp: *self.timestamps.iter().max().expect("a record"),
            producer_id: self.producer_id,
            producer_epoch: self.producer_epoch,
            base_sequence: self.base_sequence,
            record_count: self.timestamps.len() as i32,
        };
        let mut bytes = header.encode().to_vec();
        bytes.extend_from_slice(&records);
        batch::write_crc(&mut bytes);
        bytes
    }
}

fn put_varint(out: &mut Vec<u8>, value: i64) {
    let mut zigzag = ((value << 1) ^ (value >> 63)) as u64;
    while zigzag >= 0x80 {
        out.push(zigzag as u8 | 0x80);
        zigzag >>= 7;
    }
    out.push(zigzag as u8);
}

/// One turn of reactor 0; the results in order, `None` where parked. Slots are numbered from `first_slot`.
pub fn turn_with(
    partition: &Arc<Partition>,
    batches: &[Batch],
    acks: i16,
    origin: Origin,
    first_slot: u64,
) -> Vec<Option<AppendDone>> {
    turn_of(0, partition, batches, acks, origin, first_slot)
}

/// One turn of a reactor.
pub fn turn_of(
    reactor: u16,
    partition: &Arc<Partition>,
    batches: &[Batch],
    acks: i16,
    origin: Origin,
    first_slot: u64,
) -> Vec<Option<AppendDone>> {
    let mut bytes: Vec<Vec<u8>> = batches.iter().map(Batch::encode).collect();
    let mut pending: Vec<PendingAppend<'_>> = bytes
        .iter_mut()
        .zip(batches)
        .enumerate()
        .map(|(at, (bytes, batch))| PendingAppend {
            bytes,
            batch: batch.valid(),
            acks,
            slot: ReplySlot { reactor, id: first_slot + at as u64 },
            origin,
            result: None,
        })
        .collect();
    partition.append_turn(&mut pending, now_ms(), reactor, &mut Vec::new());
    pending.iter().map(|it| it.result).collect()
}

pub fn turn(partition: &Arc<Partition>, batches: &[Batch]) -> Vec<Option<AppendDone>> {
    turn_with(partition, batches, -1, Origin::Client, 0)
}

/// Appends one batch that is answered at once: (error code, base offset).
pub fn append(partition: &Arc<Partition>, batch: Batch) -> (i16, i64) {
    let done = turn(partition, &[batch])[0].expect("answered at once");
    (done.error_code, done.base_offset)
}

/// Appends a batch to a partition that acknowledges what is on the disk; its offset.
pub fn durable(broker: &Broker, partition: &Arc<Partition>, batch: Batch) -> i64 {
    assert_eq!(turn_with(partition, &[batch], -1, Origin::Client, 1), [None]);
    broker.work();
    let done = broker.done().into_iter().find(|(slot, _)| slot.id == 1).expect("answered").1;
    assert_eq!(done.error_code, error_code::NONE);
    done.base_offset
}

/// The first segment of a partition.
pub fn segment(partition: &Partition) -> PathBuf {
    partition.dir().join("00000000000000000000.log")
}

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

/// The bytes of a plan.
pub fn bytes_of(plan: &ReadPlan) -> Vec<u8> {
    let located;
    let plan = match plan {
        ReadPlan::Locate(job) => {
            located = job.run().expect("headers can be read");
            &located
        }
        other => other,
    };
    let mut bytes = Vec::new();
    for range in plan.ranges() {
        let mut part = vec![0; range.len as usize];
        read_exact_at(range.file.as_ref(), &mut part, range.position).expect("bytes are there");
        bytes.extend_from_slice(&part);
    }
    bytes
}

/// Headers of everything a consumer gets from `offset` on.
pub fn consume(partition: &Partition, offset: i64) -> Vec<BatchHeader> {
    let mut headers: Vec<BatchHeader> = Vec::new();
    let mut next = offset;
    loop {
        let answer = partition.read(&query(next));
        assert_eq!(answer.error_code, error_code::NONE, "fetch at {next}");
        let bytes = bytes_of(&answer.plan);
        if bytes.is_empty() {
            return headers;
        }
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            let header = BatchHeader::parse(rest).expect("a magic-2 batch");
            batch::check_crc(&rest[..header.size()]).expect("a batch as it was sent");
            rest = &rest[header.size()..];
            next = header.last_offset() + 1;
            headers.push(header);
        }
    }
}

/// What must be equal before and after a restart.
#[derive(Debug, PartialEq, Eq)]
pub struct Seen {
    pub offsets: (i64, i64, i64),
    pub batches: Vec<BatchHeader>,
    pub producers: Vec<ProducerDescription>,
}

pub fn seen(partition: &Partition) -> Seen {
    Seen {
        offsets: (
            partition.log_start_offset(),
            partition.high_watermark(),
            partition.log_end_offset(),
        ),
        batches: consume(partition, partition.log_start_offset()),
        producers: partition.producers(),
    }
}

/// A partition of a broker of its own that leads; what was told until then is passed over.
pub fn open_with(config: PartitionConfig) -> (Broker, Arc<Partition>) {
    let broker = Broker::start(&SimDisk::new());
    let partition = broker.open(PartitionSpec { config, ..spec() });
    broker.work();
    broker.events();
    (broker, partition)
}

pub fn fsync() -> PartitionConfig {
    PartitionConfig { flush_messages: 1, ..PartitionConfig::default() }
}
