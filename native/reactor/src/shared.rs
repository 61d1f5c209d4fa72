//! What all threads of one data plane share. Nothing is global to the process.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use arc_swap::ArcSwap;
use ms_partition::Env;

use crate::cold::ColdQueue;
use crate::config::DataPlaneConfig;
use crate::hub::Hub;
use crate::large::LargeQueue;
use crate::listener::ConnectionCounts;
use crate::pool::PoolLimit;
use crate::room::Room;
use crate::session::SessionCache;
use crate::topology::Topology;

/// Constant answers by API key and version.
pub type Answers = HashMap<(i16, i16), Arc<[u8]>>;

pub struct Shared {
    pub config: DataPlaneConfig,
    pub hub: Arc<Hub>,
    pub env: Arc<Env>,
    pub topology: Arc<ArcSwap<Topology>>,
    pub answers: ArcSwap<Answers>,
    pub apis: ApiTable,
    pub sessions: SessionCache,
    pub connections: Arc<ConnectionCounts>,
    pub pool_limit: Arc<PoolLimit>,
    pub room: Arc<Room>,
    /// What arrived of large control requests that have no room.
    pub held: Arc<Room>,
    pub cold: ColdQueue,
    pub large: LargeQueue,
    pub stats: Stats,
    /// Connections of each reactor.
    pub loads: Vec<AtomicUsize>,
    /// Threads have ended: commands are refused.
    pub is_stopped: AtomicBool,
    /// Less free space than `min_free_bytes`: clients' appends are refused.
    pub is_short_of_space: AtomicBool,
}

impl Shared {
    /// Counts a new connection with the reactor that has the fewest.
    pub fn enter_least(&self) -> usize {
        let loads = self.loads.iter().map(|load| load.load(Ordering::Relaxed)).enumerate();
        let least = loads.min_by_key(|(_, load)| *load).map_or(0, |(reactor, _)| reactor);
        self.loads[least].fetch_add(1, Ordering::Relaxed);
        self.stats.connections.fetch_add(1, Ordering::Relaxed);
        least
    }

    /// A connection of this reactor has ended.
    pub fn left(&self, reactor: u16) {
        self.loads[usize::from(reactor)].fetch_sub(1, Ordering::Relaxed);
        self.stats.connections.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Which APIs and versions TypeScript answers.
pub struct ApiTable {
    versions: Vec<Option<(i16, i16)>>,
}

impl ApiTable {
    pub fn new(apis: &[(i16, i16, i16)]) -> Self {
        let mut versions = Vec::new();
        for (key, min, max) in apis {
            let Ok(index) = usize::try_from(*key) else { continue };
            if versions.len() <= index {
                versions.resize(index + 1, None);
            }
            versions[index] = Some((*min, *max));
        }
        Self { versions }
    }

    pub fn is_served(&self, api_key: i16, api_version: i16) -> bool {
        let versions = usize::try_from(api_key).ok().and_then(|key| self.versions.get(key));
        matches!(versions, Some(Some((min, max))) if (*min..=*max).contains(&api_version))
    }
}

/// Counters; each is only ever added to, except the gauges.
#[derive(Default)]
pub struct Stats {
    pub connections: AtomicU64,
    pub connections_accepted: AtomicU64,
    pub connections_refused: AtomicU64,
    pub bytes_in: AtomicU64,
    pub bytes_out: AtomicU64,
    pub produce_requests: AtomicU64,
    pub produce_batches: AtomicU64,
    pub fetch_requests: AtomicU64,
    pub control_requests: AtomicU64,
    pub constant_answers: AtomicU64,
    pub malformed_frames: AtomicU64,
    pub cold_reads: AtomicU64,
    pub turns: AtomicU64,
}

impl Stats {
    /// Adds to a counter that several threads add to.
    pub fn add(counter: &AtomicU64, value: u64) {
        if value > 0 {
            counter.fetch_add(value, Ordering::Relaxed);
        }
    }

    /// The counters as one JSON object of numbers.
    pub fn to_json(&self, gauges: &[(&str, u64)]) -> String {
        let counters = [
            ("connections", &self.connections),
            ("connectionsAccepted", &self.connections_accepted),
            ("connectionsRefused", &self.connections_refused),
            ("bytesIn", &self.bytes_in),
            ("bytesOut", &self.bytes_out),
            ("produceRequests", &self.produce_requests),
            ("produceBatches", &self.produce_batches),
            ("fetchRequests", &self.fetch_requests),
            ("controlRequests", &self.control_requests),
            ("constantAnswers", &self.constant_answers),
            ("malformedFrames", &self.malformed_frames),
            ("coldReads", &self.cold_reads),
            ("turns", &self.turns),
        ];
        let counters = counters.iter().map(|(name, value)| (*name, value.load(Ordering::Relaxed)));
        let fields: Vec<String> = counters
            .chain(gauges.iter().copied())
            .map(|(name, value)| format!("\"{name}\":{value}"))
            .collect();
        format!("{{{}}}", fields.join(","))
    }
}

/// Wall clock in milliseconds since 1970.
pub fn now_ms() -> i64 {
    now_us().div_euclid(1000)
}

/// Wall clock in microseconds since 1970.
pub fn now_us() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_micros() as i64)
}
