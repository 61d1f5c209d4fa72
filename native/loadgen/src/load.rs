//! Pipelined load on several connections, a thread each, with a warm-up before the clock starts.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::Instant;

use crate::args::Args;
use crate::connection::Connection;
use crate::{cpu, requests};

#[derive(Default)]
struct Counters {
    answers: AtomicU64,
    errors: AtomicU64,
    bytes: AtomicU64,
    is_over: AtomicBool,
}

/// What the connections of a run send.
struct Plan {
    frames: Vec<Vec<u8>>,
    records_per_request: usize,
    payload_bytes: usize,
}

pub fn run(args: &Args) -> Result<String, String> {
    let plan = plan(args);
    let counters = Arc::new(Counters::default());
    let threads: Vec<_> = (0..args.connections)
        .map(|i| {
            let frame = plan.frames[i % plan.frames.len()].clone();
            let (counters, args) = (Arc::clone(&counters), args.clone());
            let payload = plan.payload_bytes as u64;
            thread::spawn(move || drive(&args, frame, payload, &counters))
        })
        .collect();
    thread::sleep(args.warm);
    let snapshot = |c: &Counters| {
        (c.answers.load(Relaxed), c.bytes.load(Relaxed), cpu::seconds_of(&args.broker_pids))
    };
    let own = [std::process::id()];
    let own_before = cpu::seconds_of(&own);
    let (answers0, bytes0, cpu0) = snapshot(&counters);
    let started = Instant::now();
    while started.elapsed() < args.time && !counters.is_over.load(Relaxed) {
        thread::sleep(std::time::Duration::from_millis(20));
    }
    let seconds = started.elapsed().as_secs_f64();
    let (answers1, bytes1, cpu1) = snapshot(&counters);
    let own_cpu = cpu::seconds_of(&own) - own_before;
    counters.is_over.store(true, Relaxed);
    for thread in threads {
        thread.join().map_err(|_| "a connection's thread panicked")?.map_err(|e| e.to_string())?;
    }
    let errors = counters.errors.load(Relaxed);
    let requests = (answers1 - answers0) as f64;
    let bytes = (bytes1 - bytes0) as f64;
    let records = match args.mode.as_str() {
        "fetch" => bytes / plan.payload_bytes as f64 * plan.records_per_request as f64,
        _ => requests * plan.records_per_request as f64,
    };
    let cpu = cpu1 - cpu0;
    let per_cpu = |amount: f64| if cpu > 0.0 { amount / cpu } else { 0.0 };
    Ok(format!(
        "{{\"mode\":\"{}\",\"seconds\":{seconds:.3},\"requests\":{requests},\"records\":{records:.0},\"bytes\":{bytes},\
         \"errors\":{errors},\"brokerCpuSeconds\":{cpu:.2},\"clientCpuSeconds\":{own_cpu:.2},\
         \"recordsPerSecond\":{:.0},\"recordsPerBrokerCpuSecond\":{:.0},\"brokerUsPerRequest\":{:.2}}}",
        args.mode,
        records / seconds,
        per_cpu(records),
        if requests > 0.0 { cpu * 1e6 / requests } else { 0.0 },
    ))
}

fn plan(args: &Args) -> Plan {
    if args.mode == "api" {
        let frames = vec![requests::api_versions()];
        return Plan { frames, records_per_request: 1, payload_bytes: 1 };
    }
    let (batch, records_per_request) = requests::batch(args.batch_bytes, args.record_bytes);
    let frames = (0..args.partitions)
        .map(|partition| match args.mode.as_str() {
            "fetch" => requests::fetch(&args.topic, partition, args.fetch_bytes),
            _ => requests::produce(&args.topic, partition, args.acks, &batch),
        })
        .collect();
    Plan { frames, records_per_request, payload_bytes: batch.len() }
}

fn drive(args: &Args, mut frame: Vec<u8>, payload: u64, counters: &Counters) -> io::Result<()> {
    let mut connection = Connection::open(&args.address)?;
    let is_fetch = args.mode == "fetch";
    let mut fetch = FetchPosition::default();
    let mut in_flight = 0;
    loop {
        while in_flight < args.depth && !counters.is_over.load(Relaxed) {
            if is_fetch {
                requests::set_fetch_offset(&mut frame, fetch.next());
            }
            connection.send(&mut frame)?;
            in_flight += 1;
        }
        if in_flight == 0 {
            return Ok(());
        }
        in_flight -= connection.receive(|answer| {
            let bytes = match args.mode.as_str() {
                "fetch" => fetch.take(answer),
                "produce" => {
                    counters.errors.fetch_add(u64::from(has_produce_error(answer)), Relaxed);
                    payload
                }
                _ => 1,
            };
            counters.answers.fetch_add(1, Relaxed);
            let total = counters.bytes.fetch_add(bytes, Relaxed) + bytes;
            if args.mode == "produce" && total >= args.most_bytes {
                counters.is_over.store(true, Relaxed);
            }
        })?;
    }
}

// Produce v9: correlation id, tags, one topic, its name, one partition, its index, then the error code.
fn has_produce_error(answer: &[u8]) -> bool {
    let name = 6;
    let name_length = usize::from(*answer.get(name).unwrap_or(&1)).saturating_sub(1);
    let at = name + 1 + name_length + 1 + 4;
    answer.get(at..at + 2).is_none_or(|code| code != [0, 0])
}

/// Walks a partition from its start to its end and again; requests in flight ask for the same place.
#[derive(Default)]
struct FetchPosition {
    offset: i64,
}

impl FetchPosition {
    fn next(&self) -> i64 {
        self.offset
    }

    // The records of the answer are whole batches at its end: the header of the first says where they are.
    fn take(&mut self, answer: &[u8]) -> u64 {
        const HEAD: usize = 64;
        if answer.len() < HEAD + 61 {
            self.offset = 0;
            return 0;
        }
        let first = (0..HEAD + 200)
            .find(|&at| is_batch_of(answer, at, self.offset))
            .unwrap_or(answer.len());
        let mut at = first;
        let mut taken = 0;
        while at + 61 <= answer.len() {
            let length = i32_at(answer, at + 8) as usize + 12;
            if at + length > answer.len() {
                break;
            }
            self.offset = i64_at(answer, at) + i64::from(i32_at(answer, at + 23)) + 1;
            taken += length as u64;
            at += length;
        }
        taken
    }
}

fn is_batch_of(answer: &[u8], at: usize, offset: i64) -> bool {
    at + 61 <= answer.len()
        && answer[at + 16] == 2
        && i64_at(answer, at) <= offset
        && i64_at(answer, at) + i64::from(i32_at(answer, at + 23)) >= offset
        && i64_at(answer, at) >= 0
        && i32_at(answer, at + 8) > 48
}

fn i32_at(bytes: &[u8], at: usize) -> i32 {
    i32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

fn i64_at(bytes: &[u8], at: usize) -> i64 {
    (i64::from(i32_at(bytes, at)) << 32) | i64::from(i32_at(bytes, at + 4) as u32)
}
