//! Acknowledgement after fsync, full and failing disks, panics.

mod common;

use std::sync::Arc;

use common::*;
use ms_log::Disk;
use ms_log::sim::{Fault, SimDisk};
use ms_partition::*;
use ms_wire::error_code::*;

#[test]
fn in_fsync_mode_nothing_is_acknowledged_or_shown_before_the_flush() {
    let (broker, partition) = open_with(fsync());
    assert!(partition.is_leader());
    let waiter = Waiter { reactor: 3, id: 4 };
    assert!(partition.wait(waiter, 0));
    assert_eq!(turn_with(&partition, &[Batch::plain(2)], 1, Origin::Client, 10), [None]);
    assert_eq!(turn_with(&partition, &[Batch::plain(1)], -1, Origin::Client, 11), [None]);
    let acks_0 = turn_with(&partition, &[Batch::plain(1)], 0, Origin::Client, 12);
    assert_eq!(acks_0[0].map(|it| it.base_offset), Some(3), "nobody waits for it");
    assert_eq!((partition.high_watermark(), partition.log_end_offset()), (0, 4));
    assert!(consume(&partition, 0).is_empty());
    assert_eq!(broker.notifier.0.lock().flushes.len(), 1, "asked once for all of them");
    assert!(broker.woken().is_empty() && broker.done().is_empty());
    broker.work();
    let done: Vec<_> =
        broker.done().iter().map(|(slot, it)| (slot.id, it.error_code, it.base_offset)).collect();
    assert_eq!(done, [(10, 0, 0), (11, 0, 2)]);
    assert_eq!(broker.woken(), [waiter]);
    assert_eq!(partition.high_watermark(), 4);
}

#[test]
fn frames_written_while_a_flush_runs_wait_for_the_next() {
    let (broker, partition) = open_with(fsync());
    turn_with(&partition, &[Batch::plain(1)], -1, Origin::Client, 1);
    let job = partition.flush_job().expect("something to sync");
    turn_with(&partition, &[Batch::plain(1)], -1, Origin::Client, 2);
    assert!(partition.flush_job().is_none(), "one job at a time");
    partition.flush_finished(job.run());
    assert_eq!(broker.done().iter().map(|it| it.0.id).collect::<Vec<_>>(), [1]);
    broker.work();
    assert_eq!(broker.done().iter().map(|it| it.0.id).collect::<Vec<_>>(), [2]);
}

#[test]
fn a_duplicate_of_what_is_not_durable_yet_is_answered_with_the_original() {
    let (broker, partition) = open_with(fsync());
    let batch = Batch::of(1, 0, 0, 2);
    turn_with(&partition, std::slice::from_ref(&batch), -1, Origin::Client, 1);
    turn_with(&partition, &[Batch::plain(1)], -1, Origin::Client, 2);
    assert_eq!(turn_with(&partition, &[batch], -1, Origin::Client, 3), [None]);
    broker.work();
    let done: Vec<_> = broker.done().iter().map(|(slot, it)| (slot.id, it.base_offset)).collect();
    assert_eq!(done, [(1, 0), (3, 0), (2, 2)]);
}

#[test]
fn acknowledged_in_fsync_mode_survives_any_crash_of_the_operating_system() {
    for seed in 0..60 {
        let disk = SimDisk::new();
        let broker = Broker::start(&disk);
        let config = PartitionConfig { segment_bytes: 600, ..fsync() };
        let partition = broker.open(PartitionSpec { config, ..spec() });
        let mut acknowledged = 0;
        for sequence in 0..40 {
            turn_with(
                &partition,
                &[Batch::of(1, 0, sequence, 1)],
                -1,
                Origin::Client,
                sequence as u64,
            );
            if sequence % 3 == 0 {
                broker.work();
                acknowledged = partition.high_watermark();
            }
        }
        disk.crash(seed);
        let broker = Broker::start(&disk);
        let partition = broker.open(PartitionSpec { config, ..spec() });
        let after = partition.high_watermark();
        assert!(
            after >= acknowledged,
            "seed {seed}: {after} of {acknowledged}, {:?}",
            broker.events()
        );
        let offsets: Vec<i64> = consume(&partition, 0).iter().map(|it| it.base_offset).collect();
        assert_eq!(offsets, (0..partition.high_watermark()).collect::<Vec<_>>(), "seed {seed}");
        // Retries of everything that may be unknown to the client are duplicates, what is lost is written.
        let next = partition.high_watermark() as i32;
        assert_eq!(
            turn(&partition, &[Batch::of(1, 0, next - 1, 1)])[0].map(|it| it.error_code),
            Some(0)
        );
        turn(&partition, &[Batch::of(1, 0, next, 1)]);
        broker.work();
        assert_eq!(partition.high_watermark(), i64::from(next) + 1, "seed {seed}");
    }
}

