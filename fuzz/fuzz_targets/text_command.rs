#![no_main]

libfuzzer_sys::fuzz_target!(|frame: &str| {
    if let Err(error) = frame.parse::<geocast_protocol::text::Command>() {
        assert!(frame.is_char_boundary(error.offset), "{error:?}");
        assert!(error.to_string().len() < 1024 && !error.to_string().contains(char::is_control));
    }
});
