//! What cannot be read: an answer that says why, and no harm. What nobody knows: silence.

use geocast_server::Count;
use tokio_tungstenite::tungstenite::Message;

use futures_util::SinkExt;

use crate::{
    server::{Backend, TestServer},
    stores::on_both_stores,
};

on_both_stores!(
    a_malformed_command_is_answered_by_an_error,
    an_unknown_command_is_ignored_and_counted,
    surplus_words_are_tolerated,
    hostile_channel_names_are_answered_by_an_error,
    long_channel_names_are_answered_by_an_error,
    a_binary_frame_does_no_harm,
    an_unreadable_command_changes_nothing,
);

async fn a_malformed_command_is_answered_by_an_error(backend: Backend) {
    let server = TestServer::start_with(backend, |settings| settings.limits.command_burst = 200).await;
    let mut client = server.client().await;
    let commands = [
        "GET",
        "PGET",
        "SUB",
        "DEL",
        "GET client_ref=7",
        "PGET cars projection=banana",
        "BBOX 1",
        "BBOX 1 2 3",
        "BBOX a b c d",
        "BBOX nan nan nan nan",
        "BBOX 0 0 inf inf",
        "BBOX 0 10 10 0",
        "PROJECTION",
        "PROJECTION banana",
        "PROJECTION epsg:x",
        "PROJECTION epsg:999999",
        "BUFFER",
        "BUFFER 1",
        "BUFFER a b",
        "BUFFER -1 1",
    ];
    for (before, command) in (0_u64..).zip(commands) {
        assert_eq!(server.count(Count::CommandMalformed), before);
        client.send(command).await;
        let answer = client.next_error().await;
        let text = answer.to_string();
        assert!(!text.contains("panicked") && !text.contains(".rs"), "{command}: {text}");
        client.settled().await;
        assert_eq!(server.count(Count::CommandMalformed), before + 1, "{command}");
    }
    assert_eq!(server.count(Count::CommandUnknown), 0);
}

async fn an_unknown_command_is_ignored_and_counted(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut client = server.client().await;
    let commands = [
        "HELLO",
        "get cars",
        "Sub cars",
        "ping",
        "PINGPONG",
        "SUBSCRIBE cars",
        "QUIT",
        "GETcars",
        "💥 1 2",
        "GET=cars",
    ];
    for command in commands {
        client.send(command).await;
    }
    client.expect_nothing(&server).await;
    assert_eq!(server.count(Count::CommandUnknown), u64::try_from(commands.len()).expect("a few"));
    for nothing in ["", " ", "\t\r\n"] {
        client.send(nothing).await;
    }
    client.send("PING").await;
    while client.next().await["content"] != "PONG" {}
}

async fn surplus_words_are_tolerated(backend: Backend) {
    let server = TestServer::start(backend).await;
    server.put("cars", "1", "1").await;
    let mut client = server.client().await;
    for command in ["GET cars 1 ref and more words", "GET cars 1 colour=red", "PGET cars 1 ref more x=y"] {
        client.send(command).await;
        assert_eq!(client.next_content().await, 1, "{command}");
    }
    for command in
        ["SUB cars and more", "BBOX 0 0 1 1 5 a=b more", "BUFFER 0 0 more a=b", "RESET now", "DEL cars x y"]
    {
        client.send(command).await;
        client.expect_nothing(&server).await;
    }
    assert_eq!(server.count(Count::CommandMalformed), 0);
}

async fn hostile_channel_names_are_answered_by_an_error(backend: Backend) {
    let server = TestServer::start_with(backend, |settings| settings.limits.command_burst = 500).await;
    let mut client = server.client().await;
    let names = [
        "a\0b",
        "\0",
        "a\u{7f}b",
        "a\u{1}",
        "a*",
        "*",
        "a?b",
        "[ab]",
        "a[",
        "\u{1b}[31m",
        "a\u{202e}b\u{85}c",
    ];
    for name in names {
        for command in ["SUB", "GET", "PGET", "DEL"] {
            client.send(format!("{command} {name}")).await;
            let error = client.next_error().await;
            assert_eq!(error["content"]["error"]["code"], "bad_channel", "{command} {name:?}");
        }
    }
    // A line end is white space: it ends a word, and nothing goes through to Redis as a command of its own.
    for command in ["GET cars\r\nSET x 1\r\n", "SUB cars\r\nPUBLISH cars 1"] {
        client.send(command).await;
    }
    assert_eq!(client.next().await["source"], "cars SET");
    client.settled().await;
    if let Some(redis) = &server.redis {
        assert_eq!(redis.cli(&["EXISTS", "x"]), "0");
    }
}

async fn long_channel_names_are_answered_by_an_error(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut client = server.client().await;
    for (length, good) in [(255, true), (256, false), (1_000, false), (16_000, false)] {
        let name = "x".repeat(length);
        client.send(format!("GET {name}")).await;
        if good {
            assert_eq!(client.next().await["source"], name);
        } else {
            client.next_error().await;
            client.send(format!("SUB {name}")).await;
            let text = client.next_error().await.to_string();
            assert!(text.len() < 1_000, "an error does not repeat all of what was wrong: {text}");
        }
    }
    // The bound is in bytes: 128 letters of two bytes are 256.
    client.send(format!("GET {}", "é".repeat(127))).await;
    assert!(client.next_content().await.is_null());
    client.send(format!("GET {}", "é".repeat(128))).await;
    client.next_error().await;
}

async fn a_binary_frame_does_no_harm(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut client = server.client().await;
    client.socket.send(Message::binary(&b"SUB news"[..])).await.expect("the connection is open");
    client.next_error().await;
    client.settled().await;
    server.publish("news", "1").await;
    client.expect_nothing(&server).await;
}

async fn an_unreadable_command_changes_nothing(backend: Backend) {
    let server = TestServer::start(backend).await;
    let mut client = server.subscriber("news", &["BBOX 0 0 10 10"]).await;
    for command in ["DEL", "BBOX 1", "PROJECTION x", "BUFFER 1", "RESET *", "DEL \u{1}news"] {
        client.send(command).await;
    }
    client.send("PING client_ref=end").await;
    while client.next().await["client_reference"] != "end" {}
    client.settled().await;
    let payload = r#"{"type":"Point","coordinates":[5,5]}"#;
    let outside = r#"{"type":"Point","coordinates":[50,5]}"#;
    let brought = server.brings(&mut client, "news", [outside, payload]).await;
    assert_eq!(brought, [serde_json::json!({"type": "Point", "coordinates": [5, 5]})]);
}
