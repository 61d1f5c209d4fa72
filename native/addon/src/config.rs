//! The configuration as TypeScript gives it: `EngineConfig` of src/engine/engine.ts, and the APIs that it answers.

use std::path::PathBuf;

use ms_reactor::{DataPlaneConfig, ListenerConfig, ListenerKind};
use napi_derive::napi;

// Numbers of JavaScript: a limit may be anything up to Infinity.
#[napi(object)]
pub struct NativeConfig {
    pub node_id: i32,
    pub log_dir: String,
    pub listeners: Vec<NativeListener>,
    pub reactors: f64,
    pub spin_us: f64,
    pub coalesce_us: f64,
    pub recv_bytes: f64,
    pub max_request_bytes: f64,
    pub max_control_request_bytes: f64,
    pub pool_mib: f64,
    pub dirty_mib: f64,
    pub connections_max_idle_ms: f64,
    pub max_connections_per_ip: f64,
    pub max_connections: f64,
    pub fetch_max_bytes: f64,
    pub fetch_session_slots: f64,
    pub producer_id_expiration_ms: f64,
    pub producer_id_expiration_check_ms: f64,
    pub producer_check_compressed: bool,
    pub min_free_bytes: f64,
    pub retention_check_ms: f64,
    /// Key, lowest and highest version of each.
    pub control_apis: Vec<Vec<i32>>,
}

#[napi(object)]
pub struct NativeListener {
    pub id: u32,
    pub kind: String,
    pub host: String,
    pub port: u32,
}

impl NativeConfig {
    /// The same for the data plane; the text says what is wrong.
    pub fn into_config(self) -> Result<DataPlaneConfig, String> {
        // A conversion from a float saturates.
        Ok(DataPlaneConfig {
            node_id: self.node_id,
            log_dir: PathBuf::from(self.log_dir),
            listeners: self.listeners.into_iter().map(listener).collect::<Result<_, _>>()?,
            reactors: self.reactors as usize,
            spin_us: self.spin_us as u64,
            coalesce_us: self.coalesce_us as u64,
            recv_bytes: self.recv_bytes as usize,
            max_request_bytes: self.max_request_bytes as usize,
            max_control_request_bytes: self.max_control_request_bytes as usize,
            pool_mib: self.pool_mib as usize,
            dirty_mib: self.dirty_mib as usize,
            connections_max_idle_ms: self.connections_max_idle_ms as i64,
            max_connections_per_ip: self.max_connections_per_ip as usize,
            max_connections: self.max_connections as usize,
            fetch_max_bytes: self.fetch_max_bytes as usize,
            fetch_session_slots: self.fetch_session_slots as usize,
            producer_id_expiration_ms: self.producer_id_expiration_ms as i64,
            producer_id_expiration_check_ms: self.producer_id_expiration_check_ms as i64,
            producer_check_compressed: self.producer_check_compressed,
            min_free_bytes: self.min_free_bytes as i64,
            retention_check_ms: self.retention_check_ms as i64,
            control_apis: self
                .control_apis
                .iter()
                .map(|api| control_api(api))
                .collect::<Result<_, _>>()?,
        })
    }
}

fn listener(listener: NativeListener) -> Result<ListenerConfig, String> {
    let NativeListener { id, kind, host, port } = listener;
    let id = u8::try_from(id).map_err(|_| format!("listener id {id} is above 255"))?;
    let port = u16::try_from(port).map_err(|_| format!("{port} is no port"))?;
    let kind = match kind.as_str() {
        "kafka" => ListenerKind::Kafka,
        "closed" => ListenerKind::Closed,
        other => return Err(format!("unknown kind of listener: {other}")),
    };
    Ok(ListenerConfig { id, kind, host, port })
}

fn control_api(api: &[i32]) -> Result<(i16, i16, i16), String> {
    let narrow = |value: i32| i16::try_from(value).map_err(|_| format!("{value} is no int16"));
    match api {
        [key, min, max] => Ok((narrow(*key)?, narrow(*min)?, narrow(*max)?)),
        _ => Err("an API is [key, min, max]".to_owned()),
    }
}