#[test]
fn a_failed_fsync_takes_the_log_directory_off_line_and_is_not_repeated() {
    let (broker, partition) = open_with(fsync());
    let other = broker.open(PartitionSpec { partition_index: 1, group_id: 78, ..spec() });
    turn_with(&partition, &[Batch::plain(1)], -1, Origin::Client, 1);
    let job = partition.flush_job().expect("something to sync");
    broker.disk.fail_call(broker.disk.calls(), Fault::Io);
    partition.flush_finished(job.run());
    assert!(broker.disk.has_failed());
    let done = broker.done();
    assert_eq!(done.iter().map(|it| it.1.error_code).collect::<Vec<_>>(), [KAFKA_STORAGE_ERROR]);
    assert!(partition.flush_job().is_none());
    assert_eq!(partition.state(), PartitionState::Failed);
    assert_eq!(append(&other, Batch::plain(1)).0, KAFKA_STORAGE_ERROR, "it is the same disk");
    assert_eq!(other.read(&query(0)).error_code, KAFKA_STORAGE_ERROR);
    let events = broker.events();
    assert_eq!(broker.log_dir(), [LogDirState::Offline]);
    assert!(events.iter().any(|it| matches!(it, PartitionEvent::Failed { .. })));
}

#[test]
fn a_full_disk_refuses_appends_keeps_reads_and_heals_in_a_new_term() {
    let (broker, partition) = open_with(PartitionConfig::default());
    assert_eq!(append(&partition, Batch::plain(1)), (0, 0));
    let waiter = Waiter { reactor: 1, id: 1 };
    assert!(partition.wait(waiter, 1));
    broker.disk.set_full(true);
    assert_eq!(append(&partition, Batch::plain(1)).0, KAFKA_STORAGE_ERROR);
    assert_eq!(broker.woken(), [waiter], "it looks again and finds no leader");
    assert_eq!(partition.state(), PartitionState::NoSpace);
    assert!(!partition.is_leader());
    for _ in 0..5 {
        partition.housekeeping(now_ms());
        broker.work();
        assert_eq!(append(&partition, Batch::plain(1)).0, KAFKA_STORAGE_ERROR);
        assert_eq!(consume(&partition, 0).len(), 1);
        let latest = ListOffsetsQuery {
            timestamp: LATEST_TIMESTAMP,
            isolation: Isolation::ReadUncommitted,
            current_leader_epoch: -1,
        };
        let ListOffsetsAnswer::Now(end) = partition.list_offsets(&latest) else { panic!() };
        assert_eq!((end.error_code, end.offset), (0, 1), "consumers can find the end");
    }
    broker.disk.set_full(false);
    partition.housekeeping(now_ms());
    broker.work();
    assert_eq!(append(&partition, Batch::plain(1)), (0, 1));
    assert_eq!(partition.leader_epoch(), 2, "a full disk costs one term, however long it lasts");
    let epochs: Vec<_> =
        consume(&partition, 0).iter().map(|it| it.partition_leader_epoch).collect();
    assert_eq!(epochs, [1, 2]);
    assert_eq!(broker.log_dir(), [LogDirState::NoSpace, LogDirState::Ok]);
}

#[test]
fn a_roll_without_a_free_descriptor_refuses_its_append_and_nothing_else() {
    let config = PartitionConfig { segment_bytes: 300, ..PartitionConfig::default() };
    let (broker, partition) = open_with(config);
    let mut next = 0;
    broker.disk.set_out_of_files(true);
    while append(&partition, Batch::plain(1)) == (0, next) {
        next += 1;
    }
    assert!(next > 0, "there is room before the roll");
    assert!(!broker.env.is_offline());
    assert_eq!(append(&partition, Batch::plain(1)).0, KAFKA_STORAGE_ERROR);
    broker.disk.set_out_of_files(false);
    partition.housekeeping(now_ms());
    broker.work();
    assert_eq!(append(&partition, Batch::plain(1)), (0, next));
    assert_eq!(consume(&partition, 0).len() as i64, next + 1);
}

