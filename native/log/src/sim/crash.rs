//! What is left after the operating system died: each page holds any of its versions since the last sync, the length is that
//! after any of the changes, each change of names happened or not.

use super::state::{Change, FileState, NameChange, Node, State, apply_write};
use std::collections::BTreeMap;

/// A small generator of its own, so that a seed means the same everywhere.
pub(super) struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below `n`.
    pub fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % n.max(1)
    }
}

/// How the unsynced changes of one crash are lost.
#[derive(Clone, Copy)]
enum Loss {
    /// Everything after some change is gone.
    Suffix,
    /// Pages of this size were written back in any order.
    Pages(usize),
    /// All of it happened to reach the disk.
    Nothing,
}

pub(super) fn lose_unsynced(state: &mut State, seed: u64) {
    let mut random = Random::new(seed);
    let loss = match random.below(8) {
        0 => Loss::Nothing,
        1 | 2 => Loss::Suffix,
        3 | 4 => Loss::Pages(4096),
        _ => Loss::Pages(64),
    };
    // In order of their ids: the order of a hash map would not follow the seed.
    let mut files: Vec<_> = state.files.keys().copied().collect();
    files.sort_unstable();
    for id in files {
        let file = state.file(id);
        let left = contents_after(file, loss, &mut random);
        *file = FileState { durable: left.clone(), data: left, ..FileState::default() };
    }
    let mut dirs: Vec<_> = state.dirs.keys().copied().collect();
    dirs.sort_unstable();
    for id in dirs {
        let Some(dir) = state.dirs.get_mut(&id) else { continue };
        let mut names = dir.durable.clone();
        for change in std::mem::take(&mut dir.changes) {
            if matches!(loss, Loss::Nothing) || random.below(2) == 0 {
                apply_names(&mut names, &change);
            }
        }
        dir.durable.clone_from(&names);
        dir.names = names;
    }
}

pub(super) fn apply_names(names: &mut BTreeMap<String, Node>, change: &NameChange) {
    for (name, node) in change {
        match node {
            Some(node) => names.insert(name.clone(), *node),
            None => names.remove(name),
        };
    }
}

fn contents_after(file: &FileState, loss: Loss, random: &mut Random) -> Vec<u8> {
    let changes = file.changes.len() as u64;
    match loss {
        Loss::Nothing => after(file, file.changes.len()),
        Loss::Suffix => after(file, random.below(changes + 1) as usize),
        Loss::Pages(size) => {
            let mut left = vec![0; after(file, random.below(changes + 1) as usize).len()];
            // Versions are made once each, not once a page.
            let versions = versions(file);
            for (number, page) in left.chunks_mut(size).enumerate() {
                let version = &versions[random.below(versions.len() as u64) as usize];
                let from = (number * size).min(version.len());
                let len = page.len().min(version.len() - from);
                page[..len].copy_from_slice(&version[from..from + len]);
            }
            left
        }
    }
}

/// The file after its first `count` unsynced changes.
fn after(file: &FileState, count: usize) -> Vec<u8> {
    let mut data = file.durable.clone();
    for change in &file.changes[..count] {
        apply(&mut data, change);
    }
    data
}

/// Some of the versions a page may have: durable, newest, and up to six in between.
fn versions(file: &FileState) -> Vec<Vec<u8>> {
    let step = (file.changes.len() / 6).max(1);
    let mut data = file.durable.clone();
    let mut versions = vec![data.clone()];
    for (number, change) in file.changes.iter().enumerate() {
        apply(&mut data, change);
        if (number + 1) % step == 0 {
            versions.push(data.clone());
        }
    }
    versions.push(data);
    versions
}

pub(super) fn apply(data: &mut Vec<u8>, change: &Change) {
    match change {
        Change::Write(offset, bytes) => apply_write(data, *offset, bytes),
        Change::Truncate(len) => data.resize(*len as usize, 0),
    }
}
