//! Partitions that are created together: durable once they are open, and none the worse for a failure in the middle.

mod common;

use std::path::Path;

use common::*;
use ms_log::sim::{Fault, SimDisk};
use ms_log::{Disk, OpenMode, PageCache, read_identity};
use ms_partition::*;
use ms_wire::error_code::NONE;

fn file_of(spec: &PartitionSpec) -> std::path::PathBuf {
    Path::new("/data").join(spec.folder_name()).join(format!("{:020}.log", 0))
}

/// Whether all that a new partition consists of would be there after a crash of the operating system.
fn check_there(disk: &SimDisk, spec: &PartitionSpec, when: &str) {
    let dir = Path::new("/data").join(spec.folder_name());
    let identity = read_identity(disk, &dir).expect("a whole file");
    assert_eq!(identity.map(|it| it.group_id), Some(spec.group_id), "{when}");
    let file = disk.open(&file_of(spec), OpenMode::Read).expect("a segment");
    assert!(file.len().expect("a length") > 0, "{when}");
}

/// Opens all, takes a record in each, and finds it again.
fn all_work(disk: &SimDisk, count: i32, when: &str) {
    let broker = Broker::start(disk);
    for opened in Partition::open_many(&broker.env, specs(count)) {
        let partition = opened.unwrap_or_else(|error| panic!("{error} {when}"));
        assert_eq!(append(&partition, Batch::plain(1)), (NONE, 0), "{when}");
        assert_eq!(consume(&partition, 0).len(), 1, "{when}");
    }
}

#[test]
fn what_was_created_is_durable_when_it_is_open_however_many_there_are() {
    for count in [1, 3, 40] {
        for seed in 0..60 {
            let when = format!("{count} partitions, seed {seed}");
            let disk = SimDisk::new();
            let broker = Broker::start(&disk);
            let opened = Partition::open_many(&broker.env, specs(count));
            assert!(opened.iter().all(Result::is_ok));
            disk.crash(seed);
            specs(count).iter().for_each(|(spec, _)| check_there(&disk, spec, &when));
            all_work(&disk, count, &when);
        }
    }
}

#[test]
fn many_partitions_are_made_durable_by_one_sync_unless_others_have_much_to_sync() {
    let calls_beside = |dirty, count| {
        let disk = SimDisk::new();
        disk.set_page_cache(PageCache { dirty, in_writeback: 0, background: u64::MAX });
        let broker = Broker::start(&disk);
        let before = disk.calls();
        assert!(Partition::open_many(&broker.env, specs(count)).iter().all(Result::is_ok));
        disk.calls() - before
    };
    let calls = |count| calls_beside(5 << 20, count);
    // Its files cost as much each, and nothing else does.
    assert_eq!((calls(60) - calls(40)) % 20, 0);
    assert!((calls(60) - calls(40)) / 20 <= 10);
    assert!((calls_beside(1 << 30, 60) - calls_beside(1 << 30, 40)) / 20 > 10);
}

#[test]
fn a_creation_that_was_cut_short_at_any_call_is_done_again_whatever_reached_the_disk() {
    for count in [2, 12] {
        let disk = SimDisk::new();
        let broker = Broker::start(&disk);
        let start = disk.calls();
        Partition::open_many(&broker.env, specs(count));
        for call in start..disk.calls() {
            for seed in 0..8 {
                let when = format!("{count} partitions, killed in call {call}, seed {seed}");
                let disk = SimDisk::new();
                let broker = Broker::start(&disk);
                disk.fail_call(call, Fault::Kill);
                let opened = Partition::open_many(&broker.env, specs(count));
                let is_open: Vec<_> = opened.iter().map(Result::is_ok).collect();
                if seed == 0 {
                    disk.crash_process()
                } else {
                    disk.crash(seed)
                };
                for ((spec, _), is_open) in specs(count).iter().zip(is_open) {
                    if is_open {
                        check_there(&disk, spec, &when);
                    }
                }
                all_work(&disk, count, &when);
            }
        }
    }
}

#[test]
fn what_a_process_that_was_killed_has_left_is_synced_before_it_is_used() {
    let disk = SimDisk::new();
    let broker = Broker::start(&disk);
    let start = disk.calls();
    Partition::open_many(&broker.env, specs(12));
    for call in start..disk.calls() {
        let disk = SimDisk::new();
        let broker = Broker::start(&disk);
        disk.fail_call(call, Fault::Kill);
        Partition::open_many(&broker.env, specs(12));
        disk.crash_process();
        let broker = Broker::start(&disk);
        assert!(Partition::open_many(&broker.env, specs(12)).iter().all(Result::is_ok));
        disk.crash(call);
        for (spec, _) in specs(12) {
            check_there(&disk, &spec, &format!("killed in call {call}"));
        }
    }
}

#[test]
fn a_creation_in_which_a_call_fails_is_done_again_or_takes_the_log_directory_off_line() {
    for (count, fault) in
        [(2, Fault::Io), (12, Fault::Io), (2, Fault::NoSpace), (12, Fault::NoSpace)]
    {
        let disk = SimDisk::new();
        let broker = Broker::start(&disk);
        let start = disk.calls();
        Partition::open_many(&broker.env, specs(count));
        for call in start..disk.calls() {
            let when = format!("{count} partitions, {fault:?} in call {call}");
            let disk = SimDisk::new();
            let broker = Broker::start(&disk);
            disk.fail_call(call, fault);
            let opened = Partition::open_many(&broker.env, specs(count));
            let failed = opened.iter().zip(specs(count)).filter(|(one, _)| one.is_err());
            let again: Vec<_> = failed.map(|(_, spec)| spec).collect();
            // The hard-state log, too, takes nothing any more after a sync that failed.
            let is_done = Partition::open_many(&broker.env, again).iter().all(Result::is_ok);
            let offline = &[LogDirState::Offline][..usize::from(broker.env.is_offline())];
            assert_eq!(broker.log_dir(), offline, "{when}");
            if is_done {
                assert!(!broker.env.is_offline(), "{when}");
                disk.crash(call);
                specs(count).iter().for_each(|(spec, _)| check_there(&disk, spec, &when));
            }
            disk.crash_process();
            all_work(&disk, count, &when);
        }
    }
}

#[test]
fn a_folder_whose_name_is_torn_is_kept_if_it_holds_anything() {
    for records in [0, 1] {
        let disk = SimDisk::new();
        let broker = Broker::start(&disk);
        let partition = broker.open(spec());
        if records > 0 {
            append(&partition, Batch::plain(records));
        }
        let metadata = partition.dir().join("partition.metadata");
        disk.open(&metadata, OpenMode::Write).and_then(|file| file.truncate(5)).expect("torn");
        if records == 0 {
            // As a creation that was cut short has left it.
            let file = disk.open(&file_of(&spec()), OpenMode::Write);
            file.and_then(|file| file.truncate(30)).expect("torn");
        }
        disk.crash_process();
        let broker = Broker::start(&disk);
        let opened = Partition::open(&broker.env, spec(), HANDLE);
        assert_eq!(opened.is_ok(), records == 0, "{records} records");
        assert!(disk.exists(&metadata).expect("known"));
    }
}
