//! Idempotent producers, as Kafka's leader sees them: against a model that remembers everything, and bug by bug.

mod common;

use common::*;
use ms_log::sim::SimDisk;
use ms_partition::*;
use ms_wire::error_code::*;
use proptest::prelude::*;

fn open() -> (Broker, std::sync::Arc<Partition>) {
    let broker = Broker::start(&SimDisk::new());
    let partition = broker.open(spec());
    (broker, partition)
}

#[test]
fn c_049_a_retry_of_the_last_five_batches_gets_the_original_offset_and_is_written_once() {
    let (_broker, partition) = open();
    let mut offset = 0;
    for sequence in (0..14).step_by(2) {
        assert_eq!(append(&partition, Batch::of(1, 0, sequence, 2)), (NONE, offset));
        offset += 2;
    }
    for sequence in (4..14).step_by(2) {
        let batch = Batch::of(1, 0, sequence, 2);
        let done = turn(&partition, &[batch])[0].expect("answered at once");
        assert_eq!((done.error_code, done.base_offset), (NONE, i64::from(sequence)));
        assert_eq!(done.log_append_time_ms, START_MS, "the original's timestamp, as from Kafka");
    }
    assert_eq!(partition.log_end_offset(), 14);
}

#[test]
fn c_049_a_retry_in_the_same_turn_is_a_duplicate_too() {
    let (_broker, partition) = open();
    let batch = Batch::of(1, 0, 0, 3);
    let results = turn(&partition, &[batch.clone(), batch]);
    let offsets: Vec<_> = results.iter().map(|it| it.map(|done| done.base_offset)).collect();
    assert_eq!(offsets, [Some(0), Some(0)]);
    assert_eq!(partition.log_end_offset(), 3);
}

// Kafka 4.4 answers OUT_OF_ORDER_SEQUENCE_NUMBER: it cannot know whether such a batch was ever written, and
// DUPLICATE_SEQUENCE_NUMBER would tell the client that it was.
#[test]
fn c_050_a_sequence_older_than_the_window_is_refused_and_never_written_again() {
    let (_broker, partition) = open();
    for sequence in 0..6 {
        assert_eq!(append(&partition, Batch::of(1, 0, sequence, 1)).0, NONE);
    }
    assert_eq!(append(&partition, Batch::of(1, 0, 0, 1)).0, OUT_OF_ORDER_SEQUENCE_NUMBER);
    assert_eq!(append(&partition, Batch::of(1, 0, 1, 1)), (NONE, 1));
    assert_eq!(append(&partition, Batch::of(1, 0, 1, 2)).0, OUT_OF_ORDER_SEQUENCE_NUMBER);
    assert_eq!(partition.log_end_offset(), 6);
}

#[test]
fn c_051_a_producer_that_is_not_known_may_begin_at_any_sequence() {
    let (broker, partition) = open();
    assert_eq!(append(&partition, Batch::of(1, 7, 4711, 1)), (NONE, 0));
    assert_eq!(append(&partition, Batch::of(1, 7, 4712, 1)), (NONE, 1));
    // Its batches are a day old: it is forgotten at the next check, and goes on where it likes.
    partition.housekeeping(START_MS + 86_400_000);
    broker.work();
    assert!(partition.producers().is_empty());
    assert_eq!(append(&partition, Batch::of(1, 7, 9000, 1)), (NONE, 2));
}

#[test]
fn a_producer_without_an_epoch_goes_on_anywhere() {
    let (_broker, partition) = open();
    for (epoch, sequence) in [(-1, 3), (-1, 9), (-1, 0), (0, 7)] {
        assert_eq!(append(&partition, Batch::of(1, epoch, sequence, 1)).0, NONE);
    }
    assert_eq!(append(&partition, Batch::of(1, 0, 9, 1)).0, OUT_OF_ORDER_SEQUENCE_NUMBER);
    assert_eq!(append(&partition, Batch::of(1, -1, 10, 1)).0, INVALID_PRODUCER_EPOCH);
}

#[test]
fn c_052_a_raised_epoch_begins_at_zero_and_fences_the_old_one() {
    let (_broker, partition) = open();
    assert_eq!(append(&partition, Batch::of(1, 0, 5, 1)).0, NONE);
    assert_eq!(append(&partition, Batch::of(1, 1, 6, 1)).0, OUT_OF_ORDER_SEQUENCE_NUMBER);
    assert_eq!(append(&partition, Batch::of(1, 1, 0, 1)).0, NONE);
    assert_eq!(append(&partition, Batch::of(1, 0, 6, 1)).0, INVALID_PRODUCER_EPOCH);
    assert_eq!(append(&partition, Batch::of(1, 0, 5, 1)).0, INVALID_PRODUCER_EPOCH);
    assert_eq!(append(&partition, Batch::of(1, 1, 1, 1)).0, NONE);
}

#[test]
fn c_053_sequences_wrap_at_the_end_of_int32() {
    let (_broker, partition) = open();
    assert_eq!(append(&partition, Batch::of(1, 0, i32::MAX - 1, 1)).0, NONE);
    // This batch holds the last sequence and the first two.
    assert_eq!(append(&partition, Batch::of(1, 0, i32::MAX, 3)), (NONE, 1));
    assert_eq!(append(&partition, Batch::of(1, 0, i32::MAX, 3)), (NONE, 1));
    assert_eq!(append(&partition, Batch::of(1, 0, 2, 1)), (NONE, 4));
    assert_eq!(append(&partition, Batch::of(2, 0, i32::MAX, 1)), (NONE, 5));
    assert_eq!(append(&partition, Batch::of(2, 0, 0, 1)), (NONE, 6));
}

