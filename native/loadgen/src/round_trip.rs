//! One produce of one record in flight: how long until it is acknowledged.

use std::time::Instant;

use crate::args::Args;
use crate::connection::Connection;
use crate::{cpu, requests};

pub fn run(args: &Args) -> Result<String, String> {
    let (batch, _) = requests::batch(1, args.record_bytes);
    let mut frame = requests::produce(&args.topic, 0, args.acks, &batch);
    let mut connection = Connection::open(&args.address).map_err(|e| e.to_string())?;
    let warm = args.count / 8;
    let mut micros = Vec::with_capacity(args.count);
    let mut cpu_before = 0.0;
    for i in 0..args.count + warm {
        if i == warm {
            cpu_before = cpu::seconds_of(&args.broker_pids);
        }
        let started = Instant::now();
        connection.send(&mut frame).map_err(|e| e.to_string())?;
        connection.receive(|_| ()).map_err(|e| e.to_string())?;
        if i >= warm {
            micros.push(started.elapsed().as_secs_f64() * 1e6);
        }
    }
    let cpu = cpu::seconds_of(&args.broker_pids) - cpu_before;
    micros.sort_by(f64::total_cmp);
    let at = |quantile: f64| micros[((micros.len() - 1) as f64 * quantile) as usize];
    Ok(format!(
        "{{\"mode\":\"rtt\",\"count\":{},\"p50Us\":{:.1},\"p99Us\":{:.1},\"p999Us\":{:.1},\"maxUs\":{:.1},\"brokerCpuSeconds\":{cpu:.2}}}",
        micros.len(),
        at(0.5),
        at(0.99),
        at(0.999),
        at(1.0),
    ))
}
