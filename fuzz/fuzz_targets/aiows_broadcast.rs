#![no_main]

libfuzzer_sys::fuzz_target!(|body: &[u8]| geocast_protocol::fuzzing::aiows_broadcast(body));
