//! The threads `ms-flush`, for fsync, writeback, space ahead, the hard-state log, the checkpoint and the free space, and
//! `ms-seal`, for the fsync of sealed segments.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use ms_log::{Flushed, is_no_space};
use ms_partition::{Partition, PartitionState};
use parking_lot::{Condvar, Mutex};

use crate::hub::Message;
use crate::shared::Shared;

const TICK: Duration = Duration::from_secs(1);
const CHECKPOINT_EVERY: Duration = Duration::from_secs(10);
/// While much is written: how often the kernel is asked how much of it it has begun.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Partitions that want an fsync, or their writeback begun.
#[derive(Default)]
pub struct FlushQueue {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    wanted: Vec<Arc<Partition>>,
    to_tend: VecDeque<Arc<Partition>>,
    is_relief_wanted: bool,
    is_stopped: bool,
}

/// What the flusher does next.
enum Next {
    Sync,
    Tend(Arc<Partition>),
    TendAll,
    Tick,
    Stop,
}

impl FlushQueue {
    pub fn push(&self, partition: Arc<Partition>) {
        self.state.lock().wanted.push(partition);
        self.changed.notify_one();
    }

    pub fn tend(&self, partition: Arc<Partition>) {
        self.state.lock().to_tend.push_back(partition);
        self.changed.notify_one();
    }

    /// Every partition is to be tended.
    pub fn relieve(&self) {
        self.state.lock().is_relief_wanted = true;
        self.changed.notify_one();
    }

    /// The flusher ends with what it is at. What is queued is for whoever stops: as much of it as there is time for.
    pub fn stop(&self) {
        self.state.lock().is_stopped = true;
        self.changed.notify_one();
    }

    fn is_stopped(&self) -> bool {
        self.state.lock().is_stopped
    }

    /// What comes next: syncs first, clients wait for them; all of them together. `Tick` at the deadline.
    fn take(&self, deadline: Instant, wanted: &mut Vec<Arc<Partition>>) -> Next {
        let mut state = self.state.lock();
        loop {
            if state.is_stopped {
                return Next::Stop;
            }
            if !state.wanted.is_empty() {
                std::mem::swap(&mut state.wanted, wanted);
                return Next::Sync;
            }
            if std::mem::take(&mut state.is_relief_wanted) {
                return Next::TendAll;
            }
            if let Some(partition) = state.to_tend.pop_front() {
                return Next::Tend(partition);
            }
            if self.changed.wait_until(&mut state, deadline).timed_out() {
                return Next::Tick;
            }
        }
    }
}

/// The body of the flusher.
pub fn run(shared: &Shared) {
    let mut wanted = Vec::new();
    let mut next_tick = Instant::now() + TICK;
    let mut next_checkpoint = Instant::now() + CHECKPOINT_EVERY;
    let mut next_look = None;
    loop {
        let deadline = next_look.map_or(next_tick, |at: Instant| at.min(next_tick));
        match shared.hub.flush.take(deadline, &mut wanted) {
            Next::Sync => sync_all(shared, &mut wanted),
            Next::Tend(partition) => partition.tend(may_reserve(shared)),
            Next::TendAll => relieve(shared),
            Next::Tick => {}
            Next::Stop => return,
        }
        let now = Instant::now();
        if next_look.is_none_or(|at| now >= at) {
            next_look = shared.env.look_at_page_cache().then_some(now + LOOK_EVERY);
        }
        if now < next_tick {
            continue;
        }
        next_tick = now + TICK;
        let is_full = write_hard_state(shared);
        check_space(shared, is_full);
        // Those that have little each are not tended by themselves.
        if shared.env.is_filling() {
            tend_all(shared);
        }
        if now >= next_checkpoint {
            next_checkpoint = now + CHECKPOINT_EVERY;
            write_checkpoint(shared);
        }
    }
}

fn sync_all(shared: &Shared, wanted: &mut Vec<Arc<Partition>>) {
    for partition in wanted.drain(..) {
        if shared.hub.flush.is_stopped() {
            return;
        }
        flush(shared, &partition);
    }
}

fn flush(shared: &Shared, partition: &Arc<Partition>) {
    if let Some(job) = partition.flush_job() {
        tell_home(shared, partition, job.run());
    }
}

fn tell_home(shared: &Shared, partition: &Arc<Partition>, flushed: Flushed) {
    let home = shared.hub.home(partition);
    shared.hub.send(home, Message::Flushed(Arc::clone(partition), flushed));
}

/// The body of the thread `ms-seal`, for sealed segments: the sync of a whole one may take a second, which clients that wait
/// for the flusher should not have to wait for.
pub fn seal(shared: &Shared) {
    let queue = &shared.hub.seal;
    while let Some(partition) = queue.next() {
        if let Some(job) = partition.flush_job() {
            let is_needed = || partition.state() != PartitionState::Deleted;
            tell_home(shared, &partition, job.run_while(|| is_needed() && !queue.is_stopped()));
        }
    }
}

fn may_reserve(shared: &Shared) -> bool {
    !shared.is_short_of_space.load(Ordering::Relaxed)
}

/// Most of what may be written is. Nothing to do if the kernel has begun with it by now.
fn relieve(shared: &Shared) {
    shared.env.look_at_page_cache();
    if shared.env.is_filling() {
        tend_all(shared);
    }
}

fn tend_all(shared: &Shared) {
    for partition in shared.hub.registry.all() {
        if shared.hub.flush.is_stopped() {
            return;
        }
        partition.tend(may_reserve(shared));
    }
}

/// Says whether the disk was too full for it, which heals. After any other failure nothing of the log directory is
/// acknowledged any more.
fn write_hard_state(shared: &Shared) -> bool {
    if shared.env.is_offline() {
        // For want of a descriptor, or of space, it may not have been made.
        shared.env.hard_state.note_failure();
        return false;
    }
    match shared.env.write_hard_state() {
        Ok(()) => false,
        Err(error) if is_no_space(&error) => true,
        Err(error) => {
            shared.hub.control.log(50, &format!("the hard-state log failed: {error}"));
            shared.env.set_offline();
            false
        }
    }
}

/// Says where recovery may start. A failure costs recovery time, nothing else.
pub fn write_checkpoint(shared: &Shared) {
    if let Err(error) = shared.env.write_checkpoint(&shared.hub.registry.all()) {
        shared.hub.control.log(40, &format!("the checkpoint could not be written: {error}"));
    }
}

fn check_space(shared: &Shared, is_full: bool) {
    let Ok(space) = shared.env.disk.space(&shared.env.log_dir) else { return };
    let wanted = u64::try_from(shared.config.min_free_bytes).unwrap_or(space.total / 100);
    let is_short = is_full || space.available < wanted;
    if shared.is_short_of_space.swap(is_short, Ordering::Relaxed) != is_short {
        shared.hub.control.log_directory(u8::from(is_short), &shared.hub.log_dir);
    }
}
