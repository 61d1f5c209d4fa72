//! `partition.metadata`: whose folder it is. Kafka's lines, and the group id.

use crate::disk::{Disk, OpenMode, read_all, replace_file};
use crate::error::{LogError, at};
use crate::options::LogIdentity;
use std::io::{self, IoSlice};
use std::path::Path;

pub(crate) const NAME: &str = "partition.metadata";
const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Writes the file durably, its name included.
pub(crate) fn write(disk: &dyn Disk, dir: &Path, identity: &LogIdentity) -> Result<(), LogError> {
    let path = dir.join(NAME);
    let text = text_of(identity);
    replace_file(disk, &path, &[IoSlice::new(text.as_bytes())]).map_err(at("write", &path))
}

/// Writes the file of a folder that is being created. It may be torn until it is synced.
pub(crate) fn write_unsynced(
    disk: &dyn Disk,
    dir: &Path,
    identity: &LogIdentity,
) -> Result<(), LogError> {
    let path = dir.join(NAME);
    let text = text_of(identity);
    let written = disk.open(&path, OpenMode::Create).and_then(|file| {
        if file.len()? > 0 {
            file.truncate(0)?;
        }
        file.write_vectored_at(&[IoSlice::new(text.as_bytes())], 0)
    });
    written.map_err(at("write", &path))
}

fn text_of(identity: &LogIdentity) -> String {
    let id = encode_uuid(&identity.topic_id);
    format!("version: 0\ntopic_id: {id}\ngroup_id: {}\n", identity.group_id)
}

/// Whose folder this is; `None` without the file. Anything unreadable in it is an error.
pub fn read_identity(disk: &dyn Disk, dir: &Path) -> Result<Option<LogIdentity>, LogError> {
    let path = dir.join(NAME);
    let bytes = match read_all(disk, &path, 4096) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(at("read", &path)(error)),
    };
    let text = String::from_utf8_lossy(&bytes);
    let field = |name: &str| {
        let value = |line: &'_ str| line.strip_prefix(name)?.strip_prefix(':').map(str::to_owned);
        text.lines().find_map(value).map(|value| value.trim().to_owned())
    };
    if field("version").as_deref() != Some("0") {
        return Err(LogError::Format { path, reason: "unknown version" });
    }
    let topic_id = field("topic_id").and_then(|text| decode_uuid(&text));
    let group_id = field("group_id").and_then(|text| text.parse().ok());
    match (topic_id, group_id) {
        (Some(topic_id), Some(group_id)) => Ok(Some(LogIdentity { topic_id, group_id })),
        _ => Err(LogError::Format { path, reason: "no topic id or group id" }),
    }
}

/// Kafka's text of a uuid: base64 of its 16 bytes, URL alphabet, no padding, 22 characters.
fn encode_uuid(id: &[u8; 16]) -> String {
    let bits = u128::from_be_bytes(*id);
    let digit = |at: u32| {
        // The last digit carries the 2 bits that are left, and 4 zero bits.
        let six = if at == 21 { bits << 4 } else { bits >> (122 - 6 * at) };
        char::from(DIGITS[(six & 63) as usize])
    };
    (0..22).map(digit).collect()
}

fn decode_uuid(text: &str) -> Option<[u8; 16]> {
    if text.len() != 22 {
        return None;
    }
    let mut bits = 0u128;
    for (at, byte) in text.bytes().enumerate() {
        let six = DIGITS.iter().position(|&digit| digit == byte)? as u128;
        bits = if at == 21 { bits << 2 | six >> 4 } else { bits << 6 | six };
    }
    Some(bits.to_be_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::SimDisk;

    #[test]
    fn writes_a_uuid_as_kafka_does() {
        let id = 0x0123_4567_89ab_cdef_fedc_ba98_7654_3210_u128.to_be_bytes();
        assert_eq!(encode_uuid(&id), "ASNFZ4mrze_-3LqYdlQyEA");
        assert_eq!(decode_uuid("ASNFZ4mrze_-3LqYdlQyEA"), Some(id));
        assert_eq!(decode_uuid("ASNFZ4mrze_-3LqYdlQyE"), None);
        assert_eq!(decode_uuid("ASNFZ4mrze_-3LqYdlQy!A"), None);
    }

    #[test]
    fn reads_back_what_was_written_and_refuses_the_rest() {
        let disk = SimDisk::new();
        let dir = Path::new("/t-0");
        disk.create_dir_all(dir).unwrap();
        assert_eq!(read_identity(&disk, dir).unwrap(), None);
        let identity = LogIdentity { topic_id: [7; 16], group_id: 42 };
        write(&disk, dir, &identity).unwrap();
        assert_eq!(read_identity(&disk, dir).unwrap(), Some(identity));
        disk.corrupt(&dir.join(NAME), 9, |bytes| bytes[0] = b'7');
        assert!(matches!(read_identity(&disk, dir), Err(LogError::Format { .. })));
    }
}
