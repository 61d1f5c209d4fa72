//! Pipelined load on several connections, one thread for all of them, with a warm-up before the clock starts.

use std::io;
use std::net::ToSocketAddrs;
use std::rc::Rc;
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use crate::args::Args;
use crate::connection::Connection;
use crate::fetched::{Fetched, Walk};
use crate::pipe::Pipe;
use crate::{cpu, requests};

/// What was answered since the clock started.
#[derive(Default)]
struct Counters {
    answers: u64,
    errors: u64,
    bytes: u64,
}

pub fn run(args: &Args) -> Result<String, String> {
    let (batch, records_per_batch) = match args.mode.as_str() {
        "api" => (vec![0], 1),
        _ => requests::batch(args.batch_bytes, args.record_bytes),
    };
    let (counters, used) = drive(args, &batch, records_per_batch).map_err(|e| e.to_string())?;
    let requests = counters.answers as f64;
    let records = counters.bytes as f64 / batch.len() as f64 * records_per_batch as f64;
    let per_cpu = |amount: f64| if used.broker > 0.0 { amount / used.broker } else { 0.0 };
    Ok(format!(
        "{{\"mode\":\"{}\",\"seconds\":{:.3},\"requests\":{requests},\"records\":{records:.0},\"bytes\":{},\
         \"errors\":{},\"brokerCpuSeconds\":{:.2},\"clientCpuSeconds\":{:.2},\
         \"recordsPerSecond\":{:.0},\"recordsPerBrokerCpuSecond\":{:.0},\"brokerUsPerRequest\":{:.2}}}",
        args.mode,
        used.seconds,
        counters.bytes,
        counters.errors,
        used.broker,
        used.own,
        records / used.seconds,
        per_cpu(records),
        if requests > 0.0 { used.broker * 1e6 / requests } else { 0.0 },
    ))
}

/// Seconds of the clock and of CPU time.
struct Used {
    seconds: f64,
    broker: f64,
    own: f64,
}

fn drive(args: &Args, batch: &[u8], records: usize) -> io::Result<(Counters, Used)> {
    let mut poll = Poll::new()?;
    let mut pipes = open_pipes(args, batch, records)?;
    for (i, pipe) in pipes.iter_mut().enumerate() {
        let interest = Interest::READABLE | Interest::WRITABLE;
        poll.registry().register(&mut pipe.stream, Token(i), interest)?;
    }
    let mut counters = Counters::default();
    let mut discarded = Vec::new();
    let own = [std::process::id()];
    let cpu = || (cpu::seconds_of(&args.broker_pids), cpu::seconds_of(&own));
    let opened = Instant::now();
    let mut started: Option<(Instant, (f64, f64))> = None;
    let mut events = Events::with_capacity(256);
    loop {
        match poll.poll(&mut events, Some(Duration::from_millis(100))) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => result?,
        }
        match started {
            None if opened.elapsed() >= args.warm => {
                counters = Counters::default();
                started = Some((Instant::now(), cpu()));
            }
            Some((since, (broker, own))) if is_over(args, since, &counters) => {
                let (seconds, now) = (since.elapsed().as_secs_f64(), cpu());
                return Ok((counters, Used { seconds, broker: now.0 - broker, own: now.1 - own }));
            }
            _ => {}
        }
        for event in &events {
            let pipe = &mut pipes[event.token().0];
            pipe.drain(&mut discarded, |answer| counters.take(args, batch.len(), answer))?;
            pipe.pump()?;
        }
    }
}

fn is_over(args: &Args, since: Instant, counters: &Counters) -> bool {
    let is_enough = args.mode == "produce" && counters.bytes >= args.most_bytes;
    is_enough || since.elapsed() >= args.time
}

impl Counters {
    fn take(&mut self, args: &Args, batch_bytes: usize, answer: &[u8]) {
        self.answers += 1;
        let (bytes, is_error) = match args.mode.as_str() {
            "fetch" => Fetched::read(answer)
                .map_or((0, true), |fetched| (fetched.record_bytes, fetched.error_code != 0)),
            "produce" => (batch_bytes as u64, requests::has_produce_error(answer)),
            _ => (1, false),
        };
        self.bytes += bytes;
        self.errors += u64::from(is_error);
    }
}

/// All empty requests in flight are sent at once. A producing connection goes round the partitions; a reading one stays with one of them.
fn open_pipes(args: &Args, batch: &[u8], records: usize) -> io::Result<Vec<Pipe>> {
    let address = args.address.to_socket_addrs()?.next().ok_or(io::ErrorKind::NotFound)?;
    let partitions = args.partitions.max(1) as usize;
    let frames: Vec<Rc<Vec<u8>>> = match args.mode.as_str() {
        "api" => vec![Rc::new(requests::api_versions().repeat(args.depth))],
        _ => (0..partitions as i32)
            .map(|at| Rc::new(requests::produce(&args.topic, at, args.acks, batch)))
            .collect(),
    };
    (0..args.connections)
        .map(|i| {
            let stream = TcpStream::connect(address)?;
            stream.set_nodelay(true)?;
            if args.mode != "fetch" {
                let pipe = Pipe::new(stream, frames.clone(), i, args.depth);
                return Ok(if args.mode == "api" { pipe.bundled(args.depth) } else { pipe });
            }
            let partition = (i % partitions) as i32;
            let batches = (args.fetch_bytes as usize / batch.len()).max(1);
            let bytes = (batches * batch.len()) as i32;
            let end = high_watermark(args, partition)?;
            let walk = Walk::new((batches * records) as i64, end, i, args.connections);
            let frame = Rc::new(requests::fetch(&args.topic, partition, bytes));
            Ok(Pipe::new(stream, vec![frame], 0, args.depth).walking(walk))
        })
        .collect()
}

fn high_watermark(args: &Args, partition: i32) -> io::Result<i64> {
    let mut connection = Connection::open(&args.address)?;
    connection.send(&mut requests::fetch(&args.topic, partition, 1))?;
    match Fetched::read(connection.receive()?) {
        Some(Fetched { error_code: 0, high_watermark, .. }) => Ok(high_watermark),
        other => Err(io::Error::other(format!("a fetch was refused: {other:?}"))),
    }
}
