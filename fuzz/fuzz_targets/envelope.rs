#![no_main]

libfuzzer_sys::fuzz_target!(|published: &[u8]| geocast_protocol::fuzzing::envelope(published));
