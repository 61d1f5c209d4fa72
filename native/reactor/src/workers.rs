//! The threads `ms-work`: whatever may wait for the disk or takes long.

use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use ms_partition::{JobKind, Partition};
use parking_lot::{Condvar, Mutex, MutexGuard};

use crate::commands::OpenPartition;
use crate::side_by_side::side_by_side;

/// Threads; one gets the jobs of partitions, both get commands.
pub const WORKERS: usize = 2;
const DISK_WORKER: usize = 1;

/// Partitions that are opened one after the other, with one fsync of the hard-state log.
const OPENED_TOGETHER: usize = 16;

/// Something to do on a worker.
pub enum Job {
    Partition(Arc<Partition>, JobKind),
    Open(OpenPartition),
    Run(Box<dyn FnOnce() + Send>),
}

/// One queue a worker. What belongs to one partition goes to one worker, so that it stays in order.
pub struct WorkQueues {
    queues: [Queue; WORKERS],
}

struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    /// The earliest first.
    later: BTreeMap<(Instant, u64), Job>,
    /// How many were pushed to `later`: those of one moment stay apart, and in order.
    pushed_later: u64,
    is_stopped: bool,
}

impl WorkQueues {
    pub fn new() -> Self {
        let queue = || Queue { state: Mutex::default(), changed: Condvar::new() };
        Self { queues: [queue(), queue()] }
    }

    /// For the worker that serves `lane`, a partition's handle index.
    pub fn push(&self, lane: u32, job: Job) {
        self.queues[lane as usize % WORKERS].push(job);
    }

    /// For the worker that prefers disk jobs.
    pub fn push_disk(&self, job: Job) {
        self.queues[DISK_WORKER].push(job);
    }

    /// As `push_disk`, not before then.
    pub fn push_disk_at(&self, at: Instant, job: Job) {
        let queue = &self.queues[DISK_WORKER];
        let mut state = queue.state.lock();
        state.pushed_later += 1;
        let key = (at, state.pushed_later);
        state.later.insert(key, job);
        queue.changed.notify_one();
    }

    /// The workers end with what they are at. What is queued is dropped: nobody waits for it any more, and what files it would
    /// have removed the next start removes.
    pub fn stop(&self) {
        for queue in &self.queues {
            let mut state = queue.state.lock();
            state.is_stopped = true;
            state.jobs.clear();
            state.later.clear();
            queue.changed.notify_one();
        }
    }

    /// Does what is queued, in the thread of a test.
    #[cfg(test)]
    pub fn run_queued(&self) {
        for queue in &self.queues {
            while let Some(job) = { queue.state.lock().jobs.pop_front() } {
                match job {
                    Job::Run(run) => run(),
                    Job::Partition(partition, kind) => partition.run_job(kind),
                    Job::Open(_) => panic!("a test opens its partitions itself"),
                }
            }
        }
    }

    /// The body of worker `number`. `open` opens some partitions with one fsync; it is called by several
    /// threads at once.
    pub fn run(
        &self,
        number: usize,
        open: impl Fn(Vec<OpenPartition>) + Sync,
        failed: impl Fn(&str),
    ) {
        while let Some(job) = self.queues[number].next() {
            let work = AssertUnwindSafe(|| match job {
                Job::Partition(partition, kind) => partition.run_job(kind),
                Job::Run(run) => run(),
                Job::Open(first) => {
                    let mut batch = vec![first];
                    self.queues[number].take_opens(&mut batch);
                    side_by_side(in_parts(batch), |part| {
                        // Who stops does not wait for thousands of partitions; their commands are ended for them.
                        if !self.queues[number].is_stopped() {
                            open(part);
                        }
                    });
                }
            });
            // A panic in the work on one partition must not end the process; the partition marks itself.
            if catch_unwind(work).is_err() {
                failed("a job panicked");
            }
        }
    }
}

fn in_parts(mut batch: Vec<OpenPartition>) -> Vec<Vec<OpenPartition>> {
    let mut parts = Vec::with_capacity(batch.len().div_ceil(OPENED_TOGETHER));
    while batch.len() > OPENED_TOGETHER {
        parts.push(batch.split_off(batch.len() - OPENED_TOGETHER));
    }
    parts.push(batch);
    parts
}

impl State {
    /// What is due by the clock comes before what is queued.
    fn take(&mut self, now: impl Fn() -> Instant) -> Option<Job> {
        match self.later.first_entry() {
            Some(first) if first.key().0 <= now() => Some(first.remove()),
            _ => self.jobs.pop_front(),
        }
    }
}