#[test]
fn an_error_of_the_disk_takes_the_log_directory_off_line() {
    let (broker, partition) = open_with(PartitionConfig::default());
    assert_eq!(append(&partition, Batch::plain(1)), (0, 0));
    broker.disk.fail_call(broker.disk.calls(), Fault::Io);
    assert_eq!(append(&partition, Batch::plain(1)).0, KAFKA_STORAGE_ERROR);
    assert_eq!(append(&partition, Batch::plain(1)).0, KAFKA_STORAGE_ERROR);
    assert_eq!(broker.log_dir(), [LogDirState::Offline]);
}

#[test]
fn a_parked_append_is_told_when_a_later_write_fails() {
    let (broker, partition) = open_with(fsync());
    turn_with(&partition, &[Batch::plain(1)], -1, Origin::Client, 1);
    broker.disk.set_full(true);
    let failed = turn_with(&partition, &[Batch::plain(1)], -1, Origin::Client, 2);
    assert_eq!(failed[0].map(|it| it.error_code), Some(KAFKA_STORAGE_ERROR));
    let done: Vec<_> = broker.done().iter().map(|(slot, it)| (slot.id, it.error_code)).collect();
    assert_eq!(done, [(1, NOT_LEADER_OR_FOLLOWER)], "its outcome is unknown");
    broker.disk.set_full(false);
    partition.housekeeping(now_ms());
    broker.work();
    partition.housekeeping(now_ms());
    broker.work();
    assert_eq!(partition.high_watermark(), 1, "what was written is committed by the next term");
    turn_with(&partition, &[Batch::plain(1)], -1, Origin::Client, 3);
    broker.work();
    assert_eq!(partition.high_watermark(), 2);
}

fn parked(partition: &Arc<Partition>, slot: u64, records: usize) -> bool {
    turn_with(partition, &[Batch::plain(records)], -1, Origin::Client, slot)[0].is_none()
}

fn answered(broker: &Broker) -> Vec<u64> {
    broker
        .done()
        .iter()
        .map(|(slot, it)| (slot.id, it.error_code))
        .map(|(id, code)| {
            assert_eq!(code, NONE);
            id
        })
        .collect()
}

#[test]
fn what_was_appended_under_flush_messages_1_waits_for_its_flush_whatever_is_set_meanwhile() {
    let (broker, partition) = open_with(fsync());
    assert!(parked(&partition, 1, 1));
    partition.configure(PartitionConfig::default());
    // It would count as persisted by itself, and everything before it too.
    assert!(parked(&partition, 2, 1));
    assert_eq!((answered(&broker), partition.high_watermark()), (vec![], 0));
    let job = partition.flush_job().expect("asked for");
    assert!(parked(&partition, 3, 1), "behind those that wait");
    partition.flush_finished(job.run());
    assert_eq!(answered(&broker), [1, 2, 3], "the last waits for no sync of its own");
    assert_eq!(append(&partition, Batch::plain(1)), (NONE, 3));
}

#[test]
fn the_append_that_makes_flush_messages_full_waits_for_the_sync() {
    let config = PartitionConfig { flush_messages: 5, ..PartitionConfig::default() };
    let (broker, partition) = open_with(config);
    assert_eq!(append(&partition, Batch::plain(2)), (NONE, 0));
    assert_eq!(append(&partition, Batch::plain(2)), (NONE, 2));
    assert!(broker.notifier.0.lock().flushes.is_empty());
    assert!(parked(&partition, 1, 1), "the fifth");
    assert_eq!(partition.high_watermark(), 4);
    let job = partition.flush_job().expect("asked for");
    assert!(parked(&partition, 2, 4), "after those that wait; four are counted again");
    assert!(parked(&partition, 3, 1), "the fifth again");
    partition.flush_finished(job.run());
    assert_eq!(answered(&broker), [1, 2], "the second needed no sync");
    assert_eq!(partition.high_watermark(), 9);
    broker.work();
    assert_eq!(answered(&broker), [3]);
    assert_eq!(append(&partition, Batch::plain(4)), (NONE, 10));
}

#[test]
fn a_lower_flush_messages_holds_from_the_next_append_on() {
    let (broker, partition) = open_with(PartitionConfig::default());
    assert_eq!(append(&partition, Batch::plain(9)), (NONE, 0));
    partition.configure(PartitionConfig { flush_messages: 10, ..PartitionConfig::default() });
    assert!(parked(&partition, 1, 1));
    broker.work();
    assert_eq!(answered(&broker), [1]);
}

