//! `ms-load MODE --key value …`: load on a Kafka broker that costs the client next to no CPU. Requests are encoded
//! once and only their correlation id changes; answers are looked at for their length and first error code.
//! Prints one line of JSON. Modes: produce, fetch, api (pipelined), rtt (one produce in flight), e2e (one record in flight
//! to a consumer that waits for it).

mod args;
mod connection;
mod cpu;
mod fetched;
mod load;
mod memory;
mod pipe;
mod requests;
mod round_trip;

use args::Args;

fn main() {
    let outcome = Args::parse(std::env::args().skip(1)).and_then(|args| match args.mode.as_str() {
        "produce" | "fetch" | "api" => load::run(&args),
        "rtt" => round_trip::run(&args),
        "e2e" => round_trip::run_to_consumer(&args),
        other => Err(format!("unknown mode {other}")),
    });
    match outcome {
        Ok(json) => println!("{json}"),
        Err(reason) => {
            eprintln!("ms-load: {reason}");
            std::process::exit(1);
        }
    }
}
