//! What becomes of a client that breaks the protocol, and of what it said before.

use geocast_server::{Count, Secret};

use crate::{
    raw_client::{RawClient, TEXT, frame},
    server::{Backend, TestServer},
    stores::on_both_stores,
};

on_both_stores!(
    a_text_that_can_be_none_is_not_waited_for,
    what_was_said_before_is_answered,
    what_was_said_before_is_published,
);

/// The rest of the frame never comes.
async fn a_text_that_can_be_none_is_not_waited_for(backend: Backend) {
    let server = TestServer::start(backend).await;
    let whole = frame(TEXT, &[&b"SUB \xce\xba\xf4\x90"[..], &[b'x'; 300]].concat());
    let begun = &whole[..whole.len() - 300];
    let mut client = RawClient::connect(server.address).await;
    client.send(begun).await;
    assert_eq!(client.close_code().await, Some(1007));
    // As early as can be: together with the handshake.
    let mut client = RawClient::connect_at(server.address, "/ws", begun).await;
    assert_eq!(client.close_code().await, Some(1007));
    server.counted(Count::ClosedProtocol, 2).await;
}

async fn what_was_said_before_is_answered(backend: Backend) {
    let server = TestServer::start(backend).await;
    server.put("cars", "1", "17").await;
    let said = [frame(TEXT, b"PING"), frame(TEXT, b"GET cars"), frame(TEXT, b"SUB cars")].concat();
    for (violation, code) in [
        (frame(0xf1, b"PING"), 1002),
        (frame(0x83, b"PING"), 1002),
        (frame(TEXT, b"\xff"), 1007),
        (frame(TEXT, &[b'x'; 20_000]), 1009),
    ] {
        let mut client = RawClient::connect(server.address).await;
        client.send([said.clone(), violation].concat()).await;
        let mut heard = String::new();
        let closed = loop {
            match client.next_frame().await.expect("it is closed in order") {
                (0x88, payload) => break u16::from_be_bytes([payload[0], payload[1]]),
                (_, payload) => heard += std::str::from_utf8(&payload).expect("text"),
            }
        };
        assert_eq!(closed, code);
        assert!(heard.contains(r#""content":"PONG""#), "{heard}");
        assert!(heard.contains(r#""content":17"#), "{heard}");
    }
}

async fn what_was_said_before_is_published(backend: Backend) {
    let server =
        TestServer::start_with(backend, |settings| settings.publish_key = Some(Secret::new("k"))).await;
    let mut witness = server.subscriber("news", &[]).await;
    let mut client = RawClient::connect_at(server.address, "/rpc?pwd=k", b"").await;
    let call = br#"{"jsonrpc":"2.0","id":1,"method":"publish","params":["news",5]}"#;
    client.send([frame(TEXT, call), frame(0xf1, b"")].concat()).await;
    assert_eq!(witness.next_content().await, 5);
    let (_, answer) = client.next_frame().await.expect("an answer");
    assert!(String::from_utf8_lossy(&answer).contains(r#""result""#));
    assert_eq!(client.close_code().await, Some(1002));
}
