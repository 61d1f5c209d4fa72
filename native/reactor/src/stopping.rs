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
use crate::side_by_side::side_by_side;

/// Of the time that a stop has: when it stops waiting for clients, and when it syncs no further log. The rest is for the
/// checkpoint and the mark.
const CLIENTS_UNTIL: f64 = 0.4;
const SYNCS_UNTIL: f64 = 0.67;

/// What one stop knows.
struct Stop {
    shared: Arc<Shared>,
    time: Budget,
}

/// The time that a stop has. No sync is begun that cannot end in it: nothing ends one early but between the pieces that it is
/// written in, and a process with a thread in it does not end either.
struct Budget {
    began: Instant,
    within: Duration,
    /// Microseconds of the shortest sync so far.
    shortest_us: AtomicU64,
}

type Task = Mutex<Option<(Stop, Running)>>;

/// Ends the threads and makes durable what they wrote. Returns when that is done, or when the time is over: then with the
/// thread that is still at it.
pub fn stop(shared: &Arc<Shared>, running: Running, within: Duration) -> Option<JoinHandle<()>> {
    let stop = Stop { shared: Arc::clone(shared), time: Budget::new(Instant::now(), within) };
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
    let is_at_rest = stop.shared.large.await_rest(stop.time.at(CLIENTS_UNTIL));
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
            hub.send(reactor, Message::Shutdown(self.time.at(CLIENTS_UNTIL)));
        }
        // A thread that panicked has ended too.
        running.reactors.into_iter().for_each(|thread| _ = thread.join());
        // All at once: on a busy machine it takes a while until one is woken.
        large.stop();
        cold.stop();
        hub.work.stop();
        hub.flush.stop();
        hub.seal.stop();
        running.workers.into_iter().for_each(|thread| _ = thread.join());
        running.flushers.into_iter().for_each(|thread| _ = thread.join());
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
        let until = self.time.at(SYNCS_UNTIL);
        let has_time = || self.time.has(Instant::now(), 1, until);
        let are_synced = has_time() && self.shared.env.sync_for(jobs.len());
        side_by_side(jobs, |(partition, job)| {
            if are_synced {
                partition.flush_finished(job.run_synced());
            } else if has_time() {
                let began = Instant::now();
                let flushed = job.run_while(has_time);
                if !flushed.is_left_off() {
                    self.time.took(began.elapsed());
                }
                partition.flush_finished(flushed);
            }
        });
    }

    /// Writes the checkpoint, and that the stop was clean if it was; says so.
    fn write_marks(&self, partitions: &[Arc<Partition>], is_at_rest: bool) -> bool {
        let until = self.time.at(1.0);
        // The file, and the name that it gets.
        if self.time.has(Instant::now(), 2, until) {
            flusher::write_checkpoint(&self.shared);
        }
        if !is_at_rest || !self.time.has(Instant::now(), 1, until) {
            return false;
        }
        self.shared.env.record_stop(partitions).unwrap_or_else(|error| {
            self.shared.hub.control.log(50, &format!("the stop could not be recorded: {error}"));
            false
        })
    }
}

impl Budget {
    fn new(began: Instant, within: Duration) -> Budget {
        Budget { began, within, shortest_us: AtomicU64::new(u64::MAX) }
    }

    /// When so much of the time is over.
    fn at(&self, part: f64) -> Instant {
        self.began + self.within.mul_f64(part)
    }

    /// Whether so many syncs may end until then, if they take no longer than the shortest.
    fn has(&self, now: Instant, syncs: u64, until: Instant) -> bool {
        let shortest_us = self.shortest_us.load(Ordering::Relaxed);
        let each_us = if shortest_us == u64::MAX { 0 } else { shortest_us };
        now + Duration::from_micros(each_us * syncs) <= until
    }

