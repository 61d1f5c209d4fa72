//! A partition: log, Raft group, producer state and waiters under one short lock. The only type that reactors see.
//!
//! Nothing in here starts a thread. Methods that may wait for the disk say so and belong on a worker; all others hold
//! the lock for microseconds.

mod api;
mod append;
mod core;
mod dirty;
mod env;
mod flush;
mod folders;
mod group_files;
mod jobs;
mod lease;
mod left;
mod log_start;
mod open;
mod partition;
#[cfg(feature = "planted-faults")]
mod planted;
// Open to the fuzz target of its snapshots.
pub mod producers;
mod read;
mod retention;
mod snapshot;
mod together;
mod troubles;

pub use api::*;
pub use env::{Env, EnvState};
pub use folders::sweep_folders;
pub use open::OpenError;
pub use partition::Partition;
pub use read::{ListOffsetsAnswer, OffsetSearch};
