//! Jobs of one thread, in the order in which they come.

use std::collections::VecDeque;
use std::time::Instant;

use parking_lot::{Condvar, Mutex};

/// Many give jobs, one thread takes them.
pub struct JobQueue<J> {
    state: Mutex<State<J>>,
    changed: Condvar,
    rests: Condvar,
}

struct State<J> {
    jobs: VecDeque<J>,
    is_at_work: bool,
    is_stopped: bool,
}

impl<J> Default for JobQueue<J> {
    fn default() -> Self {
        let state = State { jobs: VecDeque::new(), is_at_work: false, is_stopped: false };
        Self { state: Mutex::new(state), changed: Condvar::new(), rests: Condvar::new() }
    }
}

impl<J> JobQueue<J> {
    pub fn push(&self, job: J) {
        self.state.lock().jobs.push_back(job);
        self.changed.notify_one();
    }

    /// What was not begun is dropped.
    pub fn stop(&self) {
        let mut state = self.state.lock();
        state.is_stopped = true;
        let left = std::mem::take(&mut state.jobs);
        self.changed.notify_one();
        // What it holds may hold much else.
        drop(state);
        drop(left);
    }

    /// What is under way need not be done.
    pub fn is_stopped(&self) -> bool {
        self.state.lock().is_stopped
    }

    /// Waits until what was begun before the stop is done; false: it is not yet. A thread that gives way to all others may
    /// take long until it ends on a busy machine, which nobody has to wait for when it has nothing to do.
    pub fn await_rest(&self, until: Instant) -> bool {
        let mut state = self.state.lock();
        while state.is_at_work {
            if self.rests.wait_until(&mut state, until).timed_out() {
                return !state.is_at_work;
            }
        }
        true
    }

    /// The next job, waited for; none when it is stopped. The one before is done.
    pub fn next(&self) -> Option<J> {
        let mut state = self.state.lock();
        if std::mem::take(&mut state.is_at_work) {
            self.rests.notify_one();
        }
        loop {
            if state.is_stopped {
                return None;
            }
            if let Some(job) = state.jobs.pop_front() {
                state.is_at_work = true;
                return Some(job);
            }
            self.changed.wait(&mut state);
        }
    }

    /// The next job that is there.
    #[cfg(test)]
    pub fn try_next(&self) -> Option<J> {
        self.state.lock().jobs.pop_front()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn what_was_not_begun_when_it_stops_is_dropped() {
        let queue = JobQueue::default();
        (1..=3).for_each(|job| queue.push(Arc::new(job)));
        let third = Arc::downgrade(&queue.state.lock().jobs[2]);
        assert_eq!((queue.next().as_deref(), queue.next().as_deref()), (Some(&1), Some(&2)));
        assert!(!queue.is_stopped());
        queue.stop();
        assert!(queue.is_stopped() && third.upgrade().is_none());
        assert!(!queue.await_rest(Instant::now()));
        assert_eq!(queue.next(), None);
        assert!(queue.await_rest(Instant::now()));
    }
}
