//! A disk in memory, driven by a seed: what was not synced may be lost, torn or reach the disk in any order, names too, and
//! any single call can be made to fail.

mod crash;
mod front;
mod state;

use crate::disk::{DirEntry, DirLock, Disk, File, OpenMode, PageCache, Space};
use crate::pieces::Pieces;
pub use front::{DiskFront, FileCall, FileFront, FrontedDisk, FrontedFile};
use parking_lot::{Condvar, Mutex};
pub use state::Fault;
use state::{FileId, FileState, Node, State};
use std::io::{self, IoSlice};
use std::os::fd::RawFd;
use std::path::Path;
use std::sync::Arc;

/// A disk in memory. Clones are the same disk.
#[derive(Clone, Default)]
pub struct SimDisk {
    state: Arc<Mutex<State>>,
    released: Arc<Condvar>,
}

struct SimFile {
    state: Arc<Mutex<State>>,
    released: Arc<Condvar>,
    id: FileId,
    /// Handles of a process that died are of no use to the next one.
    process: u64,
}

struct SimLock {
    state: Arc<Mutex<State>>,
    path: std::path::PathBuf,
    process: u64,
}

impl DirLock for SimLock {}

impl Drop for SimLock {
    fn drop(&mut self) {
        let mut state = self.state.lock();
        if state.process == self.process {
            state.locks.remove(&self.path);
        }
    }
}

impl SimDisk {
    /// An empty disk.
    pub fn new() -> SimDisk {
        SimDisk::default()
    }

    /// The process dies: what was written stays, open handles fail from now on.
    pub fn crash_process(&self) {
        self.state.lock().new_process();
    }

    /// The operating system dies: of what was not synced, each page and each name reaches the disk or not, by `seed`.
    /// Pages are 64 or 4096 bytes.
    pub fn crash(&self, seed: u64) {
        let mut state = self.state.lock();
        crash::lose_unsynced(&mut state, seed);
        state.new_process();
        state.boot += 1;
    }

    /// From now on a write is made in pieces that end at multiples of so many bytes of the file, each a call of its own: by
    /// the rule of the real disk, at whose size they end otherwise.
    pub fn set_piece_bytes(&self, bytes: u64) {
        assert!(bytes > 0, "a piece of nothing");
        self.state.lock().piece_bytes = bytes;
    }

    /// Calls made so far, every method of disk and files counted, and every piece of a write.
    pub fn calls(&self) -> u64 {
        self.state.lock().calls
    }

    /// The call with this number (from `calls()` on) fails once, whichever process makes it; others may be planned too.
    pub fn fail_call(&self, number: u64, fault: Fault) {
        self.state.lock().planned.push((number, fault));
    }

    /// No planned fault happens any more.
    pub fn fail_no_call(&self) {
        self.state.lock().planned.clear();
    }

    /// Whether every planned fault has happened.
    pub fn has_failed(&self) -> bool {
        self.state.lock().planned.is_empty()
    }

    /// From now on the disk is full, or has space again.
    pub fn set_full(&self, full: bool) {
        self.state.lock().full = full;
    }

    /// The disk is full until so many files were removed.
    pub fn set_full_until_removed(&self, files: usize) {
        let mut state = self.state.lock();
        (state.full, state.full_until) = (true, Some(files));
    }

    /// From now on no file or folder can be opened, as if the process had too many of them, or they can again.
    pub fn set_out_of_files(&self, is_out: bool) {
        self.state.lock().is_out_of_files = is_out;
    }

    /// What the page cache holds from now on; nobody knows until this is called.
    pub fn set_page_cache(&self, cache: PageCache) {
        self.state.lock().page_cache = Some(cache);
    }

    /// Every write and sync of the file fails from now on, as on a device that is dying.
    pub fn break_file(&self, path: &Path) {
        self.on_file(path, |file| file.is_failing = true);
    }

