//! Request and response headers, and the length prefix of a frame.

use crate::cursor::{Cursor, WireError};
use crate::put::{put_i16, put_i32, put_nullable_string};

pub const PRODUCE: i16 = 0;
pub const FETCH: i16 = 1;
pub const API_VERSIONS: i16 = 18;

/// The header of a request. `body` is the offset of the first byte behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestHeader<'a> {
    pub api_key: i16,
    pub api_version: i16,
    pub correlation_id: i32,
    pub client_id: Option<&'a [u8]>,
    pub body: usize,
}

/// Reads the header of a frame given without its length prefix. No allocation.
///
/// Any negative client id length is null, and a client id need not be UTF-8. Whether the version is
/// served is not checked here: ApiVersions answers what it does not know (KIP-511). Every error
/// means: close the connection.
pub fn parse_request_header(frame: &[u8]) -> Result<RequestHeader<'_>, WireError> {
    let mut cursor = Cursor::new(frame);
    let api_key = cursor.i16()?;
    let api_version = cursor.i16()?;
    let correlation_id = cursor.i32()?;
    let first_flexible = first_flexible_version(api_key).ok_or(WireError::UnknownApi(api_key))?;
    if api_version < 0 {
        return Err(WireError::UnsupportedVersion { api_key, version: api_version });
    }
    let client_id = cursor.nullable_string()?;
    if api_version >= first_flexible {
        cursor.skip_tagged_fields()?;
    }
    Ok(RequestHeader { api_key, api_version, correlation_id, client_id, body: cursor.position() })
}

/// The first version of an API that is flexible (KIP-482): its request header has tagged fields.
/// `None` for a key that is no client API of Kafka 4.4; `i16::MAX` for an API that never became
/// flexible.
pub fn first_flexible_version(api_key: i16) -> Option<i16> {
    match FIRST_FLEXIBLE.get(usize::try_from(api_key).ok()?) {
        Some(&version) if version >= 0 => Some(version),
        _ => None,
    }
}

/// True when the response header of this version ends in tagged fields. ApiVersions never has them,
/// so that a client can read the answer before it knows what the broker speaks (KIP-511).
pub fn is_response_header_flexible(api_key: i16, api_version: i16) -> bool {
    api_key != API_VERSIONS
        && first_flexible_version(api_key).is_some_and(|first| api_version >= first)
}

/// Appends a request header as a client writes it.
pub fn put_request_header(
    out: &mut Vec<u8>,
    api_key: i16,
    version: i16,
    correlation_id: i32,
    client_id: Option<&[u8]>,
) {
    put_i16(out, api_key);
    put_i16(out, version);
    put_i32(out, correlation_id);
    put_nullable_string(out, client_id);
    if first_flexible_version(api_key).is_some_and(|first| version >= first) {
        out.push(0);
    }
}

/// Appends a response header.
pub fn put_response_header(out: &mut Vec<u8>, api_key: i16, version: i16, correlation_id: i32) {
    put_i32(out, correlation_id);
    if is_response_header_flexible(api_key, version) {
        out.push(0);
    }
}

/// Reads a response header: the correlation id, and the offset of the body.
pub fn parse_response_header(
    frame: &[u8],
    api_key: i16,
    version: i16,
) -> Result<(i32, usize), WireError> {
    let mut cursor = Cursor::new(frame);
    let correlation_id = cursor.i32()?;
    if is_response_header_flexible(api_key, version) {
        cursor.skip_tagged_fields()?;
    }
    Ok((correlation_id, cursor.position()))
}

/// Where a frame starts in the output, until its length is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "the length of the frame is written by finish_frame"]
pub struct FrameStart(usize);

/// Appends room for the length prefix.
pub fn start_frame(out: &mut Vec<u8>) -> FrameStart {
    put_i32(out, 0);
    FrameStart(out.len() - 4)
}

/// Writes the length of the frame: what was appended since `start_frame`, and `bytes_elsewhere`
/// that the caller sends from another place (a file) somewhere in between. Panics above 2 GiB,
/// which the limits of requests and of the records in an answer exclude.
pub fn finish_frame(out: &mut [u8], start: FrameStart, bytes_elsewhere: usize) {
    let len =
        i32::try_from(out.len() - start.0 - 4 + bytes_elsewhere).expect("a response below 2 GiB");
    out[start.0..start.0 + 4].copy_from_slice(&len.to_be_bytes());
}

