//! Every order in which threads may use an intake, tried out: nothing is lost, done twice, or done out of order.

use loom::sync::Arc;
use loom::thread;

use super::*;
use crate::sync::AtomicUsize;

/// Work by origin, numbered.
pub(crate) type Entry = (usize, usize);

/// What was done, in order.
type Log = Vec<Entry>;

/// Counts how often it was asked to pass on.
struct Worker {
    passed_on: AtomicUsize,
}

impl Holder<Log, Entry> for Worker {
    fn take_in(&self, state: &mut Log, entries: VecDeque<Entry>) {
        state.extend(entries);
    }

    fn pass_on(&self, _: &Entry) {
        self.passed_on.fetch_add(1, Ordering::Relaxed);
    }
}

struct Model {
    intake: Intake<Log, Entry>,
    worker: Worker,
}

impl Model {
    fn new(bound: Bound) -> Arc<Self> {
        let worker = Worker { passed_on: AtomicUsize::new(0) };
        Arc::new(Self { intake: Intake::new(Log::new(), bound), worker })
    }

    /// As a reactor does: only tries, and leaves what it cannot do. Waits if there is no room.
    fn work(&self, entry: Entry) {
        let Self { intake, worker } = self;
        if let Some(mut log) = intake.try_hold(worker) {
            return log.push(entry);
        }
        if intake.leave(worker, entry, 1).is_err() {
            intake.hold(worker).push(entry);
        }
    }

    /// When all threads are done: nobody else would look, unless it was asked to.
    fn finish(&self) -> Log {
        if self.worker.passed_on.load(Ordering::Relaxed) > 0 {
            self.intake.look(&self.worker);
        }
        assert_eq!(self.intake.queue.lock().entries.len(), 0, "lost");
        self.intake.state.lock().clone()
    }
}

pub(crate) fn check(log: &[Entry], origins: usize, each: usize) {
    assert_eq!(log.len(), origins * each, "lost, or done twice: {log:?}");
    for origin in 0..origins {
        let of_origin: Vec<_> = log.iter().filter(|it| it.0 == origin).map(|it| it.1).collect();
        assert_eq!(of_origin, (0..each).collect::<Vec<_>>(), "order");
    }
}

pub(crate) fn explore(preemptions: usize, model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.check(model);
}

const WIDE: Bound = Bound { entries: 8, bytes: 8 };

fn reactors(preemptions: usize, bound: Bound, origins: usize, each: usize) {
    explore(preemptions, move || {
        let model = Model::new(bound);
        let others: Vec<_> = (1..origins)
            .map(|origin| {
                let model = Arc::clone(&model);
                thread::spawn(move || (0..each).for_each(|number| model.work((origin, number))))
            })
            .collect();
        (0..each).for_each(|number| model.work((0, number)));
        others.into_iter().for_each(|other| other.join().expect("it does not panic"));
        check(&model.finish(), origins, each);
    });
}

#[test]
fn two_reactors() {
    reactors(3, WIDE, 2, 2);
}

#[test]
fn three_reactors() {
    reactors(2, WIDE, 3, 1);
}

#[test]
fn a_full_intake_takes_no_more_and_nothing_is_lost() {
    for bound in [Bound { entries: 1, bytes: 8 }, Bound { entries: 8, bytes: 1 }] {
        reactors(2, bound, 3, 1);
    }
}

#[test]
fn the_bound_is_kept() {
    explore(2, || {
        for bound in [Bound { entries: 2, bytes: 8 }, Bound { entries: 8, bytes: 4 }] {
            let Model { intake, worker } = &*Model::new(bound);
            let held = intake.state.lock();
            assert_eq!(intake.leave(worker, (0, 0), 2), Ok(()));
            assert_eq!(intake.leave(worker, (0, 1), 2), Ok(()));
            assert_eq!(intake.leave(worker, (0, 2), 2), Err((0, 2)));
            drop(held);
            intake.hold(worker).push((0, 2));
            assert_eq!(intake.state.lock().len(), 3);
            let held = intake.state.lock();
            assert_eq!(intake.leave(worker, (0, 3), 2), Ok(()));
            drop(held);
        }
    });
}

/// What a thread left it finds done when it has the lock: a fetch sees what was produced in front of it.
#[test]
fn who_waits_for_the_lock_sees_what_it_left() {
    explore(3, || {
        let model = Model::new(WIDE);
        let other = Arc::clone(&model);
        let other = thread::spawn(move || {
            other.work((1, 0));
            drop(other.intake.hold(&other.worker));
        });
        model.work((0, 0));
        let is_seen = model.intake.hold(&model.worker).contains(&(0, 0));
        assert!(is_seen);
        other.join().expect("it does not panic");
        check(&model.finish(), 2, 1);
    });
}
