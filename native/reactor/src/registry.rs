//! The hosted partitions by handle.

use std::sync::Arc;

use ms_partition::{Handle, Partition};
use parking_lot::RwLock;

/// Handles are given out when a partition is opened, and used again in another generation after it is gone.
#[derive(Default)]
pub struct Registry {
    entries: RwLock<Entries>,
}

#[derive(Default)]
struct Entries {
    all: Vec<Entry>,
    free: Vec<u32>,
}

#[derive(Default)]
struct Entry {
    generation: u32,
    partition: Option<Arc<Partition>>,
}

impl Registry {
    /// A handle for a partition that is about to be opened.
    pub fn reserve(&self) -> Handle {
        let mut entries = self.entries.write();
        let index = entries.free.pop().unwrap_or_else(|| {
            entries.all.push(Entry::default());
            entries.all.len() as u32 - 1
        });
        let entry = &mut entries.all[index as usize];
        entry.generation = entry.generation.wrapping_add(1);
        Handle { index, generation: entry.generation }
    }

    /// The reserved handle means this partition from now on.
    pub fn insert(&self, handle: Handle, partition: Arc<Partition>) {
        if let Some(entry) = self.entries.write().all.get_mut(handle.index as usize)
            && entry.generation == handle.generation
        {
            entry.partition = Some(partition);
        }
    }

    /// The handle means nothing any more.
    pub fn release(&self, handle: Handle) {
        let mut entries = self.entries.write();
        if let Some(entry) = entries.all.get_mut(handle.index as usize)
            && entry.generation == handle.generation
        {
            entry.partition = None;
            entry.generation = entry.generation.wrapping_add(1);
            entries.free.push(handle.index);
        }
    }

    /// `None` for a stale handle.
    pub fn get(&self, handle: Handle) -> Option<Arc<Partition>> {
        let entries = self.entries.read();
        let entry = entries.all.get(handle.index as usize)?;
        (entry.generation == handle.generation).then(|| entry.partition.clone())?
    }

    /// All that are open.
    pub fn all(&self) -> Vec<Arc<Partition>> {
        self.entries.read().all.iter().filter_map(|entry| entry.partition.clone()).collect()
    }
}
