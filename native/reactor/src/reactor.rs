//! A reactor thread: its poller, its connections, and the order of a turn.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::Cache;
use mio::{Events, Interest, Poll, Token};
use ms_wire::validate::Scratch;

use crate::accept::Acceptors;
use crate::clock::WallClock;
use crate::conn::{CloseReason, Connection};
use crate::gather::ITEMS_PER_TURN;
use crate::hub::{Accepted, Mailbox};
use crate::ids::{CONNECTIONS_PER_REACTOR, ConnectionId, Seq};
use crate::malformed::MalformedLog;
use crate::pool::Pool;
use crate::shared::{Shared, Stats, now_ms, now_us};
use crate::sys::HUGE_PAGE;
use crate::topology::Topology;
use crate::turn::{Block, RECEIVE_BLOCK, Turn};

/// The token of the mailbox; acceptors count down from below it, connections count up from 0.
pub const WAKE: Token = Token(usize::MAX);
const EVENTS: usize = 1024;
/// File bytes pass through a buffer of this size on their way to a socket.
const SEND_BYTES: usize = HUGE_PAGE;
/// With less room than this in the receive buffer the turn goes on to its later steps.
pub const ROOM_MIN: usize = 32 << 10;
const SWEEP_EVERY_MS: i64 = 1000;
/// How often connections that wait for the disk are looked at.
const DISK_MS: i64 = 5;

pub struct Reactor {
    pub shared: Arc<Shared>,
    pub number: u16,
    pub poll: Poll,
    pub acceptors: Acceptors,
    pub connections: Vec<Option<Box<Connection>>>,
    /// Generation and next request number of each place in `connections`.
    places: Vec<Place>,
    free: Vec<u32>,
    /// Connections that may have bytes to read or to parse.
    pub ready: VecDeque<u32>,
    /// Connections that may have bytes to send, or to be closed.
    pub dirty: Vec<u32>,
    /// Of those that are ready, the ones that receive a large frame and wait for their slice of a turn.
    pub receiving: VecDeque<u32>,
    /// Of those that are dirty, the ones that send a large answer and wait for theirs.
    pub sending: VecDeque<u32>,
    /// Bytes of large frames that may be received now.
    pub slice_left: usize,
    /// Connections whose Produce waits for the disk; it is looked at again every few milliseconds.
    pub wait_for_disk: Vec<u32>,
    /// The connection that may go first when there is room for control requests again.
    pub retried_first: usize,
    pub turn: Turn,
    /// Up to where this turn has filled it.
    pub received: usize,
    pub pool: Pool,
    pub send_buffer: Vec<u8>,
    pub scratch: Scratch,
    pub topology: Cache<Arc<arc_swap::ArcSwap<Topology>>, Arc<Topology>>,
    /// Deadlines of requests, on the reactor's clock; entries may outlive what they were for.
    pub deadlines: BinaryHeap<Reverse<(i64, u64)>>,
    pub counters: Counters,
    pub malformed: MalformedLog,
    pub stopping: Option<Instant>,
    started: Instant,
    /// The begin of the turn; the clocks below follow it.
    pub now: Instant,
    pub clock_ms: i64,
    pub now_ms: i64,
    wall_clock: WallClock,
    next_sweep_ms: i64,
    pub out_max: u64,
    /// Whether the turn has read several requests of one client at once.
    pub is_pipelined: bool,
    /// The turn was worth looking out for the next.
    pub has_worked: bool,
    /// When the last one was over that was.
    pub worked_at: Instant,
    /// Looking out, the reactor lets who waits for its processor go before each round.
    pub stands_back: bool,
}

#[derive(Clone, Copy, Default)]
struct Place {
    generation: u32,
    next_seq: Seq,
}

