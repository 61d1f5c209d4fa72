//! Malformed input, limits of connections, idle and slow clients. What Kafka does with each frame was recorded from it.
#![allow(clippy::unwrap_used)]

mod common;

use std::io::Write;
use std::time::Instant;

use common::client::Client;
use common::frames::{batch, fetch, fetched, header, produce, produced, zstd_bomb};
use common::{Broker, PATIENCE, REACTORS};
use ms_reactor::DataPlaneConfig;
use ms_reactor::packed::kind;
use ms_wire::error_code;
use ms_wire::fetch::{FetchOptions, FetchPartition};
use ms_wire::topic::TopicKey;

const TOPIC: TopicKey<'static> = TopicKey::Name(b"orders");

fn broker(reactors: usize) -> Broker {
    let broker = Broker::start(reactors);
    broker.with_topic("orders", [7; 16], 1);
    broker.plane.publish_answer(18, 3, b"constant");
    broker
}

/// A request header written by hand.
fn raw_header(api_key: i16, version: i16, rest: &[u8]) -> Vec<u8> {
    [&api_key.to_be_bytes()[..], &version.to_be_bytes(), &7_i32.to_be_bytes(), rest].concat()
}

/// C-015
#[test]
fn lengths_that_no_frame_has_close_the_connection_at_once() {
    for reactors in REACTORS {
        let broker = broker(reactors);
        for length in [-1, i32::MIN, 0, 104_857_601, i32::MAX] {
            let mut client = broker.connect();
            client.raw(&length.to_be_bytes());
            client.expect_closed();
        }
        for bytes in [&b"GET / HTTP/1.1\r\n"[..], &[0x16, 0x03, 0x01, 0x02, 0x00, 0x01]] {
            let mut client = broker.connect();
            client.raw(bytes);
            client.expect_closed();
        }
        assert_eq!(broker.stat("poolBytes"), 0);
    }
}

#[test]
fn headers_and_bodies_that_cannot_be_read_close_the_connection() {
    for reactors in REACTORS {
        let broker = broker(reactors);
        let mut body = raw_header(1, 12, &[0xff, 0xff, 0]);
        body.extend_from_slice(&[0; 4 * 4 + 1 + 8]);
        let absurd_array = [&body[..], &[0xff, 0xff, 0xff, 0xff, 0x07]].concat();
        let endless_varint = [&body[..], &[0xff; 10]].concat();
        let frames = [
            vec![0, 3],
            vec![0, 3, 0, 9],
            raw_header(999, 0, &[0xff, 0xff]),
            raw_header(-3, 0, &[0xff, 0xff]),
            raw_header(3, 99, &[0xff, 0xff, 0]),
            raw_header(3, -1, &[0xff, 0xff, 0]),
            raw_header(1, 0, &[0xff, 0xff]),
            raw_header(0, 2, &[0xff, 0xff, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]),
            raw_header(0, 14, &[0xff, 0xff, 0]),
            raw_header(4, 0, &[0xff, 0xff]),
            raw_header(3, 9, &[0x75, 0x30]),
            raw_header(3, 9, &[0xff, 0xff, 1, 0, 0x7f]),
            absurd_array,
            endless_varint,
        ];
        for frame in frames {
            let mut client = broker.connect();
            client.send(&frame);
            client.expect_closed();
        }
        let mut client = broker.connect();
        client.send(&header(18, 3, 1).into_iter().chain(*b"\x02a\x02b\0").collect::<Vec<_>>());
        assert_eq!(&client.receive()[4..], b"constant");
    }
}

#[test]
fn requests_before_a_bad_frame_are_answered() {
    let broker = broker(1);
    let mut client = broker.connect();
    let records = batch(&[b"x"]);
    client.send(&produce(9, 1, 1, TOPIC, &[(0, Some(&records))]));
    client.send(&raw_header(999, 0, &[]));
    assert_eq!(produced(&client.receive(), 9)[0].error_code, 0);
    client.expect_closed();
}

#[test]
fn what_kafka_tolerates_is_served() {
    for reactors in REACTORS {
        let broker = broker(reactors);
        let records = batch(&[b"x"]);
        // Bytes behind the body; a client id of a negative length; one that is not UTF-8.
        let mut client = broker.connect();
        let mut frame = produce(8, 1, 1, TOPIC, &[(0, Some(&records))]);
        let body = frame.split_off(14);
        let ids: [&[u8]; 3] = [&[0xff, 0xff], &[0xff, 0xfe], &[0, 2, 0xc3, 0x28]];
        for id in ids {
            let frame = [&frame[..8], id, &body, b"left over"].concat();
            assert_eq!(produced(&client.ask(&frame), 8)[0].error_code, 0);
        }
        // Unknown tagged fields in header and body.
        let mut tagged = produce(9, 1, 1, TOPIC, &[(0, Some(&records))]);
        tagged.pop();
        tagged.extend_from_slice(&[1, 99, 2, 1, 2]);
        let with_header_tag = [&tagged[..14], &[1, 98, 1, 0], &tagged[15..]].concat();
        assert_eq!(produced(&client.ask(&with_header_tag), 9)[0].error_code, 0);
    }
}

