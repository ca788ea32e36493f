use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use super::*;

/// A Redis whose second subscriber connection is spoken by hand: a message comes before all channels are subscribed again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_gap_is_told_before_the_next_message() {
    let redis = RedisServer::start(&[]);
    let proxy = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (port, url) = (redis.port(), format!("redis://{}", proxy.local_addr().unwrap()));
    tokio::spawn(async move {
        let mut subscribers = 0;
        while let Ok((client, _)) = proxy.accept().await {
            let mut first = [0; 4096];
            let length = client.peek(&mut first).await.unwrap();
            subscribers += usize::from(first[..length].windows(7).any(|part| part == b"SETNAME"));
            if subscribers == 2 {
                tokio::spawn(speak(client));
                subscribers += 1;
            } else {
                tokio::spawn(pass_on(client, port));
            }
        }
    });
    let (store, mut inbox) = subscribed_to(settings(&url), &["a", "b"]).await;
    assert_eq!(inbox.gaps_before(), 0);
    assert_eq!(redis.cli(&["CLIENT", "KILL", "TYPE", "pubsub"]), "1");
    let (_, payload) = inbox.next().await;
    assert_eq!((payload.as_str(), inbox.gaps_before()), ("late", 1));
    healthy(&store).await;
    assert_eq!(inbox.gaps(), 1);
}

/// Answers to what a subscriber connection says first, with one message between the two channels and one behind them.
async fn speak(mut client: TcpStream) {
    let mut said = Vec::new();
    let place = |said: &[u8], part: &[u8]| said.windows(part.len()).position(|window| window == part);
    while place(&said, b"\r\na\r\n").is_none() || place(&said, b"\r\nb\r\n").is_none() {
        assert!(client.read_buf(&mut said).await.unwrap() > 0, "it hangs up");
    }
    let begin = place(&said, b"__geocast_probe:").expect("it probes");
    let probe = std::str::from_utf8(&said[begin..begin + 48]).unwrap();
    let mut channels = ["a", "b"];
    channels.sort_by_key(|name| place(&said, format!("\r\n{name}\r\n").as_bytes()));
    let subscribed = |name: &str| format!("*3\r\n$9\r\nsubscribe\r\n${}\r\n{name}\r\n:1\r\n", name.len());
    let message = |payload: &str| {
        format!("*3\r\n$7\r\nmessage\r\n$1\r\n{}\r\n${}\r\n{payload}\r\n", channels[0], payload.len())
    };
    let greeting = format!("+OK\r\n{}*2\r\n$4\r\npong\r\n$0\r\n\r\n", subscribed(probe));
    let first = [greeting, subscribed(channels[0]), message("early")].concat();
    let rest = [subscribed(channels[1]), message("late")].concat();
    client.write_all(first.as_bytes()).await.unwrap();
    // So that it is read by itself; read at once, it must not make a difference.
    sleep(Duration::from_millis(100)).await;
    client.write_all(rest.as_bytes()).await.unwrap();
    let _end = client.read_buf(&mut said).await;
}

async fn pass_on(mut client: TcpStream, port: u16) {
    let mut redis = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let (mut from_client, mut to_client) = client.split();
    let (mut from_redis, mut to_redis) = redis.split();
    // Who ends first ends both.
    tokio::select! {
        _ = tokio::io::copy(&mut from_client, &mut to_redis) => {}
        _ = tokio::io::copy(&mut from_redis, &mut to_client) => {}
    }
}
