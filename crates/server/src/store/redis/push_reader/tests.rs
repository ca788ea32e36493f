use proptest::prelude::*;

use super::*;

const LIMIT: usize = 100;

/// What is read from `parts`, written out, up to the end or the first error.
fn read(parts: &[&[u8]], max_message: usize) -> Vec<String> {
    let mut reader = PushReader::new(max_message);
    let mut found = Vec::new();
    for part in parts {
        reader.buffer().extend_from_slice(part);
        loop {
            match reader.next() {
                Ok(None) => break,
                Ok(Some(push)) => found.push(shown(push)),
                Err(error) => {
                    found.push(format!("error {}", error.expected));
                    return found;
                }
            }
        }
    }
    found
}

fn shown(push: Push<'_>) -> String {
    let text = |bytes: &[u8]| bytes.escape_ascii().to_string();
    match push {
        Push::Message { channel, payload } => format!("message {} {}", text(channel), text(payload)),
        Push::TooLong { channel, bytes } => format!("too long {} {bytes}", text(channel)),
        Push::Subscribed { channel } => format!("subscribed {}", text(channel)),
        Push::Unsubscribed { channel } => format!("unsubscribed {}", text(channel)),
        Push::ShardSubscribed { channel, held } => format!("shard subscribed {} {held}", text(channel)),
        Push::ShardUnsubscribed { channel } => format!("shard unsubscribed {}", text(channel)),
        Push::Pong => "pong".to_owned(),
        Push::Okay => "okay".to_owned(),
        Push::Error(text_of_it) => format!("refused {}", text(text_of_it)),
    }
}

fn message(channel: &str, payload: &[u8]) -> Vec<u8> {
    let head = format!("*3\r\n$7\r\nmessage\r\n${}\r\n{channel}\r\n${}\r\n", channel.len(), payload.len());
    [head.as_bytes(), payload, b"\r\n"].concat()
}

fn check(input: &str, expected: &[&str]) {
    assert_eq!(read(&[input.as_bytes()], LIMIT), expected, "{input:?}");
    let bytes: Vec<&[u8]> = input.as_bytes().chunks(1).collect();
    assert_eq!(read(&bytes, LIMIT), expected, "{input:?} byte by byte");
}

#[test]
fn reads_what_a_subscriber_connection_gets() {
    check("", &[]);
    check("*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$0\r\n\r\n", &["message a "]);
    check("*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$4\r\n\r\n\r\n\r\n", &[r"message a \r\n\r\n"]);
    check("*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:12\r\n", &["subscribed a"]);
    check("*3\r\n$11\r\nunsubscribe\r\n$1\r\na\r\n:0\r\n", &["unsubscribed a"]);
    check("*3\r\n$8\r\nsmessage\r\n$1\r\na\r\n$1\r\nb\r\n", &["message a b"]);
    check("*3\r\n$10\r\nssubscribe\r\n$1\r\na\r\n:12\r\n", &["shard subscribed a 12"]);
    check("*3\r\n$12\r\nsunsubscribe\r\n$1\r\na\r\n:0\r\n", &["shard unsubscribed a"]);
    check("*2\r\n$4\r\npong\r\n$1\r\n7\r\n+PONG\r\n+OK\r\n", &["pong", "pong", "okay"]);
    check(
        "-NOPERM no\r\n",
        &["refused -NOPERM no"].map(|text| text.trim_start_matches("refused -")).map(|_| "refused NOPERM no"),
    );
}

#[test]
fn refuses_what_it_never_gets() {
    check("HTTP/1.1 400 Bad Request\r\n", &["error an array, a simple string or an error"]);
    check(":1\r\n", &["error an array, a simple string or an error"]);
    check("*-1\r\n", &["error a number"]);
    check("*\r\n", &["error a number"]);
    check("*3x", &["error a number"]);
    check("*3\r3", &["error the end of a line"]);
    check("*3\r\n:1\r\n", &["error another type of element"]);
    check("*3\r\n$-1\r\n", &["error a number"]);
    check("*3\r\n$513\r\n", &["error a short bulk string"]);
    check("*99999999999999999999\r\n", &["error a number"]);
    check("*4\r\n$8\r\npmessage\r\n", &["error a message, a confirmation or a pong"]);
    check("*2\r\n$7\r\nmessage\r\n", &["error a message, a confirmation or a pong"]);
    check("*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nabc", &["error the end of a line"]);
    check("*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$99999999999999\r\n", &["error a number"]);
    check(&format!("+{}", "x".repeat(5000)), &["error a shorter line"]);
}

