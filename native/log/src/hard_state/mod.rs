//! The hard-state log of a log directory: terms, votes and configurations of all its groups, which nothing in the Produce
//! path writes.

mod record;
mod states;

use crate::disk::{Disk, File, OpenMode, put_in_place, read_exact_at, replace_file, write_beside};
use crate::error::is_no_space;
use parking_lot::Mutex;
use record::Line;
use states::{NO_BOOT, States};
use std::io::{self, IoSlice};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

const NAME: &str = "hard-state.log";
/// While this file is there, what the page cache holds of the log directory may never reach the disk.
const FAILED_NAME: &str = "sync-failed";
/// Beyond this size the last states are written to a new file.
const COMPACT_BYTES: u64 = 64 << 20;
/// Space kept for the times when the disk is full.
const RESERVE_BYTES: u64 = 64 << 20;
/// A larger file is none of ours.
const MAX_BYTES: u64 = 1 << 30;

/// Raft's hard state of one group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HardState {
    pub term: u64,
    /// Node voted for in `term`, 0 = none.
    pub vote: u64,
    pub commit: u64,
}

/// A configuration and the index from which it holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConfState {
    pub index: u64,
    pub voters: Vec<u64>,
    pub learners: Vec<u64>,
    pub voters_outgoing: Vec<u64>,
    pub learners_next: Vec<u64>,
    pub auto_leave: bool,
}

/// What the log knows of one group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupState {
    pub hard_state: HardState,
    pub conf_state: ConfState,
    /// Created here as a voter, with the topic's id.
    pub created: Option<[u8; 16]>,
    pub quarantined: bool,
    /// Opened for writing since the last clean stop.
    pub opened: bool,
    /// The system died, and the log was not opened since: nothing that was not synced need be there, although this may be
    /// the boot of the process before.
    pub unchecked: bool,
    pub removed: bool,
}

/// A record to append.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    HardState(HardState),
    ConfState(ConfState),
    Created { topic_id: [u8; 16] },
    Quarantined,
    Released,
    Opened,
    Removed,
}

/// How the last process ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastStop {
    /// The clean-stop mark was the last record, or there was no log yet.
    pub clean: bool,
    /// The operating system has not been restarted since.
    pub same_boot: bool,
    /// Bytes cut behind the last good record.
    pub cut_bytes: u64,
    /// Where they were copied to.
    pub cut_copy: PathBuf,
    /// What was cut was durable, not the end of a write: good records follow a bad one as no loss of power leaves them.
    pub is_damaged: bool,
}

impl LastStop {
    /// Nothing that was written can be lost: what `OpenLog::same_boot` asks for, of groups that are not unchecked.
    pub fn lost_nothing(&self) -> bool {
        self.clean || self.same_boot
    }
}

/// The log. Its one lock that others may meet covers an append to, or a swap of, its buffer, never a write.
pub struct HardStateLog {
    disk: Arc<dyn Disk>,
    path: PathBuf,
    incarnation: u64,
    shared: Mutex<Shared>,
    writer: Mutex<Writer>,
    synced: AtomicU64,
}

#[derive(Default)]
struct Shared {
    buffer: Vec<u8>,
    /// Records appended so far.
    sequence: u64,
    states: States,
}

struct Writer {
    file: Arc<dyn File>,
    position: u64,
    /// Taken from the buffer, not yet written: a full disk keeps it for the next attempt.
    pending: Vec<u8>,
    /// Number of the last record in `pending` or in the file.
    sequence: u64,
    /// Written, but not yet synced.
    dirty: bool,
    /// A sync or a cut failed: what the file holds is not known any more.
    broken: bool,
}

