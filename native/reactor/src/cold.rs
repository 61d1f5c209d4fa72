//! The thread `ms-cold`: reads what is not in the page cache.

use std::io;

use ms_log::FileRange;
use ms_log::read_exact_at;

use crate::fetch::ColdPlan;
use crate::hub::{Hub, Message};
use crate::ids::ConnectionId;
use crate::jobs::JobQueue;
use crate::out::ColdRead;

/// Reads and searches that wait; at most one read for each connection, one search for each request.
#[derive(Default)]
pub struct ColdQueue(JobQueue<ColdJob>);

enum ColdJob {
    Read(ConnectionId, ColdRead),
    Locate { reactor: u16, request: u64, plans: Vec<ColdPlan> },
}

impl ColdQueue {
    /// The bytes, or the error, come as `Message::Cold`.
    pub fn push(&self, connection: ConnectionId, read: ColdRead) {
        self.0.push(ColdJob::Read(connection, read));
    }

    /// What was found comes as `Message::Located`.
    pub fn locate(&self, reactor: u16, request: u64, plans: Vec<ColdPlan>) {
        self.0.push(ColdJob::Locate { reactor, request, plans });
    }

    pub fn stop(&self) {
        self.0.stop();
    }

    /// The body of the cold reader.
    pub fn run(&self, hub: &Hub) {
        while let Some(job) = self.0.next() {
            match job {
                ColdJob::Read(connection, ColdRead { range, next }) => {
                    if let Some(file) = range.file.raw_fd().filter(|_| next > 0) {
                        crate::sys::will_need(file, range.position + u64::from(range.len), next);
                    }
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
}

fn read(range: &FileRange) -> io::Result<Vec<u8>> {
    let mut block = vec![0; range.len as usize];
    read_exact_at(range.file.as_ref(), &mut block, range.position)?;
    Ok(block)
}