impl Queue {
    fn push(&self, job: Job) {
        self.state.lock().jobs.push_back(job);
        self.changed.notify_one();
    }

    fn next(&self) -> Option<Job> {
        self.next_by(Instant::now, |state, until| match until {
            Some(until) => _ = self.changed.wait_until(state, until),
            None => self.changed.wait(state),
        })
    }

    /// Waits by `wait` for a change, or until the time it is given.
    fn next_by(
        &self,
        now: impl Fn() -> Instant,
        mut wait: impl FnMut(&mut MutexGuard<'_, State>, Option<Instant>),
    ) -> Option<Job> {
        let mut state = self.state.lock();
        loop {
            if state.is_stopped {
                return None;
            }
            if let Some(job) = state.take(&now) {
                return Some(job);
            }
            let until = state.later.first_key_value().map(|(&(at, _), _)| at);
            wait(&mut state, until);
        }
    }

    fn is_stopped(&self) -> bool {
        self.state.lock().is_stopped
    }

    fn take_opens(&self, batch: &mut Vec<OpenPartition>) {
        const TOGETHER: usize = 1000;
        let mut state = self.state.lock();
        while batch.len() < TOGETHER {
            match state.jobs.pop_front() {
                Some(Job::Open(open)) => batch.push(open),
                Some(other) => return state.jobs.push_front(other),
                None => return,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    #[test]
    fn a_stop_waits_for_nothing_that_is_queued() {
        let queues = WorkQueues::new();
        let done = Arc::new(AtomicUsize::new(0));
        for lane in 0..4 {
            let done = Arc::clone(&done);
            queues.push(lane, Job::Run(Box::new(move || _ = done.fetch_add(1, Ordering::SeqCst))));
        }
        queues.stop();
        (0..WORKERS).for_each(|number| queues.run(number, |_| {}, |_| {}));
        assert_eq!(done.load(Ordering::SeqCst), 0);
    }

    #[test]
    fn what_is_for_later_comes_when_it_is_due_the_earliest_first_and_before_what_is_queued() {
        let (queues, came) = (WorkQueues::new(), Arc::new(Mutex::new(Vec::new())));
        let job = |number: u32| {
            let came = Arc::clone(&came);
            Job::Run(Box::new(move || came.lock().push(number)))
        };
        let begun = Instant::now();
        let at = |ms| begun + Duration::from_millis(ms);
        queues.push_disk(job(9));
        [(at(7), 3), (at(5), 1), (at(5), 2), (at(10), 4)]
            .into_iter()
            .for_each(|(at, number)| queues.push_disk_at(at, job(number)));
        let take_all = |now: Instant| {
            let mut state = queues.queues[DISK_WORKER].state.lock();
            while let Some(Job::Run(run)) = state.take(|| now) {
                run();
            }
            std::mem::take(&mut *came.lock())
        };
        assert_eq!(take_all(at(4)), [9]);
        queues.push_disk(job(9));
        assert_eq!(take_all(at(7)), [1, 2, 3, 9]);
        assert!(take_all(at(9)).is_empty());
        assert_eq!(take_all(at(10)), [4]);
        queues.push_disk_at(at(0), job(5));
        queues.stop();
        assert!(queues.queues[DISK_WORKER].state.lock().later.is_empty());
        queues.run(DISK_WORKER, |_| {}, |_| {});
        assert!(came.lock().is_empty());
    }

    #[test]
    fn who_waits_for_a_job_waits_until_the_first_one_for_later_is_due() {
        let queues = WorkQueues::new();
        let begun = Instant::now();
        let at = |ms| begun + Duration::from_millis(ms);
        let nothing = || Job::Run(Box::new(|| {}));
        queues.push_disk_at(at(9), nothing());
        queues.push_disk_at(at(5), nothing());
        let (clock, mut waits) = (Cell::new(begun), Vec::new());
        let queue = &queues.queues[DISK_WORKER];
        let mut next = || {
            let wait = |_: &mut MutexGuard<'_, State>, until: Option<Instant>| {
                let until = until.expect("one is for later");
                waits.push(until);
                clock.set(until);
            };
            assert!(queue.next_by(|| clock.get(), wait).is_some());
        };
        next();
        next();
        assert_eq!(waits, [at(5), at(9)]);
    }
}