    /// The writeback of what was written to the file fails, of which nobody hears who does not ask the file.
    pub fn fail_writeback(&self, path: &Path) {
        self.on_file(path, |file| file.has_lost = true);
    }

    /// The next sync of the file fails, and what it had to write is gone: reads show it until the page cache has let go of it.
    pub fn lose_on_sync(&self, path: &Path) {
        self.on_file(path, |file| file.is_losing = true);
    }

    /// Syncs and writebacks of the file wait until it is released, as on a device that is slow.
    pub fn hold(&self, path: &Path) {
        self.on_file(path, |file| file.is_held = true);
    }

    /// They go on.
    pub fn release(&self, path: &Path) {
        self.on_file(path, |file| file.is_held = false);
        self.released.notify_all();
    }

    /// Whether something of the file would be lost by a crash of the system.
    pub fn is_unsynced(&self, path: &Path) -> bool {
        self.on_file(path, |file| !file.changes.is_empty())
    }

    fn on_file<T>(&self, path: &Path, work: impl FnOnce(&mut FileState) -> T) -> T {
        let mut state = self.state.lock();
        let Ok(Node::File(id)) = state.find(path) else { panic!("no file {}", path.display()) };
        work(state.file(id))
    }

    /// Up to where space is taken for a file, and the (offset, length) of each writeback that was asked for.
    pub fn tended(&self, path: &Path) -> (u64, Vec<(u64, u64)>) {
        self.on_file(path, |file| (file.reserved.max(file.data.len() as u64), file.started.clone()))
    }

    /// Changes bytes of a file as a dying disk does: durably and unnoticed.
    pub fn corrupt(&self, path: &Path, position: u64, change: impl FnOnce(&mut [u8])) {
        let mut state = self.state.lock();
        if let Ok(Node::File(id)) = state.find(path) {
            let file = state.file(id);
            let from = (position as usize).min(file.data.len());
            change(&mut file.data[from..]);
            file.changes.clear();
            file.durable = file.data.clone();
        }
    }
}

impl Disk for SimDisk {
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn File>> {
        let mut state = self.state.lock();
        state.begin(mode != OpenMode::Read && mode != OpenMode::Write)?;
        state.check_files()?;
        let id = state.open(path, mode)?;
        let process = state.process;
        let (state, released) = (self.state.clone(), self.released.clone());
        Ok(Arc::new(SimFile { state, released, id, process }))
    }

    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        let mut state = self.state.lock();
        state.begin(true)?;
        state.create_dir_all(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.state.lock();
        state.begin(false)?;
        state.rename(from, to)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        let mut state = self.state.lock();
        state.begin(false)?;
        match state.find(path)? {
            Node::File(_) => state.unlink(path),
            Node::Dir(_) => Err(io::ErrorKind::IsADirectory.into()),
        }
    }

    fn remove_dir_all(&self, path: &Path) -> io::Result<()> {
        let mut state = self.state.lock();
        state.begin(false)?;
        match state.find(path)? {
            Node::Dir(_) => state.unlink(path),
            Node::File(_) => Err(io::ErrorKind::NotADirectory.into()),
        }
    }

    fn list_dir(&self, path: &Path) -> io::Result<Vec<DirEntry>> {
        let mut state = self.state.lock();
        state.begin(false)?;
        state.list(path)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        let mut state = self.state.lock();
        state.begin(false)?;
        state.check_files()?;
        state.sync_dir(path)
    }

    fn sync_all(&self, _path: &Path) -> io::Result<()> {
        let mut state = self.state.lock();
        state.begin(false)?;
        state.sync_all()
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        let mut state = self.state.lock();
        state.begin(false)?;
        Ok(state.find(path).is_ok())
    }

    fn space(&self, _path: &Path) -> io::Result<Space> {
        let mut state = self.state.lock();
        state.begin(false)?;
        Ok(Space { available: if state.full { 0 } else { 1 << 40 }, total: 1 << 40 })
    }

