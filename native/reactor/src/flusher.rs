//! The thread `ms-flush`: fsync, the hard-state log, the checkpoint, the free space.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use ms_partition::Partition;
use parking_lot::{Condvar, Mutex};

use crate::hub::Message;
use crate::shared::Shared;

const TICK: Duration = Duration::from_secs(1);
const CHECKPOINT_EVERY: Duration = Duration::from_secs(10);

/// Partitions that want an fsync.
#[derive(Default)]
pub struct FlushQueue {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    wanted: Vec<Arc<Partition>>,
    is_stopped: bool,
}

impl FlushQueue {
    pub fn push(&self, partition: Arc<Partition>) {
        self.state.lock().wanted.push(partition);
        self.changed.notify_one();
    }

    /// What is queued is still done, then the flusher ends.
    pub fn stop(&self) {
        self.state.lock().is_stopped = true;
        self.changed.notify_one();
    }

    /// Everything that is wanted, after at most `deadline`; `None` once stopped and empty.
    fn take(&self, deadline: Instant, wanted: &mut Vec<Arc<Partition>>) -> bool {
        let mut state = self.state.lock();
        while state.wanted.is_empty() && !state.is_stopped {
            if self.changed.wait_until(&mut state, deadline).timed_out() {
                break;
            }
        }
        std::mem::swap(&mut state.wanted, wanted);
        !(wanted.is_empty() && state.is_stopped)
    }
}

/// The body of the flusher.
pub fn run(shared: &Shared) {
    let mut wanted = Vec::new();
    let mut has_failed = false;
    let mut next_tick = Instant::now() + TICK;
    let mut next_checkpoint = Instant::now() + CHECKPOINT_EVERY;
    while shared.hub.flush.take(next_tick, &mut wanted) {
        for partition in wanted.drain(..) {
            flush(shared, &partition);
        }
        let now = Instant::now();
        if now < next_tick {
            continue;
        }
        next_tick = now + TICK;
        if shared.env.write_hard_state().is_err() && !std::mem::replace(&mut has_failed, true) {
            shared.hub.control.log_directory(2, &shared.hub.log_dir);
        }
        check_space(shared);
        if now >= next_checkpoint {
            next_checkpoint = now + CHECKPOINT_EVERY;
            write_checkpoint(shared);
        }
    }
}

fn flush(shared: &Shared, partition: &Arc<Partition>) {
    if let Some(job) = partition.flush_job() {
        let flushed = job.run();
        let home = shared.hub.home(partition);
        shared.hub.send(home, Message::Flushed(Arc::clone(partition), flushed));
    }
}

/// Says where recovery may start. A failure costs recovery time, nothing else.
pub fn write_checkpoint(shared: &Shared) {
    if let Err(error) = shared.env.write_checkpoint(&shared.hub.registry.all()) {
        shared.hub.control.log(40, &format!("the checkpoint could not be written: {error}"));
    }
}

fn check_space(shared: &Shared) {
    let Ok(space) = shared.env.disk.space(&shared.env.log_dir) else { return };
    let wanted = u64::try_from(shared.config.min_free_bytes).unwrap_or(space.total / 100);
    let is_short = space.available < wanted;
    if shared.is_short_of_space.swap(is_short, Ordering::Relaxed) != is_short {
        shared.hub.control.log_directory(u8::from(is_short), &shared.hub.log_dir);
    }
}
