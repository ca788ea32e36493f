#![no_main]

use geocast_protocol::text::{Command, MAX_COMMAND_BYTES};

libfuzzer_sys::fuzz_target!(|frame: &str| {
    let Ok(command) = frame.parse::<Command>() else { return };
    let printed = command.to_string();
    assert!(printed.parse() == Ok(command) || printed.len() > MAX_COMMAND_BYTES, "{printed:?}");
});
