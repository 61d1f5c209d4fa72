//! Fetch, epochs, offsets by time, DeleteRecords and retention, with the known bugs of others by name.

mod common;

use std::sync::Arc;

use common::*;
use ms_log::Disk;
use ms_log::sim::SimDisk;
use ms_partition::*;
use ms_wire::batch::BatchHeader;
use ms_wire::error_code::*;
use proptest::prelude::*;

fn open() -> (Broker, Arc<Partition>) {
    open_with(PartitionConfig::default())
}

const SLOT: ReplySlot = ReplySlot { reactor: ReplySlot::COMMAND, id: 5 };

fn delete(broker: &Broker, partition: &Arc<Partition>, offset: i64) -> (i16, i64) {
    let done = match partition.delete_records(offset, now_ms(), SLOT) {
        Some(done) => done,
        None => {
            broker.work();
            let (slot, done) = broker.done().pop().expect("an answer");
            assert_eq!(slot, SLOT);
            done
        }
    };
    (done.error_code, done.log_start_offset)
}

fn list(partition: &Partition, timestamp: i64) -> ListedOffset {
    let isolation = Isolation::ReadUncommitted;
    let query = ListOffsetsQuery { timestamp, current_leader_epoch: -1, isolation };
    match partition.list_offsets(&query) {
        ListOffsetsAnswer::Now(listed) => listed,
        ListOffsetsAnswer::Search(search) => search.run(),
    }
}

fn found(offset: i64, timestamp: i64) -> ListedOffset {
    ListedOffset { error_code: NONE, offset, timestamp, leader_epoch: 1 }
}

const NOTHING: ListedOffset =
    ListedOffset { error_code: NONE, offset: -1, timestamp: -1, leader_epoch: -1 };

#[test]
fn c_056_a_log_that_was_emptied_goes_on_at_its_high_watermark() {
    let (broker, partition) = open();
    turn(&partition, &[Batch::plain(3), Batch::plain(2)]);
    assert_eq!(delete(&broker, &partition, -1), (NONE, 5));
    assert_eq!(partition.log_start_offset(), 5);
    assert!(consume(&partition, 5).is_empty());
    assert_eq!(partition.read(&query(4)).error_code, OFFSET_OUT_OF_RANGE);
    assert_eq!(append(&partition, Batch::plain(2)), (NONE, 5));
    assert_eq!(consume(&partition, 5).len(), 1);
    assert_eq!(list(&partition, EARLIEST_TIMESTAMP).offset, 5);
    assert_eq!(list(&partition, 0), found(5, START_MS), "records below the start are not found");
    // The same after a restart.
    let before = seen(&partition);
    let broker = Broker::start(&broker.disk);
    let partition = broker.open(spec());
    assert_eq!(seen(&partition), before);
    assert_eq!(append(&partition, Batch::plain(1)), (NONE, 7));
}

#[test]
fn a_coordinator_shortens_its_compacted_log_and_clients_do_not_shorten_theirs() {
    let compacted = PartitionConfig {
        cleanup_delete: false,
        cleanup_compact: true,
        ..PartitionConfig::default()
    };
    for (is_internal, expected) in [(true, (NONE, 1)), (false, (POLICY_VIOLATION, -1))] {
        let (broker, partition) = open_with(PartitionConfig { is_internal, ..compacted });
        let origin = Origin::Coordinator { leader_epoch: 1, expected_base_offset: -1 };
        turn_with(&partition, &[Batch::plain(2)], -1, origin, 0);
        assert_eq!(delete(&broker, &partition, 1), expected);
    }
}

#[test]
fn delete_records_answers_as_kafka_does() {
    let (broker, partition) = open();
    turn(&partition, &[Batch::plain(3), Batch::plain(2)]);
    assert_eq!(delete(&broker, &partition, 6).0, OFFSET_OUT_OF_RANGE);
    assert_eq!(delete(&broker, &partition, -2).0, OFFSET_OUT_OF_RANGE);
    assert_eq!(delete(&broker, &partition, 4), (NONE, 4));
    assert_eq!(delete(&broker, &partition, 2), (NONE, 4), "it never goes back");
    // The batch that holds the offset is given whole.
    assert_eq!(consume(&partition, 4)[0].base_offset, 3);
    let compacted =
        PartitionConfig { cleanup_delete: false, cleanup_compact: true, ..Default::default() };
    let (broker, partition) = open_with(compacted);
    append(&partition, Batch::plain(1));
    assert_eq!(delete(&broker, &partition, 1).0, POLICY_VIOLATION);
    // Of a topic without any policy records go when they are told to.
    let kept = PartitionConfig { cleanup_delete: false, ..Default::default() };
    let (broker, partition) = open_with(kept);
    append(&partition, Batch::plain(1));
    assert_eq!(delete(&broker, &partition, 1), (NONE, 1));
}