/// What one turn counted.
#[derive(Default)]
pub struct Counters {
    pub bytes_in: u64,
    pub bytes_out: u64,
    /// Lengths of the frames, other than small ones, that were looked at: whole ones, and those of which a piece came.
    pub frame_bytes: u64,
    pub produce_requests: u64,
    pub produce_batches: u64,
    pub fetch_requests: u64,
    pub control_requests: u64,
    pub constant_answers: u64,
    pub malformed_frames: u64,
    /// How often several requests of one client were taken up at once.
    pub pipelined_reads: u64,
}

impl Reactor {
    pub fn new(shared: Arc<Shared>, number: u16, poll: Poll) -> Self {
        let receive_bytes = shared.config.recv_bytes.max(2 * ROOM_MIN);
        let mut turn = Turn::default();
        turn.blocks.push(Block { bytes: vec![0; receive_bytes], owner: None });
        let pool = Pool::new(Arc::clone(&shared.pool_limit));
        let topology = Cache::new(Arc::clone(&shared.topology));
        let out_max = 2 * shared.config.fetch_max_bytes as u64;
        Self {
            shared,
            number,
            poll,
            acceptors: Acceptors::default(),
            connections: Vec::new(),
            places: Vec::new(),
            free: Vec::new(),
            ready: VecDeque::new(),
            dirty: Vec::new(),
            receiving: VecDeque::new(),
            sending: VecDeque::new(),
            slice_left: 0,
            wait_for_disk: Vec::new(),
            retried_first: 0,
            turn,
            received: 0,
            pool,
            send_buffer: vec![0; SEND_BYTES],
            scratch: Scratch::default(),
            topology,
            deadlines: BinaryHeap::new(),
            counters: Counters::default(),
            malformed: MalformedLog::default(),
            stopping: None,
            started: Instant::now(),
            now: Instant::now(),
            clock_ms: 0,
            now_ms: now_ms(),
            wall_clock: WallClock::new(now_us(), 0),
            next_sweep_ms: SWEEP_EVERY_MS,
            out_max,
            is_pipelined: false,
            has_worked: false,
            stands_back: false,
            worked_at: Instant::now(),
        }
    }

    /// The body of the thread: turns until the data plane stops.
    pub fn run(mut self) {
        crate::sys::prefer_short_slices();
        crate::sys::sleep_to_the_point();
        let mut events = Events::with_capacity(EVENTS);
        while let Some(rest) = self.round(&mut events) {
            if !rest.is_zero() {
                std::thread::sleep(rest);
            } else if self.stands_back && !self.is_busy() {
                std::thread::yield_now();
            }
        }
        self.close_all();
    }

    /// Waits for events and takes a turn; how long to rest before the next round. `None`: the data plane stops.
    pub fn round(&mut self, events: &mut Events) -> Option<Duration> {
        let is_blocking = !self.looks_out() && self.mailbox().prepare_to_sleep();
        let timeout = if is_blocking { self.until_next_deadline() } else { Some(Duration::ZERO) };
        if let Err(error) = self.poll.poll(events, timeout)
            && error.kind() != io::ErrorKind::Interrupted
        {
            // Nothing can be served without the poller; the process is told and must end.
            self.shared.hub.control.log(50, &format!("a reactor cannot poll: {error}"));
            return None;
        }
        self.read_clock();
        if is_blocking {
            self.mailbox().awake();
            self.adjust_wall_clock();
        }
        if self.has_worked {
            self.worked_at = self.now;
        }
        self.take_events(events);
        self.has_worked = self.turn();
        if self.is_stopped() {
            return None;
        }
        Some(self.until_next_turn(self.now.elapsed()).unwrap_or_default())
    }

    /// Whether there is more to do, whatever comes.
    pub fn is_busy(&self) -> bool {
        let has_to_receive = !self.ready.is_empty() || !self.receiving.is_empty();
        has_to_receive || self.has_to_send() || self.acceptors.is_ready()
    }

    pub fn has_to_send(&self) -> bool {
        !self.dirty.is_empty() || !self.sending.is_empty()
    }

    fn mailbox(&self) -> &Mailbox {
        &self.shared.hub.mailboxes[usize::from(self.number)]
    }

