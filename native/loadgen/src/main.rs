//! `ms-load MODE --key value …`: load on a Kafka broker that costs the client next to no CPU. Requests are encoded
//! once and only their correlation id changes; answers are looked at for their length and first error code.
//! Prints one line of JSON. Modes: produce, fetch, api (pipelined), rtt (one produce in flight), e2e (one record in flight
//! to a consumer that waits for it). `keep` is no load: it keeps the memory of the machine for those that are, until its
//! standard input ends.

mod args;
mod connection;
mod cpu;
mod fetched;
mod free_memory;
mod keep;
mod load;
mod pipe;
mod requests;
mod round_trip;
mod sys;

use args::Args;

fn main() {
    if let Err(reason) = Args::parse(std::env::args().skip(1)).and_then(|args| run(&args)) {
        eprintln!("ms-load: {reason}");
        std::process::exit(1);
    }
}

fn run(args: &Args) -> Result<(), String> {
    let json = match args.mode.as_str() {
        "keep" => return keep::run(args),
        "produce" | "fetch" | "api" => load::run(args),
        "rtt" => round_trip::run(args),
        "e2e" => round_trip::run_to_consumer(args),
        other => Err(format!("unknown mode {other}")),
    }?;
    println!("{json}");
    Ok(())
}