impl HardStateLog {
    /// Opens or creates the log, cuts it at the first bad record (durably), raises the incarnation and writes it with the
    /// boot id, durably. Waits for the disk.
    pub fn open(disk: Arc<dyn Disk>, log_dir: &Path) -> io::Result<(HardStateLog, LastStop)> {
        let path = log_dir.join(NAME);
        let boot_id = disk.boot_id()?;
        let failed = log_dir.join(FAILED_NAME);
        let has_failed = disk.exists(&failed)?;
        if has_failed {
            // All that the disk still takes; of the rest the page cache lets go where it is read.
            let _ = disk.sync_all(log_dir);
        }
        let file = disk.open(&path, OpenMode::Create)?;
        let replayed = replay(file.as_ref())?;
        let cut_bytes = replayed.len - replayed.good;
        let (mut is_damaged, mut cut_copy) = (false, PathBuf::new());
        if cut_bytes > 0 {
            let mut cut = vec![0; cut_bytes as usize];
            read_exact_at(file.as_ref(), &mut cut, replayed.good)?;
            is_damaged = replayed.states.is_damage(&cut, boot_id);
            cut_copy = copy_path(disk.as_ref(), log_dir, is_damaged)?;
            replace_file(disk.as_ref(), &cut_copy, &[IoSlice::new(&cut)])?;
            file.truncate(replayed.good)?;
        }
        // Of the cut too: a later record must not be found behind what was cut.
        file.sync_data().inspect_err(|_| note_failure(disk.as_ref(), &failed))?;
        disk.sync_dir(log_dir)?;
        // Space for the times when the disk is full; a file system that has none now is met by the first write.
        let _ = file.allocate(0, RESERVE_BYTES);
        let Replayed { states, good, .. } = replayed;
        let first_start = states.incarnation == 0 && !is_damaged;
        let incarnation = states.incarnation.checked_add(1).ok_or(io::ErrorKind::InvalidData)?;
        let last = LastStop {
            clean: (states.is_stopped && !is_damaged || first_start) && !has_failed,
            same_boot: (states.boot_id == boot_id || first_start) && !has_failed,
            cut_bytes,
            cut_copy,
            is_damaged,
        };
        let log = HardStateLog {
            disk,
            path,
            incarnation,
            shared: Mutex::new(Shared { states, ..Shared::default() }),
            writer: Mutex::new(Writer {
                file,
                position: good,
                pending: Vec::new(),
                sequence: 0,
                dirty: false,
                broken: false,
            }),
            synced: AtomicU64::new(0),
        };
        if (last.is_damaged || has_failed) && !last.same_boot {
            // As if the system had died: nobody knows what was opened behind the last stop, or what of it is on the disk.
            log.append_line(&Line::Start { incarnation, boot_id: NO_BOOT });
        }
        log.append_line(&Line::Start { incarnation, boot_id });
        if has_failed {
            log.write_anew(&failed)?;
        }
        log.sync(true)?;
        Ok((log, last))
    }

    /// What the page cache holds of the log itself is made durable, in a file that no sync failed of. On a full disk the next
    /// start does.
    fn write_anew(&self, failed: &Path) -> io::Result<()> {
        match self.compact(&mut self.writer.lock()) {
            Err(error) if is_no_space(&error) => Ok(()),
            // If its removal is lost, so is what it is about.
            Ok(()) => self.disk.remove_file(failed),
            error => error,
        }
    }

    /// Number of this start, never seen before.
    pub fn incarnation(&self) -> u64 {
        self.incarnation
    }

    /// The last state of a group.
    pub fn group(&self, group_id: u64) -> Option<GroupState> {
        self.shared.lock().states.groups.get(&group_id).cloned()
    }

    /// Every group known, removed ones included.
    pub fn groups(&self) -> Vec<(u64, GroupState)> {
        let shared = self.shared.lock();
        shared.states.groups.iter().map(|(&id, state)| (id, state.clone())).collect()
    }

    /// Puts a record into the buffer; returns the sequence number that `sync` must reach before what depends on it may
    /// leave. Never waits for the disk.
    pub fn append(&self, group_id: u64, record: &Record) -> u64 {
        self.append_line(&Line::Group(group_id, record.clone()))
    }

    /// Notes for the next start that something could not be made durable: it must not believe what the page cache holds. Needs
    /// no sync, as what dies with the page cache is not believed anyway; a disk that does not take it cannot be helped.
    pub fn note_failure(&self) {
        note_failure(self.disk.as_ref(), &self.path.with_file_name(FAILED_NAME));
    }

    fn append_line(&self, line: &Line) -> u64 {
        let mut shared = self.shared.lock();
        record::put(&mut shared.buffer, line);
        shared.states.apply(line);
        shared.sequence += 1;
        shared.sequence
    }

