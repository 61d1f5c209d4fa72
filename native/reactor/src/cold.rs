//! The thread `ms-cold`: reads what is not in the page cache.

use std::collections::VecDeque;
use std::io;

use ms_log::FileRange;
use ms_log::read_exact_at;
use parking_lot::{Condvar, Mutex};

use crate::fetch::ColdPlan;
use crate::hub::{Hub, Message};
use crate::ids::ConnectionId;

/// Reads and searches that wait; at most one read for each connection, one search for each request.
#[derive(Default)]
pub struct ColdQueue {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<ColdJob>,
    is_stopped: bool,
}

enum ColdJob {
    Read(ConnectionId, FileRange),
    Locate { reactor: u16, request: u64, plans: Vec<ColdPlan> },
}

impl ColdQueue {
    /// The bytes, or the error, come as `Message::Cold`.
    pub fn push(&self, connection: ConnectionId, range: FileRange) {
        self.state.lock().jobs.push_back(ColdJob::Read(connection, range));
        self.changed.notify_one();
    }

    /// What was found comes as `Message::Located`.
    pub fn locate(&self, reactor: u16, request: u64, plans: Vec<ColdPlan>) {
        self.state.lock().jobs.push_back(ColdJob::Locate { reactor, request, plans });
        self.changed.notify_one();
    }

    pub fn stop(&self) {
        self.state.lock().is_stopped = true;
        self.changed.notify_one();
    }

    /// The body of the cold reader.
    pub fn run(&self, hub: &Hub) {
        while let Some(job) = self.next() {
            match job {
                ColdJob::Read(connection, range) => {
                    let block = read(&range);
                    hub.send(connection.reactor(), Message::Cold { connection, block });
                }
                ColdJob::Locate { reactor, request, plans } => {
                    let found = plans.into_iter().map(ColdPlan::run).collect();
                    hub.send(usize::from(reactor), Message::Located { request, found });
                }
            }
        }
    }

    fn next(&self) -> Option<ColdJob> {
        let mut state = self.state.lock();
        loop {
            if state.is_stopped {
                return None;
            }
            if let Some(job) = state.jobs.pop_front() {
                return Some(job);
            }
            self.changed.wait(&mut state);
        }
    }
}

fn read(range: &FileRange) -> io::Result<Vec<u8>> {
    let mut block = vec![0; range.len as usize];
    read_exact_at(range.file.as_ref(), &mut block, range.position)?;
    Ok(block)
}