    // One clock is read in a turn; a spinning reactor does little else.
    fn read_clock(&mut self) {
        self.now = Instant::now();
        let clock_us = (self.now - self.started).as_micros() as i64;
        self.clock_ms = clock_us / 1000;
        self.now_ms = self.wall_clock.now_ms(clock_us);
    }

    /// After a sleep, and once a second: somebody may have set the wall clock.
    fn adjust_wall_clock(&mut self) {
        self.wall_clock = WallClock::new(now_us(), self.started.elapsed().as_micros() as i64);
        self.read_clock();
    }

    fn until_next_deadline(&self) -> Option<Duration> {
        let next = self.deadlines.peek().map_or(self.next_sweep_ms, |Reverse((at, _))| *at);
        let next = next.min(self.next_sweep_ms).min(self.acceptors.resume_ms());
        let clock_ms = self.started.elapsed().as_millis() as i64;
        let next = if self.wait_for_disk.is_empty() { next } else { next.min(clock_ms + DISK_MS) };
        let timeout = Duration::from_millis((next - clock_ms).max(0) as u64);
        let until_stop = self.stopping.map(|at| at.saturating_duration_since(Instant::now()));
        Some(until_stop.map_or(timeout, |until_stop| timeout.min(until_stop)))
    }

    pub fn take_events(&mut self, events: &Events) {
        for event in events {
            let token = event.token();
            if token == WAKE {
                continue;
            }
            let local = token.0 as u32;
            let Some(Some(connection)) = self.connections.get_mut(token.0) else {
                self.acceptors.mark_ready(token);
                continue;
            };
            if event.is_readable() || event.is_read_closed() || event.is_error() {
                connection.is_readable = true;
                connection.is_read_closed |= event.is_read_closed() || event.is_error();
                make_ready(&mut self.ready, connection);
            }
            if event.is_writable() && connection.is_write_blocked {
                connection.is_write_blocked = false;
                self.make_dirty(local);
            }
        }
    }

    /// One turn; true when it was worth looking out for the next.
    pub fn turn(&mut self) -> bool {
        self.accept();
        self.go_on_with_disk();
        // Each ready connection once; those that have more stay in the list.
        for _ in 0..self.ready.len() {
            let Some(local) = self.ready.pop_front() else { break };
            self.read_connection(local);
            if self.turn.blocks[RECEIVE_BLOCK].bytes.len() - self.received < ROOM_MIN
                || self.turn.items.len() >= ITEMS_PER_TURN
            {
                break;
            }
        }
        self.finish_gathered();
        let had_messages = self.take_messages();
        if !self.turn.requests.is_empty() {
            self.finish_gathered();
        }
        self.wake_due();
        self.turn.fresh.clear();
        self.pass_deadlines();
        self.flush_dirty();
        self.receive_slice();
        self.share_room();
        if self.clock_ms >= self.next_sweep_ms {
            self.next_sweep_ms = self.clock_ms + SWEEP_EVERY_MS;
            self.adjust_wall_clock();
            self.sweep();
        }
        let is_worth_a_lookout = self.counters.are_worth_a_lookout(had_messages);
        self.is_pipelined = self.counters.pipelined_reads > 0;
        if is_worth_a_lookout {
            self.stands_back = self.counters.are_of_one_request();
        }
        self.counters.publish(&self.shared.stats);
        is_worth_a_lookout
    }

