//! The queue to TypeScript: packed frames and events, one wake-up for all that is queued.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};

use ms_partition::Handle;
use parking_lot::Mutex;

use crate::ids::{ConnectionId, Seq};
use crate::packed::{kind, put_event_header, put_str};

/// Bytes of frames that may wait; a larger one is taken when nothing else waits.
const FRAME_BYTES_MAX: usize = 8 << 20;
/// Frames that may wait.
const FRAMES_MAX: usize = 32 << 10;
/// Bytes before an event's payload, the length prefix included.
const EVENT_HEADER_BYTES: usize = 20;
/// Above this size an emptied buffer is given back.
const KEEP_BYTES: usize = 1 << 20;

/// A control request on its way to TypeScript.
#[derive(Debug, Clone, Copy)]
pub struct ControlFrame<'a> {
    pub connection: ConnectionId,
    pub listener: u8,
    pub api_key: i16,
    pub api_version: i16,
    pub correlation_id: i32,
    pub seq: Seq,
    /// Header and body, without the length prefix.
    pub frame: &'a [u8],
}

/// Many writers, one reader.
pub struct ControlQueue {
    queue: Mutex<Queue>,
    armed: AtomicBool,
    wake: Box<dyn Fn() + Send + Sync>,
}

#[derive(Default)]
struct Queue {
    bytes: Vec<u8>,
    /// Everything before it was drained.
    start: usize,
    frames: usize,
    frame_bytes: usize,
    /// A frame was refused: somebody wants to know when there is room.
    refused: bool,
    /// Where the waiting `role` and `committed` of a partition are: only the newest of each is kept.
    newest: HashMap<(u8, Handle), usize>,
}

impl ControlQueue {
    /// `wake` is called once for everything that is queued until the next `drain`.
    pub fn new(wake: Box<dyn Fn() + Send + Sync>) -> Self {
        Self { queue: Mutex::new(Queue::default()), armed: AtomicBool::new(false), wake }
    }

    /// Queues a request; `false` when the queue is full, and then `drain` says that there is room again.
    pub fn push_frame(&self, frame: &ControlFrame<'_>) -> bool {
        let mut queue = self.queue.lock();
        let is_full =
            queue.frames >= FRAMES_MAX || queue.frame_bytes + frame.frame.len() > FRAME_BYTES_MAX;
        if is_full && queue.frames > 0 {
            queue.refused = true;
            return false;
        }
        queue.frames += 1;
        queue.frame_bytes += frame.frame.len();
        let out = &mut queue.bytes;
        let len = 28 + frame.frame.len();
        out.reserve(4 + len);
        out.extend_from_slice(&(len as u32).to_le_bytes());
        out.extend_from_slice(&[kind::REQUEST, frame.listener]);
        out.extend_from_slice(&frame.api_key.to_le_bytes());
        out.extend_from_slice(&frame.api_version.to_le_bytes());
        out.extend_from_slice(&0_u16.to_le_bytes());
        out.extend_from_slice(&frame.correlation_id.to_le_bytes());
        out.extend_from_slice(&frame.connection.slot.to_le_bytes());
        out.extend_from_slice(&frame.connection.generation.to_le_bytes());
        out.extend_from_slice(&0_u32.to_le_bytes());
        out.extend_from_slice(&frame.seq.as_u32().to_le_bytes());
        out.extend_from_slice(frame.frame);
        drop(queue);
        self.wake();
        true
    }

    /// The one event of a command; `payload` writes what follows the header.
    pub fn done(
        &self,
        token: u32,
        error_code: i16,
        handle: Handle,
        payload: impl FnOnce(&mut Vec<u8>),
    ) {
        self.event(kind::DONE, error_code, token, handle.index, handle.generation, |out| {
            if error_code == 0 {
                payload(out);
            }
        });
    }

    /// The event of a command that failed for a reason worth telling.
    pub fn done_because(&self, token: u32, error_code: i16, handle: Handle, reason: &str) {
        self.event(kind::DONE, error_code, token, handle.index, handle.generation, |out| {
            put_str(out, reason);
        });
    }

    /// Before the first frame of a connection.
    pub fn connected(&self, connection: ConnectionId, listener: u8, address: SocketAddr) {
        self.event(kind::CONNECTED, 0, 0, connection.slot, connection.generation, |out| {
            out.extend_from_slice(&[listener, 0]);
            out.extend_from_slice(&address.port().to_le_bytes());
            put_str(out, &address.ip().to_canonical().to_string());
        });
    }

