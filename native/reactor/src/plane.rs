//! The data plane: what the addon, and tests, see of all this.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use arc_swap::ArcSwap;
use ms_log::hard_state::{HardStateLog, LastStop};
use ms_log::{DirLock, Disk, RealDisk, checkpoint};
use ms_partition::{Env, EnvState, Notifier};
use parking_lot::Mutex;
use thiserror::Error;

use crate::cold::ColdQueue;
use crate::commands;
use crate::config::DataPlaneConfig;
use crate::control::ControlQueue;
use crate::flusher::{self, FlushQueue};
use crate::hub::{Answer, Hub, Mailbox, Message, PollWaker};
use crate::ids::{ConnectionId, Seq};
use crate::jobs::JobQueue;
use crate::large::LargeQueue;
use crate::listener::{self, ConnectionCounts};
use crate::open_commands::OpenCommands;
use crate::opening::Opening;
use crate::packed::{PackedError, PackedReader, answer_flag};
use crate::pool::PoolLimit;
use crate::reactor::{Reactor, WAKE};
use crate::registry::Registry;
use crate::room::{BYTES_MAX, HELD_BYTES_MAX, Room};
use crate::session::SessionCache;
use crate::shared::{Answers, ApiTable, Shared, Stats, now_ms};
use crate::stopping;
use crate::topology::Topology;
use crate::workers::{WORKERS, WorkQueues};

/// Why a data plane cannot start.
#[derive(Debug, Error)]
pub enum StartError {
    #[error("{0} is in use by another process")]
    LogDirLocked(PathBuf),
    #[error("{path}: {source}")]
    LogDirIo { path: PathBuf, source: io::Error },
    #[error("{0}")]
    Threads(io::Error),
}

impl StartError {
    /// The `code` of the JavaScript error.
    pub fn code(&self) -> &'static str {
        match self {
            StartError::LogDirLocked(_) => "LOG_DIR_LOCKED",
            StartError::LogDirIo { .. } => "LOG_DIR_IO",
            StartError::Threads(_) => "EAGAIN",
        }
    }
}

/// A `listen` that failed.
#[derive(Debug, Error)]
pub enum ListenError {
    #[error("no listener {0} in the configuration")]
    Unknown(u8),
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// Reactors, workers and files of one broker. Every call returns at once, `new` and `shutdown` excepted.
pub struct DataPlane {
    shared: Arc<Shared>,
    running: Mutex<Option<Running>>,
    /// What a shutdown did not wait for.
    late: Mutex<Option<JoinHandle<()>>>,
}

/// Threads that work on files, and the lock of the directory.
pub(crate) struct Running {
    pub reactors: Vec<JoinHandle<()>>,
    pub workers: Vec<JoinHandle<()>>,
    pub flushers: [JoinHandle<()>; 2],
    pub lock: Box<dyn DirLock>,
}

impl DataPlane {
    /// Locks the log directory, recovers its hard state and starts the threads. `wake` is called from any thread when
    /// `drain` has something; it must not wait.
    pub fn new(
        config: DataPlaneConfig,
        wake: Box<dyn Fn() + Send + Sync>,
    ) -> Result<Self, StartError> {
        crate::sys::give_memory_back();
        Self::with_disk(config, Arc::new(RealDisk), wake)
    }

    /// As `new`, over another disk.
    pub fn with_disk(
        config: DataPlaneConfig,
        disk: Arc<dyn Disk>,
        wake: Box<dyn Fn() + Send + Sync>,
    ) -> Result<Self, StartError> {
        let Prepared { shared, polls, lock } = Prepared::new(config, disk, wake)?;
        let running = start(&shared, polls, lock).map_err(StartError::Threads)?;
        Ok(Self { shared, running: Mutex::new(Some(running)), late: Mutex::default() })
    }

    /// Binds a listener of the configuration and returns its port.
    pub fn listen(&self, listener: u8) -> Result<u16, ListenError> {
        let mut listeners = self.shared.config.listeners.iter();
        let config =
            listeners.find(|config| config.id == listener).ok_or(ListenError::Unknown(listener))?;
        let (acceptors, port) = listener::bind(config)?;
        self.shared.hub.send(0, Message::Listen(acceptors));
        Ok(port)
    }

    /// Copies packed frames and events: bytes written; 0 = empty; -n = the next entry needs n bytes.
    pub fn drain(&self, into: &mut [u8]) -> isize {
        let (len, has_room) = self.shared.hub.control.drain(into);
        if has_room {
            self.shared.hub.tell_of_control_room();
        }
        len
    }

