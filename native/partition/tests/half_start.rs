//! Starts that end before every partition was opened, after a loss of power: what one of them did not look at, the next one
//! has to.

mod common;

use std::sync::Arc;

use common::*;
use ms_log::sim::SimDisk;
use ms_partition::*;
use ms_wire::error_code::NONE;

const SEEDS: u64 = 200;

fn fsync() -> PartitionSpec {
    let config = PartitionConfig { flush_messages: 1, ..PartitionConfig::default() };
    PartitionSpec { config, ..spec() }
}

fn other() -> PartitionSpec {
    PartitionSpec { partition_index: 1, group_id: 78, ..fsync() }
}

/// Appends a batch that is acknowledged once it is on the disk; its offset.
fn durable(broker: &Broker, partition: &Arc<Partition>) -> i64 {
    assert_eq!(turn_with(partition, &[Batch::plain(1)], -1, Origin::Client, 1), [None]);
    broker.work();
    let done = broker.done().into_iter().find(|(slot, _)| slot.id == 1).expect("answered").1;
    assert_eq!(done.error_code, NONE);
    done.base_offset
}

/// A partition with something that only the page cache holds, which a checkpoint knows, and the end of its system.
fn lost_power(seed: u64) -> SimDisk {
    let disk = SimDisk::new();
    let broker = Broker::start(&disk);
    let opened = broker.open(fsync());
    broker.open(other());
    durable(&broker, &opened);
    for _ in 0..10 {
        assert_eq!(turn(&opened, &[Batch::plain(3)]), [None], "waits for its sync");
    }
    broker.env.write_checkpoint(std::slice::from_ref(&opened)).expect("a disk in order");
    disk.crash(seed);
    disk
}

/// What is acknowledged survives another loss of power.
fn check(disk: &SimDisk, seed: u64, when: &str) {
    let broker = Broker::start(disk);
    let partition = broker.open(fsync());
    assert!(partition.high_watermark() > 0, "the first is there, seed {seed}, {when}");
    let offset = durable(&broker, &partition);
    disk.crash(seed + 1);
    let partition = Broker::start(disk).open(fsync());
    let found: Vec<_> = consume(&partition, 0).iter().map(|it| it.base_offset).collect();
    assert!(found.contains(&offset), "{offset} in {found:?}, seed {seed}, {when}");
}

#[test]
fn what_a_start_has_not_opened_is_not_believed_by_the_next_one() {
    for seed in 0..SEEDS {
        let disk = lost_power(seed);
        Broker::start(&disk);
        disk.crash_process();
        check(&disk, seed, "killed at once");

        let disk = lost_power(seed);
        Broker::start(&disk).open(other());
        disk.crash_process();
        Broker::start(&disk);
        disk.crash_process();
        check(&disk, seed, "killed twice, and another one was opened");
    }
}

#[test]
fn a_group_that_the_hard_state_log_has_lost_is_believed_by_no_start() {
    for seed in 0..SEEDS {
        let disk = lost_power(seed);
        disk.corrupt("/data/hard-state.log".as_ref(), 20, |bytes| bytes[0] ^= 1);
        Broker::start(&disk);
        disk.crash_process();
        check(&disk, seed, "of a damaged hard-state log");
    }
}

#[test]
fn a_start_that_is_killed_in_the_middle_of_an_opening_has_not_opened() {
    for seed in 0..SEEDS / 10 {
        let calls = {
            let disk = lost_power(seed);
            let broker = Broker::start(&disk);
            let before = disk.calls();
            broker.open(fsync());
            before..disk.calls()
        };
        for call in calls {
            let disk = lost_power(seed);
            let broker = Broker::start(&disk);
            disk.fail_call(call, ms_log::sim::Fault::Kill);
            assert!(Partition::open(&broker.env, fsync(), HANDLE).is_err());
            disk.crash_process();
            check(&disk, seed, &format!("killed at call {call}"));
        }
    }
}

/// What is left to chance in one run.
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        (self.0 >> 33) % n
    }
}

/// Three partitions, of which each life opens some; every life ends in a kill, a loss of power or a stop.
#[test]
fn whatever_each_start_opens_and_however_it_ends_nothing_acknowledged_is_lost() {
    // CRASH_SEEDS=100000 for a long run.
    let seeds = std::env::var("CRASH_SEEDS").ok().and_then(|text| text.parse().ok());
    for seed in 0..seeds.unwrap_or(2000) {
        let (disk, mut random) = (SimDisk::new(), Random(seed));
        let mut acknowledged = [const { Vec::new() }; 3];
        for life in 0..6 {
            let broker = Broker::start(&disk);
            let mut opened = Vec::new();
            for (number, offsets) in acknowledged.iter_mut().enumerate() {
                if life < 5 && random.below(3) == 0 {
                    continue;
                }
                let (index, group_id) = (number as i32, 77 + number as u64);
                let partition =
                    broker.open(PartitionSpec { partition_index: index, group_id, ..fsync() });
                let batches = consume(&partition, 0);
                let is_there = |offset| batches.iter().any(|it| it.base_offset == offset);
                let lost: Vec<_> = offsets.iter().filter(|&&offset| !is_there(offset)).collect();
                assert!(
                    lost.is_empty(),
                    "partition {number} lacks {lost:?}, seed {seed}, life {life}"
                );
                for _ in 0..random.below(3) {
                    offsets.push(durable(&broker, &partition));
                }
                for _ in 0..random.below(4) {
                    assert_eq!(turn(&partition, &[Batch::plain(3)]), [None], "waits for its sync");
                }
                opened.push(partition);
            }
            if random.below(2) == 0 {
                broker.env.write_checkpoint(&opened).expect("a disk in order");
            }
            match random.below(4) {
                0 => disk.crash_process(),
                1 => {
                    broker.work();
                    broker.env.write_checkpoint(&opened).expect("a disk in order");
                    broker.env.record_stop(&opened).expect("a disk in order");
                    disk.crash(seed + life);
                }
                _ => disk.crash(seed + life),
            }
        }
    }
}
