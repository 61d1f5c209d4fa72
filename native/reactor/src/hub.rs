//! Where threads leave messages for each other: the reactors' mailboxes, the flusher's and the workers' queues, and the
//! queue to TypeScript.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ms_intake::Wake;
use ms_log::Flushed;
use ms_partition::{
    AppendDone, Handle, JobKind, LogDirState, Notifier, Partition, PartitionEvent, ReplySlot,
    Waiter,
};

use crate::commands::Command;
use crate::control::ControlQueue;
use crate::fetch::FoundPlan;
use crate::flusher::FlushQueue;
use crate::ids::{ConnectionId, Seq};
use crate::jobs::JobQueue;
use crate::large::LargeOutcome;
use crate::listener::{Acceptor, Admission};
use crate::open_commands::OpenCommands;
use crate::opening::Opening;
use crate::registry::Registry;
use crate::validation::ValidatedFrame;
use crate::workers::{Job, WorkQueues};

/// Something that a reactor must do.
pub enum Message {
    Listen(Vec<Acceptor>),
    Accepted(Accepted),
    Respond {
        connection: ConnectionId,
        answer: Answer,
    },
    /// Part of an answer whose rest comes by `Respond`.
    RespondPart {
        connection: ConnectionId,
        seq: Seq,
        part: Vec<u8>,
    },
    Close(ConnectionId),
    /// There is room in the queue to TypeScript again.
    ControlRoom,
    /// A waiting fetch may look again.
    Wake(u64),
    /// A parked append of a client.
    AppendDone(u64, AppendDone),
    /// Turns of this reactor were left to who had the partition's lock, and that one has to go on.
    LeftTurns(Arc<Partition>),
    /// The flusher has run this partition's job.
    Flushed(Arc<Partition>, Flushed),
    /// What the cold reader read.
    Cold {
        connection: ConnectionId,
        block: io::Result<Vec<u8>>,
    },
    /// Where the records of a waiting fetch are.
    Located {
        request: u64,
        found: Vec<FoundPlan>,
    },
    /// A Produce whose batches a worker has validated.
    Validated(Box<ValidatedFrame>),
    /// What has become of a request that was handed over.
    Large {
        request: u64,
        outcome: LargeOutcome,
        /// The buffer that its frame was in.
        buffer: Vec<u8>,
    },
    /// A command of TypeScript for a partition whose home this reactor is.
    Command(Box<Command>),
    /// Finish what is in flight until then, and end.
    Shutdown(Instant),
}

/// A new connection on its way to its reactor.
pub struct Accepted {
    pub stream: mio::net::TcpStream,
    pub listener: u8,
    pub address: std::net::SocketAddr,
    pub admission: Admission,
}

/// An answer of TypeScript.
pub struct Answer {
    pub seq: Seq,
    /// `answer_flag`s.
    pub flags: u8,
    pub mute_ms: u32,
    pub payload: Vec<u8>,
}

/// One reactor's inbox.
pub type Mailbox = ms_intake::Mailbox<Message, PollWaker>;

/// Ends a reactor's `poll`.
pub struct PollWaker(pub mio::Waker);

impl Wake for PollWaker {
    fn wake(&self) {
        // It fails only when the poller is gone, and then nobody sleeps.
        let _ = self.0.wake();
    }
}

/// All queues of one data plane.
pub struct Hub {
    pub mailboxes: Vec<Mailbox>,
    pub control: ControlQueue,
    pub flush: FlushQueue,
    /// Partitions with a sealed segment that is not durable.
    pub seal: JobQueue<Arc<Partition>>,
    pub work: WorkQueues,
    pub open_commands: OpenCommands,
    pub opening: Opening,
    pub registry: Registry,
    pub log_dir: String,
}

impl Hub {
    /// A partition could not be opened. Of what it has said its lines for the log are left: what was mended is not mended, and
    /// said, again.
    pub fn not_opened(&self, handle: Handle) {
        self.registry.release(handle);
        let say = |event| {
            if matches!(event, PartitionEvent::Log { .. }) {
                self.tell(handle, event);
            }
        };
        self.opening.end(handle, || {}, say);
    }

    pub fn send(&self, reactor: usize, message: Message) {
        if let Some(mailbox) = self.mailboxes.get(reactor) {
            mailbox.push(message);
        }
    }

    /// Control requests that wait may try again.
    pub fn tell_of_control_room(&self) {
        for reactor in 0..self.mailboxes.len() {
            self.send(reactor, Message::ControlRoom);
        }
    }

    /// The reactor that does the periodic work of a partition.
    pub fn home(&self, partition: &Partition) -> usize {
        // Fibonacci hashing spreads consecutive group ids.
        let hash = partition.spec().group_id.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        hash as usize % self.mailboxes.len()
    }
}

impl Notifier for Hub {
    fn wake(&self, waiter: Waiter) {
        self.send(usize::from(waiter.reactor), Message::Wake(waiter.id));
    }

    fn append_done(&self, slot: ReplySlot, done: AppendDone) {
        if slot.reactor == ReplySlot::COMMAND {
            self.open_commands.append_done(&self.control, slot.id as u32, &done);
        } else {
            self.send(usize::from(slot.reactor), Message::AppendDone(slot.id, done));
        }
    }

    fn flush_wanted(&self, partition: Arc<Partition>) {
        self.flush.push(partition);
    }

    fn seal_wanted(&self, partition: Arc<Partition>) {
        self.seal.push(partition);
    }

    fn tend_wanted(&self, partition: Arc<Partition>) {
        self.flush.tend(partition);
    }

    fn relief_wanted(&self) {
        self.flush.relieve();
    }

    fn left_turns(&self, partition: Arc<Partition>, reactor: u16) {
        self.send(usize::from(reactor), Message::LeftTurns(partition));
    }

    fn job_wanted(&self, partition: Arc<Partition>, job: JobKind) {
        self.work.push_disk(Job::Partition(partition, job));
    }

    fn job_wanted_in(&self, partition: Arc<Partition>, job: JobKind, delay_ms: i64) {
        // No sooner than by the other clock.
        let delay = Duration::from_millis(delay_ms.max(0) as u64 + 1);
        self.work.push_disk_at(Instant::now() + delay, Job::Partition(partition, job));
    }

    fn event(&self, handle: Handle, event: PartitionEvent) {
        if let Some(event) = self.opening.keep(handle, event) {
            self.tell(handle, event);
        }
    }

    fn log_dir(&self, state: LogDirState) {
        self.control.log_directory(state as u8, &self.log_dir);
    }
}

impl Hub {
    /// Queues what a partition says for TypeScript.
    pub fn tell(&self, handle: Handle, event: PartitionEvent) {
        match event {
            PartitionEvent::Log { level, text } => self.control.log(level as u8, &text),
            PartitionEvent::Role { leader_epoch, is_leader, start_offset } => {
                self.control.role(handle, leader_epoch, is_leader, start_offset);
            }
            PartitionEvent::Committed { offset } => self.control.committed(handle, offset),
            PartitionEvent::Closed => {
                // Told before its index may name another partition.
                self.control.closed(handle);
                self.registry.release(handle);
            }
            PartitionEvent::Failed { reason } => self.control.failed(handle, &reason),
        }
    }
}
