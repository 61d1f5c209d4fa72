//! Segment files that are the Raft log of a partition at the same time, their indexes, the hard-state log and recovery.
//! Starts no threads and takes no locks of others: the caller holds the partition's lock, and runs what may wait for the
//! disk ([`FlushJob`], [`LocateJob`], [`TimeSearch`], [`DeleteJob`]) without it.

mod bytes;
mod creation;
mod cut;
mod descriptors;
mod disk;
mod entry;
mod epochs;
mod error;
mod flush;
mod identity;
mod index;
mod locate;
mod log;
mod log_start;
mod lookup;
mod maps;
mod marks;
mod opening;
mod options;
mod padding;
mod pieces;
mod read;
mod real;
mod recover_segment;
mod recovery;
mod replay;
mod resync;
mod retention;
mod ring;
mod segment;
mod sys;
mod tend;
mod time_search;
mod truncate;
mod trust;
mod walk;

pub mod checkpoint;
pub mod hard_state;
pub mod sim;

pub use creation::{holds_nothing, sync_created};
pub use descriptors::Descriptors;
pub use disk::{
    DirEntry, DirLock, Disk, File, OpenMode, PageCache, Space, read_all, read_exact_at,
    replace_file,
};
pub use entry::{AppendPosition, Entry, EntryKind, FrameToWrite};
pub use error::{AppendError, LogError, ReadError, is_no_space};
pub use flush::{FlushJob, Flushed};
pub use identity::read_identity;
pub use locate::LocateJob;
pub use log::{EpochEnd, NextAppend, PartitionLog};
pub use options::{LogIdentity, LogOptions};
pub use padding::PaddingOptions;
pub use read::{FileRange, ReadPlan, ReadRequest};
pub use real::RealDisk;
pub use recovery::{BatchVisitor, Damage, OpenLog, Recovery};
pub use retention::{DeleteJob, RetentionPlan};
pub use sys::page_bytes;
pub use tend::{TendJob, WRITEBACK_BYTES};
pub use time_search::{TimeFound, TimeSearch};
