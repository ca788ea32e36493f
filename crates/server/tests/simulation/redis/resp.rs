//! The protocol of Redis, as far as a server of it needs it: RESP2, with commands as arrays of bulk strings.

/// What is answered.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Reply {
    Simple(&'static str),
    Error(String),
    Number(i64),
    Bulk(Vec<u8>),
    Nil,
    Array(Vec<Self>),
}

impl Reply {
    pub(crate) fn text(text: impl AsRef<[u8]>) -> Self {
        Self::Bulk(text.as_ref().to_vec())
    }

    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Simple(text) => out.extend_from_slice(format!("+{text}\r\n").as_bytes()),
            Self::Error(text) => out.extend_from_slice(format!("-{text}\r\n").as_bytes()),
            Self::Number(number) => out.extend_from_slice(format!(":{number}\r\n").as_bytes()),
            Self::Nil => out.extend_from_slice(b"$-1\r\n"),
            Self::Bulk(bytes) => {
                out.extend_from_slice(format!("${}\r\n", bytes.len()).as_bytes());
                out.extend_from_slice(bytes);
                out.extend_from_slice(b"\r\n");
            }
            Self::Array(parts) => {
                out.extend_from_slice(format!("*{}\r\n", parts.len()).as_bytes());
                parts.iter().for_each(|part| part.write(out));
            }
        }
    }
}

/// Takes the first command out of what was read, if all of it is there.
pub(crate) fn take_command(read: &mut Vec<u8>) -> Option<Vec<Vec<u8>>> {
    let mut at = 0;
    let count = number(read, &mut at, b'*')?;
    let mut parts = Vec::new();
    for _ in 0..count {
        let length = number(read, &mut at, b'$')?;
        parts.push(read.get(at..at + length)?.to_vec());
        at += length + 2;
    }
    if at > read.len() {
        return None;
    }
    read.drain(..at);
    Some(parts)
}

fn number(read: &[u8], at: &mut usize, sign: u8) -> Option<usize> {
    let rest = read.get(*at..)?;
    let end = rest.iter().position(|byte| *byte == b'\n')?;
    assert_eq!(rest[0], sign, "commands are arrays of bulk strings");
    let text = std::str::from_utf8(&rest[1..end - 1]).expect("digits");
    *at += end + 1;
    Some(text.parse().expect("digits"))
}
