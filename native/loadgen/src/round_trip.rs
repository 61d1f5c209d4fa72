//! One produce of one record in flight: how long until its acknowledgement is there, and until a waiting consumer has it. A time
//! ends when the client is told that there is something to read, as that of other generators does; it reads it afterwards.

use std::io;
use std::time::Instant;

use crate::args::Args;
use crate::connection::Connection;
use crate::fetched::Fetched;
use crate::{cpu, requests};

const FETCH_BYTES: i32 = 1 << 20;

pub fn run(args: &Args) -> Result<String, String> {
    let mut producer = Producer::open(args).map_err(|e| e.to_string())?;
    let mut micros = Vec::with_capacity(args.count);
    let cpu = measured(args, |is_warm| {
        let started = Instant::now();
        producer.send()?;
        producer.connection.wait()?;
        if is_warm {
            micros.push(micros_since(started));
        }
        producer.acknowledged()
    })?;
    Ok(format!("{{\"mode\":\"rtt\",{},\"brokerCpuSeconds\":{cpu:.2}}}", quantiles(&mut micros, "")))
}

/// The topic must be empty: the consumer starts at its start and stays at its end.
pub fn run_to_consumer(args: &Args) -> Result<String, String> {
    let mut producer = Producer::open(args).map_err(|e| e.to_string())?;
    let mut consumer = Consumer::open(args).map_err(|e| e.to_string())?;
    let (mut produced, mut fetched) = (Vec::new(), Vec::new());
    let cpu = measured(args, |is_warm| {
        consumer.ask()?;
        let started = Instant::now();
        producer.send()?;
        producer.connection.wait()?;
        let acknowledged = micros_since(started);
        producer.acknowledged()?;
        let received = consumer.received(started)?;
        if is_warm {
            produced.push(acknowledged);
            fetched.push(received);
        }
        Ok(())
    })?;
    Ok(format!(
        "{{\"mode\":\"e2e\",{},{},\"brokerCpuSeconds\":{cpu:.2}}}",
        quantiles(&mut produced, "produce"),
        quantiles(&mut fetched, "fetch"),
    ))
}

/// Runs `cycle` for a warm-up, then `count` times as `cycle(true)`. The broker's CPU seconds of the latter.
fn measured(args: &Args, mut cycle: impl FnMut(bool) -> io::Result<()>) -> Result<f64, String> {
    for _ in 0..args.count / 8 {
        cycle(false).map_err(|e| e.to_string())?;
    }
    let before = cpu::seconds_of(&args.broker_pids);
    for _ in 0..args.count {
        cycle(true).map_err(|e| e.to_string())?;
    }
    Ok(cpu::seconds_of(&args.broker_pids) - before)
}

struct Producer {
    connection: Connection,
    frame: Vec<u8>,
}

impl Producer {
    fn open(args: &Args) -> io::Result<Self> {
        let (batch, _) = requests::batch(1, args.record_bytes);
        let frame = requests::produce(&args.topic, 0, args.acks, &batch);
        Ok(Self { connection: Connection::open(&args.address)?, frame })
    }

    fn send(&mut self) -> io::Result<()> {
        self.connection.send(&mut self.frame)
    }

    fn acknowledged(&mut self) -> io::Result<()> {
        if requests::has_produce_error(self.connection.receive()?) {
            Err(io::Error::other("a produce was refused"))
        } else {
            Ok(())
        }
    }
}

/// A consumer at the end of the partition, with one fetch in flight.
struct Consumer {
    connection: Connection,
    frame: Vec<u8>,
    offset: i64,
}

impl Consumer {
    fn open(args: &Args) -> io::Result<Self> {
        let frame = requests::fetch(&args.topic, 0, FETCH_BYTES);
        let connection = Connection::open(&args.address)?;
        Ok(Self { connection, frame, offset: 0 })
    }

    fn ask(&mut self) -> io::Result<()> {
        requests::set_fetch_offset(&mut self.frame, self.offset);
        self.connection.send(&mut self.frame)
    }

    /// Microseconds since then. Asks again when the fetch waited in vain.
    fn received(&mut self, since: Instant) -> io::Result<f64> {
        loop {
            self.connection.wait()?;
            let micros = micros_since(since);
            match Fetched::read(self.connection.receive()?) {
                Some(Fetched { error_code: 0, record_bytes: 0, .. }) => self.ask()?,
                Some(Fetched { error_code: 0, .. }) => {
                    self.offset += 1;
                    return Ok(micros);
                }
                other => return Err(io::Error::other(format!("a fetch was refused: {other:?}"))),
            }
        }
    }
}

fn micros_since(started: Instant) -> f64 {
    started.elapsed().as_secs_f64() * 1e6
}

/// Members of a JSON object; `prefix` stands before each name.
fn quantiles(micros: &mut [f64], prefix: &str) -> String {
    micros.sort_by(f64::total_cmp);
    let at = |quantile: f64| micros[((micros.len() - 1) as f64 * quantile) as usize];
    let member = |name: &str, value: f64| {
        let name = if prefix.is_empty() { name.into() } else { capital(prefix, name) };
        format!("\"{name}\":{value:.1}")
    };
    let named = [("p50Us", 0.5), ("p99Us", 0.99), ("p999Us", 0.999), ("maxUs", 1.0)];
    named.map(|(name, quantile)| member(name, at(quantile))).join(",")
}

/// `produce` and `p99Us` make `produceP99Us`.
fn capital(prefix: &str, name: &str) -> String {
    let (first, rest) = name.split_at(1);
    format!("{prefix}{}{rest}", first.to_uppercase())
}
