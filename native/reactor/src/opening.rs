//! Partitions that are being opened: what they say before TypeScript knows their handle is kept until it does.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use ms_partition::{Handle, PartitionEvent};
use parking_lot::Mutex;

#[derive(Default)]
pub struct Opening {
    events: Mutex<HashMap<Handle, Vec<PartitionEvent>>>,
    count: AtomicUsize,
}

impl Opening {
    pub fn begin(&self, handle: Handle) {
        self.events.lock().insert(handle, Vec::new());
        self.count.fetch_add(1, Ordering::SeqCst);
    }

    /// Keeps an event of a partition that is being opened; gives back that of any other.
    pub fn keep(&self, handle: Handle, event: PartitionEvent) -> Option<PartitionEvent> {
        if self.count.load(Ordering::SeqCst) == 0 {
            return Some(event);
        }
        match self.events.lock().get_mut(&handle) {
            Some(kept) => {
                kept.push(event);
                None
            }
            None => Some(event),
        }
    }

    /// Nothing is being opened, or waits for it.
    pub fn is_over(&self) -> bool {
        self.count.load(Ordering::SeqCst) == 0
    }

    /// `announce` tells the handle, `tell` what was kept; events that come meanwhile wait until it is done.
    pub fn end(&self, handle: Handle, announce: impl FnOnce(), tell: impl FnMut(PartitionEvent)) {
        let mut events = self.events.lock();
        announce();
        if let Some(kept) = events.remove(&handle) {
            kept.into_iter().for_each(tell);
            self.count.fetch_sub(1, Ordering::SeqCst);
        }
    }
}