#[test]
fn skips_a_message_above_the_limit_and_goes_on() {
    let input = [message("a", &[b'x'; LIMIT]), message("b", &[b'y'; LIMIT + 1]), message("c", b"z")].concat();
    let expected =
        [format!("message a {}", "x".repeat(LIMIT)), "too long b 101".to_owned(), "message c z".to_owned()];
    assert_eq!(read(&[&input], LIMIT), expected);
    assert_eq!(read(&input.chunks(7).collect::<Vec<_>>(), LIMIT), expected);
}

#[test]
fn a_skipped_message_takes_no_memory() {
    let mut reader = PushReader::new(LIMIT);
    reader.buffer().extend_from_slice(b"*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$100000000\r\n");
    assert_eq!(reader.next(), Ok(Some(Push::TooLong { channel: b"a", bytes: 100_000_000 })));
    for _ in 0..1525 {
        reader.buffer().extend_from_slice(&[b'x'; READ]);
        assert_eq!(reader.next(), Ok(None));
        assert!(reader.buffer.capacity() <= 4 * READ, "{}", reader.buffer.capacity());
    }
    let rest = 100_000_000 - 1525 * READ;
    reader.buffer().extend(std::iter::repeat_n(b'x', rest).chain(*b"\r\n+OK\r\n"));
    assert_eq!(reader.next(), Ok(Some(Push::Okay)));
    assert_eq!(reader.next(), Ok(None));
}

#[test]
fn a_long_message_does_not_keep_its_memory() {
    let mut reader = PushReader::new(64 * READ);
    let payload = vec![b'x'; 64 * READ];
    for part in message("a", &payload).chunks(READ) {
        reader.buffer().extend_from_slice(part);
        assert!(reader.buffer.capacity() <= 2 * 66 * READ, "{}", reader.buffer.capacity());
        if let Some(push) = reader.next().unwrap() {
            assert_eq!(push, Push::Message { channel: b"a", payload: &payload });
        }
    }
    assert_eq!(reader.next(), Ok(None));
    reader.buffer();
    assert!(reader.buffer.capacity() <= 2 * READ, "{}", reader.buffer.capacity());
}

fn stream() -> impl Strategy<Value = Vec<u8>> {
    let push = prop_oneof![
        4 => ("[a-z]{1,9}", prop::collection::vec(any::<u8>(), 0..150)).prop_map(|(c, p)| message(&c, &p)),
        1 => "[a-z]{1,9}".prop_map(|c| format!("*3\r\n$9\r\nsubscribe\r\n${}\r\n{c}\r\n:1\r\n", c.len()).into_bytes()),
        1 => Just(b"*2\r\n$4\r\npong\r\n$0\r\n\r\n".to_vec()),
        1 => "[ -~]{0,30}".prop_map(|text| format!("-{text}\r\n").into_bytes()),
        1 => Just(b"+OK\r\n".to_vec()),
    ];
    prop::collection::vec(push, 0..20).prop_map(|pushes| pushes.concat())
}

proptest! {
    #[test]
    fn any_split_gives_the_same(stream in stream(), sizes in prop::collection::vec(1..60_usize, 1..200)) {
        let mut parts = Vec::new();
        let mut rest = &stream[..];
        for size in sizes.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (part, more) = rest.split_at(rest.len().min(*size));
            parts.push(part);
            rest = more;
        }
        prop_assert_eq!(read(&parts, LIMIT), read(&[&stream], LIMIT));
    }

    #[test]
    fn no_input_panics(mut stream in stream(), noise in prop::collection::vec((any::<usize>(), any::<u8>()), 0..9), split in 1..99_usize) {
        for (at, byte) in noise {
            if !stream.is_empty() {
                let at = at % stream.len();
                stream[at] = byte;
            }
        }
        let parts: Vec<&[u8]> = stream.chunks(split).collect();
        prop_assert_eq!(read(&parts, LIMIT), read(&[&stream], LIMIT));
    }

    #[test]
    fn no_noise_panics(noise in prop::collection::vec(prop_oneof![any::<u8>(), prop::sample::select(b"*$:+-\r\n0123".to_vec())], 0..200)) {
        let parts: Vec<&[u8]> = noise.chunks(3).collect();
        prop_assert_eq!(read(&parts, LIMIT), read(&[&noise], LIMIT));
    }
}