const NEVER: i16 = i16::MAX;
// By API key, as of Kafka 4.4; -1 where the key is unknown or no longer spoken (4 to 7).
const FIRST_FLEXIBLE: [i16; 95] = [
    9, 12, 6, 9, -1, -1, -1, -1, 8, 6, // Produce .. OffsetFetch
    3, 6, 4, 4, 4, 5, 3, NEVER, 3, 5, // FindCoordinator .. CreateTopics
    4, 2, 2, 4, 3, 3, 3, 1, 3, 2, // DeleteTopics .. DescribeAcls
    2, 2, 4, 2, 2, 2, 2, 2, 2, 2, // CreateAcls .. RenewDelegationToken
    2, 2, 2, 2, 1, 0, 0, NEVER, 1, 1, // ExpireDelegationToken .. AlterClientQuotas
    0, 0, 0, 1, 1, 0, 2, 0, 0, 0, // DescribeUserScramCredentials .. FetchSnapshot
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // DescribeCluster .. ConsumerGroupDescribe
    0, 0, 0, 0, 0, 0, 1, 1, 1, 1, // ControllerRegistration .. ShareAcknowledge
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // AddRaftVoter .. StreamsGroupDescribe
    0, 0, 0, 0, 0, // DescribeShareGroupOffsets .. UnregisterController
];

#[cfg(test)]
mod tests {
    use super::*;

    fn request(api_key: i16, version: i16, client_id_len: i16, rest: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        put_i16(&mut out, api_key);
        put_i16(&mut out, version);
        put_i32(&mut out, 7);
        put_i16(&mut out, client_id_len);
        out.extend_from_slice(rest);
        out
    }

    #[test]
    fn a_negative_client_id_length_is_null() {
        for len in [-1, -2, i16::MIN] {
            let frame = request(3, 1, len, b"body");
            let header = parse_request_header(&frame).expect("a header");
            assert_eq!((header.client_id, header.body, header.correlation_id), (None, 10, 7));
        }
    }

    #[test]
    fn a_client_id_need_not_be_utf8() {
        let frame = request(3, 1, 2, b"\xff\xfe");
        let header = parse_request_header(&frame).expect("a header");
        assert_eq!(header.client_id, Some(b"\xff\xfe".as_slice()));
    }

    #[test]
    fn tagged_fields_of_flexible_headers_are_skipped() {
        // Two fields: tag 0 of one byte, tag 5 of three.
        let frame = request(0, 9, -1, b"\x02\x00\x01a\x05\x03bcdBODY");
        let header = parse_request_header(&frame).expect("a header");
        assert_eq!(&frame[header.body..], b"BODY");
        let beyond = request(0, 9, -1, b"\x01\x00\x20a");
        assert_eq!(
            parse_request_header(&beyond),
            Err(WireError::Truncated { needed: 32, left: 1 })
        );
    }

    #[test]
    fn frames_that_close_the_connection() {
        let truncated =
            |frame: &[u8]| matches!(parse_request_header(frame), Err(WireError::Truncated { .. }));
        assert!(truncated(b""));
        assert!(truncated(b"\0\x03"));
        assert!(truncated(&request(3, 1, 30_000, b"short")));
        let ten_ff = request(0, 9, -1, &[0xff; 10]);
        assert_eq!(parse_request_header(&ten_ff), Err(WireError::VarintTooLong(5)));
        for api_key in [999, -1, i16::MIN, 4] {
            let unknown = request(api_key, 0, -1, b"");
            assert_eq!(parse_request_header(&unknown), Err(WireError::UnknownApi(api_key)));
        }
        let negative = request(3, -1, -1, b"");
        assert_eq!(
            parse_request_header(&negative),
            Err(WireError::UnsupportedVersion { api_key: 3, version: -1 })
        );
    }

    #[test]
    fn an_api_versions_request_of_an_unknown_version_still_has_a_header() {
        let frame = request(API_VERSIONS, 99, -1, b"\0rest");
        assert_eq!(parse_request_header(&frame).map(|header| header.body), Ok(11));
    }

    #[test]
    fn the_frame_length_counts_bytes_that_are_sent_from_elsewhere() {
        let mut out = b"earlier".to_vec();
        let start = start_frame(&mut out);
        out.extend_from_slice(b"abc");
        finish_frame(&mut out, start, 1000);
        assert_eq!(&out[7..11], 1003_i32.to_be_bytes());
    }
}
