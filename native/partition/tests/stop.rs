//! A stop: what it says is durable is, however many partitions were written to and whatever fails meanwhile.

mod common;

use std::path::Path;
use std::sync::Arc;

use common::*;
use ms_log::PageCache;
use ms_log::sim::{Fault, SimDisk};
use ms_partition::*;
use ms_wire::error_code::NONE;

const BATCHES: i64 = 5;

/// Partitions, some of which have more than one segment.
fn small(count: i32) -> Vec<(PartitionSpec, Handle)> {
    let rolls = PartitionConfig { segment_bytes: 200, ..PartitionConfig::default() };
    let one = |(spec, handle): (PartitionSpec, Handle)| {
        let config = if spec.partition_index % 3 == 1 { rolls } else { spec.config };
        (PartitionSpec { config, ..spec }, handle)
    };
    specs(count).into_iter().map(one).collect()
}

fn written(broker: &Broker, specs: Vec<(PartitionSpec, Handle)>) -> Vec<Arc<Partition>> {
    let opened = Partition::open_many(&broker.env, specs);
    let partitions: Vec<_> = opened.into_iter().map(|it| it.expect("opens")).collect();
    for partition in &partitions {
        for offset in 0..BATCHES {
            assert_eq!(append(partition, Batch::plain(1)), (NONE, offset));
        }
    }
    partitions
}

/// As a data plane stops; says whether that was a clean stop.
fn stop(broker: &Broker, partitions: &[Arc<Partition>]) -> bool {
    let jobs = partitions.iter().filter_map(|it| Some((it, it.flush_job()?)));
    let jobs: Vec<_> = jobs.collect();
    let are_synced = broker.env.sync_for(jobs.len());
    for (partition, job) in jobs {
        partition.flush_finished(if are_synced { job.run_synced() } else { job.run() });
    }
    let _ = broker.env.write_checkpoint(partitions);
    broker.env.record_stop(partitions).unwrap_or(false)
}

/// After a crash of the operating system: what a clean stop promises, and that all goes on.
fn check(disk: &SimDisk, specs: Vec<(PartitionSpec, Handle)>, when: &str) -> bool {
    let broker = Broker::start(disk);
    for opened in Partition::open_many(&broker.env, specs) {
        let partition = opened.unwrap_or_else(|error| panic!("{error} {when}"));
        let end = partition.high_watermark();
        assert!(end == BATCHES || !broker.env.same_boot, "{end} after a clean stop, {when}");
        assert_eq!(consume(&partition, 0).len() as i64, end, "{when}");
        assert_eq!(append(&partition, Batch::plain(1)), (NONE, end), "{when}");
    }
    broker.env.same_boot
}

#[test]
fn what_was_written_is_durable_after_a_stop_however_many_partitions_there_are() {
    for count in [3, 40] {
        for seed in 0..40 {
            let when = format!("{count} partitions, seed {seed}");
            let disk = SimDisk::new();
            let broker = Broker::start(&disk);
            assert!(stop(&broker, &written(&broker, small(count))), "{when}");
            disk.crash(seed);
            assert!(check(&disk, small(count), &when), "{when}");
        }
    }
}

#[test]
fn a_stop_that_fails_or_is_cut_short_at_any_call_promises_nothing_that_is_not_there() {
    for (count, fault) in [(3, Fault::Kill), (12, Fault::Kill), (3, Fault::Io), (12, Fault::Io)] {
        let calls = |disk: &SimDisk, broker: &Broker| {
            let partitions = written(broker, small(count));
            let start = disk.calls();
            stop(broker, &partitions);
            start..disk.calls()
        };
        let disk = SimDisk::new();
        for call in calls(&disk, &Broker::start(&disk)) {
            for seed in 0..4 {
                let when = format!("{count} partitions, {fault:?} in call {call}, seed {seed}");
                let disk = SimDisk::new();
                let broker = Broker::start(&disk);
                let partitions = written(&broker, small(count));
                disk.fail_call(call, fault);
                let is_clean = stop(&broker, &partitions);
                assert!(disk.has_failed(), "{when}");
                disk.crash(seed);
                assert!(check(&disk, small(count), &when) || !is_clean, "{when}");
            }
        }
    }
}

#[test]
fn many_are_synced_by_one_sync_unless_others_have_much_to_sync() {
    let calls = |dirty, count| {
        let disk = SimDisk::new();
        disk.set_page_cache(PageCache { dirty, in_writeback: 0, background: u64::MAX });
        let broker = Broker::start(&disk);
        let partitions = written(&broker, specs(count));
        let before = disk.calls();
        assert!(stop(&broker, &partitions));
        disk.calls() - before
    };
    assert_eq!(calls(5 << 20, 60) - calls(5 << 20, 40), 20, "each is asked for errors");
    // One by one: a sync of each, and none for all.
    assert_eq!(calls(1 << 30, 60), calls(5 << 20, 60) - 1);
}

#[test]
fn a_writeback_that_failed_unnoticed_is_no_clean_stop() {
    let disk = SimDisk::new();
    let broker = Broker::start(&disk);
    let partitions = written(&broker, specs(12));
    disk.fail_writeback(Path::new("/data/orders-7/00000000000000000000.log"));
    assert!(!stop(&broker, &partitions));
    assert!(broker.env.is_offline());
    disk.crash(1);
    assert!(!check(&disk, specs(12), "one has lost what was written"));
}
