use geocast_protocol::Channel;

use super::{Refusal, Wire};

/// PUBLISH, without waiting for the answers.
#[derive(Debug)]
pub(super) struct Redis {
    /// The command up to its last argument.
    head: Vec<u8>,
}

impl Redis {
    pub(super) fn new(channel: &Channel) -> Self {
        let channel = channel.as_str();
        let head = format!("*3\r\n$7\r\nPUBLISH\r\n${}\r\n{channel}\r\n", channel.len());
        Self { head: head.into_bytes() }
    }
}

impl Wire for Redis {
    fn encode(&self, batch: &[Vec<u8>], out: &mut Vec<u8>) {
        for payload in batch {
            out.extend_from_slice(&self.head);
            out.extend_from_slice(format!("${}\r\n", payload.len()).as_bytes());
            out.extend_from_slice(payload);
            out.extend_from_slice(b"\r\n");
        }
    }

    fn answers(&self, input: &[u8]) -> Result<(usize, u64), Refusal> {
        let (mut used, mut answered) = (0, 0);
        while let Some(length) = memchr::memmem::find(&input[used..], b"\r\n") {
            match input[used..used + length] {
                [b':', ..] => answered += 1,
                [b'-', ref error @ ..] => {
                    return Err(Refusal::Redis(String::from_utf8_lossy(error).into_owned()));
                }
                _ => return Err(Refusal::Protocol("redis")),
            }
            used += length + 2;
        }
        Ok((used, answered))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_and_answers_are_those_of_redis() {
        let redis = Redis::new(&"news".parse().unwrap());
        let mut out = Vec::new();
        redis.encode(&[b"a\r\n".to_vec(), b"{}".to_vec()], &mut out);
        let head = "*3\r\n$7\r\nPUBLISH\r\n$4\r\nnews\r\n";
        assert_eq!(String::from_utf8(out).unwrap(), format!("{head}$3\r\na\r\n\r\n{head}$2\r\n{{}}\r\n"));
        assert_eq!(redis.answers(b":1\r\n:20\r\n:3"), Ok((9, 2)));
        assert_eq!(redis.answers(b":1\r"), Ok((0, 0)));
        assert_eq!(redis.answers(b"-NOPERM no\r\n"), Err(Refusal::Redis("NOPERM no".into())));
        assert_eq!(redis.answers(b"HTTP/1.1 400\r\n"), Err(Refusal::Protocol("redis")));
    }
}
