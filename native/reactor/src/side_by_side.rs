//! Work on many items in several threads, each of which may wait for the disk.

use parking_lot::Mutex;

/// Threads that wait for the disk at the same time where there is much to open or to sync: a file system makes what they
/// wait for durable together.
const SIDE_BY_SIDE: usize = 32;

/// Calls `work` with each item, on several threads; returns when all is done. A thread that cannot be started leaves its
/// share to the others.
pub fn side_by_side<T: Send>(items: Vec<T>, work: impl Fn(T) + Sync) {
    let threads = items.len().min(SIDE_BY_SIDE);
    let items = Mutex::new(items);
    let take_all = || {
        loop {
            // The lock is not held over the work.
            let item = items.lock().pop();
            match item {
                Some(item) => work(item),
                None => return,
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..threads {
            let name = "ms-work".to_owned();
            if std::thread::Builder::new().name(name).spawn_scoped(scope, take_all).is_err() {
                break;
            }
        }
        take_all();
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Barrier;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn every_item_is_worked_on_once() {
        let counts: Vec<AtomicUsize> = (0..1000).map(|_| AtomicUsize::new(0)).collect();
        side_by_side((0..1000).collect(), |item: usize| {
            counts[item].fetch_add(1, Ordering::SeqCst);
        });
        assert!(counts.iter().all(|count| count.load(Ordering::SeqCst) == 1));
        side_by_side(Vec::new(), |()| panic!("there is nothing to do"));
    }

    #[test]
    fn items_that_wait_do_so_at_the_same_time() {
        let barrier = Barrier::new(SIDE_BY_SIDE);
        side_by_side((0..SIDE_BY_SIDE).collect(), |_: usize| {
            barrier.wait();
        });
    }
}