    /// Takes a connection over. It is closed at once when there is no place.
    pub fn adopt(&mut self, accepted: Accepted) {
        let local = self.free.pop().unwrap_or_else(|| {
            self.connections.push(None);
            self.places.push(Place::default());
            self.connections.len() as u32 - 1
        });
        if local >= CONNECTIONS_PER_REACTOR || self.stopping.is_some() {
            self.free.push(local);
            return self.shared.left(self.number);
        }
        let Accepted { mut stream, listener, address, admission } = accepted;
        let interest = Interest::READABLE | Interest::WRITABLE;
        let registered =
            self.poll.registry().register(&mut stream, Token(local as usize), interest);
        if registered.is_err() {
            self.free.push(local);
            return self.shared.left(self.number);
        }
        let place = &mut self.places[local as usize];
        place.generation = place.generation.wrapping_add(1);
        let id = ConnectionId::new(self.number, local, place.generation);
        let (from, next_seq) = ((listener, address), place.next_seq);
        let mut connection = Connection::new(stream, id, from, admission, next_seq, self.clock_ms);
        make_ready(&mut self.ready, &mut connection);
        self.connections[local as usize] = Some(Box::new(connection));
    }

    /// Closes a connection and forgets it; what it waited for is cancelled.
    pub fn close(&mut self, local: u32, reason: CloseReason) {
        let Some(mut connection) = self.connections[local as usize].take() else { return };
        self.cancel_waits(&mut connection);
        self.places[local as usize].next_seq = Seq::from_u32(connection.slots.next_seq().as_u32());
        self.free.push(local);
        connection.carry.release(&mut self.pool);
        let (id, is_announced) = (connection.id, connection.is_announced);
        // Closing the socket takes it out of the poller. Who is told that it has gone finds its place free.
        drop(connection);
        self.shared.left(self.number);
        if is_announced {
            self.shared.hub.control.disconnected(id, reason as u8);
        }
    }

    pub fn make_dirty(&mut self, local: u32) {
        if let Some(Some(connection)) = self.connections.get_mut(local as usize)
            && !connection.is_in_dirty
        {
            connection.is_in_dirty = true;
            self.dirty.push(local);
        }
    }

    /// Puts a connection back on the list of those to be read, if it may be read and has anything: the begin of a frame only
    /// where it waits for room.
    pub fn revive(&mut self, local: u32) {
        if let Some(Some(connection)) = self.connections.get_mut(local as usize)
            && (connection.is_readable
                || connection.carry.holds_frame()
                || connection.held.is_some())
            && connection.may_read(self.out_max)
        {
            make_ready(&mut self.ready, connection);
        }
    }

    /// The connection of an identifier that may be stale.
    pub fn connection(&mut self, id: ConnectionId) -> Option<&mut Box<Connection>> {
        connection_of(&mut self.connections, id)
    }

    fn is_stopped(&self) -> bool {
        self.stopping.is_some_and(|deadline| {
            Instant::now() >= deadline || self.connections.iter().all(Option::is_none)
        })
    }

    fn close_all(&mut self) {
        for local in 0..self.connections.len() as u32 {
            self.close(local, CloseReason::Shutdown);
        }
        self.counters.publish(&self.shared.stats);
    }
}

/// The connection of an identifier that may be stale.
pub fn connection_of(
    connections: &mut [Option<Box<Connection>>],
    id: ConnectionId,
) -> Option<&mut Box<Connection>> {
    let connection = connections.get_mut(id.local() as usize)?.as_mut()?;
    (connection.id == id).then_some(connection)
}

pub fn make_ready(ready: &mut VecDeque<u32>, connection: &mut Connection) {
    if !connection.is_in_ready {
        connection.is_in_ready = true;
        ready.push_back(connection.id.local());
    }
}

impl Counters {
    fn publish(&mut self, stats: &Stats) {
        let counted = std::mem::take(self);
        Stats::add(&stats.bytes_in, counted.bytes_in);
        Stats::add(&stats.bytes_out, counted.bytes_out);
        Stats::add(&stats.produce_requests, counted.produce_requests);
        Stats::add(&stats.produce_batches, counted.produce_batches);
        Stats::add(&stats.fetch_requests, counted.fetch_requests);
        Stats::add(&stats.control_requests, counted.control_requests);
        Stats::add(&stats.constant_answers, counted.constant_answers);
        Stats::add(&stats.malformed_frames, counted.malformed_frames);
    }
}
