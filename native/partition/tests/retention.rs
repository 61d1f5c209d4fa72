//! Segments that leave the log: when their files go, and what a loss of power or a full disk does to that.

mod common;

use std::sync::Arc;

use common::*;
use ms_log::Disk;
use ms_log::sim::{Fault, SimDisk};
use ms_partition::*;
use ms_wire::error_code::*;

fn segments_of(broker: &Broker, partition: &Partition) -> usize {
    let names = broker.disk.list_dir(partition.dir()).expect("a folder");
    names.iter().filter(|it| it.name.ends_with(".log")).count()
}

/// Of a record each.
fn small(config: PartitionConfig) -> PartitionSpec {
    PartitionSpec { config: PartitionConfig { segment_bytes: 100, ..config }, ..spec() }
}

/// Six records, all on the disk.
fn six(config: PartitionConfig) -> (Broker, Arc<Partition>) {
    let broker = Broker::start(&SimDisk::new());
    let partition = broker.open(small(config));
    for offset in 0..6 {
        assert_eq!(append(&partition, Batch::plain(1)), (NONE, offset));
    }
    broker.work();
    if let Some(job) = partition.flush_job() {
        partition.flush_finished(job.run());
    }
    assert_eq!(segments_of(&broker, &partition), 6);
    (broker, partition)
}

fn delete_below(partition: &Arc<Partition>, offset: i64) {
    let slot = ReplySlot { reactor: 0, id: 1 };
    let done = partition.delete_records(offset, now_ms(), slot);
    assert!(done.is_none_or(|done| done.error_code == NONE));
    assert_eq!(partition.log_start_offset(), offset);
}

/// As a coordinator does: copies of what lives, and a log that begins with them.
#[test]
fn what_was_copied_is_there_before_the_originals_go() {
    let mut kept = [0, 0];
    for seed in 0..40 {
        let (broker, partition) = six(PartitionConfig::default());
        assert_eq!(append(&partition, Batch::plain(3)), (NONE, 6));
        delete_below(&partition, 6);
        // What it asks for before anything was flushed.
        let jobs = std::mem::take(&mut broker.notifier.0.lock().jobs);
        jobs.into_iter().for_each(|(partition, job)| partition.run_job(job));
        assert_eq!(segments_of(&broker, &partition), 7);
        broker.env.write_checkpoint(&[Arc::clone(&partition)]).expect("a checkpoint");
        broker.disk.crash(seed);
        let broker = Broker::start(&broker.disk);
        let partition = broker.open(small(PartitionConfig::default()));
        let (start, end) = (partition.log_start_offset(), partition.log_end_offset());
        assert!(start == 0 && end >= 6 || (start, end) == (6, 9), "{start} to {end}");
        kept[usize::from(start > 0)] += 1;
    }
    assert!(kept[0] > 0 && kept[1] > 0, "{kept:?}");
}

#[test]
fn segments_below_the_log_start_go_after_the_flush_that_this_asks_for() {
    let (broker, partition) = six(PartitionConfig::default());
    delete_below(&partition, 4);
    assert_eq!(segments_of(&broker, &partition), 6);
    broker.work();
    assert_eq!(segments_of(&broker, &partition), 2);
    delete_below(&partition, 5);
    // The process dies; the next one asks for the flush.
    broker.disk.crash_process();
    let broker = Broker::start(&broker.disk);
    let partition = broker.open(small(PartitionConfig::default()));
    assert_eq!((partition.log_start_offset(), segments_of(&broker, &partition)), (5, 2));
    broker.work();
    assert_eq!(segments_of(&broker, &partition), 1);
    assert_eq!(consume(&partition, 5).len(), 1);
}

/// Old enough to go by time, all of them.
fn old() -> i64 {
    now_ms() + 8 * 86_400_000
}

/// A second of a process: what is due, then the work that this brings.
fn second(broker: &Broker, partition: &Arc<Partition>, now_ms: i64) {
    at_time(now_ms, || {
        partition.housekeeping(now_ms);
        broker.work();
    });
}