    /// Writes the buffer, and syncs it if `durable`; returns the sequence number reached. One thread at a time writes (the
    /// flusher), others wait for it here. Compacts beyond 64 MiB. After an error that is not a full disk the log directory
    /// is off-line.
    pub fn sync(&self, durable: bool) -> io::Result<u64> {
        let mut writer = self.writer.lock();
        if writer.broken {
            return Err(io::Error::other("an earlier write of the hard-state log failed"));
        }
        if writer.position > COMPACT_BYTES {
            self.compact(&mut writer)?;
        }
        {
            let mut shared = self.shared.lock();
            writer.pending.append(&mut shared.buffer);
            writer.sequence = shared.sequence;
        }
        writer.write_pending()?;
        if durable && writer.dirty {
            writer.broken = true;
            writer.file.sync_data().inspect_err(|_| self.note_failure())?;
            (writer.broken, writer.dirty) = (false, false);
        }
        if !writer.dirty {
            self.synced.store(writer.sequence, Ordering::Release);
        }
        Ok(writer.sequence)
    }

    /// Everything at or below is durable.
    pub fn synced(&self) -> u64 {
        self.synced.load(Ordering::Acquire)
    }

    /// Writes the clean-stop mark as the last record, durably.
    pub fn stop(&self) -> io::Result<()> {
        self.append_line(&Line::Stop);
        self.sync(true).map(|_| ())
    }

    /// Writes the last states alone into a new file that takes the place of the old one.
    fn compact(&self, writer: &mut Writer) -> io::Result<()> {
        let mut bytes = Vec::new();
        let sequence = {
            let mut shared = self.shared.lock();
            shared.states.forget_removed();
            shared.states.put(&mut bytes);
            // What was appended and not yet written is among the states.
            writer.pending.append(&mut shared.buffer);
            shared.sequence
        };
        writer.broken = true;
        let (disk, path) = (self.disk.as_ref(), &self.path);
        let written = write_beside(disk, path, &[IoSlice::new(&bytes)]);
        let temporary = written.map_err(|error| writer.failed(error))?;
        // The old file may have no name any more: without a handle of the new one the next attempt compacts again.
        writer.position = COMPACT_BYTES + 1;
        put_in_place(disk, &temporary, path).map_err(|error| writer.failed(error))?;
        writer.pending.clear();
        writer.broken = false;
        writer.file = disk.open(path, OpenMode::Write)?;
        writer.dirty = false;
        writer.position = bytes.len() as u64;
        writer.sequence = sequence;
        let _ = writer.file.allocate(0, RESERVE_BYTES);
        Ok(())
    }
}

impl Writer {
    /// A full disk heals: the next attempt is made from the states, which hold everything.
    fn failed(&mut self, error: io::Error) -> io::Error {
        self.broken = !is_no_space(&error);
        error
    }

    fn write_pending(&mut self) -> io::Result<()> {
        if self.pending.is_empty() {
            return Ok(());
        }
        self.dirty = true;
        if let Err(error) =
            self.file.write_vectored_at(&[IoSlice::new(&self.pending)], self.position)
        {
            // A full disk heals: the same bytes go to the same place again.
            self.broken = !is_no_space(&error) || self.file.truncate(self.position).is_err();
            return Err(error);
        }
        self.position += self.pending.len() as u64;
        self.pending.clear();
        Ok(())
    }
}

/// What a file said.
#[derive(Default)]
struct Replayed {
    states: States,
    good: u64,
    len: u64,
}

fn replay(file: &dyn File) -> io::Result<Replayed> {
    let len = file.len()?;
    if len > MAX_BYTES {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    let mut bytes = vec![0; len as usize];
    read_exact_at(file, &mut bytes, 0)?;
    let mut found = Replayed { len, ..Replayed::default() };
    let mut rest = bytes.as_slice();
    while let Some((line, size)) = record::parse(rest) {
        found.states.apply(&line);
        found.good += size as u64;
        rest = &rest[size..];
    }
    Ok(found)
}

fn note_failure(disk: &dyn Disk, failed: &Path) {
    let _ = disk.open(failed, OpenMode::Create);
}

/// Where a start copies what it cuts off. What was damaged is kept whatever later starts cut.
fn copy_path(disk: &dyn Disk, log_dir: &Path, is_damaged: bool) -> io::Result<PathBuf> {
    let log = log_dir.join(NAME);
    if !is_damaged {
        return Ok(log.with_extension("log.cut"));
    }
    let mut number = 0;
    loop {
        let path = log.with_extension(format!("log.damaged{number}"));
        if !disk.exists(&path)? {
            return Ok(path);
        }
        number += 1;
    }
}

#[cfg(test)]
mod tests;
