//! Arbitrary bytes as the answer to an http probe, at once and in pieces. The first byte says how long the pieces are.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| maglev_probe::fuzz_answer(data));
