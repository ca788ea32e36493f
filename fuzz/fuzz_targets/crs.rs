#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| geocast_protocol::fuzzing::crs(text));