    /// A sync has taken so long.
    fn took(&self, sync: Duration) {
        self.shortest_us.fetch_min(sync.as_micros() as u64, Ordering::Relaxed);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::io;
    use std::path::Path;
    use std::sync::atomic::AtomicUsize;

    use ms_log::sim::{DiskFront, FileCall, FileFront, FrontedDisk, FrontedFile};
    use ms_log::{File, RealDisk};
    use ms_partition::PartitionConfig;

    use super::*;
    use crate::by_hand::ByHand;
    use crate::by_hand::frames::{batch, produce};
    use ms_wire::topic::TopicKey;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    #[test]
    fn no_sync_is_begun_that_cannot_end_in_time() {
        let now = Instant::now();
        let time = Budget::new(now, MS(1000));
        assert_eq!(time.at(0.4), now + MS(400));
        let until = time.at(1.0);
        assert!(time.has(now + MS(1000), 2, until), "nobody knows what one takes");
        assert!(!time.has(now + MS(1001), 0, until));
        for (sync, last) in [(MS(300), 700), (MS(200), 800), (MS(250), 800)] {
            time.took(sync);
            assert!(time.has(now + MS(last), 1, until));
            assert!(!time.has(now + MS(last + 1), 1, until));
        }
        assert!(time.has(now + MS(600), 2, until) && !time.has(now + MS(601), 2, until));
    }

    /// Counts the syncs of files.
    #[derive(Clone, Default)]
    struct Syncs(Arc<AtomicUsize>);

    impl DiskFront for Syncs {
        fn opened(&self, path: &Path, file: Arc<dyn File>) -> Arc<dyn File> {
            match path.extension().is_some_and(|extension| extension == "log") {
                true => Arc::new(FrontedFile(file, self.clone())),
                false => file,
            }
        }
    }

    impl FileFront for Syncs {
        fn before(&self, _file: &dyn File, call: FileCall) -> io::Result<()> {
            self.0.fetch_add(usize::from(call == FileCall::Sync), Ordering::SeqCst);
            Ok(())
        }
    }

    /// Something that is written and not synced, a stop that began before `ago`, and the syncs of segments.
    fn stop_with_work(ago: Duration) -> (ByHand, Stop, Vec<Arc<Partition>>, Syncs) {
        let syncs = Syncs::default();
        let disk = FrontedDisk(Arc::new(RealDisk), syncs.clone());
        let mut hand = ByHand::on_disk(Arc::new(disk));
        let partition = hand.with_topic(PartitionConfig::default());
        let mut peer = hand.connect();
        let key = TopicKey::Name(crate::by_hand::TOPIC.as_bytes());
        let records = batch(&[b"x"]);
        hand.gather(&mut peer, &[produce(9, 1, 1, key, &[(0, Some(&records))])]);
        hand.reactor.turn();
        syncs.0.store(0, Ordering::SeqCst);
        let time = Budget::new(Instant::now() - ago, Duration::from_secs(3600));
        let stop = Stop { shared: Arc::clone(&hand.shared), time };
        (hand, stop, vec![partition], syncs)
    }

    #[test]
    fn a_stop_is_clean_when_all_is_synced_and_at_rest() {
        for is_at_rest in [false, true] {
            let (_hand, stop, partitions, syncs) = stop_with_work(Duration::ZERO);
            stop.sync_logs(&partitions);
            assert_eq!(syncs.0.load(Ordering::SeqCst), 1);
            assert_eq!(stop.write_marks(&partitions, is_at_rest), is_at_rest);
        }
    }

    #[test]
    fn what_there_is_no_time_for_makes_a_stop_one_that_is_not_clean() {
        let late = |part: f64| Duration::from_secs(3600).mul_f64(part + 0.01);
        let (_hand, stop, partitions, syncs) = stop_with_work(late(SYNCS_UNTIL));
        stop.sync_logs(&partitions);
        assert_eq!(syncs.0.load(Ordering::SeqCst), 0);
        assert!(!stop.write_marks(&partitions, true));
        let (_hand, stop, partitions, _) = stop_with_work(Duration::ZERO);
        stop.sync_logs(&partitions);
        let over = Budget::new(Instant::now() - late(1.0), Duration::from_secs(3600));
        assert!(!Stop { time: over, ..stop }.write_marks(&partitions, true));
    }
}
