#![no_main]

libfuzzer_sys::fuzz_target!(|frame: &str| geocast_protocol::fuzzing::text_round_trip(frame));
