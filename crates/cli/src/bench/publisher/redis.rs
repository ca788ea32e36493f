use geocast_protocol::Channel;

use super::{Publication, Refusal, Wire};

/// PUBLISH, and HSET before it where a key is set, without waiting for the answers.
#[derive(Debug)]
pub(super) struct Redis {
    /// PUBLISH up to its last argument.
    publish: Vec<u8>,
    /// HSET up to its key.
    set: Vec<u8>,
}

impl Redis {
    pub(super) fn new(channel: &Channel) -> Self {
        let channel = channel.as_str();
        let publish = format!("*3\r\n$7\r\nPUBLISH\r\n${}\r\n{channel}\r\n", channel.len());
        let set = format!("*4\r\n$4\r\nHSET\r\n${}\r\n{channel}\r\n", channel.len());
        Self { publish: publish.into_bytes(), set: set.into_bytes() }
    }
}

impl Wire for Redis {
    fn encode(&self, batch: &[Publication], out: &mut Vec<u8>) -> u64 {
        let mut answers = 0;
        for Publication { key, payload } in batch {
            if let Some(key) = key {
                out.extend_from_slice(&self.set);
                argument(key.to_string().as_bytes(), out);
                argument(payload, out);
                answers += 1;
            }
            out.extend_from_slice(&self.publish);
            argument(payload, out);
            answers += 1;
        }
        answers
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

fn argument(bytes: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(format!("${}\r\n", bytes.len()).as_bytes());
    out.extend_from_slice(bytes);
    out.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_and_answers_are_those_of_redis() {
        let redis = Redis::new(&"news".parse().unwrap());
        let mut out = Vec::new();
        assert_eq!(redis.encode(&[b"a\r\n".to_vec().into(), b"{}".to_vec().into()], &mut out), 2);
        let head = "*3\r\n$7\r\nPUBLISH\r\n$4\r\nnews\r\n";
        assert_eq!(String::from_utf8(out).unwrap(), format!("{head}$3\r\na\r\n\r\n{head}$2\r\n{{}}\r\n"));
        let mut out = Vec::new();
        assert_eq!(redis.encode(&[Publication { key: Some(42), payload: b"{}".to_vec() }], &mut out), 2);
        let set = "*4\r\n$4\r\nHSET\r\n$4\r\nnews\r\n$2\r\n42\r\n$2\r\n{}\r\n";
        assert_eq!(String::from_utf8(out).unwrap(), format!("{set}{head}$2\r\n{{}}\r\n"));
        assert_eq!(redis.answers(b":1\r\n:20\r\n:3"), Ok((9, 2)));
        assert_eq!(redis.answers(b":1\r"), Ok((0, 0)));
        assert_eq!(redis.answers(b"-NOPERM no\r\n"), Err(Refusal::Redis("NOPERM no".into())));
        assert_eq!(redis.answers(b"HTTP/1.1 400\r\n"), Err(Refusal::Protocol("redis")));
    }
}
