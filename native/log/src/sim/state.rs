//! What the simulated disk holds: the contents as processes see them, what is durable, and the changes in between.

use crate::disk::{DirEntry, OpenMode, PageCache};
use crate::pieces::LARGE;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io;
use std::path::{Component, Path, PathBuf};

pub(super) type FileId = u64;
pub(super) type DirId = u64;

/// What a planned failure does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The disk is full; nothing was done.
    NoSpace,
    /// The device failed; nothing was done.
    Io,
    /// The disk is full after half of a piece of a write; other calls fail as with `NoSpace`.
    ShortWrite,
    /// The process dies in this call, half of a piece of a write done: it and every later call fail until a crash method was
    /// called.
    Kill,
    /// As `Kill`, but nothing of the call was done: of a write, what came before the piece is there.
    KillBefore,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Node {
    File(FileId),
    Dir(DirId),
}

/// A change of a file since its last sync.
pub(super) enum Change {
    Write(u64, Vec<u8>),
    Truncate(u64),
}

/// A change of names in a folder since its last sync; a rename is one change of two names.
pub(super) type NameChange = Vec<(String, Option<Node>)>;

#[derive(Default)]
pub(super) struct FileState {
    pub data: Vec<u8>,
    pub durable: Vec<u8>,
    pub changes: Vec<Change>,
    /// Where space was reserved to, and of what ranges writeback was asked for.
    pub reserved: u64,
    pub started: Vec<(u64, u64)>,
    /// Syncs wait; syncs and writes fail.
    pub is_held: bool,
    pub is_failing: bool,
    /// What was written is gone, and only who asks the file is told.
    pub has_lost: bool,
    /// What the next sync should write is gone, and only reads still show it.
    pub is_losing: bool,
}

#[derive(Default)]
pub(super) struct DirState {
    pub names: BTreeMap<String, Node>,
    pub durable: BTreeMap<String, Node>,
    pub changes: Vec<NameChange>,
}

pub(super) struct State {
    pub files: HashMap<FileId, FileState>,
    pub dirs: HashMap<DirId, DirState>,
    pub locks: BTreeSet<PathBuf>,
    pub process: u64,
    pub boot: u64,
    pub calls: u64,
    pub planned: Vec<(u64, Fault)>,
    /// A write is made in pieces that end at multiples of it.
    pub piece_bytes: u64,
    pub full: bool,
    /// How many files have to go until it is not full any more.
    pub full_until: Option<usize>,
    /// No file can be opened.
    pub is_out_of_files: bool,
    pub page_cache: Option<PageCache>,
    dead: bool,
    short: bool,
    next_id: u64,
}

impl Default for State {
    fn default() -> Self {
        State {
            files: HashMap::new(),
            dirs: HashMap::from([(0, DirState::default())]),
            locks: BTreeSet::new(),
            process: 0,
            boot: 0,
            calls: 0,
            planned: Vec::new(),
            piece_bytes: LARGE,
            full: false,
            full_until: None,
            is_out_of_files: false,
            page_cache: None,
            dead: false,
            short: false,
            next_id: 1,
        }
    }
}

impl FileState {
    /// An error if the file's device is dying.
    pub fn check(&self) -> io::Result<()> {
        if self.is_failing || self.has_lost {
            Err(io::Error::from_raw_os_error(libc::EIO))
        } else {
            Ok(())
        }
    }

    pub fn write(&mut self, offset: u64, bytes: &[u8]) {
        apply_write(&mut self.data, offset, bytes);
        self.changes.push(Change::Write(offset, bytes.to_vec()));
    }

    pub fn truncate(&mut self, len: u64) {
        self.data.resize(len as usize, 0);
        self.reserved = len;
        self.changes.push(Change::Truncate(len));
    }

    /// Makes the changes durable, or loses them.
    pub fn sync(&mut self) -> io::Result<()> {
        let changes = std::mem::take(&mut self.changes);
        if std::mem::take(&mut self.is_losing) {
            return Err(io::Error::from_raw_os_error(libc::EIO));
        }
        changes.iter().for_each(|change| super::crash::apply(&mut self.durable, change));
        Ok(())
    }

    /// What is read is what is durable, and what waits for its sync. The length does not change.
    pub fn forget_cached(&mut self) {
        let len = self.data.len();
        self.data.clone_from(&self.durable);
        self.changes.iter().for_each(|change| super::crash::apply(&mut self.data, change));
        self.data.resize(len, 0);
    }

    pub fn read(&self, buf: &mut [u8], offset: u64) -> usize {
        let from = (offset as usize).min(self.data.len());
        let len = buf.len().min(self.data.len() - from);
        buf[..len].copy_from_slice(&self.data[from..from + len]);
        len
    }
}

impl DirState {
    fn sync(&mut self) {
        self.durable.clone_from(&self.names);
        self.changes.clear();
    }
}

pub(super) fn apply_write(data: &mut Vec<u8>, offset: u64, bytes: &[u8]) {
    let from = offset as usize;
    if data.len() < from + bytes.len() {
        data.resize(from + bytes.len(), 0);
    }
    data[from..from + bytes.len()].copy_from_slice(bytes);
}

