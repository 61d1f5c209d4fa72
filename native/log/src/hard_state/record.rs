//! Records of the hard-state log.
//!
//! ```text
//! CRC-32C u32 of what follows | len u32 of the payload | group u64 | kind u8 | payload
//! ```
//! Big endian. Records of the directory itself have the group 2^64 - 1.

use super::{ConfState, HardState, Record};
use crate::bytes::{Reader, put_u32, put_u64};
use ms_wire::crc::crc32c;

/// Bytes before the payload.
const HEAD_BYTES: usize = 17;
/// No record is larger: a configuration of thousands of nodes is not.
const MAX_PAYLOAD: usize = 1 << 20;
const KINDS: [u8; 9] = [1, 2, 3, 4, 5, 6, 7, START, STOP];
/// Of the directory.
const START: u8 = 16;
const STOP: u8 = 17;
const DIRECTORY: u64 = u64::MAX;

/// What a line of the log says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Line {
    Group(u64, Record),
    /// A process started.
    Start {
        incarnation: u64,
        boot_id: [u8; 16],
    },
    /// It stopped cleanly.
    Stop,
}

/// Appends a line.
pub(super) fn put(out: &mut Vec<u8>, line: &Line) {
    let start = out.len();
    out.extend_from_slice(&[0; 8]);
    let (group, kind) = match line {
        Line::Group(group, record) => (*group, kind_of(record)),
        Line::Start { .. } => (DIRECTORY, START),
        Line::Stop => (DIRECTORY, STOP),
    };
    put_u64(out, group);
    out.push(kind);
    match line {
        Line::Group(_, record) => put_payload(out, record),
        Line::Start { incarnation, boot_id } => {
            put_u64(out, *incarnation);
            out.extend_from_slice(boot_id);
        }
        Line::Stop => {}
    }
    let len = (out.len() - start - HEAD_BYTES) as u32;
    out[start + 4..start + 8].copy_from_slice(&len.to_be_bytes());
    let crc = crc32c(&out[start + 4..]);
    out[start..start + 4].copy_from_slice(&crc.to_be_bytes());
}

/// The first line of `bytes` and its length; `None` if it is not whole or not valid.
pub(super) fn parse(bytes: &[u8]) -> Option<(Line, usize)> {
    let mut reader = Reader(bytes);
    let crc = reader.u32()?;
    let len = reader.u32()? as usize;
    let kind = *bytes.get(HEAD_BYTES - 1)?;
    if len > MAX_PAYLOAD || !KINDS.contains(&kind) {
        return None;
    }
    let whole = bytes.get(4..HEAD_BYTES + len)?;
    if crc32c(whole) != crc {
        return None;
    }
    let (group, _) = (reader.u64()?, reader.u8()?);
    let mut payload = Reader(reader.take(len)?);
    let line = match (group, kind) {
        (DIRECTORY, START) => {
            Line::Start { incarnation: payload.u64()?, boot_id: *payload.take(16)?.first_chunk()? }
        }
        (DIRECTORY, STOP) => Line::Stop,
        _ => Line::Group(group, read_payload(kind, &mut payload)?),
    };
    Some((line, HEAD_BYTES + len))
}

/// Every line that is found in `bytes`, wherever it begins. Most places are left at a look at a byte.
pub(super) fn lines_within(mut bytes: &[u8]) -> impl Iterator<Item = Line> {
    std::iter::from_fn(move || {
        while !bytes.is_empty() {
            let found = parse(bytes);
            bytes = &bytes[found.as_ref().map_or(1, |(_, size)| *size)..];
            if let Some((line, _)) = found {
                return Some(line);
            }
        }
        None
    })
}

fn kind_of(record: &Record) -> u8 {
    match record {
        Record::HardState(_) => 1,
        Record::ConfState(_) => 2,
        Record::Created { .. } => 3,
        Record::Quarantined => 4,
        Record::Released => 5,
        Record::Opened => 6,
        Record::Removed => 7,
    }
}

fn put_payload(out: &mut Vec<u8>, record: &Record) {
    match record {
        Record::HardState(state) => {
            put_u64(out, state.term);
            put_u64(out, state.vote);
            put_u64(out, state.commit);
        }
        Record::ConfState(conf) => {
            put_u64(out, conf.index);
            out.push(u8::from(conf.auto_leave));
            for nodes in [&conf.voters, &conf.learners, &conf.voters_outgoing, &conf.learners_next]
            {
                put_u32(out, nodes.len() as u32);
                nodes.iter().for_each(|&node| put_u64(out, node));
            }
        }
        Record::Created { topic_id } => out.extend_from_slice(topic_id),
        Record::Quarantined | Record::Released | Record::Opened | Record::Removed => {}
    }
}

fn read_payload(kind: u8, payload: &mut Reader<'_>) -> Option<Record> {
    Some(match kind {
        1 => Record::HardState(HardState {
            term: payload.u64()?,
            vote: payload.u64()?,
            commit: payload.u64()?,
        }),
        2 => Record::ConfState(ConfState {
            index: payload.u64()?,
            auto_leave: payload.u8()? != 0,
            voters: read_nodes(payload)?,
            learners: read_nodes(payload)?,
            voters_outgoing: read_nodes(payload)?,
            learners_next: read_nodes(payload)?,
        }),
        3 => Record::Created { topic_id: *payload.take(16)?.first_chunk()? },
        4 => Record::Quarantined,
        5 => Record::Released,
        6 => Record::Opened,
        7 => Record::Removed,
        _ => return None,
    })
}

fn read_nodes(payload: &mut Reader<'_>) -> Option<Vec<u64>> {
    let count = payload.u32()?;
    (0..count).map(|_| payload.u64()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines() -> Vec<Line> {
        let conf = ConfState {
            index: 9,
            voters: vec![1, 2, 3],
            learners: vec![4],
            voters_outgoing: vec![],
            learners_next: vec![5, 6],
            auto_leave: true,
        };
        let records = [
            Record::HardState(HardState { term: 3, vote: 1, commit: 77 }),
            Record::ConfState(conf),
            Record::Created { topic_id: [9; 16] },
            Record::Quarantined,
            Record::Released,
            Record::Opened,
            Record::Removed,
        ];
        let mut lines: Vec<_> = records.into_iter().map(|record| Line::Group(5, record)).collect();
        lines.push(Line::Start { incarnation: 4, boot_id: [1; 16] });
        lines.push(Line::Stop);
        lines
    }

    #[test]
    fn every_line_comes_back_and_no_damaged_one_does() {
        for line in lines() {
            let mut bytes = Vec::new();
            put(&mut bytes, &line);
            assert_eq!(parse(&bytes), Some((line, bytes.len())));
            for cut in 0..bytes.len() {
                assert_eq!(parse(&bytes[..cut]), None);
            }
            for at in 0..bytes.len() {
                let mut bad = bytes.clone();
                bad[at] ^= 0x40;
                assert_eq!(parse(&bad), None, "byte {at}");
            }
        }
    }
}
