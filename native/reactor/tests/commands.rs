//! Commands of TypeScript: exactly one event for each token, in the order of a partition.
#![allow(clippy::unwrap_used)]

mod common;

use std::time::Duration;

use common::frames::{LogConfig, batch, log_config, partition_spec, produce, produced};
use common::{Broker, Hosted, REACTORS, TestTopic};
use ms_reactor::DataPlaneConfig;
use ms_reactor::packed::{NO_HANDLE, PackedReader, command, kind, open_flag};
use ms_wire::error_code;
use ms_wire::topic::TopicKey;

const TOPIC: TopicKey<'static> = TopicKey::Name(b"orders");

fn append(epoch: i32, expected: i64, batch: &[u8]) -> Vec<u8> {
    [&epoch.to_le_bytes()[..], &expected.to_le_bytes(), batch].concat()
}

fn i64s(payload: &[u8]) -> Vec<i64> {
    payload.chunks_exact(8).map(|bytes| i64::from_le_bytes(bytes.try_into().unwrap())).collect()
}

#[test]
fn every_command_of_a_partition_has_its_event() {
    for reactors in REACTORS {
        let broker = Broker::start(reactors);
        let hosted = broker.with_topic("orders", [7; 16], 1)[0];
        let run = |kind: u16, payload: &[u8]| {
            let token = broker.submit(kind, 0, Some(hosted), payload);
            broker.await_done(token)
        };
        let records = batch(&[b"a", b"b"]);
        let done = run(command::APPEND, &append(1, 0, &records));
        assert_eq!((done.error_code, i64s(&done.payload)), (0, vec![0]));
        assert_eq!((done.index, done.generation), (hosted.index, hosted.generation));
        let code = run(command::APPEND, &append(1, 0, &records)).error_code;
        assert_eq!(code, error_code::OFFSET_OUT_OF_RANGE);
        let code = run(command::APPEND, &append(0, -1, &records)).error_code;
        assert_eq!(code, error_code::FENCED_LEADER_EPOCH);
        let code = run(command::APPEND, &append(1, -1, b"garbage")).error_code;
        assert_eq!(code, error_code::INVALID_RECORD);
        assert_eq!(i64s(&run(command::APPEND, &append(1, -1, &records)).payload), [2]);

        let read =
            run(command::READ_LOG, &[&0_i64.to_le_bytes()[..], &1_u32.to_le_bytes()].concat());
        assert_eq!(i64s(&read.payload[..16]), [2, 4]);
        assert_eq!(read.payload[16 + 21..], records[21..]);

        let list = |timestamp: i64| {
            let payload = [&timestamp.to_le_bytes()[..], &(-1_i32).to_le_bytes(), &[0]].concat();
            let done = run(command::LIST_OFFSETS, &payload);
            assert_eq!(done.error_code, 0);
            i64s(&done.payload[..16])
        };
        assert_eq!(list(-1), [4, -1]);
        assert_eq!(list(-2), [0, -1]);
        assert_eq!(list(1_700_000_000_000)[0], 0);
        assert_eq!(list(1_800_000_000_000), [-1, -1]);

        let epochs = [&(-1_i32).to_le_bytes()[..], &1_i32.to_le_bytes()].concat();
        let end = run(command::OFFSET_FOR_LEADER_EPOCH, &epochs);
        assert_eq!(end.payload, [&1_i32.to_le_bytes()[..], &4_i64.to_le_bytes()].concat());
        assert_eq!(i64s(&run(command::READ_BARRIER, b"").payload), [4]);
        assert_eq!(run(command::DESCRIBE_PRODUCERS, b"").payload, 0_u32.to_le_bytes());
        assert_eq!(i64s(&run(command::READ_SNAPSHOT, b"").payload), [-1]);
        let snapshot = [&3_i64.to_le_bytes()[..], b"state"].concat();
        assert_eq!(run(command::WRITE_SNAPSHOT, &snapshot).error_code, 0);
        assert_eq!(run(command::READ_SNAPSHOT, b"").payload, snapshot);
        assert_eq!(i64s(&run(command::DELETE_RECORDS, &2_i64.to_le_bytes()).payload), [2]);
        assert_eq!(i64s(&run(command::DELETE_RECORDS, &(-1_i64).to_le_bytes()).payload), [4]);
        let mut config = Vec::new();
        log_config(&mut config, &LogConfig { max_message_bytes: 10, ..LogConfig::default() });
        assert_eq!(run(command::CONFIGURE_LOG, &config).error_code, 0);
        let code = run(command::APPEND, &append(1, -1, &records)).error_code;
        assert_eq!(code, error_code::MESSAGE_TOO_LARGE);
    }
}

