#![no_main]

libfuzzer_sys::fuzz_target!(|sent: &[u8]| geocast_server::fuzzing::tokens(sent));
