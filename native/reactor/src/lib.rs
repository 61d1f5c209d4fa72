//! Sockets and threads: Produce and Fetch run to completion on the reactor that read them; every other request goes to
//! TypeScript through a queue. docs/design/boundary.md has the layouts, docs/design/seams.md the neighbours.

mod accept;
mod answer;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod by_hand;
mod clock;
mod coalesce;
mod cold;
mod commands;
mod config;
mod conn;
mod control;
mod control_flow;
mod counting;
mod fetch;
mod flusher;
mod fresh;
mod gather;
mod handed;
mod hub;
mod ids;
mod jobs;
mod large;
mod listener;
mod lookout;
mod malformed;
mod named_again;
mod open_commands;
mod opening;
mod out;
pub mod packed;
mod place;
mod plane;
mod pool;
mod produce;
mod reactor;
mod read;
mod registry;
mod requested;
mod room;
mod send_file;
mod sending;
mod session;
mod shared;
mod side_by_side;
mod slices;
mod slots;
mod stopping;
mod sweep;
mod sys;
mod topology;
mod turn;
mod validation;
mod workers;

pub use config::{DataPlaneConfig, ListenerConfig, ListenerKind};
pub use ids::ConnectionId;
pub use plane::{DataPlane, ListenError, StartError};
pub use sys::LargeBlocks;

#[cfg(test)]
#[global_allocator]
static MEMORY: LargeBlocks = LargeBlocks;