#[test]
fn descriptions_and_sweeps_need_no_handle() {
    let broker = Broker::start(1);
    let hosted = broker.with_topic("orders", [7; 16], 1)[0];
    let mut client = broker.connect();
    let records = batch(&[b"a", b"b"]);
    client.ask(&produce(9, 1, 1, TOPIC, &[(0, Some(&records))]));
    let mut handles = 2_u32.to_le_bytes().to_vec();
    for (index, generation) in [(hosted.index, hosted.generation), (hosted.index, 99)] {
        handles.extend_from_slice(&index.to_le_bytes());
        handles.extend_from_slice(&generation.to_le_bytes());
    }
    let done = broker.await_done(broker.submit(command::DESCRIBE_LOGS, 0, None, &handles));
    let values = i64s(&done.payload);
    assert!(values[0] >= records.len() as i64);
    assert_eq!(values[1..], [0, 2, 2, -1, -1, -1, -1]);
    std::fs::create_dir(broker.dir.0.join("gone-0")).unwrap();
    let assigned = [&1_u32.to_le_bytes()[..], &[7; 16], &0_i32.to_le_bytes()].concat();
    let done = broker.await_done(broker.submit(command::SWEEP_FOLDERS, 0, None, &assigned));
    assert_eq!(done.error_code, 0);
    assert!(broker.dir.0.join("orders-0").exists());
}

#[test]
fn a_command_for_a_stale_handle_has_its_event() {
    let broker = Broker::start(1);
    for hosted in [
        None,
        Some(Hosted { index: 5, generation: 1 }),
        Some(Hosted { index: NO_HANDLE, generation: 0 }),
    ] {
        let done = broker.await_done(broker.submit(command::READ_BARRIER, 0, hosted, b""));
        assert_eq!(done.error_code, error_code::UNKNOWN_TOPIC_OR_PARTITION);
    }
}

#[test]
fn commits_are_told_to_those_who_watch() {
    for reactors in REACTORS {
        let broker = Broker::start(reactors);
        let config = LogConfig::default();
        let hosted = broker.open_with("state", [9; 16], 0, &config, open_flag::WATCH_COMMITS);
        let records = batch(&[b"a", b"b"]);
        for i in 0..3 {
            let token =
                broker.submit(command::APPEND, 0, Some(hosted), &append(1, 2 * i, &records));
            assert_eq!(broker.await_done(token).error_code, 0);
        }
        let is_last = |entry: &common::Entry| {
            entry.kind == kind::COMMITTED && entry.payload == 6_i64.to_le_bytes()
        };
        broker.await_entry(is_last);
    }
}

#[test]
fn an_open_in_fsync_mode_parks_and_answers() {
    for reactors in REACTORS {
        let broker = Broker::start(reactors);
        let config = LogConfig::default();
        let hosted = broker.open_with("state", [9; 16], 0, &config, open_flag::FSYNC_ALWAYS);
        let records = batch(&[b"a"]);
        let tokens: Vec<_> = (0..20)
            .map(|i| broker.submit(command::APPEND, 0, Some(hosted), &append(1, i, &records)))
            .collect();
        for (i, token) in tokens.into_iter().enumerate() {
            let done = broker.await_done(token);
            assert_eq!((done.error_code, i64s(&done.payload)), (0, vec![i as i64]));
        }
    }
}

#[test]
fn a_deleted_partition_refuses_and_its_files_go() {
    for reactors in REACTORS {
        let broker = Broker::start(reactors);
        let config = LogConfig { file_delete_delay_ms: 0, ..LogConfig::default() };
        let hosted = broker.open("orders", [7; 16], 0, &config);
        let (name, id, all) = ("orders", [7; 16], [Some(hosted)]);
        broker.publish(1, &[TestTopic { name, id, partitions: &all, is_internal: false }]);
        let records = batch(&[b"a"]);
        let delete = broker.submit(command::DELETE_PARTITION, 0, Some(hosted), b"");
        let late = broker.submit(command::APPEND, 0, Some(hosted), &append(1, -1, &records));
        assert_eq!(broker.await_done(delete).error_code, 0);
        let code = broker.await_done(late).error_code;
        assert_eq!(code, error_code::UNKNOWN_TOPIC_OR_PARTITION);
        let mut client = broker.connect();
        let answer = client.ask(&produce(9, 1, 1, TOPIC, &[(0, Some(&records))]));
        assert_eq!(produced(&answer, 9)[0].error_code, error_code::UNKNOWN_TOPIC_OR_PARTITION);
        broker.await_entry(|entry| entry.kind == kind::CLOSED && entry.index == hosted.index);
        let left = std::fs::read_dir(&broker.dir.0).unwrap();
        assert!(
            left.flatten().all(|entry| !entry.file_name().to_string_lossy().starts_with("orders-"))
        );
        let late = broker.await_done(broker.submit(command::READ_BARRIER, 0, Some(hosted), b""));
        assert_eq!(late.error_code, error_code::UNKNOWN_TOPIC_OR_PARTITION);
    }
}

