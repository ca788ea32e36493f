#![no_main]

libfuzzer_sys::fuzz_target!(|operations: &[u8]| geocast_geo_filter::fuzzing::viewport_index(operations));
