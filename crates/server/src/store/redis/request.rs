//! Commands as bytes: arrays of bulk strings, so that no argument can be taken for anything else.

use std::io::Write;

use geocast_protocol::Channel;

/// Appends one command to `out`.
pub(super) fn write_command(out: &mut Vec<u8>, parts: &[&[u8]]) {
    write_length(out, '*', parts.len());
    for part in parts {
        write_length(out, '$', part.len());
        out.extend_from_slice(part);
        out.extend_from_slice(b"\r\n");
    }
}

/// Appends `SUBSCRIBE` or `UNSUBSCRIBE`, which is `verb`, of all `channels`.
pub(super) fn write_channels(out: &mut Vec<u8>, verb: &str, channels: &[Channel]) {
    write_length(out, '*', 1 + channels.len());
    for part in std::iter::once(verb).chain(channels.iter().map(Channel::as_str)) {
        write_length(out, '$', part.len());
        out.extend_from_slice(part.as_bytes());
        out.extend_from_slice(b"\r\n");
    }
}

fn write_length(out: &mut Vec<u8>, kind: char, length: usize) {
    write!(out, "{kind}{length}\r\n").expect("writing to a vector cannot fail");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(expected: &str, write: impl FnOnce(&mut Vec<u8>)) {
        let mut out = Vec::new();
        write(&mut out);
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn writes_commands() {
        check("*1\r\n$4\r\nPING\r\n", |out| write_command(out, &[b"PING"]));
        check("*2\r\n$4\r\nAUTH\r\n$6\r\na\r\nb\r\n\r\n", |out| {
            write_command(out, &[b"AUTH", b"a\r\nb\r\n"]);
        });
        let channels = ["a", "zürich"].map(|name| name.parse().unwrap());
        check("*3\r\n$9\r\nSUBSCRIBE\r\n$1\r\na\r\n$7\r\nzürich\r\n", |out| {
            write_channels(out, "SUBSCRIBE", &channels);
        });
    }
}