#[test]
fn a_refused_batch_consumes_no_sequence() {
    let (_broker, partition) = open();
    let batches = [0, 5, 1, 2].map(|sequence| Batch::of(1, 0, sequence, 1));
    let results = turn(&partition, &batches);
    let codes: Vec<_> = results.iter().map(|it| it.map(|done| done.error_code)).collect();
    assert_eq!(codes, [Some(0), Some(OUT_OF_ORDER_SEQUENCE_NUMBER), Some(0), Some(0)]);
    let acks_0 = turn_with(&partition, &[Batch::of(1, 0, 9, 1)], 0, Origin::Client, 0);
    assert_eq!(acks_0[0].map(|it| it.error_code), Some(OUT_OF_ORDER_SEQUENCE_NUMBER));
    assert_eq!(append(&partition, Batch::of(1, 0, 3, 1)), (NONE, 3));
}

#[test]
fn a_failed_write_rolls_the_state_back() {
    let (broker, partition) = open();
    assert_eq!(append(&partition, Batch::of(1, 0, 0, 1)), (NONE, 0));
    let before = partition.producers();
    broker.disk.set_full(true);
    let failed =
        turn(&partition, &[Batch::of(1, 0, 1, 1), Batch::of(1, 0, 1, 1), Batch::of(2, 0, 0, 1)]);
    assert!(failed.iter().all(|it| it.is_some_and(|it| it.error_code == KAFKA_STORAGE_ERROR)));
    assert_eq!(partition.producers(), before);
    broker.disk.set_full(false);
    partition.housekeeping(now_ms());
    broker.work();
    assert_eq!(append(&partition, Batch::of(1, 0, 1, 1)), (NONE, 1));
    assert_eq!(append(&partition, Batch::of(2, 0, 0, 1)), (NONE, 2));
}

/// Everything that was ever accepted of one producer, and the rules read off it.
#[derive(Default)]
struct Model {
    accepted: Vec<(i16, i64, i64, i64)>,
    next_offset: i64,
}

impl Model {
    /// (error code, offset). Sequences are unwrapped here: the i64 `first` counts on.
    fn append(&mut self, epoch: i16, first: i32, count: i32) -> (i16, i64) {
        let wrap = 1_i64 << 31;
        let current = self.accepted.last().map(|it| it.0);
        if let Some(current) = current {
            let same_epoch: Vec<_> = self.accepted.iter().filter(|it| it.0 == current).collect();
            if epoch == current {
                for old in same_epoch.iter().rev().take(5) {
                    let last = (i64::from(first) + i64::from(count) - 1) % wrap;
                    if old.1 % wrap == i64::from(first) && old.2 % wrap == last {
                        return (NONE, old.3);
                    }
                }
                let expected = (same_epoch[same_epoch.len() - 1].2 + 1) % wrap;
                if i64::from(first) != expected {
                    return (OUT_OF_ORDER_SEQUENCE_NUMBER, -1);
                }
            } else if epoch < current {
                return (INVALID_PRODUCER_EPOCH, -1);
            } else if first != 0 {
                return (OUT_OF_ORDER_SEQUENCE_NUMBER, -1);
            }
        }
        let from = i64::from(first);
        let offset = self.next_offset;
        self.accepted.push((epoch, from, from + i64::from(count) - 1, offset));
        self.next_offset += i64::from(count);
        (NONE, offset)
    }

    /// A sequence that is likely to matter: the next one, an old one, or near the wrap.
    fn sequence(&self, choice: u8, near: i32) -> i32 {
        let last = self.accepted.last().map_or(-1, |it| it.2);
        let wrap = 1_i64 << 31;
        let unwrapped = match choice {
            0..=5 => last + 1,
            6 => self.accepted.iter().rev().nth(near as usize % 8).map_or(0, |it| it.1),
            7 => last + i64::from(near) - 4,
            8 => 0,
            _ => wrap - 1 - i64::from(near),
        };
        unwrapped.rem_euclid(wrap) as i32
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn follows_the_model(
        steps in prop::collection::vec((0u8..10, 0i32..9, 1i32..6, 0i16..12, 0u8..6), 1..60),
    ) {
        let (_broker, partition) = open();
        let mut model = Model::default();
        let mut epoch = 0i16;
        for (choice, near, count, epoch_choice, copy) in steps {
            match epoch_choice {
                0 => epoch += 1,
                1 => epoch = (epoch - 1).max(0),
                _ => {}
            }
            let (first, count) = match model.accepted.iter().rev().nth(usize::from(copy)) {
                // The very batch again.
                Some(old) if choice == 6 => ((old.1 % (1 << 31)) as i32, (old.2 - old.1 + 1) as i32),
                _ => (model.sequence(choice, near), count),
            };
            let expected = model.append(epoch, first, count);
            let got = append(&partition, Batch::of(9, epoch, first, count as usize));
            prop_assert_eq!(got, expected, "epoch {} sequence {} count {}", epoch, first, count);
        }
        prop_assert_eq!(partition.log_end_offset(), model.next_offset);
    }
}