#[test]
fn many_partitions_open_at_once() {
    for reactors in REACTORS {
        let broker = Broker::start(reactors);
        let config = LogConfig::default();
        let tokens: Vec<_> = (0..200)
            .map(|p| {
                let spec = partition_spec("many", [3; 16], p, p as u64 + 1, &config);
                broker.submit(command::OPEN_PARTITION, 0, None, &spec)
            })
            .collect();
        let mut indexes = std::collections::HashSet::new();
        for token in tokens {
            let done = broker.await_done(token);
            assert_eq!(done.error_code, 0);
            assert!(indexes.insert(done.index));
        }
    }
}

#[test]
fn open_commands_have_their_event_when_the_process_stops() {
    for reactors in REACTORS {
        let broker = Broker::start(reactors);
        let config = LogConfig::default();
        let hosted = broker.open_with("state", [9; 16], 0, &config, open_flag::FSYNC_ALWAYS);
        let records = batch(&[b"a"]);
        let mut tokens: Vec<_> = (0..50)
            .map(|_| broker.submit(command::APPEND, 0, Some(hosted), &append(1, -1, &records)))
            .collect();
        tokens.extend((0..50).map(|p| {
            let spec = partition_spec("late", [4; 16], p, 5000 + p as u64, &config);
            broker.submit(command::OPEN_PARTITION, 0, None, &spec)
        }));
        broker.plane.shutdown(Duration::from_secs(2));
        for token in tokens {
            broker.await_done(token);
        }
        while broker.drain() {}
        let late = broker.submit(command::READ_BARRIER, 0, Some(hosted), b"");
        broker.await_done(late);
    }
}

#[test]
fn a_malformed_packed_buffer_is_an_error_and_nothing_more() {
    let broker = Broker::start(1);
    assert!(broker.plane.submit(&[1, 2, 3]).is_err());
    assert!(
        broker
            .plane
            .submit(&[16, 0, 0, 0, 99, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
            .is_err()
    );
    assert!(broker.plane.respond(&[9, 0, 0, 0, 1]).is_err());
    assert!(broker.plane.publish_topology(&[0; 5]).is_err());
    assert_eq!(broker.plane.submit(b""), Ok(0));
    let hosted = broker.open("orders", [7; 16], 0, &LogConfig::default());
    let short = broker.await_done(broker.submit(command::APPEND, 0, Some(hosted), &[1]));
    assert_eq!(short.error_code, error_code::INVALID_REQUEST);
    assert!(PackedReader::new(&[]).u8().is_err());
}

#[test]
fn two_data_planes_run_in_one_process() {
    let (one, other) = (Broker::start(1), Broker::start(2));
    one.with_topic("orders", [7; 16], 1);
    other.with_topic("orders", [8; 16], 1);
    let records = batch(&[b"a"]);
    for broker in [&one, &other, &one] {
        let answer = broker.connect().ask(&produce(9, 1, 1, TOPIC, &[(0, Some(&records))]));
        assert_eq!(produced(&answer, 9)[0].error_code, 0);
    }
}

#[test]
fn what_happened_to_many_partitions_is_said_in_few_lines() {
    const PARTITIONS: i32 = 40;
    let broker = Broker::start(1);
    let hosted = broker.with_topic("orders", [7; 16], PARTITIONS);
    let records = batch(&[b"a"]);
    for partition in hosted {
        let payload = append(1, 0, &records);
        let token = broker.submit(command::APPEND, 0, Some(partition), &payload);
        assert_eq!(broker.await_done(token).error_code, 0);
    }
    let dir = broker.stop();
    for index in 0..PARTITIONS {
        let segment = dir.0.join(format!("orders-{index}/{:020}.log", 0));
        let mut bytes = std::fs::read(&segment).unwrap();
        bytes.extend_from_slice(b"the beginning of a frame that never was written to its end");
        std::fs::write(&segment, bytes).unwrap();
    }
    let broker = Broker::start_in(dir, DataPlaneConfig::default());
    let open = |index| {
        let group = 7001 + index as u64;
        let spec = partition_spec("orders", [7; 16], index, group, &LogConfig::default());
        broker.submit(command::OPEN_PARTITION, 0, None, &spec)
    };
    let tokens: Vec<u32> = (0..PARTITIONS).map(open).collect();
    for token in tokens {
        assert_eq!(broker.await_done(token).error_code, 0);
    }
    // Those that were opened before the others came had nobody to share a line with.
    let (mut alone, mut told) = (0, 0);
    while told < PARTITIONS {
        let line = broker.await_entry(|entry| entry.kind == kind::LOG);
        let text = String::from_utf8_lossy(&line.payload);
        assert_eq!(line.payload[0], 40);
        let many =
            text.split_once("a torn tail was cut in ").and_then(|(_, many)| many.split_once(' '));
        match many {
            Some((more, _)) => told += more.parse::<i32>().unwrap(),
            None => {
                assert!(text.contains(": cut a torn tail of "), "{text}");
                (alone, told) = (alone + 1, told + 1);
            }
        }
    }
    assert_eq!(told, PARTITIONS);
    assert!(alone <= PARTITIONS / 2, "{alone} lines");
}