    fn lock_dir(&self, dir: &Path) -> io::Result<Box<dyn DirLock>> {
        let mut state = self.state.lock();
        state.begin(false)?;
        if !state.locks.insert(dir.to_path_buf()) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let process = state.process;
        Ok(Box::new(SimLock { state: self.state.clone(), path: dir.to_path_buf(), process }))
    }

    fn boot_id(&self) -> io::Result<[u8; 16]> {
        let mut state = self.state.lock();
        state.begin(false)?;
        Ok(u128::from(state.boot + 1).to_be_bytes())
    }

    fn page_cache(&self) -> Option<PageCache> {
        self.state.lock().page_cache
    }
}

impl SimFile {
    fn with<T>(
        &self,
        writes: bool,
        work: impl FnOnce(&mut State) -> io::Result<T>,
    ) -> io::Result<T> {
        let mut state = self.state.lock();
        if state.process != self.process {
            return Err(io::Error::other("handle of a process that died"));
        }
        state.begin(writes)?;
        work(&mut state)
    }

    fn write_piece(&self, piece: &[IoSlice<'_>], at: u64) -> io::Result<usize> {
        let bytes: Vec<u8> = piece.iter().flat_map(|part| part.iter().copied()).collect();
        let mut state = self.state.lock();
        if state.process != self.process {
            return Err(io::Error::other("handle of a process that died"));
        }
        match state.begin(true).and_then(|()| state.file(self.id).check()) {
            Ok(()) => state.file(self.id).write(at, &bytes),
            Err(error) => {
                // What a failing write leaves behind is a prefix.
                let some = state.short_write(bytes.len());
                if some > 0 {
                    state.file(self.id).write(at, &bytes[..some]);
                }
                return Err(error);
            }
        }
        Ok(bytes.len())
    }

    fn wait_while_held(&self) {
        let mut state = self.state.lock();
        while state.file(self.id).is_held {
            self.released.wait(&mut state);
        }
    }
}

impl File for SimFile {
    fn write_vectored_at(&self, parts: &[IoSlice<'_>], offset: u64) -> io::Result<()> {
        let pieces = Pieces::of(self.state.lock().piece_bytes);
        pieces.write_all(parts, offset, |piece, at| self.write_piece(piece, at))
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        self.with(false, |state| Ok(state.file(self.id).read(buf, offset)))
    }

    fn read_cached_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        self.read_at(buf, offset)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.wait_while_held();
        self.with(false, |state| {
            state.file(self.id).check()?;
            state.file(self.id).sync()
        })
    }

    fn check_written(&self) -> io::Result<()> {
        self.with(false, |state| state.file(self.id).check())
    }

    fn truncate(&self, len: u64) -> io::Result<()> {
        self.with(false, |state| {
            state.file(self.id).truncate(len);
            Ok(())
        })
    }

    fn len(&self) -> io::Result<u64> {
        self.with(false, |state| Ok(state.file(self.id).data.len() as u64))
    }

    fn modified_ms(&self) -> io::Result<i64> {
        self.with(false, |_| Ok(0))
    }

    fn allocate(&self, offset: u64, len: u64) -> io::Result<()> {
        self.with(true, |state| {
            state.file(self.id).reserved = offset + len;
            Ok(())
        })
    }

    fn start_writeback(&self, offset: u64, len: u64) -> io::Result<()> {
        self.wait_while_held();
        self.with(false, |state| {
            state.file(self.id).started.push((offset, len));
            Ok(())
        })
    }

    fn write_back(&self, offset: u64, len: u64) -> io::Result<()> {
        self.start_writeback(offset, len)?;
        self.check_written()
    }

    fn forget_cached(&self) -> io::Result<()> {
        self.with(false, |state| {
            state.file(self.id).forget_cached();
            Ok(())
        })
    }

    fn raw_fd(&self) -> Option<RawFd> {
        None
    }
}

#[cfg(test)]
mod tests;
