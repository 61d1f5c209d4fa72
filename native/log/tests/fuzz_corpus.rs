//! The committed corpus of the fuzz targets of recovery, run with every test run; nightly compilers are not needed.

#[path = "../../fuzz/recovery.rs"]
mod recovery;

mod common;

use std::path::Path;

use common::Random;

#[test]
fn recovery_corpus_holds() {
    run_corpus("recovery", recovery::recovery);
}

#[test]
fn hard_state_corpus_holds() {
    run_corpus("hard_state", recovery::hard_state);
}

fn run_corpus(target: &str, run: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(target);
    let mut inputs = 0;
    for entry in std::fs::read_dir(folder).expect("the corpus") {
        run(&std::fs::read(entry.expect("a name").path()).expect("an input"));
        inputs += 1;
    }
    assert!(inputs > 5);
}

/// Changed seeds, without a fuzzer's eye for new paths; `FUZZ_CASES=1000000` for more of them.
#[test]
fn changed_seeds_hold() {
    let cases = std::env::var("FUZZ_CASES").ok().and_then(|cases| cases.parse().ok());
    let seeds = recovery::seeds();
    let mut failed = Vec::new();
    for case in 0..cases.unwrap_or(3000) {
        let mut random = Random::new(case);
        let mut input = seeds[random.below(seeds.len() as u64) as usize].1.clone();
        input[0] = random.below(8) as u8;
        for _ in 0..=random.below(4) {
            change(&mut input, &mut random);
        }
        if std::panic::catch_unwind(|| recovery::recovery(&input)).is_err() {
            failed.push(case);
        }
        assert!(failed.len() < 10, "cases {failed:?}");
    }
    assert!(failed.is_empty(), "cases {failed:?}");
}

fn change(input: &mut Vec<u8>, random: &mut Random) {
    const NUMBERS: [u64; 8] =
        [0, 1, 0x7f, 0xff, 1 << 31, u32::MAX as u64, i64::MAX as u64, u64::MAX];
    if input.len() < 16 {
        return;
    }
    let at = 2 + random.below(input.len() as u64 - 10) as usize;
    let number = NUMBERS[random.below(8) as usize];
    let len = 1 + random.below(40).min((input.len() - at) as u64 - 1) as usize;
    match random.below(6) {
        0 => input[at] ^= 1 << random.below(8),
        1 => input[at] = input[at].wrapping_add(random.below(5) as u8).wrapping_sub(2),
        2 => input[at..at + 4].copy_from_slice(&(number as u32).to_be_bytes()),
        3 => input[at..at + 8].copy_from_slice(&number.to_be_bytes()),
        4 => drop(input.drain(at..at + len)),
        _ => {
            let copied = input[at..at + len].to_vec();
            input.splice(at..at, copied);
        }
    }
}