#[test]
fn c_069_in_range_waits_and_out_of_range_says_where_the_log_begins() {
    let (broker, partition) = open();
    for _ in 0..3 {
        append(&partition, Batch::plain(1));
    }
    delete(&broker, &partition, 2);
    let at = |offset| {
        let answer = partition.read(&query(offset));
        let is_empty = answer.plan.total_bytes() == 0;
        (answer.error_code, is_empty, answer.log_start_offset, answer.high_watermark)
    };
    assert_eq!(at(1), (OFFSET_OUT_OF_RANGE, true, 2, 3));
    assert_eq!(at(2), (NONE, false, 2, 3));
    assert_eq!(at(3), (NONE, true, 2, 3), "the end is in range: a fetch waits there");
    assert_eq!(at(4), (OFFSET_OUT_OF_RANGE, true, 2, 3));
    assert_eq!(at(-1), (OFFSET_OUT_OF_RANGE, true, 2, 3));
}

#[test]
fn c_076_answers_are_whole_batches_of_exact_size() {
    let (_broker, partition) = open();
    let batches: Vec<_> = (1..40).map(Batch::plain).collect();
    turn(&partition, &batches);
    let sizes: Vec<usize> = batches.iter().map(|batch| batch.encode().len()).collect();
    for max_bytes in [0, 1, sizes[0] as u32, 200, 1000, 5000, 1 << 20] {
        let mut offset = 0;
        for at_least_one in [true, false] {
            let answer = partition.read(&ReadQuery { max_bytes, at_least_one, ..query(offset) });
            let bytes = bytes_of(&answer.plan);
            let mut total = 0;
            let whole = sizes.iter().take_while(|&&size| {
                total += size;
                total <= max_bytes as usize
            });
            let count = whole.count().max(usize::from(at_least_one));
            assert_eq!(bytes.len(), sizes[..count].iter().sum::<usize>(), "at most {max_bytes}");
            offset = 0;
        }
    }
}

#[test]
fn c_061_a_fetch_inside_a_batch_gives_the_whole_batch() {
    let (_broker, partition) = open();
    turn(&partition, &[Batch::plain(2), Batch::plain(5), Batch::plain(1)]);
    for offset in 2..7 {
        let bytes = bytes_of(&partition.read(&query(offset)).plan);
        assert_eq!(BatchHeader::parse(&bytes).map(|it| it.base_offset), Ok(2));
    }
}

#[test]
fn epochs_are_fenced_and_divergence_is_told() {
    let disk = SimDisk::new();
    for _ in 0..3 {
        let partition = Broker::start(&disk).open(spec());
        turn(&partition, &[Batch::plain(10)]);
    }
    let partition = Broker::start(&disk).open(spec());
    assert_eq!(partition.leader_epoch(), 4);
    let fetch = |current_leader_epoch, last_fetched_epoch, offset| {
        let query = ReadQuery { current_leader_epoch, last_fetched_epoch, ..query(offset) };
        let answer = partition.read(&query);
        (answer.error_code, answer.diverging.map(|it| (it.leader_epoch, it.end_offset)))
    };
    assert_eq!(fetch(3, -1, 0).0, FENCED_LEADER_EPOCH);
    assert_eq!(fetch(5, -1, 0).0, UNKNOWN_LEADER_EPOCH);
    assert_eq!(fetch(4, -1, 0), (NONE, None));
    assert_eq!(fetch(4, 1, 10), (NONE, None));
    assert_eq!(fetch(4, 1, 11), (NONE, Some((1, 10))));
    assert_eq!(fetch(4, 2, 25), (NONE, Some((2, 20))));
    assert_eq!(fetch(4, 4, 30), (NONE, None));
    assert_eq!(fetch(4, 4, 31), (NONE, Some((4, 30))), "before OFFSET_OUT_OF_RANGE");
    assert_eq!(fetch(4, 9, 5).0, OFFSET_OUT_OF_RANGE);
    let end = |current, epoch| {
        partition.offset_for_leader_epoch(current, epoch).map(|it| (it.leader_epoch, it.end_offset))
    };
    assert_eq!(end(-1, 1), Ok((1, 10)));
    assert_eq!(end(4, 3), Ok((3, 30)));
    assert_eq!(end(4, 4), Ok((4, 30)));
    assert_eq!(end(4, 5), Ok((-1, -1)), "c_081: nothing is known of the future");
    assert_eq!(end(4, 0), Ok((0, 0)), "below the oldest epoch the log begins");
    assert_eq!(end(4, -2), Ok((-2, 0)), "as Kafka, which looks at no sign");
    assert_eq!(end(4, -1), Ok((-1, -1)));
    assert_eq!(end(3, 1), Err(FENCED_LEADER_EPOCH));
    assert_eq!(end(5, 1), Err(UNKNOWN_LEADER_EPOCH));
}

