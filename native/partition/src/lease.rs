//! Who may act in a folder by its path. Work of a deleted partition may still run when its folder's name is given to a
//! successor; with its lease over, none of it reaches the successor's files.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock, Weak};

use ms_log::{DirEntry, DirLock, Disk, File, OpenMode, PageCache, Space};
use parking_lot::RwLock;

use crate::Partition;

/// A partition's right to the name of its folder. Once over it stays so.
pub(crate) struct Lease {
    pub group_id: u64,
    /// When it is over: where the folder is now, empty if it is not known to be anywhere.
    over: RwLock<Option<PathBuf>>,
    owner: OnceLock<Weak<Partition>>,
}

impl Lease {
    pub fn new(group_id: u64) -> Arc<Lease> {
        Arc::new(Lease { group_id, over: RwLock::new(None), owner: OnceLock::new() })
    }

    /// The partition that was opened with it.
    pub fn owner(&self) -> Option<Arc<Partition>> {
        self.owner.get()?.upgrade()
    }

    pub fn set_owner(&self, partition: &Arc<Partition>) {
        let _ = self.owner.set(Arc::downgrade(partition));
    }

    pub fn is_over(&self) -> bool {
        self.over.read().is_some()
    }

    /// When this returns no call by a path of the folder is under way, and none will be made.
    pub fn end(&self) {
        self.over.write().get_or_insert_default();
    }

    /// The folder of a lease that is over.
    pub fn folder(&self) -> PathBuf {
        self.over.read().clone().unwrap_or_default()
    }

    pub fn moved(&self, folder: &Path) {
        *self.over.write() = Some(folder.to_path_buf());
    }

    /// Does `work` unless the lease is over. A thread that waits to end it holds nobody up.
    fn during<R>(&self, work: impl FnOnce() -> io::Result<R>) -> io::Result<R> {
        let over = self.over.read_recursive();
        if over.is_some() { Err(io::ErrorKind::NotFound.into()) } else { work() }
    }
}

/// The disk as a log with a lease sees it: nothing is found once that is over. Files that are open stay what they are.
pub(crate) struct LeasedDisk {
    pub disk: Arc<dyn Disk>,
    pub lease: Arc<Lease>,
}

impl Disk for LeasedDisk {
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn File>> {
        self.lease.during(|| self.disk.open(path, mode))
    }

    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        self.lease.during(|| self.disk.create_dir_all(path))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.lease.during(|| self.disk.rename(from, to))
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.lease.during(|| self.disk.remove_file(path))
    }

    fn remove_dir_all(&self, path: &Path) -> io::Result<()> {
        self.lease.during(|| self.disk.remove_dir_all(path))
    }

    fn list_dir(&self, path: &Path) -> io::Result<Vec<DirEntry>> {
        self.lease.during(|| self.disk.list_dir(path))
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        // It may take long, and does no harm to another folder: it is not waited for.
        self.lease.during(|| Ok(()))?;
        self.disk.sync_dir(path)
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        self.lease.during(|| self.disk.exists(path))
    }

    fn space(&self, path: &Path) -> io::Result<Space> {
        self.disk.space(path)
    }

    fn lock_dir(&self, dir: &Path) -> io::Result<Box<dyn DirLock>> {
        self.disk.lock_dir(dir)
    }

    fn boot_id(&self) -> io::Result<[u8; 16]> {
        self.disk.boot_id()
    }

    fn page_cache(&self) -> Option<PageCache> {
        self.disk.page_cache()
    }
}
