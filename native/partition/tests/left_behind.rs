//! Partitions that a process does not open: what is known of them, and what a stop says of them.

mod common;

use std::sync::Arc;

use common::*;
use ms_log::hard_state::HardStateLog;
use ms_log::sim::{Fault, SimDisk};
use ms_log::{Disk, OpenMode, checkpoint};
use ms_partition::*;

/// Two partitions, of which only the first is opened again after a crash of the process.
fn one_of_two_is_left_behind() -> (SimDisk, Broker, Arc<Partition>, PartitionSpec) {
    let disk = SimDisk::new();
    let broker = Broker::start(&disk);
    let second = PartitionSpec { partition_index: 1, group_id: 78, ..spec() };
    let (one, two) = (broker.open(spec()), broker.open(second.clone()));
    for partition in [&one, &two] {
        turn(partition, &[Batch::plain(3)]);
    }
    broker.env.write_hard_state().expect("a disk in order");
    broker.env.write_checkpoint(&[one, two]).expect("a disk in order");
    disk.crash_process();
    let broker = Broker::start(&disk);
    let one = broker.open(spec());
    (disk, broker, one, second)
}

fn flush(partition: &Arc<Partition>) {
    if let Some(job) = partition.flush_job() {
        partition.flush_finished(job.run());
    }
}

fn was_clean(disk: &SimDisk) -> bool {
    let shared: Arc<dyn Disk> = Arc::new(disk.clone());
    HardStateLog::open(shared, "/data".as_ref()).expect("a disk in order").1.clean
}

#[test]
fn a_stop_is_not_clean_when_what_a_crash_left_was_not_opened_since() {
    let (disk, broker, one, second) = one_of_two_is_left_behind();
    flush(&one);
    broker.env.record_stop(&[one]).expect("a disk in order");
    disk.crash_process();
    assert!(!was_clean(&disk), "the other may have unsynced records");
    disk.crash_process();
    let broker = Broker::start(&disk);
    let (one, two) = (broker.open(spec()), broker.open(second));
    [&one, &two].into_iter().for_each(flush);
    broker.env.record_stop(&[one, two]).expect("a disk in order");
    disk.crash_process();
    // Nobody has written to it since a clean stop: it need not be opened for the next one.
    let broker = Broker::start(&disk);
    let one = broker.open(spec());
    flush(&one);
    broker.env.record_stop(&[one]).expect("a disk in order");
    disk.crash_process();
    assert!(was_clean(&disk));
}

#[test]
fn a_stop_is_clean_when_what_was_not_opened_is_not_hosted_any_more() {
    let (_, broker, one, _) = one_of_two_is_left_behind();
    // Its topic is still hosted, and then it is not.
    for (hosted, is_clean) in [([7; 16], false), ([9; 16], true)] {
        sweep_folders(&broker.env, &[(hosted, 0)]).expect("a disk in order");
        flush(&one);
        broker.env.record_stop(std::slice::from_ref(&one)).expect("a disk in order");
        let groups = broker.env.hard_state.groups();
        assert_eq!(groups.iter().all(|(_, it)| !it.opened), is_clean, "{groups:?}");
    }
}

#[test]
fn a_checkpoint_keeps_what_is_known_of_partitions_that_are_not_open() {
    let (disk, broker, one, second) = one_of_two_is_left_behind();
    for _ in 0..2 {
        broker.env.write_checkpoint(std::slice::from_ref(&one)).expect("a disk in order");
        let known = checkpoint::read(&disk, "/data".as_ref()).expect("a disk in order");
        assert_eq!((known.len(), known[&78].written.offset), (2, 3));
    }
    // Once it says something itself, that counts.
    let two = broker.open(second);
    turn(&two, &[Batch::plain(2)]);
    broker.env.write_checkpoint(&[one, two]).expect("a disk in order");
    let known = checkpoint::read(&disk, "/data".as_ref()).expect("a disk in order");
    assert_eq!((known.len(), known[&78].written.offset), (2, 5));
}

#[test]
fn an_open_that_failed_leaves_the_next_one_what_the_checkpoint_knows() {
    let (disk, broker, _, second) = one_of_two_is_left_behind();
    let path = "/data/orders-1/00000000000000000000.log";
    let file = disk.open(path.as_ref(), OpenMode::Write).expect("it is there");
    let len = file.len().expect("a disk in order");
    disk.fail_call(disk.calls() + 4, Fault::Io);
    assert!(Partition::open(&broker.env, second.clone(), HANDLE).is_err());
    // What is missing now was there once, and the checkpoint says so: no torn tail.
    file.truncate(len - 10).expect("a disk in order");
    broker.events();
    broker.open(second);
    let said = broker.events();
    let is_said = |text: &str| {
        said.iter()
            .any(|event| matches!(event, PartitionEvent::Log { text: it, .. } if it.contains(text)))
    };
    assert!(is_said("is damaged") && !is_said("torn tail"), "{said:?}");
}