#[test]
fn refused_records_are_an_error_of_their_partition() {
    for reactors in REACTORS {
        let broker = broker(reactors);
        let mut client = broker.connect();
        let good = batch(&[b"x"]);
        let mut old_magic = good.clone();
        old_magic[16] = 1;
        let mut bad_crc = good.clone();
        bad_crc[17] ^= 1;
        let too_long = [&good[..8], &(good.len() as i32 + 100).to_be_bytes(), &good[12..]].concat();
        let two = [&good[..], &good].concat();
        let cases: [(&[u8], i16); 6] = [
            (b"", error_code::INVALID_RECORD),
            (b"8 bytes!", error_code::INVALID_RECORD),
            (&old_magic, error_code::INVALID_RECORD),
            (&too_long, error_code::INVALID_RECORD),
            (&two, error_code::INVALID_RECORD),
            (&bad_crc, error_code::CORRUPT_MESSAGE),
        ];
        for version in [3, 9, 12] {
            for (records, expected) in cases {
                let answer = client.ask(&produce(version, 1, 1, TOPIC, &[(0, Some(records))]));
                assert_eq!(produced(&answer, version)[0].error_code, expected, "{records:?}");
            }
            let answer = client.ask(&produce(version, 1, 5, TOPIC, &[(0, Some(&good))]));
            assert_eq!(produced(&answer, version)[0].error_code, error_code::INVALID_REQUIRED_ACKS);
            let answer = client.ask(&produce(version, 1, 1, TOPIC, &[(0, None)]));
            assert_eq!(produced(&answer, version)[0].error_code, error_code::INVALID_RECORD);
        }
    }
}

/// C-002, C-012: ApiVersions of any version, and with names that KIP-511 forbids, is left to TypeScript.
#[test]
fn unusual_api_versions_requests_go_to_typescript() {
    let broker = broker(1);
    let mut client = broker.connect();
    let named = |software: &[u8]| {
        let mut frame = header(18, 3, 5);
        frame.push(software.len() as u8 + 1);
        frame.extend_from_slice(software);
        frame.extend_from_slice(b"\x041.0\0");
        frame
    };
    assert_eq!(&client.ask(&named(b"kcat"))[4..], b"constant");
    for frame in [named(b"-bad-"), named(b""), raw_header(18, 99, &[0xff, 0xff, 0])] {
        client.send(&frame);
        let request = broker.await_request(18);
        assert_eq!(request.frame, frame);
        broker.respond(&request, b"decided");
        assert_eq!(&client.receive()[4..], b"decided");
    }
}

#[test]
fn a_request_sent_byte_by_byte_is_served() {
    for reactors in REACTORS {
        let broker = broker(reactors);
        let mut client = broker.connect();
        let records = batch(&[&[b'x'; 300]]);
        let frame = produce(9, 1, 1, TOPIC, &[(0, Some(&records))]);
        client.raw(&(frame.len() as u32).to_be_bytes()[..1]);
        client.expect_silence();
        client.raw(&(frame.len() as u32).to_be_bytes()[1..]);
        for byte in &frame {
            client.raw(&[*byte]);
        }
        assert_eq!(produced(&client.receive(), 9)[0].error_code, 0);
        assert_eq!(broker.stat("poolBytes"), 0);
    }
}

#[test]
fn frames_larger_than_the_receive_buffer_are_served() {
    for reactors in REACTORS {
        let config = DataPlaneConfig { reactors, recv_bytes: 1 << 16, ..Default::default() };
        let broker = Broker::start_with(config);
        broker.with_topic("orders", [7; 16], 1);
        let mut client = broker.connect();
        let small = batch(&[b"s"]);
        let large = batch(&[&[b'x'; 900_000]]);
        let mut stream = Vec::new();
        for i in 0..24 {
            let records = if [0, 1, 3].contains(&(i % 6)) { &large } else { &small };
            let frame = produce(9, i, 1, TOPIC, &[(0, Some(records))]);
            stream.extend_from_slice(&(frame.len() as u32).to_be_bytes());
            stream.extend_from_slice(&frame);
        }
        let mut writer = client.stream.try_clone().unwrap();
        let sender = std::thread::spawn(move || writer.write_all(&stream).unwrap());
        for i in 0..24 {
            let answer = produced(&client.receive(), 9);
            assert_eq!((answer[0].correlation_id, answer[0].error_code), (i, 0));
            assert_eq!(answer[0].base_offset, i64::from(i));
        }
        sender.join().unwrap();
        let wanted = [FetchPartition::new(0, 0, i32::MAX)];
        let answer = client.ask(&fetch(12, 1, FetchOptions::default(), TOPIC, &wanted));
        assert_eq!(fetched(&answer, 12).partitions[0].base_offsets().len(), 24);
        assert_eq!(broker.stat("poolBytes"), 0);
    }
}

