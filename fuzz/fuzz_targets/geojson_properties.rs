#![no_main]

libfuzzer_sys::fuzz_target!(|payload: &[u8]| geocast_geo_filter::fuzzing::geojson_properties(payload));
