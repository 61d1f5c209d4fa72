//! Turns that find the lock taken. The one who has it calls the notifier under it; there another thread comes.

mod common;

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use common::*;
use ms_log::sim::SimDisk;
use ms_log::{Disk, OpenMode};
use ms_partition::*;
use ms_wire::error_code::{
    FENCED_LEADER_EPOCH, KAFKA_STORAGE_ERROR, NONE, OFFSET_OUT_OF_RANGE,
    OUT_OF_ORDER_SEQUENCE_NUMBER,
};
use parking_lot::Mutex;

struct Contended {
    notifier: Arc<TestNotifier>,
    partition: Arc<Partition>,
}

impl Contended {
    fn new() -> Contended {
        Contended::on(&SimDisk::new(), PartitionConfig::default())
    }

    fn on(disk: &SimDisk, config: PartitionConfig) -> Contended {
        let broker = Broker::start(disk);
        let (partition, notifier) =
            (broker.open(PartitionSpec { config, ..spec() }), broker.notifier);
        Contended { notifier, partition }
    }

    /// What another thread does when the high watermark has passed `seen`, in the middle of a turn.
    fn meanwhile(&self, seen: i64, work: impl FnOnce(&Arc<Partition>) + Send + 'static) {
        assert!(self.partition.wait(Waiter { reactor: 9, id: seen as u64 }, seen));
        let partition = Arc::clone(&self.partition);
        self.notifier.1.lock().push_back(Box::new(move || {
            if thread::spawn(move || work(&partition)).join().is_err() {
                panic!("a bug in one partition's work");
            }
        }));
    }

    /// Slot, error code and base offset of everything that was answered late.
    fn done(&self) -> Vec<(u64, i16, i64)> {
        let done = std::mem::take(&mut self.notifier.0.lock().done);
        done.into_iter().map(|(slot, it)| (slot.id, it.error_code, it.base_offset)).collect()
    }

    /// The reactors that were asked to go on with what was left.
    fn passed_on(&self) -> Vec<u16> {
        let left = std::mem::take(&mut self.notifier.0.lock().left);
        left.into_iter().map(|(_, reactor)| reactor).collect()
    }
}

/// The reactor whose turns are left.
const REACTOR: u16 = 5;

fn leave(partition: &Arc<Partition>, batches: &[Batch], acks: i16, slot: u64) {
    leave_as(Origin::Client, partition, batches, acks, slot);
}

fn leave_as(origin: Origin, partition: &Arc<Partition>, batches: &[Batch], acks: i16, slot: u64) {
    let results = turn_of(REACTOR, partition, batches, acks, origin, slot);
    assert!(results.iter().all(Option::is_none));
}

#[test]
fn who_has_the_lock_appends_what_others_left() {
    let it = Contended::new();
    it.meanwhile(0, |partition| {
        leave(partition, &[Batch::of(2, 0, 0, 2), Batch::of(2, 0, 2, 1)], 1, 10);
        leave(partition, &[Batch::of(2, 0, 3, 3)], 0, 20);
        leave(partition, &[Batch::of(2, 0, 7, 1), Batch::of(2, 0, 3, 3)], -1, 30);
    });
    assert_eq!(append(&it.partition, Batch::plain(1)), (NONE, 0));
    // Without acks too: its request waits for it. A gap and a duplicate are told apart as ever.
    let refused = OUT_OF_ORDER_SEQUENCE_NUMBER;
    let expected = [(10, NONE, 1), (11, NONE, 3), (20, NONE, 4), (30, refused, -1), (31, NONE, 4)];
    assert_eq!(it.done(), expected);
    assert_eq!(it.passed_on(), []);
    let batches = consume(&it.partition, 0);
    let found: Vec<_> = batches.iter().map(|it| (it.producer_id, it.base_sequence)).collect();
    assert_eq!(found, [(-1, -1), (2, 0), (2, 2), (2, 3)]);
    let epoch = it.partition.leader_epoch();
    assert!(batches.iter().all(|batch| batch.partition_leader_epoch == epoch));
}

#[test]
fn what_was_left_is_acknowledged_as_it_asked() {
    let config = PartitionConfig { flush_messages: 1, ..PartitionConfig::default() };
    let it = Contended::on(&SimDisk::new(), config);
    assert_eq!(turn(&it.partition, &[Batch::plain(1)]), [None]);
    // The high watermark moves, under the lock, when the sync is over.
    it.meanwhile(0, |partition| {
        leave(partition, &[Batch::plain(1)], 1, 10);
        leave(partition, &[Batch::plain(1)], 0, 20);
        leave(partition, &[Batch::plain(1)], -1, 30);
    });
    let flush = || it.partition.flush_job().expect("something to sync").run();
    it.partition.flush_finished(flush());
    assert_eq!(it.done(), [(0, NONE, 0), (20, NONE, 2)]);
    it.partition.flush_finished(flush());
    assert_eq!(it.done(), [(10, NONE, 1), (30, NONE, 3)]);
}

#[test]
fn what_a_coordinator_left_is_held_to_its_epoch_and_offset() {
    let it = Contended::new();
    let epoch = it.partition.leader_epoch();
    it.meanwhile(0, move |partition| {
        for (slot, leader_epoch, expected_base_offset) in
            [(1, epoch - 1, 1), (2, epoch, 2), (3, epoch, 1), (4, epoch, -1)]
        {
            let origin = Origin::Coordinator { leader_epoch, expected_base_offset };
            leave_as(origin, partition, &[Batch::plain(1)], -1, slot);
        }
    });
    append(&it.partition, Batch::plain(1));
    let (fenced, other) = ((1, FENCED_LEADER_EPOCH, -1), (2, OFFSET_OUT_OF_RANGE, -1));
    assert_eq!(it.done(), [fenced, other, (3, NONE, 1), (4, NONE, 2)]);
}

