//! What many threads leave for one, which sleeps when there is nothing.

#[cfg(test)]
mod model;

use crate::sync::{AtomicBool, Ordering, SegQueue, fence};

/// Ends the sleep of the thread that takes the messages, or its next one if it does not sleep yet. Called by those who push.
pub trait Wake {
    fn wake(&self);
}

/// One thread's inbox. The others call `push` and nothing else. The messages of each of them keep their order.
pub struct Mailbox<M, W> {
    queue: SegQueue<M>,
    sleeping: AtomicBool,
    waker: W,
}

impl<M, W: Wake> Mailbox<M, W> {
    pub fn new(waker: W) -> Self {
        Self { queue: SegQueue::new(), sleeping: AtomicBool::new(false), waker }
    }

    /// Wakes the thread if it sleeps and nobody has woken it yet. Between a message that is queued and the look at the flag
    /// there is a fence, and between the flag that is set and the look at the queue: one of the two threads sees what the
    /// other did.
    pub fn push(&self, message: M) {
        self.queue.push(message);
        fence(Ordering::SeqCst);
        if self.sleeping.swap(false, Ordering::SeqCst) {
            self.waker.wake();
        }
    }

    pub fn pop(&self) -> Option<M> {
        self.queue.pop()
    }

    /// True: the thread may block, and the next `push` wakes it. False: there is something to do.
    pub fn prepare_to_sleep(&self) -> bool {
        self.sleeping.store(true, Ordering::SeqCst);
        fence(Ordering::SeqCst);
        if self.queue.is_empty() {
            return true;
        }
        self.awake();
        false
    }

    /// Behind a sleep, whatever has ended it.
    pub fn awake(&self) {
        self.sleeping.store(false, Ordering::Relaxed);
    }
}