    /// Takes packed answers: how many. One for a connection that is gone is dropped in silence.
    pub fn respond(&self, packed: &[u8]) -> Result<u32, PackedError> {
        let mut reader = PackedReader::new(packed);
        let mut taken = 0;
        while reader.remaining() > 0 {
            let mut entry = reader.entry()?;
            let connection = ConnectionId { slot: entry.u32()?, generation: entry.u32()? };
            let (seq, flags) = (Seq::from_u32(entry.u32()?), entry.u8()?);
            if flags & answer_flag::PART != 0 {
                let message = Message::RespondPart { connection, seq, part: entry.rest().to_vec() };
                self.shared.hub.send(connection.reactor(), message);
                continue;
            }
            let mute_ms = if flags & answer_flag::MUTE != 0 { entry.u32()? } else { 0 };
            let answer = Answer { seq, flags, mute_ms, payload: entry.rest().to_vec() };
            let message = Message::Respond { connection, answer };
            self.shared.hub.send(connection.reactor(), message);
            taken += 1;
        }
        Ok(taken)
    }

    /// Takes packed commands: bytes taken. The rest must be given again after the next wake-up.
    pub fn submit(&self, packed: &[u8]) -> Result<usize, PackedError> {
        commands::submit(&self.shared, packed)
    }

    /// Applies a packed image or delta; every reactor sees it when this returns.
    pub fn publish_topology(&self, packed: &[u8]) -> Result<(), PackedError> {
        let next = self.shared.topology.load().updated(packed, &self.shared.hub.registry)?;
        self.shared.topology.store(Arc::new(next));
        Ok(())
    }

    /// Sets the constant answer to an API in one version: response header without correlation id, then body.
    pub fn publish_answer(&self, api_key: i16, api_version: i16, body: &[u8]) {
        let mut answers = Answers::clone(&self.shared.answers.load());
        answers.insert((api_key, api_version), body.into());
        self.shared.answers.store(Arc::new(answers));
    }

    /// Whether clients have taken enough of long answers for another. When not, those who are slow make room.
    pub fn has_answer_room(&self) -> bool {
        self.shared.room.has_for_answer()
    }

    pub fn close_connection(&self, connection: ConnectionId) {
        self.shared.hub.send(connection.reactor(), Message::Close(connection));
    }

    /// Counters as a JSON object of numbers.
    pub fn stats(&self) -> String {
        let gauges = [
            ("fetchSessions", self.shared.sessions.count() as u64),
            ("poolBytes", self.shared.pool_limit.used() as u64),
        ];
        self.shared.stats.to_json(&gauges)
    }