#[test]
fn an_announced_length_costs_nothing_before_its_bytes_arrive() {
    let config = DataPlaneConfig { pool_mib: 1, ..Default::default() };
    let broker = Broker::start_with(config);
    broker.with_topic("orders", [7; 16], 1);
    let mut clients: Vec<_> = (0..40).map(|_| broker.connect()).collect();
    for client in &mut clients {
        client.raw(&104_857_600_i32.to_be_bytes());
        client.raw(&[0; 1000]);
    }
    // Another client is not affected.
    let records = batch(&[b"x"]);
    let answer = broker.connect().ask(&produce(9, 1, 1, TOPIC, &[(0, Some(&records))]));
    assert_eq!(produced(&answer, 9)[0].error_code, 0);
    assert!(broker.stat("poolBytes") <= 1 << 20);
}

#[test]
fn a_frame_takes_no_more_at_once_than_the_one_before_it() {
    let config = DataPlaneConfig { recv_bytes: 1 << 16, ..Default::default() };
    let broker = Broker::start_with(config);
    broker.with_topic("orders", [7; 16], 1);
    let mut client = broker.connect();
    let frame = produce(9, 1, 1, TOPIC, &[(0, Some(&batch(&[&[b'x'; 700_000]])))]);
    assert_eq!(produced(&client.ask(&frame), 9)[0].error_code, 0);
    let parts = [&104_857_600_i32.to_be_bytes()[..], &[0; 20_000], &[0; 1000]];
    parts.iter().for_each(|part| client.raw(part));
    let sent = 4 + frame.len() + parts.concat().len();
    broker.await_stat("bytesIn", |bytes| bytes == sent as u64);
    let taken = broker.stat("poolBytes");
    assert!((1 << 19..=1 << 20).contains(&taken), "{taken}");
}

#[test]
fn incomplete_frames_beyond_the_memory_bound_are_closed() {
    let config = DataPlaneConfig { pool_mib: 1, ..Default::default() };
    let broker = Broker::start_with(config);
    broker.with_topic("orders", [7; 16], 1);
    let mut client = broker.connect();
    client.raw(&104_857_600_i32.to_be_bytes());
    // More than the pool has; the broker stops before it all is sent.
    let _ = client.stream.write_all(&vec![0; 4 << 20]);
    client.expect_closed();
    assert_eq!(broker.stat("poolBytes"), 0);
}

#[test]
fn two_hundred_connections_are_served_while_others_send_noise() {
    for reactors in REACTORS {
        let broker = broker(reactors);
        let mut noisy: Vec<_> = (0..100).map(|_| broker.connect()).collect();
        let mut seed = 1_u64;
        for client in &mut noisy {
            let noise: Vec<u8> = (0..500)
                .map(|_| {
                    seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    (seed >> 56) as u8
                })
                .collect();
            let _ = client.stream.write_all(&noise);
        }
        let records = batch(&[b"x"]);
        let mut clients: Vec<_> = (0..100).map(|_| broker.connect()).collect();
        for client in &mut clients {
            client.send(&produce(9, 1, 1, TOPIC, &[(0, Some(&records))]));
        }
        for client in &mut clients {
            assert_eq!(produced(&client.receive(), 9)[0].error_code, 0);
        }
    }
}

#[test]
fn an_idle_connection_is_closed() {
    for reactors in REACTORS {
        let config =
            DataPlaneConfig { reactors, connections_max_idle_ms: 100, ..Default::default() };
        Broker::start_with(config).connect().expect_closed();
    }
}

