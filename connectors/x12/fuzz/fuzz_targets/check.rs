//! Any bytes through one of the oracles: see them for what must hold.

#![no_main]
#![allow(dead_code, reason = "each target uses one of the oracles")]

#[path = "../../tests/all/oracles.rs"]
mod oracles;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| oracles::check(bytes));
