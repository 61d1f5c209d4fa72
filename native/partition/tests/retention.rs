//! Segments that leave the log: when their files go, and what a loss of power or a full disk does to that.

mod common;

use std::sync::Arc;

use common::*;
use ms_log::Disk;
use ms_log::sim::SimDisk;
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
