//! Commands of TypeScript whose event is still owed: exactly one for each token.

use std::collections::HashMap;

use ms_partition::{AppendDone, Handle};
use ms_wire::error_code;
use parking_lot::Mutex;

use crate::control::ControlQueue;
use crate::packed::command;

/// Commands without event that may be open at once, and their bytes.
const OPEN_MAX: usize = 64 << 10;
const OPEN_BYTES_MAX: usize = 64 << 20;

/// The table of open commands.
#[derive(Default)]
pub struct OpenCommands {
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    by_token: HashMap<u32, OpenCommand>,
    bytes: usize,
}

#[derive(Clone, Copy)]
struct OpenCommand {
    kind: u16,
    handle: Handle,
    bytes: usize,
}

impl OpenCommands {
    /// Enters a command; `false` when too much is open already.
    pub fn begin(&self, token: u32, kind: u16, handle: Handle, bytes: usize) -> bool {
        let mut open = self.open.lock();
        let is_full = open.by_token.len() >= OPEN_MAX || open.bytes + bytes > OPEN_BYTES_MAX;
        if is_full && !open.by_token.is_empty() {
            return false;
        }
        open.bytes += bytes;
        open.by_token.insert(token, OpenCommand { kind, handle, bytes });
        true
    }

    /// The event of a command. A second one for the same token is dropped.
    pub fn done(
        &self,
        control: &ControlQueue,
        token: u32,
        error_code: i16,
        payload: impl FnOnce(&mut Vec<u8>),
    ) {
        if let Some(command) = self.take(token) {
            control.done(token, error_code, command.handle, payload);
        }
    }

    /// As `done`, for a command that failed for a reason worth telling.
    pub fn done_because(&self, control: &ControlQueue, token: u32, error_code: i16, reason: &str) {
        if let Some(command) = self.take(token) {
            control.done_because(token, error_code, command.handle, reason);
        }
    }

    /// As `done`, for a command that has made its handle.
    pub fn opened(
        &self,
        control: &ControlQueue,
        token: u32,
        handle: Handle,
        payload: impl FnOnce(&mut Vec<u8>),
    ) {
        if self.take(token).is_some() {
            control.done(token, error_code::NONE, handle, payload);
        }
    }

    /// The event of a parked `append` or `delete-records`.
    pub fn append_done(&self, control: &ControlQueue, token: u32, done: &AppendDone) {
        let Some(command) = self.take(token) else { return };
        let offset = match command.kind {
            command::DELETE_RECORDS => done.log_start_offset,
            _ => done.base_offset,
        };
        control.done(token, done.error_code, command.handle, |out| {
            out.extend_from_slice(&offset.to_le_bytes());
        });
    }

    /// Ends all that are still open.
    pub fn fail_all(&self, control: &ControlQueue, error_code: i16) {
        let open = std::mem::take(&mut *self.open.lock());
        for (token, command) in open.by_token {
            control.done(token, error_code, command.handle, |_| {});
        }
    }

    fn take(&self, token: u32) -> Option<OpenCommand> {
        let mut open = self.open.lock();
        let command = open.by_token.remove(&token)?;
        open.bytes -= command.bytes;
        Some(command)
    }
}
