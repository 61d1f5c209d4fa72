//! `flush.ms`: what is written and nobody waits for is flushed when it is that old.

mod common;

use std::sync::Arc;

use common::*;
use ms_log::sim::SimDisk;
use ms_partition::*;
use ms_wire::error_code::NONE;

const FLUSH_MS: i64 = 1000;

fn open(disk: &SimDisk) -> (Broker, Arc<Partition>) {
    let broker = Broker::start(disk);
    let config = PartitionConfig { flush_ms: FLUSH_MS, ..PartitionConfig::default() };
    let partition = broker.open(PartitionSpec { config, ..spec() });
    broker.work();
    (broker, partition)
}

fn append_at(partition: &Arc<Partition>, after_ms: i64) {
    at_time(START_MS + after_ms, || assert_eq!(append(partition, Batch::plain(2)).0, NONE));
}

/// Says whether housekeeping asks for a flush then.
fn asks_at(broker: &Broker, partition: &Arc<Partition>, after_ms: i64) -> bool {
    partition.housekeeping(START_MS + after_ms);
    !broker.notifier.0.lock().flushes.is_empty()
}

#[test]
fn what_is_as_old_as_flush_ms_is_flushed_and_nothing_before() {
    let (broker, partition) = open(&SimDisk::new());
    assert!(!asks_at(&broker, &partition, 0), "nothing is written");
    append_at(&partition, 0);
    // The oldest counts.
    append_at(&partition, 900);
    assert!(!asks_at(&broker, &partition, 999));
    assert!(asks_at(&broker, &partition, 1000));
    // Written while the flush is out, and as old as that the next time.
    let job = partition.flush_job().expect("something to flush");
    broker.notifier.0.lock().flushes.clear();
    append_at(&partition, 1100);
    partition.flush_finished(job.run());
    assert!(!asks_at(&broker, &partition, 2099));
    assert!(asks_at(&broker, &partition, 2100));
    broker.work();
    assert!(!asks_at(&broker, &partition, 60_000), "nothing is left");
    append_at(&partition, 60_000);
    assert!(!asks_at(&broker, &partition, 60_999));
    assert!(asks_at(&broker, &partition, 61_000));
}

#[test]
fn nothing_is_flushed_by_time_unless_flush_ms_says_so() {
    let (broker, partition) = open(&SimDisk::new());
    partition.configure(PartitionConfig::default());
    append_at(&partition, 0);
    assert!(!asks_at(&broker, &partition, 1 << 40));
    // What is there already counts from when it was written.
    partition.configure(PartitionConfig { flush_ms: 5000, ..PartitionConfig::default() });
    assert!(!asks_at(&broker, &partition, 4999));
    assert!(asks_at(&broker, &partition, 5000));
}

/// Batches that are there after a power cut, of three that were written long before it and two that were written just now.
fn left_after(seed: u64, housekeeping_after_ms: i64) -> usize {
    let disk = SimDisk::new();
    let (broker, partition) = open(&disk);
    for after_ms in [0, 10, 20] {
        append_at(&partition, after_ms);
    }
    partition.housekeeping(START_MS + housekeeping_after_ms);
    broker.work();
    for _ in 0..2 {
        append_at(&partition, housekeeping_after_ms);
    }
    disk.crash(seed);
    let (_broker, partition) = open(&disk);
    let batches = consume(&partition, 0);
    for (batch, offset) in batches.iter().zip((0..).step_by(2)) {
        assert_eq!((batch.base_offset, batch.record_count), (offset, 2), "seed {seed}");
    }
    batches.len()
}

#[test]
fn what_is_older_than_flush_ms_survives_a_power_cut() {
    for seed in 0..300 {
        assert!(left_after(seed, FLUSH_MS) >= 3, "seed {seed}");
    }
    // A power cut would have taken it.
    let without: Vec<usize> = (0..300).map(|seed| left_after(seed, FLUSH_MS - 1)).collect();
    assert!(without.contains(&0) && without.iter().any(|&left| left > 0));
}