    pub fn disconnected(&self, connection: ConnectionId, reason: u8) {
        self.event(kind::DISCONNECTED, 0, 0, connection.slot, connection.generation, |out| {
            out.push(reason);
        });
    }

    pub fn closed(&self, handle: Handle) {
        self.event(kind::CLOSED, 0, 0, handle.index, handle.generation, |_| {});
    }

    pub fn failed(&self, handle: Handle, reason: &str) {
        self.event(kind::FAILED, 0, 0, handle.index, handle.generation, |out| put_str(out, reason));
    }

    pub fn log_directory(&self, state: u8, path: &str) {
        self.event(kind::LOG_DIRECTORY, 0, 0, 0, 0, |out| {
            out.push(state);
            put_str(out, path);
        });
    }

    /// A line for the log: 30 info, 40 warn, 50 error.
    pub fn log(&self, level: u8, message: &str) {
        self.event(kind::LOG, 0, 0, 0, 0, |out| {
            out.push(level);
            put_str(out, message);
        });
    }

    pub fn role(&self, handle: Handle, leader_epoch: i32, is_leader: bool, start_offset: i64) {
        let mut payload = [0; 13];
        payload[..4].copy_from_slice(&leader_epoch.to_le_bytes());
        payload[4] = u8::from(is_leader);
        payload[5..].copy_from_slice(&start_offset.to_le_bytes());
        self.newest(kind::ROLE, handle, &payload);
    }

    pub fn committed(&self, handle: Handle, offset: i64) {
        self.newest(kind::COMMITTED, handle, &offset.to_le_bytes());
    }

    /// Copies whole entries into `into`: the number of bytes, 0 when nothing waits, `-n` when the next entry alone needs
    /// `n` bytes. The second value says that frames were refused and there is room now.
    pub fn drain(&self, into: &mut [u8]) -> (isize, bool) {
        // Cleared before the queue is looked at, so that what is pushed from now on wakes again.
        self.armed.store(false, Ordering::SeqCst);
        let mut guard = self.queue.lock();
        let queue = &mut *guard;
        let mut len = 0;
        loop {
            let rest = &queue.bytes[queue.start + len..];
            let Some(prefix) = rest.first_chunk::<4>() else { break };
            let entry = 4 + u32::from_le_bytes(*prefix) as usize;
            if len + entry > into.len() {
                if len == 0 {
                    return (-(entry as isize), false);
                }
                break;
            }
            if rest[4] == kind::REQUEST {
                queue.frames -= 1;
                queue.frame_bytes -= entry - 32;
            }
            len += entry;
        }
        into[..len].copy_from_slice(&queue.bytes[queue.start..queue.start + len]);
        queue.start += len;
        queue.newest.retain(|_, at| *at >= queue.start);
        queue.compact();
        let has_room = queue.refused
            && queue.frames <= FRAMES_MAX / 2
            && queue.frame_bytes <= FRAME_BYTES_MAX / 2;
        queue.refused &= !has_room;
        (len as isize, has_room)
    }

    fn event(
        &self,
        kind: u8,
        error_code: i16,
        token: u32,
        index: u32,
        generation: u32,
        payload: impl FnOnce(&mut Vec<u8>),
    ) {
        let mut queue = self.queue.lock();
        put_event(&mut queue.bytes, payload, |out| {
            put_event_header(out, kind, error_code, token, index, generation);
        });
        drop(queue);
        self.wake();
    }

    fn newest(&self, kind: u8, handle: Handle, payload: &[u8]) {
        let mut guard = self.queue.lock();
        let queue = &mut *guard;
        if let Some(&at) = queue.newest.get(&(kind, handle)) {
            let at = at + EVENT_HEADER_BYTES;
            queue.bytes[at..at + payload.len()].copy_from_slice(payload);
            return;
        }
        queue.newest.insert((kind, handle), queue.bytes.len());
        put_event(
            &mut queue.bytes,
            |out| out.extend_from_slice(payload),
            |out| put_event_header(out, kind, 0, 0, handle.index, handle.generation),
        );
        drop(guard);
        self.wake();
    }

