#![no_main]

#[path = "../recovery.rs"]
mod recovery;

libfuzzer_sys::fuzz_target!(|data: &[u8]| recovery::hard_state(data));
