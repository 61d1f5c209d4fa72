//! Starts that end before every partition was opened, after a loss of power: what one of them did not look at, the next one
//! has to.

mod common;

use std::sync::Arc;

use common::*;
use ms_log::Disk;
use ms_log::sim::SimDisk;
use ms_partition::*;

const SEEDS: u64 = 200;

fn other() -> PartitionSpec {
    PartitionSpec { partition_index: 1, group_id: 78, ..fsync_spec() }
}

/// A partition with something that only the page cache holds, which a checkpoint knows, and the end of its system.
fn lost_power(seed: u64) -> SimDisk {
    let disk = SimDisk::new();
    let broker = Broker::start(&disk);
    let opened = broker.open(fsync_spec());
    broker.open(other());
    durable(&broker, &opened, Batch::plain(1));
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
    let partition = broker.open(fsync_spec());
    assert!(partition.high_watermark() > 0, "the first is there, seed {seed}, {when}");
    let offset = durable(&broker, &partition, Batch::plain(1));
    disk.crash(seed + 1);
    let partition = Broker::start(disk).open(fsync_spec());
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
            broker.open(fsync_spec());
            before..disk.calls()
        };
        for call in calls {
            let disk = lost_power(seed);
            let broker = Broker::start(&disk);
            disk.fail_call(call, ms_log::sim::Fault::Kill);
            assert!(Partition::open(&broker.env, fsync_spec(), HANDLE).is_err());
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

/// The disk loses what a sync of one of the partition's files was for.
fn fail_a_sync(broker: &Broker, partition: &Arc<Partition>, random: &mut Random) {
    turn(partition, &[Batch::plain(2)]);
    let names = broker.disk.list_dir(partition.dir()).expect("a folder").into_iter();
    let segments = names.filter(|it| it.name.ends_with(".log"));
    let mut unsynced: Vec<_> = segments.map(|it| partition.dir().join(it.name)).collect();
    unsynced.retain(|path| broker.disk.is_unsynced(path));
    broker.disk.lose_on_sync(&unsynced[random.below(unsynced.len() as u64) as usize]);
    broker.work();
    assert!(broker.env.is_offline());
}

/// What a partition holds: the offset and the time of each batch.
fn held(partition: &Partition) -> Vec<(i64, i64)> {
    consume(partition, 0).iter().map(|it| (it.base_offset, it.max_timestamp)).collect()
}

/// Three partitions, of which each life opens some; every life ends in a kill, a failed sync, a loss of power or a stop.
#[test]
fn whatever_each_start_opens_and_however_it_ends_nothing_acknowledged_is_lost() {
    // CRASH_SEEDS=100000 for a long run.
    let seeds = std::env::var("CRASH_SEEDS").ok().and_then(|text| text.parse().ok());
    for seed in 0..seeds.unwrap_or(2000) {
        let (disk, mut random) = (SimDisk::new(), Random(seed));
        let segment_bytes = [1 << 30, 300][seed as usize % 2];
        let config = PartitionConfig { segment_bytes, ..fsync_spec().config };
        let (mut acknowledged, mut now_ms) = ([const { Vec::new() }; 3], START_MS);
        for life in 0..6 {
            let broker = Broker::start(&disk);
            let mut opened = Vec::new();
            for (number, batches) in acknowledged.iter_mut().enumerate() {
                if life < 5 && random.below(3) == 0 {
                    continue;
                }
                let (partition_index, group_id) = (number as i32, 77 + number as u64);
                let spec = PartitionSpec { partition_index, group_id, config, ..spec() };
                let partition = broker.open(spec);
                let held = held(&partition);
                let lost: Vec<_> = batches.iter().filter(|&it| !held.contains(it)).collect();
                assert!(lost.is_empty(), "{number} lacks {lost:?}, seed {seed}, life {life}");
                for _ in 0..random.below(3) {
                    now_ms += 1;
                    batches.push((durable(&broker, &partition, Batch::at(&[now_ms])), now_ms));
                }
                for _ in 0..random.below(4) {
                    assert_eq!(turn(&partition, &[Batch::plain(3)]), [None], "waits for its sync");
                }
                opened.push(partition);
            }
            if random.below(2) == 0 {
                broker.env.write_checkpoint(&opened).expect("a disk in order");
            }
            match random.below(5) {
                0 => disk.crash_process(),
                1 if !opened.is_empty() => {
                    let one = random.below(opened.len() as u64) as usize;
                    fail_a_sync(&broker, &opened[one], &mut random);
                    disk.crash_process();
                }
                2 => {
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