#[test]
fn what_waits_is_answered_when_the_log_directory_goes_off_line_elsewhere() {
    let (broker, partition) = open_with(fsync());
    assert!(parked(&partition, 1, 1));
    let job = partition.flush_job().expect("something to sync");
    broker.env.set_offline();
    partition.flush_finished(job.run());
    let done = broker.done();
    assert_eq!(done.iter().map(|it| it.1.error_code).collect::<Vec<_>>(), [KAFKA_STORAGE_ERROR]);

    let (broker, partition) = open_with(fsync());
    assert!(parked(&partition, 1, 1));
    broker.env.set_offline();
    partition.housekeeping(now_ms());
    assert_eq!(broker.done().len(), 1);
    assert_eq!(partition.state(), PartitionState::Failed);
}

#[test]
fn a_duplicate_whose_original_could_not_be_written_for_want_of_a_segment_is_refused() {
    let (broker, partition) =
        open_with(PartitionConfig { segment_bytes: 300, ..PartitionConfig::default() });
    for sequence in 0..2 {
        assert_eq!(append(&partition, Batch::of(1, 0, sequence, 1)).0, NONE);
    }
    broker.work();
    broker.disk.set_full(true);
    let batch = Batch::of(1, 0, 2, 1);
    let codes: Vec<_> = turn(&partition, &[batch.clone(), batch])
        .iter()
        .map(|it| it.map(|done| done.error_code))
        .collect();
    assert_eq!(codes, [Some(KAFKA_STORAGE_ERROR); 2]);
    assert_eq!(partition.state(), PartitionState::Open, "a roll that failed changed nothing");
    broker.disk.set_full(false);
    // Another batch takes the offset; nobody else is told of it.
    assert_eq!(append(&partition, Batch::of(2, 0, 0, 1)), (NONE, 2));
    assert!(broker.done().is_empty());
}

#[test]
fn a_sync_that_fails_before_segments_are_deleted_takes_the_log_directory_off_line() {
    let (broker, partition) = open_with(PartitionConfig { segment_bytes: 300, ..fsync() });
    for slot in 0..8 {
        assert!(parked(&partition, slot, 1));
        broker.work();
    }
    broker.done();
    let slot = ReplySlot { reactor: 0, id: 20 };
    assert_eq!(partition.delete_records(-1, now_ms(), slot), None);
    let job = partition.flush_job().expect("the new log start");
    partition.flush_finished(job.run());
    assert_eq!(answered(&broker), [20]);
    assert!(parked(&partition, 21, 1));
    let names = broker.disk.list_dir(partition.dir()).expect("a folder");
    for name in names.into_iter().map(|it| it.name).filter(|it| it.ends_with(".log")) {
        broker.disk.break_file(&partition.dir().join(name));
    }
    // The system has told of the error now: a sync by the flusher might succeed.
    partition.run_job(JobKind::DeleteSegments);
    assert!(broker.env.is_offline());
    let done = broker.done();
    assert_eq!(done.iter().map(|it| it.1.error_code).collect::<Vec<_>>(), [KAFKA_STORAGE_ERROR]);
}

#[test]
fn what_a_roll_leaves_while_a_flush_is_out_is_flushed_after_it() {
    let config = PartitionConfig { segment_bytes: 300, ..PartitionConfig::default() };
    let (broker, partition) = open_with(config);
    let roll = || {
        while broker.notifier.0.lock().seals.pop().is_none() {
            assert_eq!(append(&partition, Batch::plain(1)).0, NONE);
        }
        assert!(broker.notifier.0.lock().flushes.is_empty(), "nobody waits for it");
    };
    roll();
    let job = partition.flush_job().expect("a roll asks for it");
    roll();
    assert!(partition.flush_job().is_none(), "one job at a time");
    partition.flush_finished(job.run());
    let wishes = || {
        let told = broker.notifier.0.lock();
        (told.flushes.len(), told.seals.len())
    };
    assert_eq!(wishes(), (0, 1), "again by who came in vain");
    broker.work();
    assert_eq!(wishes(), (0, 0));
    // Who finds that another has taken it up has missed nothing.
    roll();
    let job = partition.flush_job().expect("a roll asks for it");
    assert!(partition.flush_job().is_none());
    partition.flush_finished(job.run());
    assert_eq!(wishes(), (0, 0));
    roll();
    partition.mark_deleted(now_ms());
    assert!(partition.flush_job().is_none(), "nobody needs it any more");
}

#[test]
fn a_roll_asks_once_for_its_sync_and_who_waits_for_one_has_it_from_the_flusher() {
    let wishes = |config: PartitionConfig| {
        let (broker, partition) = open_with(PartitionConfig { segment_bytes: 200, ..config });
        for _ in 0..9 {
            turn_with(&partition, &[Batch::plain(1)], -1, Origin::Client, 1);
        }
        let told = broker.notifier.0.lock();
        (told.flushes.len(), told.seals.len())
    };
    assert_eq!(wishes(PartitionConfig::default()), (0, 1));
    assert_eq!(wishes(fsync()), (1, 0));
}

