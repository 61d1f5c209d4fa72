//! Snapshots of a state machine beside its log: the metadata group's.
//!
//! ```text
//! <offset, 20 digits>.checkpoint
//! 0 magic "MSSN" | 4 version u32 | 8 offset i64 | 16 length u64 | 24 crc u32 over 0..24 and the rest | 28 bytes
//! ```
//! The two newest are kept; the log below the older one is dropped, so that either can be loaded.

use std::io::{self, IoSlice};
use std::path::PathBuf;
use std::sync::Arc;

use ms_log::{read_all, replace_file};
use ms_wire::crc::crc32c;

use crate::partition::Partition;

const MAGIC: [u8; 4] = *b"MSSN";
const VERSION: u32 = 1;
const HEADER_BYTES: usize = 28;
const SUFFIX: &str = ".checkpoint";
/// The largest snapshot that is read.
const MAX_BYTES: u64 = 1 << 30;
const KEPT: usize = 2;

impl Partition {
    /// Writes the state machine's snapshot at `offset`, durably, and drops what the two newest make superfluous. Waits for
    /// the disk.
    pub fn write_snapshot(self: &Arc<Self>, offset: i64, bytes: &[u8]) -> io::Result<()> {
        if offset < 0 || bytes.len() as u64 > MAX_BYTES {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let header = header(offset, bytes);
        let path = self.snapshot_path(offset);
        let parts = [IoSlice::new(&header), IoSlice::new(bytes)];
        replace_file(self.env.disk.as_ref(), &path, &parts)?;
        let offsets = self.snapshot_offsets()?;
        for old in offsets.iter().rev().skip(KEPT) {
            self.env.disk.remove_file(&self.snapshot_path(*old))?;
        }
        if let Some(older) = offsets.iter().rev().nth(KEPT - 1) {
            self.drop_log_below(*older);
        }
        Ok(())
    }

    /// The newest snapshot that is whole, with its offset. Waits for the disk.
    pub fn read_snapshot(&self) -> io::Result<Option<(i64, Vec<u8>)>> {
        for offset in self.snapshot_offsets()?.into_iter().rev() {
            let limit = MAX_BYTES + HEADER_BYTES as u64;
            let file = read_all(self.env.disk.as_ref(), &self.snapshot_path(offset), limit)?;
            if let Some(bytes) = unpack(offset, file) {
                return Ok(Some((offset, bytes)));
            }
        }
        Ok(None)
    }

    fn drop_log_below(self: &Arc<Self>, offset: i64) {
        let now_ms = (self.env.now_ms)();
        self.locked(|shared| {
            if (self.log_start_offset() + 1..=self.high_watermark()).contains(&offset) {
                // Not to have dropped it costs only space; the next snapshot asks again.
                let _ = self.propose_log_start(shared, offset as u64, now_ms, None);
            }
        });
    }

    /// In ascending order.
    fn snapshot_offsets(&self) -> io::Result<Vec<i64>> {
        let entries = self.env.disk.list_dir(self.dir())?;
        let names = entries.iter().filter_map(|entry| entry.name.strip_suffix(SUFFIX));
        let mut offsets: Vec<i64> =
            names.filter(|name| name.len() == 20).filter_map(|name| name.parse().ok()).collect();
        offsets.sort_unstable();
        Ok(offsets)
    }

    fn snapshot_path(&self, offset: i64) -> PathBuf {
        self.dir().join(format!("{offset:020}{SUFFIX}"))
    }
}

fn header(offset: i64, bytes: &[u8]) -> [u8; HEADER_BYTES] {
    let mut header = [0; HEADER_BYTES];
    header[..4].copy_from_slice(&MAGIC);
    header[4..8].copy_from_slice(&VERSION.to_be_bytes());
    header[8..16].copy_from_slice(&offset.to_be_bytes());
    header[16..24].copy_from_slice(&(bytes.len() as u64).to_be_bytes());
    let crc = crc_of(&header, bytes);
    header[24..].copy_from_slice(&crc.to_be_bytes());
    header
}

/// Two CRCs in one: of the bytes, and of the header with the bytes' CRC behind it.
fn crc_of(header: &[u8; HEADER_BYTES], bytes: &[u8]) -> u32 {
    let mut both = [0; HEADER_BYTES];
    both[..24].copy_from_slice(&header[..24]);
    both[24..].copy_from_slice(&crc32c(bytes).to_be_bytes());
    crc32c(&both)
}

fn unpack(offset: i64, mut file: Vec<u8>) -> Option<Vec<u8>> {
    let stored = *file.first_chunk::<HEADER_BYTES>()?;
    let bytes = &file[HEADER_BYTES..];
    (stored == header(offset, bytes)).then(|| file.split_off(HEADER_BYTES))
}
