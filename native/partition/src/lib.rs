//! A partition: log, Raft group, producer state and waiters under one short lock. The only type that reactors see.
//!
//! Nothing in here starts a thread. Methods that may wait for the disk say so and belong on a worker; all others hold
//! the lock for microseconds.

mod api;
mod env;
mod partition;

pub use api::*;
pub use env::Env;
pub use partition::{ListOffsetsAnswer, OffsetSearch, OpenError, Partition, sweep_folders};
