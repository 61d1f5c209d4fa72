//! The files of deleted partitions go in a lull.

mod common;

use std::sync::Arc;

use common::*;
use ms_log::sim::SimDisk;
use ms_partition::*;
use ms_wire::error_code::*;

const DUE_MS: i64 = START_MS + 60_000;

/// A partition that is deleted, and another one.
fn deleted() -> (Broker, Arc<Partition>) {
    let broker = Broker::start(&SimDisk::new());
    let partition = broker.open(spec());
    let other = broker.open(PartitionSpec { partition_index: 3, group_id: 80, ..spec() });
    partition.mark_deleted(now_ms());
    broker.work();
    (broker, other)
}

fn produce_much(partition: &Arc<Partition>) {
    let batch = Batch { value: vec![b'v'; 20_000], ..Batch::plain(1) };
    assert_eq!(append(partition, batch).0, NONE);
}

/// Whether the partition is gone after what was wanted later is done at that time.
fn is_gone_at(broker: &Broker, time_ms: i64) -> bool {
    at_time(time_ms, || broker.work_later());
    broker.events().contains(&PartitionEvent::Closed)
}

fn looks(broker: &Broker) -> Vec<i64> {
    broker.notifier.0.lock().later.iter().map(|(_, _, delay_ms)| *delay_ms).collect()
}

#[test]
fn they_go_when_they_are_due_and_nobody_produces_much() {
    let (broker, other) = deleted();
    at_time(DUE_MS, || append(&other, Batch::plain(1)));
    assert!(is_gone_at(&broker, DUE_MS));
    assert!(looks(&broker).is_empty());
}

#[test]
fn they_wait_until_less_is_produced() {
    let (broker, other) = deleted();
    at_time(DUE_MS, || produce_much(&other));
    assert!(!is_gone_at(&broker, DUE_MS));
    assert_eq!(looks(&broker), [20]);
    at_time(DUE_MS + 10, || produce_much(&other));
    assert!(!is_gone_at(&broker, DUE_MS + 20));
    assert_eq!(looks(&broker), [20]);
    assert!(is_gone_at(&broker, DUE_MS + 40));
    assert!(looks(&broker).is_empty());
}

#[test]
fn ten_seconds_at_most() {
    let (broker, other) = deleted();
    for (late_ms, is_gone) in [(0, false), (9_999, false), (10_000, true)] {
        at_time(DUE_MS + late_ms, || produce_much(&other));
        assert_eq!(is_gone_at(&broker, DUE_MS + late_ms), is_gone, "{late_ms}");
    }
}

#[test]
fn not_where_the_space_is_needed() {
    let (broker, other) = deleted();
    at_time(DUE_MS, || produce_much(&other));
    broker.disk.set_full(true);
    assert!(is_gone_at(&broker, DUE_MS));
}

#[test]
fn it_is_looked_at_again_when_the_worker_comes_to_it() {
    let (broker, other) = deleted();
    at_time(DUE_MS, || {
        let later = std::mem::take(&mut broker.notifier.0.lock().later);
        later.iter().for_each(|(partition, job, _)| partition.run_job(*job));
        produce_much(&other);
        broker.work();
    });
    assert!(!broker.events().contains(&PartitionEvent::Closed));
    assert!(is_gone_at(&broker, DUE_MS + 20));
}