#[test]
fn c_088_time_finds_the_first_record_not_the_batch_compressed_or_not() {
    for attributes in [0, 1] {
        let (_broker, partition) = open();
        let at = |timestamps: &[i64]| Batch { attributes, ..Batch::at(timestamps) };
        // Out of order within batches and between them.
        turn(&partition, &[at(&[100, 300, 200]), at(&[50, 60]), at(&[400, 250, 500])]);
        assert_eq!(list(&partition, 0), found(0, 100));
        assert_eq!(list(&partition, 100), found(0, 100));
        assert_eq!(list(&partition, 101), found(1, 300));
        assert_eq!(list(&partition, 300), found(1, 300));
        assert_eq!(list(&partition, 301), found(5, 400));
        assert_eq!(list(&partition, 401), found(7, 500));
        assert_eq!(list(&partition, 500), found(7, 500));
        assert_eq!(list(&partition, 501), NOTHING);
    }
}

#[test]
fn c_089_nothing_found_is_minus_one_everywhere() {
    let (_broker, partition) = open();
    assert_eq!(list(&partition, 0), NOTHING);
    assert_eq!(list(&partition, MAX_TIMESTAMP), NOTHING);
    append(&partition, Batch::at(&[100]));
    assert_eq!(list(&partition, 101), NOTHING);
    assert_eq!(list(&partition, i64::MAX), NOTHING);
}

#[test]
fn c_090_latest_is_what_a_reader_of_this_isolation_may_read() {
    let config = PartitionConfig { flush_messages: 1, ..Default::default() };
    let (broker, partition) = open_with(config);
    turn(&partition, &[Batch::at(&[100]), Batch::at(&[200])]);
    let latest = |isolation| {
        let query =
            ListOffsetsQuery { timestamp: LATEST_TIMESTAMP, current_leader_epoch: 1, isolation };
        match partition.list_offsets(&query) {
            ListOffsetsAnswer::Now(listed) => (listed.error_code, listed.offset),
            ListOffsetsAnswer::Search(_) => panic!("latest is no search"),
        }
    };
    for isolation in [Isolation::ReadCommitted, Isolation::ReadUncommitted] {
        assert_eq!(latest(isolation), (NONE, 0), "not durable, not committed");
    }
    assert_eq!(list(&partition, 0), NOTHING);
    assert_eq!(list(&partition, MAX_TIMESTAMP), NOTHING);
    broker.work();
    for isolation in [Isolation::ReadCommitted, Isolation::ReadUncommitted] {
        assert_eq!(latest(isolation), (NONE, 2));
    }
    assert_eq!(list(&partition, 150), found(1, 200));
}

#[test]
fn c_091_the_largest_timestamp_is_that_of_a_record() {
    let (_broker, partition) = open();
    turn(&partition, &[Batch::at(&[5, 9, 7]), Batch::at(&[9, 1]), Batch::at(&[8])]);
    assert_eq!(list(&partition, MAX_TIMESTAMP), found(1, 9), "the first of them");
    append(&partition, Batch::at(&[1, 10]));
    assert_eq!(list(&partition, MAX_TIMESTAMP), found(7, 10));
}