#[test]
fn what_was_left_is_appended_by_the_clock_of_its_turn() {
    let disk = SimDisk::new();
    let it = Contended::on(&disk, PartitionConfig { segment_ms: 1000, ..Default::default() });
    // Without timestamps the age of the segment decides whether it is rolled.
    let left = || Batch::at(&[-1]);
    it.meanwhile(0, move |partition| {
        at_time(START_MS + 5000, || leave(partition, &[left()], 1, 1));
    });
    append(&it.partition, left());
    assert_eq!(it.done(), [(1, NONE, 1)]);
    let second = Path::new("/data/orders-0/00000000000000000001.log");
    assert!(disk.open(second, OpenMode::Read).is_ok());
}

#[test]
fn what_comes_while_the_rest_is_done_is_passed_on() {
    let it = Contended::new();
    it.meanwhile(0, |partition| leave(partition, &[Batch::plain(1)], 1, 1));
    it.meanwhile(1, |partition| leave(partition, &[Batch::plain(1)], 1, 2));
    assert_eq!(append(&it.partition, Batch::plain(1)), (NONE, 0));
    assert_eq!(it.done(), [(1, NONE, 1)]);
    assert_eq!(it.passed_on(), [REACTOR]);
    it.partition.take_left_turns();
    assert_eq!(it.done(), [(2, NONE, 2)]);
    assert_eq!(it.passed_on(), []);
}

#[test]
fn a_reader_sees_what_was_left_before_it_came() {
    let it = Contended::new();
    it.meanwhile(0, |partition| leave(partition, &[Batch::plain(1)], 1, 1));
    it.meanwhile(1, |partition| leave(partition, &[Batch::plain(1)], 1, 2));
    append(&it.partition, Batch::plain(1));
    assert_eq!(it.partition.high_watermark(), 2);
    assert_eq!(consume(&it.partition, 0).len(), 3);
    assert_eq!(it.done(), [(1, NONE, 1), (2, NONE, 2)]);
}

/// A fetch waits for more than it is told. What is appended between its look and its wait it must not be told of.
#[test]
fn a_reader_is_told_of_the_high_watermark_that_it_saw() {
    let it = Contended::new();
    for seen in 0..3 {
        it.meanwhile(seen, move |partition| {
            leave(partition, &[Batch::plain(1)], 1, seen as u64);
        });
    }
    append(&it.partition, Batch::plain(1));
    // The last but one is appended before it looks, the last one when it has let go of the lock.
    let answer = it.partition.read(&query(3));
    assert_eq!(it.partition.high_watermark(), 4);
    assert_eq!((answer.plan.total_bytes(), answer.high_watermark), (0, 3));
    let waiter = Waiter { reactor: 1, id: 1 };
    assert!(!it.partition.wait(waiter, answer.high_watermark), "it has to look again");
}

#[test]
fn more_than_may_be_left_waits_and_nothing_is_lost() {
    // So many turns, or 16 MiB of them.
    for (most, value) in [(256, vec![b'v']), (16, vec![b'v'; 1 << 20])] {
        let it = Contended::new();
        let (sent, results) = channel();
        let results = Arc::new(Mutex::new(results));
        let seen = Arc::clone(&results);
        it.meanwhile(0, move |partition| {
            let batch = Batch { value, ..Batch::plain(1) };
            (0..most).for_each(|slot| leave(partition, std::slice::from_ref(&batch), 1, slot));
            let partition = Arc::clone(partition);
            thread::spawn(move || {
                sent.send(turn_with(&partition, &[batch], 1, Origin::Client, most)[0])
            });
            // Nothing comes for a moment: it waits for the lock.
            assert!(seen.lock().recv_timeout(Duration::from_millis(100)).is_err());
        });
        append(&it.partition, Batch::plain(1));
        let last = results.lock().recv().expect("a result");
        // What a reactor is asked for.
        it.partition.take_left_turns();
        let mut done = it.done();
        // If it came when there was room again it may have been left as well, and passed on.
        done.extend(last.map(|last| (most, last.error_code, last.base_offset)));
        let expected: Vec<_> = (0..=most).map(|slot| (slot, NONE, slot as i64 + 1)).collect();
        assert_eq!(done, expected);
    }
}

#[test]
fn what_was_left_to_a_partition_that_fails_is_refused() {
    let it = Contended::new();
    it.meanwhile(0, |partition| {
        leave(partition, &[Batch::plain(1)], 1, 1);
        panic!("on purpose");
    });
    assert_eq!(append(&it.partition, Batch::plain(1)), (KAFKA_STORAGE_ERROR, -1));
    assert_eq!(it.done(), [(1, KAFKA_STORAGE_ERROR, -1)]);
}

#[test]
fn a_panic_over_what_was_left_refuses_all_of_it() {
    let it = Contended::new();
    it.meanwhile(0, |partition| {
        leave(partition, &[Batch::plain(1)], 1, 1);
        leave(partition, &[Batch::plain(1)], 0, 2);
    });
    it.meanwhile(1, |_| panic!("on purpose"));
    assert_eq!(append(&it.partition, Batch::plain(1)), (NONE, 0));
    assert_eq!(it.done(), [(1, KAFKA_STORAGE_ERROR, -1), (2, KAFKA_STORAGE_ERROR, -1)]);
    assert_eq!(it.partition.state(), PartitionState::Failed);
}