#[test]
fn who_asks_typescript_is_announced_before_its_first_frame_and_nobody_else_is() {
    for reactors in REACTORS {
        let broker = broker(reactors);
        let records = batch(&[b"x"]);
        let mut others: Vec<_> = (0..6).map(|_| broker.connect()).collect();
        others[0].ask(&produce(9, 1, 1, TOPIC, &[(0, Some(&records))]));
        let wanted = FetchPartition::new(0, 0, 1000);
        others[1].ask(&fetch(12, 1, FetchOptions::default(), TOPIC, &[wanted]));
        others[2].ask(&header(18, 3, 1).into_iter().chain(*b"\x02a\x02b\0").collect::<Vec<_>>());
        others[3].raw(b"GET / HTTP/1.1\r\n");
        others[4].send(&raw_header(999, 0, &[0xff, 0xff]));
        drop(others);
        broker.await_stat("connections", |count| count == 0);
        let next = || {
            let kinds = [kind::CONNECTED, kind::REQUEST, kind::DISCONNECTED];
            broker.await_entry(|entry| kinds.contains(&entry.kind))
        };
        let mut client = broker.connect();
        client.send(&header(3, 9, 1));
        let announced = next();
        assert_eq!(announced.kind, kind::CONNECTED);
        for correlation_id in 1..=2 {
            let request = next().request.expect("a frame");
            assert_eq!(request.correlation_id, correlation_id);
            assert_eq!(request.connection.slot, announced.index);
            broker.respond(&request, b"");
            client.receive();
            if correlation_id == 1 {
                client.send(&header(3, 9, 2));
            }
        }
        drop(client);
        let gone = next();
        assert_eq!((gone.kind, gone.index), (kind::DISCONNECTED, announced.index));
    }
}

#[test]
fn connections_beyond_the_limit_of_an_address_are_closed() {
    for reactors in REACTORS {
        let config = DataPlaneConfig { reactors, max_connections_per_ip: 2, ..Default::default() };
        let broker = Broker::start_with(config);
        broker.plane.publish_answer(18, 0, b"constant");
        let serve =
            |client: &mut Client| assert_eq!(&client.ask(&header(18, 0, 1))[4..], b"constant");
        let mut first = broker.connect_announced();
        let mut second = broker.connect();
        serve(&mut first);
        serve(&mut second);
        broker.connect().expect_closed();
        drop(first);
        broker.await_entry(|entry| entry.kind == kind::DISCONNECTED);
        // The place is free as soon as the broker has noticed.
        serve(&mut broker.connect());
    }
}

#[test]
fn a_closed_listener_closes_every_connection() {
    let broker = broker(1);
    let port = broker.plane.listen(1).unwrap();
    Client::connect(port).expect_closed();
}

#[test]
fn a_client_that_leaves_during_its_long_poll_is_forgotten() {
    for reactors in REACTORS {
        let broker = broker(reactors);
        let options = FetchOptions { max_wait_ms: i32::MAX, min_bytes: 1, ..Default::default() };
        let request = fetch(12, 1, options, TOPIC, &[FetchPartition::new(0, 0, 1000)]);
        let mut client = broker.connect_announced();
        client.send(&request);
        broker.await_stat("fetchRequests", |count| count == 1);
        drop(client);
        broker.await_entry(|entry| entry.kind == kind::DISCONNECTED);
        assert_eq!(broker.stat("connections"), 0);
    }
}

#[test]
fn shutdown_answers_long_polls_and_ends_soon() {
    for reactors in REACTORS {
        let broker = broker(reactors);
        let options = FetchOptions { max_wait_ms: 60_000, min_bytes: 1, ..Default::default() };
        let mut client = broker.connect();
        client.send(&fetch(12, 1, options, TOPIC, &[FetchPartition::new(0, 0, 1000)]));
        broker.await_stat("fetchRequests", |count| count == 1);
        let began = Instant::now();
        broker.plane.shutdown(PATIENCE);
        // It would have waited so long for a client that is not answered.
        assert!(began.elapsed() < PATIENCE.mul_f64(0.3));
        assert_eq!(fetched(&client.receive(), 12).partitions[0].error_code, 0);
        client.expect_closed();
    }
}

#[test]
fn a_request_decompresses_to_so_much_and_no_more() {
    let broker = Broker::start(1);
    broker.with_topic("orders", [7; 16], 24);
    let mut client = broker.connect();
    let bomb = zstd_bomb();
    let plain = batch(&[b"x"]);
    let mut partitions: Vec<_> = (0..23).map(|i| (i, Some(bomb.as_slice()))).collect();
    partitions.push((23, Some(&plain)));
    let frame = produce(9, 1, 1, TOPIC, &partitions);
    assert!(frame.len() < 8 << 10, "{} bytes", frame.len());
    let codes: Vec<_> =
        produced(&client.ask(&frame), 9).iter().map(|partition| partition.error_code).collect();
    // 64 MiB in all; what follows within the bound is taken.
    let (none, too_large) = (error_code::NONE, error_code::MESSAGE_TOO_LARGE);
    assert_eq!(codes[..16], [none; 16]);
    assert_eq!(codes[16..23], [too_large; 7]);
    assert_eq!(codes[23], none);
    assert_eq!(broker.stat("poolBytes"), 0);
}
