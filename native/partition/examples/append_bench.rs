//! Nanoseconds a batch of `Partition::append_turn`: turns of 1, 8, 32 and 64 batches of one 100-byte record, over a real
//! file. `cargo run --release -p ms-partition --example append_bench [folder]`; the folder is made and removed.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use ms_log::hard_state::HardStateLog;
use ms_log::{Disk, RealDisk};
use ms_partition::*;
use ms_wire::batch::{self, BatchHeader, HEADER_BYTES};
use ms_wire::validate::ValidBatch;

const BATCHES: usize = 400_000;

struct Quiet;

impl Notifier for Quiet {
    fn wake(&self, _waiter: Waiter) {}
    fn append_done(&self, _slot: ReplySlot, _done: AppendDone) {}
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

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args().nth(1).unwrap_or_else(|| "/dev/shm/append_bench".to_string());
    let log_dir = PathBuf::from(folder);
    let disk: Arc<dyn Disk> = Arc::new(RealDisk);
    disk.create_dir_all(&log_dir)?;
    let (hard_state, _) = HardStateLog::open(Arc::clone(&disk), &log_dir)?;
    let env = Arc::new(Env {
        disk: Arc::clone(&disk),
        log_dir: log_dir.clone(),
        hard_state: Arc::new(hard_state),
        notifier: Arc::new(Quiet),
        same_boot: true,
        node_id: 0,
        producer_id_expiration_ms: 86_400_000,
        producer_id_expiration_check_ms: 600_000,
        producer_check_compressed: true,
        retention_check_interval_ms: 300_000,
        now_ms: || 0,
        state: EnvState::default(),
    });
    for (group_id, per_turn) in [1, 8, 32, 64].into_iter().enumerate() {
        for idempotent in [false, true] {
            let spec = PartitionSpec {
                topic_id: [group_id as u8; 16],
                topic_name: format!("bench-{per_turn}-{idempotent}"),
                partition_index: 0,
                group_id: group_id as u64 * 2 + u64::from(idempotent) + 1,
                config: PartitionConfig::default(),
                watch_commits: false,
                fsync_always: false,
            };
            let partition = Partition::open(&env, spec, Handle { index: 0, generation: 0 })?;
            let nanos = run(&partition, per_turn, idempotent);
            println!(
                "{per_turn:3} batches a turn, idempotent {idempotent:5}: {nanos:6.0} ns a batch"
            );
        }
    }
    disk.remove_dir_all(&log_dir)?;
    Ok(())
}

fn run(partition: &Arc<Partition>, per_turn: usize, idempotent: bool) -> f64 {
    let mut frames = vec![one_record(idempotent); per_turn];
    let valid = ValidBatch::from_header(&BatchHeader::parse(&frames[0]).expect("a batch"));
    let mut due = Vec::new();
    let mut sequence = 0;
    let started = Instant::now();
    for _ in 0..BATCHES / per_turn {
        let mut pending: Vec<PendingAppend<'_>> = Vec::with_capacity(per_turn);
        for bytes in &mut frames {
            let mut batch = valid.clone();
            if idempotent {
                batch.base_sequence = sequence;
                sequence += 1;
            }
            let slot = ReplySlot { reactor: 0, id: 0 };
            let origin = Origin::Client;
            pending.push(PendingAppend { bytes, batch, acks: 1, slot, origin, result: None });
        }
        partition.append_turn(&mut pending, 0, 0, &mut due);
        let done = pending[0].result.expect("answered at once");
        assert_eq!(done.error_code, 0, "every batch is accepted");
    }
    started.elapsed().as_nanos() as f64 / (BATCHES / per_turn * per_turn) as f64
}

fn one_record(idempotent: bool) -> Vec<u8> {
    let value = [b'x'; 100];
    let mut record = vec![0, 0, 0, 1];
    record.extend_from_slice(&[200, 1]);
    record.extend_from_slice(&value);
    record.push(0);
    let header = BatchHeader {
        base_offset: 0,
        batch_length: (HEADER_BYTES - 12 + 2 + record.len()) as i32,
        partition_leader_epoch: -1,
        crc: 0,
        attributes: 0,
        last_offset_delta: 0,
        base_timestamp: 0,
        max_timestamp: 0,
        producer_id: if idempotent { 1 } else { -1 },
        producer_epoch: if idempotent { 0 } else { -1 },
        base_sequence: if idempotent { 0 } else { -1 },
        record_count: 1,
    };
    let mut bytes = header.encode().to_vec();
    bytes.extend_from_slice(&[(record.len() * 2) as u8 | 0x80, ((record.len() * 2) >> 7) as u8]);
    bytes.extend_from_slice(&record);
    batch::write_crc(&mut bytes);
    bytes
}
