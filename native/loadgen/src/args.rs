//! The command line.

use std::time::Duration;

/// What one run does. Sizes in bytes.
#[derive(Debug, Clone)]
pub struct Args {
    pub mode: String,
    pub address: String,
    /// Processes whose CPU time is the broker's.
    pub broker_pids: Vec<u32>,
    pub topic: String,
    pub partitions: i32,
    pub connections: usize,
    /// Requests in flight on each connection.
    pub depth: usize,
    pub batch_bytes: usize,
    pub record_bytes: usize,
    pub fetch_bytes: i32,
    pub acks: i16,
    pub warm: Duration,
    pub time: Duration,
    /// Round trips to measure.
    pub count: usize,
    /// Stop producing after so much.
    pub most_bytes: u64,
    /// Of the memory that is available, what `keep` never takes.
    pub leave_bytes: u64,
}

impl Args {
    pub fn parse(mut words: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut args = Self {
            mode: words.next().ok_or("a mode is missing: produce, fetch, api, rtt, e2e or keep")?,
            address: "127.0.0.1:9092".into(),
            broker_pids: Vec::new(),
            topic: "load".into(),
            partitions: 1,
            connections: 4,
            depth: 4,
            batch_bytes: 131_072,
            record_bytes: 100,
            fetch_bytes: 1 << 20,
            acks: 1,
            warm: Duration::from_secs(1),
            time: Duration::from_secs(5),
            count: 8000,
            most_bytes: 2 << 30,
            leave_bytes: 1536 << 20,
        };
        while let Some(key) = words.next() {
            let value = words.next().ok_or_else(|| format!("{key} needs a value"))?;
            args.set(&key, &value).map_err(|()| format!("{key} {value}: not understood"))?;
        }
        Ok(args)
    }

    fn set(&mut self, key: &str, value: &str) -> Result<(), ()> {
        fn number<T: std::str::FromStr>(value: &str) -> Result<T, ()> {
            value.parse().map_err(|_| ())
        }
        let seconds = |value: &str| {
            number(value).and_then(|s| Duration::try_from_secs_f64(s).map_err(|_| ()))
        };
        match key {
            "--address" => self.address = value.into(),
            "--pids" => {
                self.broker_pids = value.split(',').map(number).collect::<Result<_, _>>()?;
            }
            "--topic" => self.topic = value.into(),
            "--partitions" => self.partitions = number(value)?,
            "--connections" => self.connections = number(value)?,
            "--depth" => self.depth = number(value)?,
            "--batch" => self.batch_bytes = number(value)?,
            "--record" => self.record_bytes = number(value)?,
            "--fetch" => self.fetch_bytes = number(value)?,
            "--acks" => self.acks = number(value)?,
            "--warm" => self.warm = seconds(value)?,
            "--time" => self.time = seconds(value)?,
            "--count" => self.count = number(value)?,
            "--most" => self.most_bytes = number(value)?,
            "--leave" => self.leave_bytes = number(value)?,
            _ => return Err(()),
        }
        Ok(())
    }
}