#[test]
fn earliest_and_latest_have_no_timestamp_and_check_the_epoch() {
    let (broker, partition) = open();
    turn(&partition, &[Batch::plain(2), Batch::plain(2)]);
    delete(&broker, &partition, 1);
    for timestamp in [EARLIEST_TIMESTAMP, EARLIEST_LOCAL_TIMESTAMP] {
        assert_eq!(list(&partition, timestamp), found(1, -1));
    }
    assert_eq!(list(&partition, LATEST_TIMESTAMP), found(4, -1));
    let fenced = ListOffsetsQuery {
        timestamp: LATEST_TIMESTAMP,
        current_leader_epoch: 0,
        isolation: Isolation::ReadUncommitted,
    };
    let ListOffsetsAnswer::Now(listed) = partition.list_offsets(&fenced) else { panic!("now") };
    assert_eq!(listed.error_code, FENCED_LEADER_EPOCH);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn c_092_offsets_by_time_follow_a_model(
        batches in prop::collection::vec(
            (prop::collection::vec(1i64..60, 1..8), prop::bool::ANY), 0..30),
        start in 0u8..10,
        append_time in prop::bool::ANY,
        restart in prop::bool::ANY,
    ) {
        let config = PartitionConfig { segment_bytes: 700, ..Default::default() };
        let (mut broker, mut partition) = open_with(config);
        let mut records = Vec::new();
        for (timestamps, is_compressed) in &batches {
            let attributes = i16::from(*is_compressed) | if append_time { 8 } else { 0 };
            let max = *timestamps.iter().max().expect("a record");
            append(&partition, Batch { attributes, ..Batch::at(timestamps) });
            records.extend(timestamps.iter().map(|&it| if append_time { max } else { it }));
        }
        let log_start = records.len() * usize::from(start) / 10;
        prop_assert_eq!(delete(&broker, &partition, log_start as i64), (NONE, log_start as i64));
        broker.work();
        if restart {
            broker = Broker::start(&broker.disk);
            partition = broker.open(PartitionSpec { config, ..spec() });
        }
        let model = |timestamp: i64| {
            let mut below = records.iter().enumerate().skip(log_start);
            below.find(|it| *it.1 >= timestamp).map_or(NOTHING, |(offset, &timestamp)| {
                ListedOffset { error_code: NONE, offset: offset as i64, timestamp, leader_epoch: 1 }
            })
        };
        for timestamp in 0..62 {
            prop_assert_eq!(list(&partition, timestamp), model(timestamp), "at {}", timestamp);
        }
        // As in Kafka the batch that holds the log start counts as a whole here.
        let mut from = 0;
        for (timestamps, _) in &batches {
            if from + timestamps.len() > log_start {
                break;
            }
            from += timestamps.len();
        }
        let largest = records.iter().skip(from).max().copied().unwrap_or(-1);
        let got = list(&partition, MAX_TIMESTAMP);
        prop_assert_eq!((got.timestamp, got.error_code), (largest, NONE));
        if got.offset >= 0 {
            prop_assert_eq!(records[got.offset as usize], largest);
        }
    }
}

#[test]
fn retention_by_size_and_time_removes_whole_segments_and_moves_the_start() {
    let size = Batch::plain(1).encode().len() as i64;
    let config = PartitionConfig {
        segment_bytes: 1000,
        retention_ms: -1,
        retention_bytes: 3000,
        ..Default::default()
    };
    let (broker, partition) = open_with(config);
    for _ in 0..100 {
        append(&partition, Batch::plain(1));
    }
    broker.work();
    partition.run_job(JobKind::Retention);
    broker.work();
    let left = partition.describe();
    assert!(left.log_start_offset > 0 && left.log_start_offset % 10 != 1, "{left:?}");
    assert!((3000..3000 + 1100 + size).contains(&left.size_bytes), "{left:?}");
    assert_eq!(
        consume(&partition, left.log_start_offset).len() as i64,
        100 - left.log_start_offset
    );
    // By time everything goes, the active segment too.
    partition.configure(PartitionConfig { retention_ms: 1000, ..config });
    at_time(START_MS + 2000, || partition.run_job(JobKind::Retention));
    broker.work();
    assert_eq!((partition.log_start_offset(), partition.log_end_offset()), (100, 100));
    assert_eq!(append(&partition, Batch::plain(1)), (NONE, 100));
    let before = seen(&partition);
    let broker = Broker::start(&broker.disk);
    let partition = broker.open(PartitionSpec { config, ..spec() });
    assert_eq!(seen(&partition), before);
}

#[test]
fn snapshots_of_a_state_machine_keep_two_and_drop_the_log_below_the_older() {
    let broker = Broker::start(&SimDisk::new());
    let spec = PartitionSpec { fsync_always: true, ..spec() };
    let partition = broker.open(spec.clone());
    assert_eq!(partition.read_snapshot().expect("readable"), None);
    for offset in [3, 7, 9] {
        while partition.log_end_offset() < offset {
            turn(&partition, &[Batch::plain(1)]);
        }
        broker.work();
        partition.write_snapshot(offset, format!("state at {offset}").as_bytes()).expect("written");
        broker.work();
    }
    assert_eq!(partition.read_snapshot().expect("readable"), Some((9, b"state at 9".to_vec())));
    assert_eq!(partition.log_start_offset(), 7);
    // The newest is damaged: the one before it counts, and the log from there on is still here.
    let path = partition.dir().join("00000000000000000009.checkpoint");
    broker.disk.corrupt(&path, 30, |bytes| bytes[0] ^= 1);
    let broker = Broker::start(&broker.disk);
    let partition = broker.open(spec);
    assert_eq!(partition.read_snapshot().expect("readable"), Some((7, b"state at 7".to_vec())));
    assert_eq!(partition.read_log(7, 1 << 20).map(|it| it.next_offset), Ok(9));
    let files = broker.disk.list_dir(partition.dir()).expect("a folder");
    assert_eq!(files.iter().filter(|it| it.name.ends_with(".checkpoint")).count(), 2);
}
