//! Messages that Kafka's own classes wrote, every version: read and written again they are the same
//! bytes.

use ms_wire::fetch::FetchRequest;
use ms_wire::fetch_response_reader::FetchResponse;
use ms_wire::header::{FETCH, PRODUCE};
use ms_wire::leader::LeaderIdAndEpoch;
use ms_wire::produce::{ProduceRequest, ProduceRequestWriter};
use ms_wire::produce_response_reader::ProduceResponse;
use ms_wire::recode::{Part, from_hex, recode, to_hex};
use ms_wire::topic::TopicKey;

const TOPIC_ID: [u8; 16] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];

fn messages() -> Vec<(i16, i16, Part, Vec<u8>)> {
    include_str!("../testdata/messages.txt").lines().map(message).collect()
}

fn message(line: &str) -> (i16, i16, Part, Vec<u8>) {
    let words: Vec<&str> = line.split(' ').collect();
    let part = match words[2] {
        "request" => Part::Request,
        "response" => Part::Response,
        "request-header" => Part::RequestHeader,
        "response-header" => Part::ResponseHeader,
        other => panic!("{other}"),
    };
    let bytes = from_hex(words[3]).expect("hexadecimal");
    (words[0].parse().expect("key"), words[1].parse().expect("version"), part, bytes)
}

// The first of the two messages of each version has every field set.
fn full(api_key: i16, part: Part) -> Vec<(i16, Vec<u8>)> {
    let all = messages().into_iter().filter(|m| m.0 == api_key && m.2 == part);
    all.step_by(2).map(|(_, version, _, bytes)| (version, bytes)).collect()
}

fn key(version: i16, name: &str) -> TopicKey<'_> {
    if version >= 13 { TopicKey::Id(TOPIC_ID) } else { TopicKey::Name(name.as_bytes()) }
}

#[test]
fn every_message_is_written_again_byte_for_byte() {
    for (api_key, version, part, bytes) in messages() {
        let again = recode(api_key, version, part, &bytes).expect("a message of Kafka");
        let context = format!("key {api_key} version {version} {part:?}");
        assert_eq!(to_hex(&again), to_hex(&bytes), "{context}");
    }
}

#[test]
fn every_message_cut_anywhere_is_an_error_or_a_shorter_message() {
    for (api_key, version, part, bytes) in messages() {
        for len in 0..bytes.len() {
            if let Ok(again) = recode(api_key, version, part, &bytes[..len]) {
                assert_eq!(again, bytes[..len], "key {api_key} version {version} {part:?}");
            }
        }
    }
}

#[test]
fn bytes_behind_a_complete_body_are_ignored() {
    for (api_key, version, part, bytes) in messages() {
        let longer = [bytes.as_slice(), b"rest"].concat();
        assert_eq!(recode(api_key, version, part, &longer), Ok(bytes));
    }
}

#[test]
fn produce_requests_have_the_values_that_kafka_wrote() {
    for (version, bytes) in full(PRODUCE, Part::Request) {
        let request = ProduceRequest::parse(&bytes, version, 0).expect("a request");
        assert_eq!(request.transactional_id, Some(b"tx".as_slice()));
        assert_eq!((request.acks, request.timeout_ms), (-1, 1500));
        assert_eq!((request.topic_count, request.partition_count), (1, 3));
        let topic = request.topics().next().expect("a topic");
        assert_eq!(topic.key, key(version, "orders"));
        let partitions: Vec<_> = topic
            .partitions()
            .map(|partition| (partition.index, partition.records.map(|range| &bytes[range])))
            .collect();
        let records = Some(b"records-of-three".as_slice());
        assert_eq!(partitions, [(3, records), (4, None), (5, Some(b"".as_slice()))]);
    }
}

#[test]
fn produce_responses_have_the_values_that_kafka_wrote() {
    for (version, bytes) in full(PRODUCE, Part::Response) {
        let response = ProduceResponse::parse(&bytes, version, 0).expect("a response");
        assert_eq!(response.throttle_time_ms, 7);
        let topic = response.topics().next().expect("a topic");
        assert_eq!(topic.key, key(version, "orders"));
        let partition = topic.partitions().next().expect("a partition");
        assert_eq!((partition.index, partition.error_code), (3, 87));
        let times = (partition.base_offset, partition.log_append_time_ms);
        assert_eq!(times, (42, 1_700_000_000_000));
        assert_eq!(partition.log_start_offset, if version >= 5 { 12 } else { -1 });
        if version >= 8 {
            let errors: Vec<_> = partition.record_errors().collect();
            assert_eq!(errors, [(2, Some(b"no key".as_slice())), (5, None)]);
            assert_eq!(partition.error_message, Some(b"refused".as_slice()));
        }
        let leader = LeaderIdAndEpoch { leader_id: 2, leader_epoch: 9 };
        assert_eq!(partition.current_leader, (version >= 10).then_some(leader));
        assert_eq!(response.endpoints().count(), if version >= 10 { 2 } else { 0 });
    }
}

