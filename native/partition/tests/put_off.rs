//! The first entry of a term is written in front of what is appended first, and not when a partition is opened.

mod common;

use std::path::Path;
use std::sync::Arc;

use common::*;
use ms_log::sim::SimDisk;
use ms_log::{Disk, OpenMode, checkpoint};
use ms_partition::*;
use ms_wire::error_code::NONE;

fn length(disk: &SimDisk, partition: &Partition) -> u64 {
    let path = partition.dir().join(format!("{:020}.log", 0));
    disk.open(&path, OpenMode::Read).and_then(|file| file.len()).expect("a length")
}

/// Starts again as after a clean stop, and opens the partition.
fn restart(
    disk: &SimDisk,
    before: Option<&Arc<Partition>>,
    broker: Broker,
) -> (Broker, Arc<Partition>) {
    if let Some(partition) = before {
        if let Some(job) = partition.flush_job() {
            partition.flush_finished(job.run());
        }
        broker.env.write_checkpoint(std::slice::from_ref(partition)).expect("a disk in order");
        broker.env.record_stop(std::slice::from_ref(partition)).expect("a disk in order");
    }
    disk.crash_process();
    let broker = Broker::start(disk);
    let partition = broker.open(spec());
    (broker, partition)
}

fn end_of(partition: &Partition, epoch: i32) -> (i32, i64) {
    let end = partition.offset_for_leader_epoch(-1, epoch).expect("it leads");
    (end.leader_epoch, end.end_offset)
}

#[test]
fn what_is_opened_and_not_written_to_stays_as_it_is_on_the_disk() {
    let disk = SimDisk::new();
    let broker = Broker::start(&disk);
    let mut partition = broker.open(spec());
    let mut broker = broker;
    assert!(partition.flush_job().is_none(), "a new one is durable");
    assert_eq!(append(&partition, Batch::plain(3)), (NONE, 0));
    for term in 2..6 {
        (broker, partition) = restart(&disk, Some(&partition), broker);
        assert_eq!(partition.leader_epoch(), term);
        let role = PartitionEvent::Role { leader_epoch: term, is_leader: true, start_offset: 3 };
        assert!(broker.events().contains(&role), "it leads at once");
        assert!(partition.flush_job().is_none(), "nothing waits for a sync");
    }
    let before = (length(&disk, &partition), disk.calls());
    assert_eq!(append(&partition, Batch::plain(1)), (NONE, 3));
    // One write brings both; the other call counted is the look at the length.
    assert_eq!(disk.calls() - before.1, 1);
    assert!(length(&disk, &partition) > before.0);
    disk.crash_process();
    let partition = Broker::start(&disk).open(spec());
    let epochs: Vec<_> =
        consume(&partition, 0).iter().map(|batch| batch.partition_leader_epoch).collect();
    assert_eq!(epochs, [1, 5]);
}

#[test]
fn an_opening_after_a_clean_stop_asks_the_disk_for_nothing_that_is_not_there() {
    let calls = |count| {
        let disk = SimDisk::new();
        let broker = Broker::start(&disk);
        let open = |broker: &Broker| -> Vec<_> {
            let opened = Partition::open_many(&broker.env, specs(count));
            opened.into_iter().map(|it| it.expect("opens")).collect()
        };
        let partitions = open(&broker);
        for partition in &partitions {
            append(partition, Batch::plain(1));
            partition.flush_finished(partition.flush_job().expect("something to sync").run());
        }
        broker.env.write_checkpoint(&partitions).expect("a disk in order");
        assert!(broker.env.record_stop(&partitions).expect("a disk in order"));
        disk.crash_process();
        let broker = Broker::start(&disk);
        let before = disk.calls();
        open(&broker);
        disk.calls() - before
    };
    // Three for the identity, one for the names; the segment is opened, its length, header and last frame looked at.
    assert_eq!(calls(60) - calls(40), 20 * 8);
}

#[test]
fn terms_of_which_nothing_was_written_end_where_the_log_does() {
    let disk = SimDisk::new();
    let broker = Broker::start(&disk);
    let partition = broker.open(spec());
    assert_eq!(end_of(&partition, 1), (1, 0));
    append(&partition, Batch::plain(3));
    let (broker, _) = restart(&disk, None, broker);
    let (broker, _) = restart(&disk, None, broker);
    let (broker, partition) = restart(&disk, None, broker);
    assert_eq!(partition.leader_epoch(), 4);
    let ends: Vec<_> = (1..6).map(|epoch| end_of(&partition, epoch)).collect();
    assert_eq!(ends, [(1, 3), (1, 3), (1, 3), (4, 3), (-1, -1)]);
    append(&partition, Batch::plain(2));
    let ends: Vec<_> = (1..6).map(|epoch| end_of(&partition, epoch)).collect();
    assert_eq!(ends, [(1, 3), (1, 3), (1, 3), (4, 5), (-1, -1)]);
    let (_, partition) = restart(&disk, Some(&partition), broker);
    let ends: Vec<_> = (1..7).map(|epoch| end_of(&partition, epoch)).collect();
    assert_eq!(ends, [(1, 3), (1, 3), (1, 3), (4, 5), (5, 5), (-1, -1)]);
}

#[test]
fn names_that_were_never_synced_are_still_synced_after_a_restart() {
    let disk = SimDisk::new();
    let broker = Broker::start(&disk);
    let config = PartitionConfig { segment_bytes: 200, ..PartitionConfig::default() };
    let rolling = PartitionSpec { config, ..spec() };
    let partition = broker.open(rolling.clone());
    for _ in 0..4 {
        append(&partition, Batch::plain(1));
    }
    broker.env.write_checkpoint(std::slice::from_ref(&partition)).expect("a disk in order");
    disk.crash_process();
    let known = checkpoint::read(&disk, Path::new("/data")).expect("a disk in order");
    assert_ne!(known[&spec().group_id].flushed, known[&spec().group_id].written);
    let partition = Broker::start(&disk).open(rolling.clone());
    let job = partition.flush_job().expect("what was rolled is not durable");
    partition.flush_finished(job.run());
    disk.crash(7);
    let partition = Broker::start(&disk).open(rolling);
    assert_eq!(consume(&partition, 0).len(), 4);
}