    fn wake(&self) {
        if !self.armed.swap(true, Ordering::SeqCst) {
            (self.wake)();
        }
    }
}

fn put_event(
    out: &mut Vec<u8>,
    payload: impl FnOnce(&mut Vec<u8>),
    header: impl FnOnce(&mut Vec<u8>),
) {
    let start = out.len();
    out.extend_from_slice(&[0; 4]);
    header(out);
    payload(out);
    let len = (out.len() - start - 4) as u32;
    out[start..start + 4].copy_from_slice(&len.to_le_bytes());
}

impl Queue {
    /// Gives drained bytes back once they are the larger part.
    fn compact(&mut self) {
        if self.start == self.bytes.len() {
            self.bytes.clear();
            self.bytes.shrink_to(KEEP_BYTES);
            self.newest.clear();
            self.start = 0;
        } else if self.start > self.bytes.len() / 2 {
            let start = std::mem::take(&mut self.start);
            self.bytes.drain(..start);
            self.newest.values_mut().for_each(|at| *at -= start);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::AtomicUsize;

    use super::*;

    fn queue() -> (ControlQueue, Arc<AtomicUsize>) {
        let wakes = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&wakes);
        let wake = Box::new(move || _ = counted.fetch_add(1, Ordering::SeqCst));
        (ControlQueue::new(wake), wakes)
    }

    fn frame(bytes: &[u8]) -> ControlFrame<'_> {
        ControlFrame {
            connection: ConnectionId { slot: 1, generation: 2 },
            listener: 0,
            api_key: 3,
            api_version: 4,
            correlation_id: 5,
            seq: Seq::from_u32(6),
            frame: bytes,
        }
    }

    #[test]
    fn one_wake_up_carries_all_that_is_queued() {
        let (queue, wakes) = queue();
        for _ in 0..10 {
            assert!(queue.push_frame(&frame(b"abc")));
        }
        assert_eq!(wakes.load(Ordering::SeqCst), 1);
        let mut into = vec![0; 1000];
        assert_eq!(queue.drain(&mut into), (350, false));
        assert_eq!(queue.drain(&mut into), (0, false));
        queue.log(30, "x");
        assert_eq!(wakes.load(Ordering::SeqCst), 2);
    }

    #[test]
    fn an_entry_larger_than_the_buffer_says_what_it_needs() {
        let (queue, _) = queue();
        queue.push_frame(&frame(b"abc"));
        queue.push_frame(&frame(&[0; 100]));
        let mut into = [0; 40];
        assert_eq!(queue.drain(&mut into).0, 35);
        assert_eq!(queue.drain(&mut into).0, -132);
        assert_eq!(queue.drain(&mut [0; 132]).0, 132);
    }

    #[test]
    fn only_the_newest_role_and_commit_of_a_partition_is_kept() {
        let (queue, _) = queue();
        let (a, b) = (Handle { index: 1, generation: 1 }, Handle { index: 2, generation: 1 });
        for offset in 0..100 {
            queue.committed(a, offset);
            queue.role(a, offset as i32, true, offset);
        }
        queue.committed(b, 7);
        let mut into = [0; 1000];
        let (len, _) = queue.drain(&mut into);
        assert_eq!(len, 28 + 33 + 28);
        assert_eq!(into[20..28], 99_i64.to_le_bytes());
        assert_eq!(into[28 + 20..28 + 24], 99_i32.to_le_bytes());
        queue.committed(a, 100);
        assert_eq!(queue.drain(&mut into).0, 28);
        assert_eq!(into[20..28], 100_i64.to_le_bytes());
    }

    #[test]
    fn a_full_queue_refuses_frames_and_says_when_there_is_room() {
        let (queue, _) = queue();
        let large = vec![0; FRAME_BYTES_MAX / 2];
        assert!(queue.push_frame(&frame(&large)));
        assert!(queue.push_frame(&frame(&large)));
        assert!(!queue.push_frame(&frame(b"small")));
        // Events always have room.
        queue.log(30, "x");
        let mut into = vec![0; large.len() + 32];
        assert!(queue.drain(&mut into).1);
        assert!(queue.push_frame(&frame(b"small")));
        while queue.drain(&mut into).0 > 0 {}
        // A frame above the bound is taken when it is alone.
        assert!(queue.push_frame(&frame(&vec![0; FRAME_BYTES_MAX + 1])));
    }
}
