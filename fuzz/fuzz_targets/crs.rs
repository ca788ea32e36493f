#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| {
    if let Ok(crs) = text.parse::<geocast_protocol::Crs>() {
        assert!(text.eq_ignore_ascii_case(&crs.to_string()));
    }
});
