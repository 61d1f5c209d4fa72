//! The primitives: those of `loom` in this crate's own tests, which try out every order.

pub use real::*;

#[cfg(not(test))]
mod real {
    pub use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering, fence};

    pub use crossbeam_queue::SegQueue;
    pub use parking_lot::{Mutex, Mutex as Lock, MutexGuard as LockGuard};
}

/// `loom` does not stop a thread between taking a lock and letting it go for one that only tries, so the lock of the state
/// is made of an atomic here. As weak as it may be: what the protocol needs it must bring itself.
#[cfg(test)]
mod real {
    use std::collections::VecDeque;
    use std::ops::{Deref, DerefMut};

    pub use loom::sync::atomic::{AtomicUsize, Ordering, fence};

    pub struct Lock<T> {
        is_taken: loom::sync::atomic::AtomicBool,
        value: std::sync::Mutex<T>,
    }

    pub struct LockGuard<'a, T> {
        lock: &'a Lock<T>,
        value: Option<std::sync::MutexGuard<'a, T>>,
    }

    impl<T> Lock<T> {
        pub fn new(value: T) -> Self {
            let is_taken = loom::sync::atomic::AtomicBool::new(false);
            Self { is_taken, value: std::sync::Mutex::new(value) }
        }

        pub fn try_lock(&self) -> Option<LockGuard<'_, T>> {
            let (acquire, relaxed) = (Ordering::Acquire, Ordering::Relaxed);
            self.is_taken.compare_exchange(false, true, acquire, relaxed).ok()?;
            let value = self.value.try_lock().expect("nobody else has it");
            Some(LockGuard { lock: self, value: Some(value) })
        }

        pub fn lock(&self) -> LockGuard<'_, T> {
            loop {
                if let Some(guard) = self.try_lock() {
                    return guard;
                }
                loom::thread::yield_now();
            }
        }
    }

    impl<T> Deref for LockGuard<'_, T> {
        type Target = T;

        fn deref(&self) -> &T {
            self.value.as_ref().expect("held")
        }
    }

    impl<T> DerefMut for LockGuard<'_, T> {
        fn deref_mut(&mut self) -> &mut T {
            self.value.as_mut().expect("held")
        }
    }

    impl<T> Drop for LockGuard<'_, T> {
        fn drop(&mut self) {
            self.value = None;
            self.lock.is_taken.store(false, Ordering::Release);
        }
    }

    pub struct Mutex<T>(loom::sync::Mutex<T>);

    impl<T> Mutex<T> {
        pub fn new(value: T) -> Self {
            Self(loom::sync::Mutex::new(value))
        }

        pub fn lock(&self) -> loom::sync::MutexGuard<'_, T> {
            self.0.lock().expect("no thread panics with it")
        }
    }

    /// `loom` does not know that nothing comes between the two halves of a swap: the next one may read its value again, though
    /// it knows of what another thread has stored behind it. The values of this one follow each other as they were stored.
    /// As weak as it may be too: it says nothing of other memory, whatever order is asked for.
    pub struct AtomicBool {
        value: std::sync::atomic::AtomicBool,
        /// Nobody reads it: so `loom` knows of the accesses and tries out their orders.
        accesses: AtomicUsize,
    }

    impl AtomicBool {
        pub fn new(value: bool) -> Self {
            let accesses = AtomicUsize::new(0);
            Self { value: std::sync::atomic::AtomicBool::new(value), accesses }
        }

        pub fn swap(&self, value: bool, _: Ordering) -> bool {
            self.accesses.store(0, Ordering::Relaxed);
            self.value.swap(value, Ordering::Relaxed)
        }

        pub fn store(&self, value: bool, ordering: Ordering) {
            self.swap(value, ordering);
        }
    }

    /// Of many who push and one who pops. Says no more of other memory than that who pops sees what was pushed.
    pub struct SegQueue<T> {
        entries: std::sync::Mutex<VecDeque<T>>,
        pushed: AtomicUsize,
        popped: AtomicUsize,
    }

    impl<T> SegQueue<T> {
        pub fn new() -> Self {
            let (pushed, popped) = (AtomicUsize::new(0), AtomicUsize::new(0));
            Self { entries: std::sync::Mutex::new(VecDeque::new()), pushed, popped }
        }

        pub fn push(&self, entry: T) {
            self.entries.try_lock().expect("nobody stops with it").push_back(entry);
            self.pushed.fetch_add(1, Ordering::Release);
        }

        pub fn pop(&self) -> Option<T> {
            let popped = self.popped.load(Ordering::Relaxed);
            if self.pushed.load(Ordering::Acquire) == popped {
                return None;
            }
            self.popped.store(popped + 1, Ordering::Relaxed);
            self.entries.try_lock().expect("nobody stops with it").pop_front()
        }

        pub fn is_empty(&self) -> bool {
            self.pushed.load(Ordering::Relaxed) == self.popped.load(Ordering::Relaxed)
        }
    }
}
