//! A partition: log, Raft group, producer state and waiters under one short lock. The only type that reactors see.
//!
//! Nothing in here starts a thread. Methods that may wait for the disk say so and belong on a worker; all others hold
//! the lock for microseconds.

#![allow(dead_code)]

mod api;
mod env;
mod partition;
mod producers;

pub use api::*;
pub use env::{Env, EnvState};
pub use partition::{ListOffsetsAnswer, OffsetSearch, OpenError, Partition, sweep_folders};