#[test]
fn many_appends_that_wait_for_their_sync_ask_the_disk_for_nothing() {
    let (broker, partition) = open_with(fsync());
    let calls_of_one = || {
        let before = broker.disk.calls();
        assert!(parked(&partition, 1, 1));
        broker.disk.calls() - before
    };
    let first = calls_of_one();
    for _ in 0..600 {
        assert_eq!(calls_of_one(), first);
    }
    broker.work();
    assert_eq!(answered(&broker).len(), 601);
    assert_eq!(partition.high_watermark(), 601);
}

/// Who comes while a worker has the log finds nothing, and waits though there is something.
#[test]
fn who_waits_when_the_log_comes_back_looks_again() {
    let (broker, partition) = open_with(PartitionConfig::default());
    assert_eq!(append(&partition, Batch::plain(1)), (0, 0));
    broker.disk.set_full(true);
    assert_eq!(append(&partition, Batch::plain(1)).0, KAFKA_STORAGE_ERROR);
    let waiter = Waiter { reactor: 1, id: 1 };
    for state in [PartitionState::NoSpace, PartitionState::Open] {
        assert!(partition.wait(waiter, 1));
        broker.disk.set_full(state == PartitionState::NoSpace);
        partition.housekeeping(now_ms());
        broker.work();
        assert_eq!((partition.state(), partition.high_watermark()), (state, 1));
        assert_eq!(broker.woken(), [waiter]);
    }
}

#[test]
fn a_panic_marks_the_partition_failed_and_leaves_the_others_alone() {
    let disk = SimDisk::new();
    let broker = Broker::start(&disk);
    // In the middle of a turn.
    let bug: Work = Box::new(|| panic!("a bug in one partition's work"));
    broker.notifier.1.lock().push_back(bug);
    let partition = broker.open(spec());
    let other = broker.open(PartitionSpec { partition_index: 1, group_id: 78, ..spec() });
    assert!(partition.wait(Waiter { reactor: 5, id: 1 }, 0));
    assert_eq!(append(&partition, Batch::plain(1)).0, KAFKA_STORAGE_ERROR);
    assert_eq!(partition.state(), PartitionState::Failed);
    assert_eq!(partition.read(&query(0)).error_code, KAFKA_STORAGE_ERROR);
    assert_eq!(append(&partition, Batch::plain(1)).0, KAFKA_STORAGE_ERROR);
    assert_eq!(append(&other, Batch::plain(1)), (0, 0));
    let failed = PartitionEvent::Failed { reason: "a bug in one partition's work".to_string() };
    assert!(broker.notifier.0.lock().events.contains(&failed));
    // Whether what it had written is on the disk nobody knows.
    other.flush_finished(other.flush_job().expect("something to sync").run());
    broker.env.record_stop(&[partition, other.clone()]).expect("a disk in order");
    disk.crash(1);
    assert!(!Broker::start(&disk).env.same_boot);
}

#[test]
fn a_stop_is_clean_when_everything_was_flushed() {
    for is_flushed in [false, true] {
        let (broker, partition) = open_with(PartitionConfig::default());
        assert_eq!(append(&partition, Batch::plain(1)).0, NONE);
        if is_flushed {
            partition.flush_finished(partition.flush_job().expect("something to sync").run());
        }
        broker.env.record_stop(&[partition]).expect("a disk in order");
        broker.disk.crash(1);
        assert_eq!(Broker::start(&broker.disk).env.same_boot, is_flushed);
    }
}

#[test]
fn a_flush_that_fails_takes_the_log_directory_off_line_though_its_partition_has_failed() {
    let (broker, partition) = open_with(fsync());
    assert!(parked(&partition, 0, 1));
    let job = partition.flush_job().expect("a record");
    let names = broker.disk.list_dir(partition.dir()).expect("a folder");
    let log = names.iter().find(|it| it.name.ends_with(".log")).expect("a segment");
    // The write fails for want of space, and so does its cut.
    let call = broker.disk.calls();
    broker.disk.fail_call(call, Fault::NoSpace);
    broker.disk.fail_call(call + 1, Fault::NoSpace);
    assert!(!parked(&partition, 1, 1));
    assert_eq!(partition.state(), PartitionState::Failed);
    assert!(!broker.env.is_offline());
    broker.disk.break_file(&partition.dir().join(&log.name));
    partition.flush_finished(job.run());
    assert!(broker.env.is_offline());
}
