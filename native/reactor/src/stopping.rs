//! The end of a data plane. It is in time, however slow the disk and however busy the machine: what could not be made durable
//! is left to the next start, as after a kill. `docs/design/data-plane.md` has the reasons.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use ms_log::DirLock;
use ms_partition::Partition;
use ms_wire::error_code;
use parking_lot::Mutex;

use crate::flusher;
use crate::hub::Message;
use crate::plane::{Running, spawn};
use crate::shared::Shared;
use crate::workers::side_by_side;

/// Of the time that a stop has: when it stops waiting for clients, and when it syncs no further log. The rest is for the
/// checkpoint and the mark.
const CLIENTS_UNTIL: f64 = 0.4;
const SYNCS_UNTIL: f64 = 0.67;

/// What one stop knows.
struct Stop {
    shared: Arc<Shared>,
    began: Instant,
    within: Duration,
    /// Microseconds of the shortest sync so far. None is begun that cannot end in time: nothing ends it early, and a process
    /// with a thread in it does not end either.
    shortest_us: AtomicU64,
}

type Task = Mutex<Option<(Stop, Running)>>;

/// Ends the threads and makes durable what they wrote. Returns when that is done, or when the time is over: then with the
/// thread that is still at it.
pub fn stop(shared: &Arc<Shared>, running: Running, within: Duration) -> Option<JoinHandle<()>> {
    let (began, shortest_us) = (Instant::now(), AtomicU64::new(u64::MAX));
    let stop = Stop { shared: Arc::clone(shared), began, within, shortest_us };
    let task = Arc::new(Mutex::new(Some((stop, running))));
    let (done, is_done) = mpsc::channel();
    let for_thread = Arc::clone(&task);
    let thread = spawn("ms-stop".to_owned(), move || {
        run(&for_thread);
        let _ = done.send(());
    });
    let late = match thread {
        Ok(thread) => is_done.recv_timeout(within).is_err().then_some(thread),
        Err(_) => {
            run(&task);
            None
        }
    };
    if late.is_some() {
        shared.hub.control.log(40, "the stop is out of time; the next start recovers the rest");
    }
    shared.is_stopped.store(true, Ordering::SeqCst);
    shared.hub.open_commands.fail_all(&shared.hub.control, error_code::BROKER_NOT_AVAILABLE);
    late
}

fn run(task: &Task) {
    let taken = task.lock().take();
    let Some((stop, running)) = taken else { return };
    let _lock = stop.end_threads(running);
    let is_at_rest = stop.shared.large.await_rest(stop.at(CLIENTS_UNTIL));
    let partitions = stop.shared.hub.registry.all();
    stop.sync_logs(&partitions);
    let is_clean = stop.write_marks(&partitions, is_at_rest);
    if !is_clean {
        let text =
            "not everything is known to be durable: the next start looks at the ends of the logs";
        stop.shared.hub.control.log(30, text);
    }
}

impl Stop {
    /// Nothing is served any more. Returns the lock of the directory, for as long as its files are worked on.
    fn end_threads(&self, running: Running) -> Box<dyn DirLock> {
        let Shared { hub, large, cold, .. } = &*self.shared;
        for reactor in 0..hub.mailboxes.len() {
            hub.send(reactor, Message::Shutdown(self.at(CLIENTS_UNTIL)));
        }
        // A thread that panicked has ended too.
        running.reactors.into_iter().for_each(|thread| _ = thread.join());
        // All at once: on a busy machine it takes a while until one is woken.
        large.stop();
        cold.stop();
        hub.work.stop();
        hub.flush.stop();
        running.workers.into_iter().for_each(|thread| _ = thread.join());
        let _ = running.flusher.join();
        // A flush whose outcome no reactor took any more still counts as under way, and would keep the last one out.
        for mailbox in &hub.mailboxes {
            while let Some(message) = mailbox.pop() {
                if let Message::Flushed(partition, outcome) = message {
                    partition.flush_finished(outcome);
                }
            }
        }
        running.lock
    }

    /// Syncs what was written, together where that is cheaper. What is left when the time is over makes the stop one that is
    /// not clean.
    fn sync_logs(&self, partitions: &[Arc<Partition>]) {
        let jobs = Mutex::new(Vec::new());
        side_by_side(partitions.iter().collect(), |partition| {
            partition.give_back_space();
            let job = partition.flush_job();
            jobs.lock().extend(job.map(|job| (partition, job)));
        });
        let jobs = jobs.into_inner();
        let until = self.at(SYNCS_UNTIL);
        let are_synced = self.has_time(1, until) && self.shared.env.sync_for(jobs.len());
        side_by_side(jobs, |(partition, job)| {
            if are_synced {
                partition.flush_finished(job.run_synced());
            } else if self.has_time(1, until) {
                partition.flush_finished(self.timed(|| job.run()));
            }
        });
    }

    /// Writes the checkpoint, and that the stop was clean if it was; says so.
    fn write_marks(&self, partitions: &[Arc<Partition>], is_at_rest: bool) -> bool {
        let until = self.at(1.0);
        // The file, and the name that it gets.
        if self.has_time(2, until) {
            flusher::write_checkpoint(&self.shared);
        }
        if !is_at_rest || !self.has_time(1, until) {
            return false;
        }
        self.shared.env.record_stop(partitions).unwrap_or_else(|error| {
            self.shared.hub.control.log(50, &format!("the stop could not be recorded: {error}"));
            false
        })
    }

    /// When so much of the time is over.
    fn at(&self, part: f64) -> Instant {
        self.began + self.within.mul_f64(part)
    }

    fn has_time(&self, syncs: u64, until: Instant) -> bool {
        let shortest_us = self.shortest_us.load(Ordering::Relaxed);
        let each_us = if shortest_us == u64::MAX { 0 } else { shortest_us };
        Instant::now() + Duration::from_micros(each_us * syncs) <= until
    }

    fn timed<R>(&self, sync: impl FnOnce() -> R) -> R {
        let began = Instant::now();
        let result = sync();
        self.shortest_us.fetch_min(began.elapsed().as_micros() as u64, Ordering::Relaxed);
        result
    }
}
