//! Numbers of a log that must be durable before something else happens, each in a small file of its own.

use crate::bytes::{Reader, put_u32, put_u64};
use crate::disk::{Disk, read_all, replace_file};
use crate::error::{LogError, at};
use ms_wire::crc::crc32c;
use std::io::{self, IoSlice};
use std::path::Path;

/// Counts the truncations of a log, written before each: what a checkpoint of before claims is not true any more. Behind the
/// number stands the place up to which it still is.
pub(crate) const TRUNCATIONS: &str = "truncations";
/// The log start, written before segments below it are unlinked: what is found below is not part of the log.
pub(crate) const LOG_START: &str = "log-start";

/// Such a file is not larger.
const MOST_BYTES: u64 = 64;

/// The number in a file; `None` without the file, `unreadable` if it is damaged.
pub(crate) fn read(
    disk: &dyn Disk,
    dir: &Path,
    name: &str,
    unreadable: u64,
) -> Result<Option<u64>, LogError> {
    Ok(read_with(disk, dir, name, unreadable)?.map(|(number, _)| number))
}

/// As [`read`], and what stands behind the number.
pub(crate) fn read_with(
    disk: &dyn Disk,
    dir: &Path,
    name: &str,
    unreadable: u64,
) -> Result<Option<(u64, Vec<u8>)>, LogError> {
    let path = dir.join(name);
    let bytes = match read_all(disk, &path, MOST_BYTES) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) if error.kind() == io::ErrorKind::FileTooLarge => Vec::new(),
        Err(error) => return Err(at("read", &path)(error)),
    };
    let mut reader = Reader(&bytes);
    let (crc, number) = (reader.u32(), reader.u64());
    let intact = crc == bytes.get(4..).map(crc32c);
    let found = number.filter(|_| intact).map(|number| (number, reader.0.to_vec()));
    Ok(Some(found.unwrap_or((unreadable, Vec::new()))))
}

/// Writes a number durably.
pub(crate) fn write(disk: &dyn Disk, dir: &Path, name: &str, number: u64) -> io::Result<()> {
    write_with(disk, dir, name, number, &[])
}

/// As [`write`], and bytes that [`read_with`] gives back.
pub(crate) fn write_with(
    disk: &dyn Disk,
    dir: &Path,
    name: &str,
    number: u64,
    more: &[u8],
) -> io::Result<()> {
    let mut payload = Vec::with_capacity(MOST_BYTES as usize);
    put_u64(&mut payload, number);
    payload.extend_from_slice(more);
    let mut bytes = Vec::with_capacity(MOST_BYTES as usize);
    put_u32(&mut bytes, crc32c(&payload));
    bytes.extend_from_slice(&payload);
    replace_file(disk, &dir.join(name), &[IoSlice::new(&bytes)])
}