    /// Stops: no more requests are taken, those in flight are finished for a part of the time, files are made durable and
    /// marked as stopped cleanly, as far as there is time. Every open command has its event when this returns. Waits until
    /// then; the second call does nothing.
    pub fn shutdown(&self, within: Duration) {
        let Some(running) = self.running.lock().take() else { return };
        *self.late.lock() = stopping::stop(&self.shared, running, within);
    }
}

impl Drop for DataPlane {
    fn drop(&mut self) {
        self.shutdown(Duration::from_millis(500));
        // Who starts another one on the same files finds them at rest.
        if let Some(late) = self.late.lock().take() {
            let _ = late.join();
        }
    }
}

/// Everything that the threads need, before there are any.
pub(crate) struct Prepared {
    pub shared: Arc<Shared>,
    pub polls: Vec<mio::Poll>,
    pub lock: Box<dyn DirLock>,
}

impl Prepared {
    pub fn new(
        config: DataPlaneConfig,
        disk: Arc<dyn Disk>,
        wake: Box<dyn Fn() + Send + Sync>,
    ) -> Result<Self, StartError> {
        let dir = config.log_dir.clone();
        let at = |source| StartError::LogDirIo { path: dir.clone(), source };
        disk.create_dir_all(&config.log_dir).map_err(at)?;
        let lock = disk.lock_dir(&config.log_dir).map_err(|error| match error.kind() {
            io::ErrorKind::WouldBlock => StartError::LogDirLocked(dir.clone()),
            _ => at(error),
        })?;
        let (hard_state, last_stop) =
            HardStateLog::open(Arc::clone(&disk), &config.log_dir).map_err(at)?;
        let checkpoints = checkpoint::read(disk.as_ref(), &config.log_dir).map_err(at)?;
        let (polls, mailboxes) = make_polls(config.reactors.max(1)).map_err(StartError::Threads)?;
        let hub = Arc::new(Hub {
            mailboxes,
            control: ControlQueue::new(wake),
            flush: FlushQueue::default(),
            seal: JobQueue::default(),
            work: WorkQueues::new(),
            open_commands: OpenCommands::default(),
            opening: Opening::default(),
            registry: Registry::default(),
            log_dir: config.log_dir.to_string_lossy().into_owned(),
        });
        tell_of_cut(&hub.control, &last_stop);
        let notifier: Arc<dyn Notifier> = Arc::clone(&hub) as Arc<dyn Notifier>;
        let env = Env {
            disk,
            log_dir: config.log_dir.clone(),
            hard_state: Arc::new(hard_state),
            notifier,
            same_boot: last_stop.lost_nothing(),
            node_id: config.node_id.max(0) as u32,
            producer_id_expiration_ms: config.producer_id_expiration_ms,
            producer_id_expiration_check_ms: config.producer_id_expiration_check_ms,
            producer_check_compressed: config.producer_check_compressed,
            retention_check_interval_ms: config.retention_check_ms,
            now_ms,
            state: EnvState::new(checkpoints).with_unstarted_max((config.dirty_mib as u64) << 20),
        };
        let shared = Arc::new(Shared {
            hub,
            env: Arc::new(env),
            topology: Arc::new(ArcSwap::from_pointee(Topology::default())),
            answers: ArcSwap::from_pointee(Answers::default()),
            apis: ApiTable::new(&config.control_apis),
            sessions: SessionCache::new(config.fetch_session_slots),
            connections: ConnectionCounts::new(
                config.max_connections,
                config.max_connections_per_ip,
            ),
            pool_limit: PoolLimit::new(config.pool_mib << 20),
            room: Room::new(BYTES_MAX),
            held: Room::new(HELD_BYTES_MAX),
            cold: ColdQueue::default(),
            large: LargeQueue::default(),
            stats: Stats::default(),
            loads: polls.iter().map(|_| Default::default()).collect(),
            is_short_of_space: Default::default(),
            is_stopped: Default::default(),
            config,
        });
        Ok(Self { shared, polls, lock })
    }
}

/// Says what was cut off the hard-state log: the end of a write that was cut short, or terms, votes and removals of before.
fn tell_of_cut(control: &ControlQueue, last: &LastStop) {
    let (level, what) = match last {
        LastStop { cut_bytes: 0, .. } => return,
        LastStop { is_damaged: true, .. } => (50, "is damaged, and what it said last is lost"),
        _ => (40, "ends in a write that was cut short"),
    };
    let (bytes, copy) = (last.cut_bytes, last.cut_copy.display());
    control.log(level, &format!("the hard-state log {what}: {bytes} bytes were moved to {copy}"));
}

fn make_polls(count: usize) -> io::Result<(Vec<mio::Poll>, Vec<Mailbox>)> {
    let mut polls = Vec::new();
    let mut mailboxes = Vec::new();
    for _ in 0..count {
        let poll = mio::Poll::new()?;
        mailboxes.push(Mailbox::new(PollWaker(mio::Waker::new(poll.registry(), WAKE)?)));
        polls.push(poll);
    }
    Ok((polls, mailboxes))
}

fn start(
    shared: &Arc<Shared>,
    polls: Vec<mio::Poll>,
    lock: Box<dyn DirLock>,
) -> io::Result<Running> {
    let mut reactors = Vec::new();
    for (number, poll) in polls.into_iter().enumerate() {
        let reactor = Reactor::new(Arc::clone(shared), number as u16, poll);
        reactors.push(spawn(format!("ms-r{number}"), move || reactor.run())?);
    }
    let mut workers = Vec::new();
    for number in 0..WORKERS {
        let shared = Arc::clone(shared);
        workers.push(spawn("ms-work".to_owned(), move || {
            let open = |batch| commands::open_partitions(&shared, batch);
            shared.hub.work.run(number, open, |what| shared.hub.control.log(50, what));
        })?);
    }
    let for_flusher = Arc::clone(shared);
    let flusher = spawn("ms-flush".to_owned(), move || flusher::run(&for_flusher))?;
    let for_sealer = Arc::clone(shared);
    let sealer = spawn("ms-seal".to_owned(), move || flusher::seal(&for_sealer))?;
    let for_cold = Arc::clone(shared);
    // These two end by themselves: a stop need not wait until they are woken.
    spawn("ms-cold".to_owned(), move || for_cold.cold.run(&for_cold.hub))?;
    let for_large = Arc::clone(shared);
    spawn("ms-large".to_owned(), move || {
        crate::sys::give_way();
        crate::large::run(&for_large);
    })?;
    Ok(Running { reactors, workers, flushers: [flusher, sealer], lock })
}

/// A thread of the data plane.
pub(crate) fn spawn(
    name: String,
    body: impl FnOnce() + Send + 'static,
) -> io::Result<JoinHandle<()>> {
    std::thread::Builder::new().name(name).spawn(move || {
        crate::sys::block_signals();
        // Work on one partition is guarded where it is done; a panic elsewhere leaves nothing that could be trusted.
        if catch_unwind(AssertUnwindSafe(body)).is_err() {
            std::process::abort();
        }
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::by_hand::temp_dir::TempDir;

    #[test]
    fn nothing_is_left_of_a_data_plane_that_is_gone() {
        let dir = TempDir::new();
        let config = DataPlaneConfig { log_dir: dir.0.clone(), ..DataPlaneConfig::default() };
        let plane = DataPlane::new(config, Box::new(|| {})).unwrap();
        let shared = Arc::downgrade(&plane.shared);
        drop(plane);
        // Two of its threads end by themselves, a little later.
        let began = Instant::now();
        while shared.strong_count() > 0 {
            assert!(began.elapsed() < Duration::from_secs(60), "a thread goes on");
            std::thread::yield_now();
        }
    }
}