#[test]
fn fetch_requests_have_the_values_that_kafka_wrote() {
    for (version, bytes) in full(FETCH, Part::Request) {
        let request = FetchRequest::parse(&bytes, version, 0).expect("a request");
        let options = request.options;
        assert_eq!((options.max_wait_ms, options.min_bytes), (500, 1));
        assert_eq!((options.max_bytes, options.isolation_level), (52_428_800, 1));
        let session = (options.session_id, options.session_epoch);
        assert_eq!(session, if version >= 7 { (1234, 8) } else { (0, -1) });
        assert_eq!(options.rack_id, if version >= 11 { b"rack-a".as_slice() } else { b"" });
        let replica = (options.replica_id, options.replica_epoch);
        assert_eq!(replica, if version >= 15 { (5, 77) } else { (-1, -1) });
        let topic = request.topics().next().expect("a topic");
        assert_eq!(topic.key, key(version, "orders"));
        let partition = topic.partitions().next().expect("a partition");
        assert_eq!((partition.partition, partition.fetch_offset), (3, 1000));
        assert_eq!(partition.partition_max_bytes, 1_048_576);
        assert_eq!(partition.current_leader_epoch, if version >= 9 { 6 } else { -1 });
        assert_eq!(partition.last_fetched_epoch, if version >= 12 { 5 } else { -1 });
        assert_eq!(partition.log_start_offset, if version >= 5 { 10 } else { -1 });
        assert_eq!(partition.high_watermark, if version >= 18 { 999 } else { i64::MAX });
        let forgotten: Vec<Vec<i32>> =
            request.forgotten().map(|topic| topic.partitions().collect()).collect();
        assert_eq!(forgotten, if version >= 7 { vec![vec![1, 2]] } else { vec![] });
    }
}

#[test]
fn fetch_responses_have_the_values_that_kafka_wrote() {
    for (version, bytes) in full(FETCH, Part::Response) {
        let response = FetchResponse::parse(&bytes, version, 0).expect("a response");
        let session = (response.error_code, response.session_id);
        assert_eq!(session, if version >= 7 { (71, 1234) } else { (0, 0) });
        let topic = response.topics().next().expect("a topic");
        let partitions: Vec<_> = topic.partitions().collect();
        let first = &partitions[0];
        assert_eq!((first.partition, first.error_code), (3, 6));
        assert_eq!((first.high_watermark, first.last_stable_offset), (1100, 1090));
        assert_eq!(
            first.aborted().map(|t| (t.producer_id, t.first_offset)).next(),
            Some((11, 1050))
        );
        let records = first.records.clone().map(|range| &bytes[range]);
        assert_eq!(records, Some(b"record-bytes".as_slice()));
        assert_eq!(first.diverging_epoch.map(|e| (e.epoch, e.end_offset)), tag(version, (3, 900)));
        assert_eq!(first.snapshot_id.map(|e| (e.epoch, e.end_offset)), tag(version, (2, 800)));
        let leader = first.current_leader.map(|l| (l.leader_id, l.leader_epoch));
        assert_eq!(leader, tag(version, (2, 9)));
        assert_eq!((partitions[1].records.clone(), partitions[1].aborted_count), (None, None));
        assert_eq!(partitions[2].records.clone().map(|range| range.len()), Some(0));
    }
}

fn tag<T>(version: i16, value: T) -> Option<T> {
    (version >= 12).then_some(value)
}

#[test]
fn a_produce_request_is_read_no_further_than_asked_for() {
    for version in [8, 9, 13] {
        let mut frame = Vec::new();
        let topics: &[(_, &[i32])] = &[(1, &[0, 1]), (2, &[]), (3, &[7])];
        let writer = ProduceRequestWriter::start(&mut frame, version, None, 1, 0, topics.len());
        for (id, partitions) in topics {
            let key = if version >= 13 { TopicKey::Id([*id; 16]) } else { TopicKey::Name(b"a") };
            writer.topic(&mut frame, key, partitions.len());
            for index in *partitions {
                writer.partition(&mut frame, *index, None);
            }
            writer.end_topic(&mut frame);
        }
        writer.finish(&mut frame);
        // Three topics, three partitions.
        for (max, is_read) in [(0, false), (2, false), (3, true), (usize::MAX, true)] {
            let parsed = ProduceRequest::parse_up_to(&frame, version, 0, max).unwrap();
            assert_eq!(parsed.map(|it| it.partition_count), is_read.then_some(3), "{max}");
        }
        // What is behind the first too many need not even be there.
        let cut = &frame[..frame.len() - 10];
        assert!(ProduceRequest::parse(cut, version, 0).is_err());
        let parsed = ProduceRequest::parse_up_to(cut, version, 0, 1).unwrap();
        assert!(parsed.is_none());
    }
}
