//! Deletion of a partition: what waits is answered, its name is free at once, and its folder goes.

mod common;

use common::*;
use ms_log::Disk;
use ms_log::sim::Fault;
use ms_partition::*;
use ms_wire::error_code::*;

#[test]
fn deletion_answers_what_waits_and_frees_the_name_at_once() {
    let (broker, partition) = open_with(fsync());
    turn_with(&partition, &[Batch::plain(1)], -1, Origin::Client, 1);
    let waiter = Waiter { reactor: 1, id: 1 };
    assert!(partition.wait(waiter, 0));
    partition.mark_deleted(now_ms());
    partition.mark_deleted(now_ms());
    assert_eq!(broker.done()[0].1.error_code, UNKNOWN_TOPIC_OR_PARTITION);
    assert_eq!(broker.woken(), [waiter]);
    assert!(!partition.wait(waiter, 0));
    assert_eq!(append(&partition, Batch::plain(1)).0, UNKNOWN_TOPIC_OR_PARTITION);
    // The topic is created again under its old name, before or after the worker had its turn.
    let again = PartitionSpec { topic_id: [8; 16], group_id: 99, ..spec() };
    let again = broker.open(again);
    broker.work();
    assert_eq!(append(&again, Batch::plain(1)), (0, 0));
    assert_eq!(partition.read(&query(0)).error_code, UNKNOWN_TOPIC_OR_PARTITION);
    let later: Vec<_> = broker.notifier.0.lock().later.iter().map(|(_, _, delay)| *delay).collect();
    assert_eq!(later, [60_000]);
    broker.work();
    assert!(!broker.events().contains(&PartitionEvent::Closed));
    broker.work_later();
    assert!(broker.events().contains(&PartitionEvent::Closed));
    assert_eq!(append(&again, Batch::plain(1)), (0, 1));
}

#[test]
fn files_are_removed_behind_what_is_queued() {
    let (broker, partition) = open_with(PartitionConfig::default());
    partition.mark_deleted(now_ms());
    broker.work();
    partition.run_job(JobKind::DeletionDue);
    assert!(!broker.events().contains(&PartitionEvent::Closed));
    let jobs: Vec<_> = broker.notifier.0.lock().jobs.iter().map(|(_, job)| *job).collect();
    assert_eq!(jobs, [JobKind::DeleteFiles]);
}

#[test]
fn a_deleted_partition_whose_folder_cannot_be_renamed_is_closed_too() {
    let (broker, partition) = open_with(PartitionConfig::default());
    partition.mark_deleted(now_ms());
    broker.disk.fail_call(broker.disk.calls(), Fault::Io);
    broker.work();
    assert!(broker.env.is_offline());
    assert_eq!(partition.state(), PartitionState::Deleted);
    broker.work_later();
    assert!(broker.events().contains(&PartitionEvent::Closed));
}

/// The rename fails, or the sync that follows it.
#[test]
fn a_deleted_folder_that_a_full_disk_does_not_let_go_goes_later() {
    for call in 0..2 {
        let (broker, partition) = open_with(PartitionConfig::default());
        partition.mark_deleted(now_ms());
        broker.disk.fail_call(broker.disk.calls() + call, Fault::NoSpace);
        broker.work();
        assert!(broker.disk.has_failed() && !broker.env.is_offline());
        let is_there = broker.disk.exists(partition.dir()).expect("a folder or not");
        assert_eq!(is_there, call == 0);
        broker.work_later();
        broker.work_later();
        assert!(broker.events().contains(&PartitionEvent::Closed));
        let left = broker.disk.list_dir(&broker.env.log_dir).expect("a folder");
        assert!(left.iter().all(|entry| !entry.is_dir), "{left:?}");
    }
}

/// Whatever call fails before the successor begins a folder of its own.
#[test]
fn a_folder_that_its_successor_could_not_set_aside_goes_with_its_owner() {
    let successor = PartitionSpec { topic_id: [8; 16], group_id: 99, ..spec() };
    let mut failed = 0;
    for call in 0..6 {
        let (broker, partition) = open_with(PartitionConfig::default());
        broker.disk.fail_call(broker.disk.calls() + call, Fault::NoSpace);
        let opened = Partition::open(&broker.env, successor.clone(), HANDLE);
        failed += u32::from(opened.is_err());
        broker.disk.fail_no_call();
        partition.mark_deleted(now_ms());
        broker.work();
        let successor = opened.unwrap_or_else(|_| broker.open(successor.clone()));
        (0..3).for_each(|_| broker.work_later());
        let left = broker.disk.list_dir(&broker.env.log_dir).expect("a folder");
        let left: Vec<_> = left.iter().filter(|it| it.is_dir).map(|it| &it.name).collect();
        assert_eq!(left, ["orders-0"], "call {call}");
        assert_eq!(append(&successor, Batch::plain(1)), (NONE, 0));
    }
    assert!(failed > 2, "{failed}");
}

#[test]
fn a_deleted_folder_is_renamed_then_removed_and_the_sweep_takes_what_is_left() {
    let (broker, partition) = open_with(PartitionConfig::default());
    let stray = PartitionSpec { partition_index: 3, group_id: 80, ..spec() };
    drop(broker.open(stray));
    partition.mark_deleted(now_ms());
    broker.work();
    let names = || -> Vec<String> {
        let entries = broker.disk.list_dir(&broker.env.log_dir).expect("a folder");
        let mut names: Vec<_> =
            entries.into_iter().filter(|it| it.is_dir).map(|it| it.name).collect();
        names.sort();
        names
    };
    assert_eq!(names().len(), 2);
    assert!(
        names()[0].starts_with("orders-0.") && names()[0].ends_with("-delete"),
        "{:?}",
        names()
    );
    broker.work_later();
    assert_eq!(names(), ["orders-3"]);
    // Another process: nothing owns the folder.
    let broker = Broker::start(&broker.disk);
    assert_eq!(sweep_folders(&broker.env, &[([7; 16], 3)]).expect("a sweep"), 0);
    assert_eq!(sweep_folders(&broker.env, &[([7; 16], 4)]).expect("a sweep"), 1);
    assert_eq!(sweep_folders(&broker.env, &[]).expect("a sweep"), 0);
    assert!(
        broker.disk.list_dir(&broker.env.log_dir).expect("a folder").iter().all(|it| !it.is_dir)
    );
}