impl State {
    /// Counts a call and says whether it fails. `writes`: whether it needs space.
    pub fn begin(&mut self, writes: bool) -> io::Result<()> {
        let number = self.calls;
        self.calls += 1;
        self.short = false;
        if self.dead {
            return Err(io::Error::other("the process is dead"));
        }
        if let Some(place) = self.planned.iter().position(|(at, _)| *at == number) {
            let (_, fault) = self.planned.swap_remove(place);
            self.short = matches!(fault, Fault::ShortWrite | Fault::Kill);
            self.dead = matches!(fault, Fault::Kill | Fault::KillBefore);
            return Err(match fault {
                Fault::NoSpace | Fault::ShortWrite => io::ErrorKind::StorageFull.into(),
                Fault::Io => io::Error::from_raw_os_error(libc::EIO),
                Fault::Kill | Fault::KillBefore => io::Error::other("the process is dead"),
            });
        }
        if writes && self.full { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }

    /// An error if no file or folder can be opened.
    pub fn check_files(&self) -> io::Result<()> {
        let emfile = || io::Error::from_raw_os_error(libc::EMFILE);
        if self.is_out_of_files { Err(emfile()) } else { Ok(()) }
    }

    /// How much of a failed piece of `len` bytes reached the file.
    pub fn short_write(&self, len: usize) -> usize {
        if self.short { len / 2 } else { 0 }
    }

    pub fn new_process(&mut self) {
        self.process += 1;
        self.dead = false;
        self.locks.clear();
    }

    pub fn file(&mut self, id: FileId) -> &mut FileState {
        self.files.entry(id).or_default()
    }

    pub fn open(&mut self, path: &Path, mode: OpenMode) -> io::Result<FileId> {
        match (self.find(path), mode) {
            (Ok(Node::Dir(_)), _) => Err(io::ErrorKind::IsADirectory.into()),
            (Ok(Node::File(_)), OpenMode::CreateNew) => Err(io::ErrorKind::AlreadyExists.into()),
            (Ok(Node::File(id)), _) => Ok(id),
            (Err(_), OpenMode::Create | OpenMode::CreateNew) => {
                let id = self.new_id();
                self.files.insert(id, FileState::default());
                let (dir, name) = self.parent(path)?;
                self.change(dir, vec![(name, Some(Node::File(id)))]);
                Ok(id)
            }
            (Err(error), _) => Err(error),
        }
    }

    pub fn create_dir_all(&mut self, path: &Path) -> io::Result<()> {
        let mut dir = 0;
        for name in names(path) {
            dir = match self.dirs[&dir].names.get(&name) {
                Some(Node::Dir(id)) => *id,
                Some(Node::File(_)) => return Err(io::ErrorKind::NotADirectory.into()),
                None => {
                    let id = self.new_id();
                    self.dirs.insert(id, DirState::default());
                    self.change(dir, vec![(name, Some(Node::Dir(id)))]);
                    id
                }
            };
        }
        Ok(())
    }

    pub fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        let node = self.find(from)?;
        let (from_dir, from_name) = self.parent(from)?;
        let (to_dir, to_name) = self.parent(to)?;
        if from_dir != to_dir {
            return Err(io::ErrorKind::CrossesDevices.into());
        }
        self.change(from_dir, vec![(from_name, None), (to_name, Some(node))]);
        Ok(())
    }

    pub fn unlink(&mut self, path: &Path) -> io::Result<()> {
        let (dir, name) = self.parent(path)?;
        self.change(dir, vec![(name, None)]);
        self.full_until = self.full_until.map(|files| files.saturating_sub(1));
        if self.full_until == Some(0) {
            (self.full, self.full_until) = (false, None);
        }
        Ok(())
    }

    pub fn list(&self, path: &Path) -> io::Result<Vec<DirEntry>> {
        let dir = self.find_dir(path)?;
        let entry = |(name, node): (&String, &Node)| DirEntry {
            name: name.clone(),
            is_dir: matches!(node, Node::Dir(_)),
        };
        Ok(self.dirs[&dir].names.iter().map(entry).collect())
    }

    pub fn sync_dir(&mut self, path: &Path) -> io::Result<()> {
        let id = self.find_dir(path)?;
        if let Some(dir) = self.dirs.get_mut(&id) {
            dir.sync();
        }
        Ok(())
    }

    pub fn sync_all(&mut self) -> io::Result<()> {
        let mut outcome = Ok(());
        for file in self.files.values_mut().filter(|file| !file.has_lost) {
            file.check()?;
            outcome = outcome.and(file.sync());
        }
        for dir in self.dirs.values_mut() {
            dir.sync();
        }
        outcome
    }

    pub fn find(&self, path: &Path) -> io::Result<Node> {
        let mut node = Node::Dir(0);
        for name in names(path) {
            let Node::Dir(dir) = node else { return Err(io::ErrorKind::NotADirectory.into()) };
            node = *self.dirs[&dir].names.get(&name).ok_or(io::ErrorKind::NotFound)?;
        }
        Ok(node)
    }

    fn find_dir(&self, path: &Path) -> io::Result<DirId> {
        match self.find(path)? {
            Node::Dir(id) => Ok(id),
            Node::File(_) => Err(io::ErrorKind::NotADirectory.into()),
        }
    }

    fn parent(&self, path: &Path) -> io::Result<(DirId, String)> {
        let dir = self.find_dir(path.parent().unwrap_or(Path::new("")))?;
        let name = names(path).last().ok_or(io::ErrorKind::InvalidInput)?;
        Ok((dir, name))
    }

    fn change(&mut self, dir: DirId, change: NameChange) {
        if let Some(dir) = self.dirs.get_mut(&dir) {
            super::crash::apply_names(&mut dir.names, &change);
            dir.changes.push(change);
        }
    }

    fn new_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }
}

fn names(path: &Path) -> impl Iterator<Item = String> + '_ {
    path.components().filter_map(|part| match part {
        Component::Normal(name) => Some(name.to_string_lossy().into_owned()),
        _ => None,
    })
}
