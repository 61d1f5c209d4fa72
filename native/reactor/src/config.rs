//! What a `DataPlane` is told at its start.

use std::path::PathBuf;

/// No frame is larger, whatever the configuration says: an answer names what its request does, beside the records, and its
/// length has 31 bits.
pub const FRAME_MAX: usize = 512 << 20;

/// Items of all arrays of a request that TypeScript answers, as `REQUEST_ITEMS_MAX` there: a frame with more is not handed over.
pub const CONTROL_ITEMS_MAX: usize = 120_000;

/// Everything that does not change while the broker runs. Sizes in bytes unless the name says MiB.
#[derive(Debug, Clone)]
pub struct DataPlaneConfig {
    pub node_id: i32,
    /// The one log directory.
    pub log_dir: PathBuf,
    pub listeners: Vec<ListenerConfig>,
    /// Number of reactor threads, at least 1.
    pub reactors: usize,
    /// How long a reactor polls without sleeping after an event, in microseconds.
    pub spin_us: u64,
    /// How long a turn takes at least in which a client has several requests in flight, in microseconds.
    pub coalesce_us: u64,
    /// Receive buffer of each reactor.
    pub recv_bytes: usize,
    /// `socket.request.max.bytes`; at most `FRAME_MAX` counts.
    pub max_request_bytes: usize,
    /// `control.request.max.bytes`: the same for all requests but Produce and Fetch.
    pub max_control_request_bytes: usize,
    /// Bound of the buffers that hold incomplete frames.
    pub pool_mib: usize,
    /// Bound of what was written and is not yet in writeback.
    pub dirty_mib: usize,
    /// `connections.max.idle.ms`; negative: never.
    pub connections_max_idle_ms: i64,
    /// `max.connections.per.ip`.
    pub max_connections_per_ip: usize,
    /// `max.connections`.
    pub max_connections: usize,
    /// `fetch.max.bytes`.
    pub fetch_max_bytes: usize,
    /// `max.incremental.fetch.session.cache.slots`.
    pub fetch_session_slots: usize,
    /// `producer.id.expiration.ms`.
    pub producer_id_expiration_ms: i64,
    /// `producer.id.expiration.check.interval.ms`.
    pub producer_id_expiration_check_ms: i64,
    /// `producer.check.compressed`.
    pub producer_check_compressed: bool,
    /// Appends stop below so many free bytes of the disk; negative: below one hundredth of it.
    pub min_free_bytes: i64,
    /// `log.retention.check.interval.ms`.
    pub retention_check_ms: i64,
    /// APIs that TypeScript answers: key, lowest and highest version. Frames of any other API or version close the
    /// connection, except ApiVersions, which TypeScript sees in every version (KIP-511).
    pub control_apis: Vec<(i16, i16, i16)>,
}

/// One address to listen on.
#[derive(Debug, Clone)]
pub struct ListenerConfig {
    pub id: u8,
    pub kind: ListenerKind,
    /// A host name or address; empty: all interfaces; `localhost`: 127.0.0.1 and ::1 on one port.
    pub host: String,
    /// 0 takes any free port.
    pub port: u16,
}

/// What happens to connections of a listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListenerKind {
    /// They speak Kafka's protocol.
    Kafka,
    /// They are closed at once: the address is taken, nothing is served.
    Closed,
}

impl Default for DataPlaneConfig {
    /// Kafka's defaults, one reactor, no listener.
    fn default() -> Self {
        DataPlaneConfig {
            node_id: 1,
            log_dir: PathBuf::from("data"),
            listeners: Vec::new(),
            reactors: 1,
            spin_us: 100,
            coalesce_us: 50,
            recv_bytes: 2 << 20,
            max_request_bytes: 100 << 20,
            max_control_request_bytes: 4 << 20,
            pool_mib: 256,
            dirty_mib: 256,
            connections_max_idle_ms: 600_000,
            max_connections_per_ip: usize::MAX,
            max_connections: usize::MAX,
            fetch_max_bytes: 55 << 20,
            fetch_session_slots: 1000,
            producer_id_expiration_ms: 86_400_000,
            producer_id_expiration_check_ms: 600_000,
            producer_check_compressed: true,
            min_free_bytes: -1,
            retention_check_ms: 300_000,
            control_apis: Vec::new(),
        }
    }
}
