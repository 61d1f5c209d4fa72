//! Batches for the tests.

use ms_wire::batch::{BatchHeader, write_crc};
use ms_wire::compression::{Codec, compress};
use ms_wire::put::{put_varint, put_varlong};

pub const NOW_MS: i64 = 1_700_000_000_000;

/// One record to put into a batch.
#[derive(Debug, Clone, Default)]
pub struct TestRecord {
    pub timestamp_delta: i64,
    pub offset_delta: i32,
    pub key: Option<Vec<u8>>,
    pub value: Option<Vec<u8>>,
    pub headers: Vec<(Vec<u8>, Option<Vec<u8>>)>,
}

/// The bytes of records behind a batch header, not compressed.
pub fn encode(records: &[TestRecord]) -> Vec<u8> {
    let mut out = Vec::new();
    for record in records {
        let mut body = vec![0];
        put_varlong(&mut body, record.timestamp_delta);
        put_varint(&mut body, record.offset_delta);
        put_bytes(&mut body, record.key.as_deref());
        put_bytes(&mut body, record.value.as_deref());
        put_varint(&mut body, record.headers.len() as i32);
        for (name, value) in &record.headers {
            put_bytes(&mut body, Some(name));
            put_bytes(&mut body, value.as_deref());
        }
        put_varint(&mut out, body.len() as i32);
        out.extend_from_slice(&body);
    }
    out
}

fn put_bytes(out: &mut Vec<u8>, bytes: Option<&[u8]>) {
    put_varint(out, bytes.map_or(-1, |bytes| bytes.len() as i32));
    out.extend_from_slice(bytes.unwrap_or_default());
}

/// A header for `count` records, which a test changes before `batch` uses it.
pub fn header(count: i32) -> BatchHeader {
    BatchHeader {
        base_offset: 0,
        batch_length: 0,
        partition_leader_epoch: -1,
        crc: 0,
        attributes: 0,
        last_offset_delta: count - 1,
        base_timestamp: NOW_MS,
        max_timestamp: NOW_MS + i64::from(count) - 1,
        producer_id: -1,
        producer_epoch: -1,
        base_sequence: -1,
        record_count: count,
    }
}

/// A whole batch with a right length and CRC.
pub fn batch(header: &BatchHeader, codec: Codec, plain: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    compress(codec, plain, &mut body).expect("compresses");
    let mut header = *header;
    header.attributes |= i16::from(codec.id());
    header.batch_length = (49 + body.len()) as i32;
    let mut out = header.encode().to_vec();
    out.extend_from_slice(&body);
    write_crc(&mut out);
    out
}

pub const CODECS: [Codec; 5] = [Codec::None, Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd];
