#![no_main]

libfuzzer_sys::fuzz_target!(|lines: &[u8]| geocast_server::fuzzing::session(lines));
