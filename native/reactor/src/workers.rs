//! The threads `ms-work`: whatever may wait for the disk or takes long.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use ms_partition::{JobKind, Partition};
use parking_lot::{Condvar, Mutex};

use crate::commands::OpenPartition;

/// Threads; one gets the jobs of partitions, both get commands.
pub const WORKERS: usize = 2;
const DISK_WORKER: usize = 1;

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

    /// What is queued is still done, then the workers end.
    pub fn stop(&self) {
        for queue in &self.queues {
            queue.state.lock().is_stopped = true;
            queue.changed.notify_one();
        }
    }

    /// The body of worker `number`. `open` opens many partitions at once, which costs one fsync.
    pub fn run(&self, number: usize, open: impl Fn(Vec<OpenPartition>), failed: impl Fn(&str)) {
        while let Some(job) = self.queues[number].next() {
            let work = AssertUnwindSafe(|| match job {
                Job::Partition(partition, kind) => partition.run_job(kind),
                Job::Run(run) => run(),
                Job::Open(first) => {
                    let mut batch = vec![first];
                    self.queues[number].take_opens(&mut batch);
                    open(batch);
                }
            });
            // A panic in the work on one partition must not end the process; the partition marks itself.
            if catch_unwind(work).is_err() {
                failed("a job panicked");
            }
        }
    }
}

impl Queue {
    fn push(&self, job: Job) {
        self.state.lock().jobs.push_back(job);
        self.changed.notify_one();
    }

    fn next(&self) -> Option<Job> {
        let mut state = self.state.lock();
        loop {
            if let Some(job) = state.jobs.pop_front() {
                return Some(job);
            }
            if state.is_stopped {
                return None;
            }
            self.changed.wait(&mut state);
        }
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
