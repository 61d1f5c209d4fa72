//! The data plane as a class for Node. Only converts; docs/design/boundary.md says what the calls do.
// The macros of napi expand to code that needs it.
#![allow(unsafe_code)]

mod config;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use ms_reactor::packed::PackedError;
use ms_reactor::{ConnectionId, ListenError};
use napi::bindgen_prelude::{AsyncTask, BufferSlice, Env, Error, Function, Task};
use napi::threadsafe_function::{
    ThreadsafeFunction, ThreadsafeFunctionCallMode, UnknownReturnValue,
};
use napi_derive::napi;

use config::NativeConfig;

#[global_allocator]
static MEMORY: ms_reactor::LargeBlocks = ms_reactor::LargeBlocks;

/// How long a process that exits without `shutdown` waits for the threads.
const EXIT_WITHIN: Duration = Duration::from_secs(2);

/// Results whose error has a `code` of ours.
type Result<T> = std::result::Result<T, Error<String>>;

/// Not held by the event loop, so that a process can end.
type Wake = ThreadsafeFunction<(), UnknownReturnValue, (), napi::Status, false, true, 0>;

#[napi]
pub struct DataPlane {
    plane: Arc<ms_reactor::DataPlane>,
}

#[napi]
impl DataPlane {
    #[napi(constructor)]
    pub fn new(
        env: Env,
        config: NativeConfig,
        on_wake: Function<(), UnknownReturnValue>,
    ) -> Result<Self> {
        let config =
            config.into_config().map_err(|reason| coded("ERR_INVALID_ARG_VALUE", reason))?;
        let wake: Wake = on_wake
            .build_threadsafe_function::<()>()
            .weak::<true>()
            .build()
            .map_err(|error| coded("ERR_NAPI", error.reason.clone()))?;
        let wake = Box::new(move || {
            // It fails only while the process ends, and then nobody drains.
            let _ = wake.call((), ThreadsafeFunctionCallMode::NonBlocking);
        });
        let plane = ms_reactor::DataPlane::new(config, wake)
            .map_err(|error| coded(error.code(), error.to_string()))?;
        let plane = Arc::new(plane);
        let at_exit = Arc::downgrade(&plane);
        env.add_env_cleanup_hook(at_exit, |plane| {
            if let Some(plane) = plane.upgrade() {
                plane.shutdown(EXIT_WITHIN);
            }
        })
        .map_err(|error| coded("ERR_NAPI", error.reason.clone()))?;
        Ok(Self { plane })
    }

    #[napi]
    pub fn listen(&self, listener_id: u32) -> Result<u32> {
        let listener = u8::try_from(listener_id).unwrap_or(u8::MAX);
        match self.plane.listen(listener) {
            Ok(port) => Ok(port.into()),
            Err(ListenError::Io(error)) => Err(coded(io_code(&error), error.to_string())),
            Err(error) => Err(coded("ERR_INVALID_ARG_VALUE", error.to_string())),
        }
    }

    #[napi]
    pub fn drain(&self, mut into: BufferSlice<'_>) -> i64 {
        self.plane.drain(&mut into) as i64
    }

    #[napi]
    pub fn respond(&self, packed: &[u8], length: u32) -> Result<u32> {
        self.plane.respond(head(packed, length)?).map_err(malformed)
    }

    #[napi]
    pub fn submit(&self, packed: &[u8], length: u32) -> Result<u32> {
        let taken = self.plane.submit(head(packed, length)?).map_err(malformed)?;
        Ok(taken as u32)
    }

    #[napi]
    pub fn publish_topology(&self, packed: &[u8]) -> Result<()> {
        self.plane.publish_topology(packed).map_err(malformed)
    }

    #[napi]
    pub fn publish_answer(&self, api_key: i32, api_version: i32, body: &[u8]) {
        self.plane.publish_answer(api_key as i16, api_version as i16, body);
    }

    #[napi]
    pub fn has_answer_room(&self) -> bool {
        self.plane.has_answer_room()
    }

    #[napi]
    pub fn close_connection(&self, slot: u32, generation: u32) {
        self.plane.close_connection(ConnectionId { slot, generation });
    }

    #[napi]
    pub fn stats(&self) -> String {
        self.plane.stats()
    }

    #[napi(ts_return_type = "Promise<void>")]
    pub fn shutdown(&self, deadline_ms: f64) -> AsyncTask<Shutdown> {
        let within = Duration::from_millis(deadline_ms as u64);
        AsyncTask::new(Shutdown { plane: Arc::clone(&self.plane), within })
    }
}

/// Waits for the threads outside the JavaScript thread.
pub struct Shutdown {
    plane: Arc<ms_reactor::DataPlane>,
    within: Duration,
}

impl Task for Shutdown {
    type Output = ();
    type JsValue = ();

    fn compute(&mut self) -> napi::Result<()> {
        self.plane.shutdown(self.within);
        Ok(())
    }

    fn resolve(&mut self, _env: Env, (): ()) -> napi::Result<()> {
        Ok(())
    }
}

fn coded(code: &str, reason: String) -> Error<String> {
    Error::new(code.to_owned(), reason)
}

fn malformed(error: PackedError) -> Error<String> {
    coded("ERR_PACKED", error.to_string())
}

fn head(packed: &[u8], length: u32) -> Result<&[u8]> {
    let len = packed.len();
    packed
        .get(..length as usize)
        .ok_or_else(|| coded("ERR_OUT_OF_RANGE", format!("length {length} of {len} bytes")))
}

/// The name of an error of the operating system, as Node's own errors have it.
fn io_code(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::AddrInUse => "EADDRINUSE",
        io::ErrorKind::AddrNotAvailable => "EADDRNOTAVAIL",
        io::ErrorKind::PermissionDenied => "EACCES",
        io::ErrorKind::InvalidInput => "EINVAL",
        // The resolver's errors have no number.
        _ if error.raw_os_error().is_none() => "ENOTFOUND",
        _ => "EIO",
    }
}
