//! How threads leave work for each other. `Intake`: a state behind a lock that nobody has to wait for; who finds it taken
//! leaves an entry, and who has it does the work of the entries. `Mailbox`: messages for one thread, which sleeps when there
//! are none. Generic, so that the protocols are checked by themselves, in every order that a few threads may take
//! (`model.rs`, `mailbox/model.rs`).

mod mailbox;
#[cfg(test)]
mod model;
mod sync;

pub use mailbox::{Mailbox, Wake};

use std::collections::VecDeque;
use std::ops::{Deref, DerefMut};

use crate::sync::{AtomicUsize, Lock, LockGuard, Mutex, Ordering, fence};

/// What may wait in an intake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bound {
    pub entries: usize,
    /// The entry that passes it is still taken.
    pub bytes: usize,
}

/// Who does the work of entries. Nothing in here may panic, wait, or use the intake.
pub trait Holder<S, E> {
    /// Does what was left, in this order, under the lock.
    fn take_in(&self, state: &mut S, entries: VecDeque<E>);
    /// More is left every time this thread looks: another one has to call `look` soon, for this entry and those behind it.
    fn pass_on(&self, first: &E);
}

/// A state, its lock, and the entries of those who found it taken.
pub struct Intake<S, E> {
    state: Lock<S>,
    queue: Mutex<Queue<E>>,
    /// Entries in the queue. Changed under the queue's lock, read without.
    waiting: AtomicUsize,
    bound: Bound,
}

/// The state, for as long as this lives.
pub struct Held<'a, S, E, H: Holder<S, E>> {
    // Dropped in this order.
    state: LockGuard<'a, S>,
    _look: LookAgain<'a, S, E, H>,
}

struct LookAgain<'a, S, E, H: Holder<S, E>> {
    intake: &'a Intake<S, E>,
    holder: &'a H,
}

struct Queue<E> {
    entries: VecDeque<E>,
    bytes: usize,
}

impl<S, E> Intake<S, E> {
    pub fn new(state: S, bound: Bound) -> Self {
        let queue = Queue { entries: VecDeque::new(), bytes: 0 };
        let (state, queue) = (Lock::new(state), Mutex::new(queue));
        Self { state, queue, waiting: AtomicUsize::new(0), bound }
    }

    /// Waits for the lock. What was left before is done by then.
    pub fn hold<'a, H: Holder<S, E>>(&'a self, holder: &'a H) -> Held<'a, S, E, H> {
        self.held(self.state.lock(), holder)
    }

    /// The same if the lock is free.
    pub fn try_hold<'a, H: Holder<S, E>>(&'a self, holder: &'a H) -> Option<Held<'a, S, E, H>> {
        self.state.try_lock().map(|state| self.held(state, holder))
    }

    /// Leaves work for who has the lock, or does it if it is free by now. `Err`: there is no room.
    pub fn leave(&self, holder: &impl Holder<S, E>, entry: E, bytes: usize) -> Result<(), E> {
        let mut queue = self.queue.lock();
        if queue.entries.len() >= self.bound.entries || queue.bytes >= self.bound.bytes {
            return Err(entry);
        }
        queue.entries.push_back(entry);
        queue.bytes += bytes;
        self.waiting.store(queue.entries.len(), Ordering::Relaxed);
        drop(queue);
        self.look(holder);
        Ok(())
    }

    /// Does what was left, unless somebody has the lock: who does looks after it has let go. Between an entry that is
    /// queued and a lock that is found taken there is a fence, and between a lock that is let go and the look at the
    /// queue: one of the two threads sees what the other did.
    pub fn look(&self, holder: &impl Holder<S, E>) {
        if self.is_anything_left() {
            self.take_in_again(holder);
        }
    }

    fn held<'a, H: Holder<S, E>>(
        &'a self,
        mut state: LockGuard<'a, S>,
        holder: &'a H,
    ) -> Held<'a, S, E, H> {
        // What this thread has left it sees, and does before: its work keeps its order.
        if self.waiting.load(Ordering::Relaxed) > 0 {
            self.take_in(&mut state, holder);
        }
        Held { state, _look: LookAgain { intake: self, holder } }
    }

    fn is_anything_left(&self) -> bool {
        fence(Ordering::SeqCst);
        self.waiting.load(Ordering::Relaxed) > 0
    }

    #[cold]
    fn take_in_again(&self, holder: &impl Holder<S, E>) {
        let Some(mut state) = self.state.try_lock() else { return };
        self.take_in(&mut state, holder);
        drop(state);
        // Others may leave entries as fast as they are done: this thread has work of its own.
        if self.is_anything_left()
            && let Some(first) = self.queue.lock().entries.front()
        {
            holder.pass_on(first);
        }
    }

    #[cold]
    fn take_in(&self, state: &mut S, holder: &impl Holder<S, E>) {
        let mut queue = self.queue.lock();
        let entries = std::mem::take(&mut queue.entries);
        queue.bytes = 0;
        self.waiting.store(0, Ordering::Relaxed);
        drop(queue);
        holder.take_in(state, entries);
    }
}

impl<S, E, H: Holder<S, E>> Deref for Held<'_, S, E, H> {
    type Target = S;

    fn deref(&self) -> &S {
        &self.state
    }
}

impl<S, E, H: Holder<S, E>> DerefMut for Held<'_, S, E, H> {
    fn deref_mut(&mut self) -> &mut S {
        &mut self.state
    }
}

impl<S, E, H: Holder<S, E>> Drop for LookAgain<'_, S, E, H> {
    fn drop(&mut self) {
        self.intake.look(self.holder);
    }
}
