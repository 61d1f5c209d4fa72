//! What can go wrong in a log, sorted by what the caller must do about it.

use std::io;
use std::path::PathBuf;
use thiserror::Error;

/// A log could not be made, opened or changed.
#[derive(Debug, Error)]
pub enum LogError {
    /// The disk refused. `NoSpace` heals when space returns, anything else takes the log directory off-line.
    #[error("{operation} {path}: {source}")]
    Io { operation: &'static str, path: PathBuf, source: io::Error },
    /// The folder belongs to another topic or group: a topic deleted and created again while this broker was down.
    #[error("{path} belongs to another topic or group")]
    WrongIdentity { path: PathBuf },
    /// A file is not what its name says, or of a newer format.
    #[error("{path}: {reason}")]
    Format { path: PathBuf, reason: &'static str },
    /// An index outside `first_index..=last_index`.
    #[error("raft index {index} is not in the log ({first}..={last})")]
    IndexOutOfRange { index: u64, first: u64, last: u64 },
    /// The frame lies behind damage in a sealed segment.
    #[error("segment {segment} is damaged from offset {offset} on")]
    Damaged { segment: u64, offset: u64 },
}

impl LogError {
    /// Whether a sync failed, of whatever: the pages may be gone, and the next sync says nothing of that.
    pub fn is_failed_sync(&self) -> bool {
        let LogError::Io { operation: "sync", source, .. } = self else { return false };
        // Not one that was not begun, for want of the file.
        source.kind() != io::ErrorKind::NotFound && !is_out_of_files(source)
    }

    /// Whether the disk is full, which heals when space returns.
    pub fn is_no_space(&self) -> bool {
        matches!(self, LogError::Io { source, .. } if is_no_space(source))
    }

    /// Whether no more files may be open: what needed one was not tried.
    pub fn is_out_of_files(&self) -> bool {
        matches!(self, LogError::Io { source, .. } if is_out_of_files(source))
    }
}

/// An append that failed. Nothing of it is in the log as far as the log knows.
#[derive(Debug, Error)]
#[error("append at {position} failed: {source}")]
pub struct AppendError {
    /// Why the write failed.
    pub source: io::Error,
    /// Position in the active segment before the write, to which the file was cut again.
    pub position: u32,
    /// Whether the file was cut back: the log can go on once Raft was built again from it. If not, the cut failed too
    /// and the partition stays off-line until it is opened again.
    pub usable: bool,
}

impl AppendError {
    /// Whether the disk is full, which heals when space returns.
    pub fn is_no_space(&self) -> bool {
        is_no_space(&self.source)
    }
}

/// A consumer's read that has no bytes to give.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum ReadError {
    /// Below the log start or above the log end: OFFSET_OUT_OF_RANGE.
    #[error("offset {offset} is outside {log_start}..={log_end}")]
    OutOfRange { offset: u64, log_start: u64, log_end: u64 },
    /// The offset lies in the damaged part of a segment: KAFKA_STORAGE_ERROR. Later segments stay readable.
    #[error("segment {segment} is damaged from offset {from_offset} on")]
    Damaged { segment: u64, from_offset: u64 },
}

/// Whether an error of the disk means that it is full, or that no more files may be open. Both heal.
pub fn is_no_space(error: &io::Error) -> bool {
    let is_full = matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded);
    is_full || is_out_of_files(error)
}

fn is_out_of_files(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE))
}

/// Adds what was tried, and on which path, to an error of the disk.
pub(crate) fn at(
    operation: &'static str,
    path: &std::path::Path,
) -> impl FnOnce(io::Error) -> LogError {
    let path = path.to_path_buf();
    move |source| LogError::Io { operation, path, source }
}