#[test]
fn a_full_disk_heals_by_what_retention_removes() {
    let config = PartitionConfig { retention_ms: 7 * 86_400_000, ..PartitionConfig::default() };
    let (broker, partition) = six(config);
    broker.disk.set_full_until_removed(2);
    assert_eq!(append(&partition, Batch::plain(1)).0, KAFKA_STORAGE_ERROR);
    second(&broker, &partition, now_ms());
    assert_eq!((segments_of(&broker, &partition), partition.log_start_offset()), (6, 0));
    // Neither a new segment can be begun, nor the new log start be written.
    second(&broker, &partition, old());
    assert_eq!(partition.state(), PartitionState::NoSpace);
    assert_eq!((segments_of(&broker, &partition), partition.log_start_offset()), (6, 0));
    second(&broker, &partition, old() + 1000);
    assert_eq!((segments_of(&broker, &partition), partition.log_start_offset()), (1, 5));
    second(&broker, &partition, old() + 2000);
    assert_eq!(partition.state(), PartitionState::Open);
    assert_eq!(append(&partition, Batch::plain(1)), (NONE, 6));
    broker.work();
    broker.disk.crash(1);
    let broker = Broker::start(&broker.disk);
    let partition = broker.open(small(config));
    assert_eq!(partition.log_start_offset(), 5);
    assert!(consume(&partition, 5).len() >= 2);
}

/// A rebuild syncs everything: no flush comes any more that could tell that segments may go.
#[test]
fn segments_go_although_a_rebuild_has_synced_what_their_deletion_waits_for() {
    let config = PartitionConfig { retention_ms: 7 * 86_400_000, ..PartitionConfig::default() };
    let config = PartitionConfig { flush_messages: 10_000, ..config };
    let (broker, partition) = six(config);
    // Into the same segment, and not synced.
    partition.configure(config);
    assert_eq!(append(&partition, Batch::plain(1)), (NONE, 6));
    broker.disk.set_full_until_removed(2);
    assert_eq!(append(&partition, Batch::plain(1)).0, KAFKA_STORAGE_ERROR);
    assert_eq!(partition.state(), PartitionState::NoSpace);
    second(&broker, &partition, old());
    assert_eq!((segments_of(&broker, &partition), partition.log_start_offset()), (1, 5));
    second(&broker, &partition, old() + 1000);
    assert_eq!(append(&partition, Batch::plain(1)), (NONE, 7));
}

#[test]
fn segments_that_a_full_disk_does_not_let_go_are_tried_again() {
    let (broker, partition) = six(PartitionConfig::default());
    delete_below(&partition, 4);
    let job = partition.flush_job().expect("the log start");
    partition.flush_finished(job.run());
    // The file of the log start, its name, and the first segment.
    broker.disk.set_full(true);
    broker.disk.fail_call(broker.disk.calls() + 4, Fault::NoSpace);
    broker.work();
    assert!(broker.disk.has_failed());
    assert_eq!((partition.state(), segments_of(&broker, &partition)), (PartitionState::Open, 6));
    let is_told = |it: &PartitionEvent| matches!(it, PartitionEvent::Log { .. });
    assert_eq!(broker.events().iter().filter(|it| is_told(it)).count(), 1);
    broker.disk.set_full(false);
    second(&broker, &partition, now_ms());
    assert_eq!(segments_of(&broker, &partition), 2);
    assert_eq!(broker.events().iter().filter(|it| is_told(it)).count(), 0);
}

#[test]
fn a_flush_that_could_not_open_a_folder_is_made_a_second_later() {
    let fsync = PartitionConfig { flush_messages: 1, ..PartitionConfig::default() };
    let broker = Broker::start(&SimDisk::new());
    let partition = broker.open(small(fsync));
    broker.work();
    for slot in 0..2 {
        let done = turn_with(&partition, &[Batch::plain(1)], -1, Origin::Client, slot);
        assert!(done[0].is_none());
        broker.disk.set_out_of_files(slot == 1);
        broker.work();
        assert_eq!(broker.done().len(), usize::from(slot == 0));
    }
    assert!(!broker.env.is_offline());
    broker.disk.set_out_of_files(false);
    second(&broker, &partition, now_ms());
    assert_eq!(broker.done().len(), 1);
}
