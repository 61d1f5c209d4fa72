//! Offsets by time, against a model.

#![allow(clippy::unwrap_used)]

mod common;

use common::{FrameToWriteOwned, Random, Rig};
use ms_log::{EntryKind, NextAppend};
use ms_wire::batch::{self, BatchHeader};
use ms_wire::compression::{Codec, compress};

/// One record: attributes, timestamp delta, offset delta, no key, one byte of value, no headers.
fn record(out: &mut Vec<u8>, timestamp_delta: i64, offset_delta: i64) {
    let mut body = vec![0];
    varint(&mut body, timestamp_delta);
    varint(&mut body, offset_delta);
    varint(&mut body, -1);
    varint(&mut body, 1);
    body.push(b'v');
    varint(&mut body, 0);
    varint(out, body.len() as i64);
    out.extend(body);
}

fn varint(out: &mut Vec<u8>, value: i64) {
    let mut rest = ((value << 1) ^ (value >> 63)) as u64;
    while rest >= 0x80 {
        out.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}

fn append(rig: &mut Rig, timestamps: &[i64], codec: Codec) {
    let base = timestamps[0];
    let (mut plain, mut payload) = (Vec::new(), Vec::new());
    for (delta, timestamp) in timestamps.iter().enumerate() {
        record(&mut plain, timestamp - base, delta as i64);
    }
    compress(codec, &plain, &mut payload).unwrap();
    let max = timestamps.iter().copied().max().unwrap();
    let mut bytes = common::batch(timestamps.len() as u32, &payload, base, 0);
    bytes[21..23].copy_from_slice(&i16::from(codec.id()).to_be_bytes());
    bytes[35..43].copy_from_slice(&max.to_be_bytes());
    batch::write_crc(&mut bytes);
    let offset = rig.log.log_end_offset();
    batch::stamp(&mut bytes, offset as i64, rig.term as i32);
    let frame: FrameToWriteOwned = rig.entry(&bytes, rig.log.last_index() + 1, EntryKind::Data);
    let next = NextAppend {
        bytes: frame.entry.size,
        max_timestamp: max,
        last_offset: frame.entry.end_offset() - 1,
    };
    rig.log.roll_if_needed(&next, 1000, Vec::new).unwrap();
    rig.append(&[frame]).unwrap();
    assert_eq!(BatchHeader::parse(&bytes).unwrap().max_timestamp, max);
}

#[test]
fn c088_c091_c092_finds_records_not_batches_in_any_order_of_time() {
    for seed in 0..60 {
        let mut random = Random::new(seed);
        let mut rig = Rig::new(400 + random.below(4000) as u32);
        rig.begin_term().unwrap();
        let mut model: Vec<i64> = Vec::new();
        let spread = 1 + random.below(300);
        for step in 0..40 {
            let count = 1 + random.below(6);
            let times: Vec<i64> =
                (0..count).map(|_| (step * 10 + random.below(spread)) as i64).collect();
            let codecs = [Codec::None, Codec::Gzip, Codec::Lz4, Codec::Snappy, Codec::Zstd];
            append(&mut rig, &times, codecs[random.below(5) as usize]);
            model.extend(times);
        }
        let end = model.len() as u64;
        if seed % 2 == 0 {
            rig.flush();
            let last = rig.log.last_index();
            rig.reopen(None, true, last);
        }
        if seed % 3 == 0 {
            let last = rig.log.last_index();
            let start = rig.log.offset_after(1 + random.below(last)).unwrap();
            rig.set_log_start(start);
        }
        let start = rig.log.log_start_offset();
        // The high watermark stands between two batches.
        let last = rig.log.last_index();
        let up_to = rig.log.offset_after(1 + random.below(last)).unwrap();
        for up_to in [end, if up_to < start { end } else { up_to }] {
            let seen = || (start..up_to).map(|offset| (offset, model[offset as usize]));
            for timestamp in (0..800).step_by(7) {
                let found = rig.log.search_timestamp(timestamp, up_to).run().unwrap();
                let expected = seen().find(|(_, time)| *time >= timestamp);
                let found = found.map(|found| (found.offset, found.timestamp));
                assert_eq!(found, expected, "seed {seed} time {timestamp} up to {up_to}");
            }
            let found = rig.log.search_max_timestamp(up_to).run().unwrap();
            let max = seen().map(|(_, time)| time).max();
            assert_eq!(found.map(|found| found.timestamp), max, "seed {seed}");
            if let Some(found) = found {
                assert_eq!(model[found.offset as usize], found.timestamp);
                assert_eq!(found.leader_epoch, 1);
            }
        }
    }
}
