#![no_main]

#[path = "../producers.rs"]
mod producers;

libfuzzer_sys::fuzz_target!(|data: &[u8]| producers::producers(data));
