//! Syncs that fail: what the disk never got is still read from the page cache, by the next process of the same boot too.

mod common;

use std::sync::Arc;

use common::*;
use ms_log::Disk;
use ms_log::sim::SimDisk;
use ms_partition::*;
use ms_wire::error_code::*;

const SEEDS: u64 = 100;

fn other() -> PartitionSpec {
    PartitionSpec { partition_index: 1, group_id: 78, ..spec() }
}

/// Something that is on the disk, and what waits for a sync that will lose it.
fn waiting(broker: &Broker) -> Arc<Partition> {
    let partition = broker.open(fsync_spec());
    assert_eq!(durable(broker, &partition, Batch::plain(1)), 0);
    assert_eq!(turn(&partition, &[Batch::plain(3)]), [None]);
    broker.disk.lose_on_sync(&segment(&partition));
    partition
}

/// A log directory that went off-line, and the end of the process.
fn failed(disk: &SimDisk) {
    let broker = Broker::start(disk);
    let partition = waiting(&broker);
    broker.work();
    assert_eq!(broker.done().pop().map(|(_, it)| it.error_code), Some(KAFKA_STORAGE_ERROR));
    assert!(broker.env.is_offline());
    broker.env.write_checkpoint(&[partition]).expect("another file");
    disk.crash_process();
}

/// What is acknowledged from now on survives a loss of power.
fn check(disk: &SimDisk, seed: u64) {
    let broker = Broker::start(disk);
    let offset = durable(&broker, &broker.open(fsync_spec()), Batch::plain(1));
    disk.crash(seed);
    let partition = Broker::start(disk).open(fsync_spec());
    let found: Vec<_> = consume(&partition, 0).iter().map(|it| it.base_offset).collect();
    assert!(found.contains(&0) && found.contains(&offset), "{offset} in {found:?}, seed {seed}");
}

#[test]
fn what_a_failed_sync_has_lost_is_not_believed_by_the_next_process() {
    for seed in 0..SEEDS {
        let disk = SimDisk::new();
        failed(&disk);
        check(&disk, seed);

        let disk = SimDisk::new();
        failed(&disk);
        // Which ends before it has opened anything.
        Broker::start(&disk);
        disk.crash_process();
        check(&disk, seed);
    }
}

#[test]
fn a_sync_that_fails_while_a_log_is_opened_is_not_repeated_either() {
    for seed in 0..SEEDS {
        let disk = SimDisk::new();
        waiting(&Broker::start(&disk));
        disk.crash_process();
        let broker = Broker::start(&disk);
        let open = || Partition::open(&broker.env, fsync_spec(), HANDLE);
        assert!(matches!(open(), Err(OpenError::Log(_))));
        assert!(matches!(open(), Err(OpenError::Offline)));
        assert_eq!(broker.log_dir(), [LogDirState::Offline]);
        disk.crash_process();
        check(&disk, seed);
    }
}

#[test]
fn a_process_behind_a_failed_sync_makes_durable_what_only_the_page_cache_holds() {
    for seed in 0..SEEDS {
        let disk = SimDisk::new();
        let written = Broker::start(&disk).open(other());
        (0..5).for_each(|offset| assert_eq!(append(&written, Batch::plain(1)), (NONE, offset)));
        failed(&disk);
        let broker = Broker::start(&disk);
        let partition = broker.open(other());
        assert_eq!(consume(&partition, 0).len(), 5, "of a file whose syncs do not fail");
        broker.env.write_checkpoint(&[partition]).expect("a disk in order");
        disk.crash(seed);
        let broker = Broker::start(&disk);
        assert_eq!(consume(&broker.open(other()), 0).len(), 5, "seed {seed}");
        assert_eq!(broker.events().len(), 1, "the role, and nothing of damage");
    }
}

#[test]
fn a_start_behind_a_failed_sync_is_as_any_other_once_all_is_opened() {
    let disk = SimDisk::new();
    failed(&disk);
    let broker = Broker::start(&disk);
    assert!(!broker.env.same_boot);
    broker.open(fsync_spec());
    disk.crash_process();
    let broker = Broker::start(&disk);
    let unchecked = broker.env.hard_state.groups().iter().filter(|(_, it)| it.unchecked).count();
    assert_eq!((broker.env.same_boot, unchecked), (true, 0));
    assert!(!disk.exists("/data/sync-failed".as_ref()).expect("a disk in order"));
}
