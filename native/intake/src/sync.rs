//! The primitives: those of `loom` in this crate's own tests, which try out every order.

pub use real::*;

#[cfg(not(test))]
mod real {
    pub use std::sync::atomic::{AtomicUsize, Ordering, fence};

    pub use parking_lot::{Mutex, Mutex as Lock, MutexGuard as LockGuard};
}

/// `loom` does not stop a thread between taking a lock and letting it go for one that only tries, so the lock of the state
/// is made of an atomic here. As weak as it may be: what the protocol needs it must bring itself.
#[cfg(test)]
mod real {
    use std::ops::{Deref, DerefMut};

    pub use loom::sync::atomic::{AtomicBool, AtomicUsize, Ordering, fence};

    pub struct Lock<T> {
        is_taken: AtomicBool,
        value: std::sync::Mutex<T>,
    }

    pub struct LockGuard<'a, T> {
        lock: &'a Lock<T>,
        value: Option<std::sync::MutexGuard<'a, T>>,
    }

    impl<T> Lock<T> {
        pub fn new(value: T) -> Self {
            Self { is_taken: AtomicBool::new(false), value: std::sync::Mutex::new(value) }
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
}
