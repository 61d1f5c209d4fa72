//! Reactors, flusher and workers as threads on one partition.

mod common;

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use common::*;
use ms_log::sim::SimDisk;
use ms_partition::*;
use ms_wire::error_code::NONE;

const PRODUCERS: i64 = 3;
const TURNS: i32 = 150;

#[test]
fn turns_reads_flushes_and_jobs_of_many_threads_keep_every_promise() {
    for flush_messages in [i64::MAX, 1] {
        let broker = Broker::start(&SimDisk::new());
        let config = PartitionConfig {
            flush_messages,
            segment_bytes: 4000,
            retention_bytes: -1,
            ..PartitionConfig::default()
        };
        let partition = broker.open(PartitionSpec { config, ..spec() });
        let is_over = AtomicBool::new(false);
        let answered = thread::scope(|scope| {
            scope.spawn(|| {
                // Flusher, workers, home reactor.
                while !is_over.load(Ordering::Acquire) {
                    broker.work();
                    partition.housekeeping(now_ms());
                    partition.run_job(JobKind::Retention);
                    broker.env.write_checkpoint(std::slice::from_ref(&partition)).expect("written");
                    thread::yield_now();
                }
                broker.work();
            });
            scope.spawn(|| {
                // A consumer: what it saw once never changes, and never ends before a high watermark it was told.
                while !is_over.load(Ordering::Acquire) {
                    let high_watermark = partition.high_watermark();
                    let batches = consume(&partition, 0);
                    let mut next = 0;
                    for batch in &batches {
                        assert_eq!(batch.base_offset, next);
                        next = batch.last_offset() + 1;
                    }
                    assert!(next >= high_watermark);
                    partition.wait(Waiter { reactor: 9, id: 9 }, next);
                }
            });
            let producers: Vec<_> = (0..PRODUCERS)
                .map(|producer_id| {
                    let partition = &partition;
                    scope.spawn(move || {
                        let mut answered = 0;
                        for turn in 0..TURNS {
                            let batches = [
                                Batch::of(producer_id, 0, turn * 5, 2),
                                Batch::of(producer_id, 0, turn * 5 + 2, 3),
                            ];
                            let slot = ((producer_id as u64) << 32) + 2 * turn as u64;
                            for result in turn_with(partition, &batches, -1, Origin::Client, slot) {
                                assert!(result.is_none_or(|it| it.error_code == NONE));
                                answered += usize::from(result.is_some());
                            }
                        }
                        answered
                    })
                })
                .collect();
            let answered = producers.into_iter().map(|producer| producer.join());
            let answered: usize = answered.map(|it| it.expect("a producer that is content")).sum();
            is_over.store(true, Ordering::Release);
            answered
        });
        broker.work();
        let records = PRODUCERS * i64::from(TURNS) * 5;
        assert_eq!((partition.high_watermark(), partition.log_end_offset()), (records, records));
        let done = broker.done();
        assert!(done.iter().all(|(_, it)| it.error_code == NONE));
        // Those that were parked, or left to who had the lock, once as well.
        let appends = PRODUCERS as usize * TURNS as usize * 2;
        assert_eq!(answered + done.len(), appends);
        let late: HashSet<_> = done.iter().map(|(slot, _)| slot.id).collect();
        assert_eq!(late.len(), done.len());
        if flush_messages == 1 {
            assert_eq!(done.len(), appends);
        }
        for producer_id in 0..PRODUCERS {
            let batches = consume(&partition, 0).into_iter();
            let sequences: Vec<i32> = batches
                .filter(|it| it.producer_id == producer_id)
                .map(|it| it.base_sequence)
                .collect();
            let expected: Vec<i32> = (0..TURNS).flat_map(|turn| [turn * 5, turn * 5 + 2]).collect();
            assert_eq!(sequences, expected);
        }
        let before = seen(&partition);
        let partition = Broker::start(&broker.disk).open(PartitionSpec { config, ..spec() });
        assert_eq!(seen(&partition), before);
    }
}
