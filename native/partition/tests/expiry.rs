//! Idempotent producers that were idle are forgotten, and others are not: by the clock, and by a restart.

mod common;

use std::sync::Arc;

use common::*;
use ms_log::sim::SimDisk;
use ms_partition::*;
use ms_wire::error_code::*;

/// A broker that forgets producers after a minute and looks for them so often; retention looks every five minutes.
fn forgetting(disk: &SimDisk, check_ms: i64) -> Broker {
    let broker = Broker::start(disk);
    let mut env = Arc::into_inner(broker.env).expect("nobody else has it");
    env.producer_id_expiration_ms = 60_000;
    env.producer_id_expiration_check_ms = check_ms;
    Broker { env: Arc::new(env), ..broker }
}

/// A batch of one record of a producer, so long after the start.
fn sent(producer_id: i64, sequence: i32, after_ms: i64) -> Batch {
    Batch { timestamps: vec![START_MS + after_ms], ..Batch::of(producer_id, 0, sequence, 1) }
}

fn ids(partition: &Partition) -> Vec<i64> {
    partition.producers().iter().map(|it| it.producer_id).collect()
}

#[test]
fn c_051_a_producer_that_was_idle_is_forgotten_and_one_that_was_not_goes_on() {
    let broker = forgetting(&SimDisk::new(), 10_000);
    let partition = broker.open(spec());
    let batches = [sent(1, 7, 0), sent(1, 8, 0), sent(2, 0, 0), sent(2, 1, 50_000)];
    assert!(turn(&partition, &batches).iter().all(|it| it.is_some_and(|it| it.error_code == NONE)));
    partition.housekeeping(START_MS + 59_999);
    assert_eq!(ids(&partition), [1, 2]);
    assert_eq!(append(&partition, sent(1, 70, 0)).0, OUT_OF_ORDER_SEQUENCE_NUMBER);
    assert_eq!(append(&partition, sent(1, 8, 0)), (NONE, 1));
    partition.housekeeping(START_MS + 69_999);
    assert_eq!(ids(&partition), [2]);
    // Nothing is known of it: its next sequence is as good as any other, and what it wrote before is no duplicate.
    assert_eq!(append(&partition, sent(1, 9, 70_000)), (NONE, 4));
    assert_eq!(append(&partition, sent(1, 8, 70_000)).0, OUT_OF_ORDER_SEQUENCE_NUMBER);
    // Everything is known of the other one.
    assert_eq!(append(&partition, sent(2, 1, 50_000)), (NONE, 3));
    assert_eq!(append(&partition, sent(2, 3, 70_000)).0, OUT_OF_ORDER_SEQUENCE_NUMBER);
    assert_eq!(append(&partition, sent(2, 2, 70_000)), (NONE, 5));
    partition.housekeeping(START_MS + 129_999);
    assert_eq!(ids(&partition), [1, 2]);
    partition.housekeeping(START_MS + 139_999);
    assert!(ids(&partition).is_empty());
    assert_eq!(append(&partition, sent(1, 8, 140_000)), (NONE, 6));
}

#[test]
fn idle_producers_are_looked_for_by_an_interval_of_their_own() {
    // Shorter than that of retention, and longer.
    for check_ms in [90_000, 600_000] {
        let broker = forgetting(&SimDisk::new(), check_ms);
        let partition = broker.open(spec());
        let housekeeping_until = |from_ms: i64, to_ms: i64| {
            for after_ms in (from_ms..to_ms).step_by(1000) {
                partition.housekeeping(START_MS + after_ms);
                assert_eq!(ids(&partition), [1], "after {after_ms} ms of {check_ms}");
            }
            partition.housekeeping(START_MS + to_ms);
            assert!(ids(&partition).is_empty(), "after {to_ms} ms of {check_ms}");
        };
        assert_eq!(append(&partition, sent(1, 0, 0)).0, NONE);
        housekeeping_until(0, check_ms);
        // Expired as it comes, and there until the next look.
        assert_eq!(append(&partition, sent(1, 5, 0)).0, NONE);
        housekeeping_until(check_ms + 1000, 2 * check_ms);
    }
}

#[test]
fn a_restart_knows_the_producers_that_were_not_idle_too_long() {
    // From batches alone, from the snapshots of segments, and from a checkpoint.
    for (segment_bytes, has_checkpoint) in [(1 << 20, false), (200, false), (1 << 20, true)] {
        let disk = SimDisk::new();
        let broker = forgetting(&disk, 10_000);
        let config = PartitionConfig { segment_bytes, ..PartitionConfig::default() };
        let partition = broker.open(PartitionSpec { config, ..spec() });
        for batch in [sent(1, 7, 0), sent(2, 0, 0), sent(2, 1, 50_000), sent(3, 0, 59_000)] {
            assert_eq!(append(&partition, batch).0, NONE);
            broker.work();
        }
        if has_checkpoint {
            broker.env.write_checkpoint(std::slice::from_ref(&partition)).expect("a checkpoint");
        }
        drop(partition);
        disk.crash_process();
        for (after_ms, known) in [(59_999, vec![1, 2, 3]), (60_000, vec![2, 3]), (110_000, vec![3])]
        {
            let broker = forgetting(&disk, 10_000);
            let spec = PartitionSpec { config, ..spec() };
            let partition = at_time(START_MS + after_ms, || broker.open(spec));
            assert_eq!(ids(&partition), known, "{after_ms} ms, {segment_bytes} {has_checkpoint}");
            for (id, sequence) in
                [(1, 7), (2, 1), (3, 0)].into_iter().filter(|it| known.contains(&it.0))
            {
                let gap = sent(id, sequence + 2, after_ms);
                assert_eq!(append(&partition, gap).0, OUT_OF_ORDER_SEQUENCE_NUMBER, "{id}");
            }
            disk.crash_process();
        }
        let broker = forgetting(&disk, 10_000);
        let spec = PartitionSpec { config, ..spec() };
        let partition = at_time(START_MS + 110_000, || broker.open(spec));
        assert_eq!(append(&partition, sent(1, 8, 110_000)), (NONE, 4));
        assert_eq!(append(&partition, sent(2, 9, 110_000)), (NONE, 5));
        assert_eq!(append(&partition, sent(3, 0, 59_000)), (NONE, 3), "a duplicate");
        assert_eq!(append(&partition, sent(3, 1, 110_000)), (NONE, 6));
    }
}
