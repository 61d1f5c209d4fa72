//! `ms-counts`: runs each hot function on the same input, for `npm run bench -- --check`, which counts the instructions
//! inside [`counted`] under valgrind. What is counted may not depend on the machine: no clock, no random number, no
//! address. Each function runs twice, and the second run counts: the first fills caches, finds out about the processor and
//! grows buffers. Prints the names of the functions in the order in which they ran.
//!
//! `ms-counts time`, for `npm run bench -- micro`, prints behind each name the nanoseconds of one call instead.

mod inputs;
mod measured;
mod memory_disk;
mod memory_log;

use std::time::Instant;

use inputs::{Group, Host, batch_of, fetch_frame, produce_frame};
use ms_wire::batch::BatchHeader;
use ms_wire::validate::{Scratch, ValidationRules};

/// A batch that fills 16 KiB with records of 100 bytes.
const RECORDS_OF_16_KIB: usize = 149;

fn main() {
    let mut scratch = Scratch::default();
    let hundred = batch_of(100);
    let header = BatchHeader::parse(&hundred).expect("a header");
    twice("walk_records, 100 records", || {
        measured::walk_records(&hundred, &header, &mut scratch);
    });
    let mut large = batch_of(RECORDS_OF_16_KIB);
    let rules = ValidationRules::default();
    twice("validate_records, 16 KiB", || {
        measured::validate(&mut large, &rules, inputs::NOW_MS, &mut scratch);
    });
    let bytes: Vec<u8> = (0..16_384_u32).map(|at| (at * 7) as u8).collect();
    twice("crc32c, 16 KiB", || measured::crc32c(&bytes));

    let mut small = batch_of(1);
    for version in [3, 9, 13] {
        let frame = produce_frame(version, &small);
        twice(&format!("parse a Produce request, v{version}"), || measured::parse_produce(&frame));
    }
    for (version, partitions) in [(12, 1), (17, 100)] {
        let frame = fetch_frame(version, partitions);
        let name = format!("parse a Fetch request of {partitions}, v{version}");
        twice(&name, || measured::parse_fetch(&frame));
    }
    let mut out = Vec::with_capacity(1 << 10);
    twice("encode a Produce answer, v9", || measured::encode_produce_answer(&mut out));

    let host = Host::start();
    let partition = host.open(1);
    twice("append_turn, one record", || measured::append(&partition, &mut small));
    twice("append_turn, 16 KiB", || measured::append(&partition, &mut large));
    let near = partition.high_watermark() - 5 * RECORDS_OF_16_KIB as i64;
    twice("look up an offset near the end", || measured::look_up_near_the_end(&partition, near));
    let partition = host.open(2);
    for _ in 0..inputs::TURNS_TO_LEAVE_THE_RING {
        inputs::append(&partition, &mut small);
    }
    twice("look up an old offset", || measured::look_up_by_the_index(&partition, 1000));

    let mut group = Group::elected();
    twice("raft: propose, ready, advance", || measured::raft_turns(&mut group));
}

fn twice(name: &str, mut run: impl FnMut()) {
    counted(&mut run);
    if std::env::args().nth(1).as_deref() == Some("time") {
        println!("{name}\t{:.2}", best_ns(&mut run) / measured::REPEATS as f64);
    } else {
        counted(&mut run);
        println!("{name}");
    }
}

/// The best of many rounds: what the code costs, not what else the machine does.
fn best_ns(run: &mut dyn FnMut()) -> f64 {
    const ROUNDS: usize = 40;
    let round = |_| {
        let started = Instant::now();
        counted(run);
        started.elapsed().as_nanos() as f64
    };
    (0..ROUNDS).map(round).fold(f64::MAX, f64::min)
}

/// Valgrind counts what happens in here, and writes it down whenever this returns.
#[inline(never)]
fn counted(run: &mut dyn FnMut()) {
    run();
}
