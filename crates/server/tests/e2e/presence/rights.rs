//! Whose presence is told to whom.

use std::fs;

use geocast_server::{KeyFile, TokenSettings};

use super::*;
use crate::signing::Signer;

on_both_stores!(
    a_name_from_a_token_cannot_be_chosen,
    who_may_not_read_a_channel_learns_nothing_of_it,
    who_may_not_read_it_any_more_is_gone_and_learns_nothing_more,
);

async fn start(backend: Backend) -> (TestServer, tempfile::NamedTempFile) {
    let keys = tempfile::NamedTempFile::new().expect("a file");
    fs::write(keys.path(), Signer::jwks()).expect("it can be written");
    let server = TestServer::start_with(backend, |settings| {
        rooms(settings);
        settings.channels = Some("room-open".parse().expect("a pattern"));
        settings.tokens = Some(TokenSettings::new(vec![KeyFile::Jwks(keys.path().to_owned())]));
    });
    (server.await, keys)
}

async fn bearer(server: &TestServer, claims: &Value) -> Caller {
    let path = format!("/rpc?token={}", Signer::Es256.token(claims));
    Caller { client: Client::connect_raw(server.address, &path).await, next: 0 }
}

async fn a_name_from_a_token_cannot_be_chosen(backend: Backend) {
    let (server, _keys) = start(backend).await;
    let ada = json!({ "sub": "ada", "channels": { "sub": ["room*"] } });
    let (mut first, mut second) = (bearer(&server, &ada).await, bearer(&server, &ada).await);
    first.call("subscribe", json!(["room"])).await;
    second.call("subscribe", json!({ "channel": "room", "info": { "user": "eve" } })).await;
    let mut nameless = bearer(&server, &json!({ "sub": ["room*"] })).await;
    nameless.call("subscribe", json!({ "channel": "room", "info": { "user": "ada" } })).await;
    let roll = nameless.call("presence", json!(["room"])).await;
    let expected = json!([
        { "info": { "user": "ada" }, "connections": 1 },
        { "user": "ada", "connections": 1 },
        { "user": "ada", "info": { "user": "eve" }, "connections": 1 },
    ]);
    assert_eq!((&roll["clients"], &roll["entries"]), (&json!(3), &expected));
    // Neither is there any other way to say it, and a name that is too long is none.
    let (code, _, message) = nameless.refused("subscribe", json!({ "channel": "room", "user": "ada" })).await;
    assert_eq!(code, -32602, "{message}");
    let long = json!({ "sub": "a".repeat(257), "channels": { "sub": ["room*"] } });
    let mut long = bearer(&server, &long).await;
    long.call("subscribe", json!(["room"])).await;
    let roll = long.call("presence", json!(["room"])).await;
    assert_eq!((&roll["clients"], &roll["entries"]), (&json!(4), &expected));
}

async fn who_may_not_read_a_channel_learns_nothing_of_it(backend: Backend) {
    let (server, _keys) = start(backend).await;
    let ada = json!({ "sub": "ada", "channels": { "sub": ["room-1"] } });
    let mut ada = bearer(&server, &ada).await;
    call(&mut ada, "subscribe", json!({ "channel": "room-1", "presence": true })).await;
    let mut stranger = Caller::connect(&server).await;
    let mut told = Vec::new();
    // Where somebody is, where nobody is, and where there is no presence.
    for channel in ["room-1", "room-2", "news"] {
        for (method, params) in [
            ("presence", json!([channel])),
            ("subscribe", json!({ "channel": channel, "presence": true })),
            ("subscribe", json!({ "channel": channel, "info": {} })),
        ] {
            let (code, data, message) = stranger.refused(method, params).await;
            assert_eq!((code, data), (-32000, json!({ "reason": "access_denied" })));
            told.push(message.replace(channel, "_"));
        }
    }
    told.dedup();
    assert_eq!(told.len(), 1, "{told:?}");
    // Nor is it counted there.
    assert_eq!(call(&mut ada, "presence", json!(["room-1"])).await["clients"], 1);
    let mut eve = Caller::connect(&server).await;
    let watcher = json!({ "channel": "room-open", "presence": true });
    call(&mut stranger, "subscribe", watcher).await;
    eve.call("subscribe", json!({ "channel": "room-open", "info": { "name": "Eve" } })).await;
    assert_eq!(moves(&mut stranger).await, ["+Eve"]);
}

async fn who_may_not_read_it_any_more_is_gone_and_learns_nothing_more(backend: Backend) {
    let (server, _keys) = start(backend).await;
    let all = "room*".parse().expect("a pattern");
    assert_eq!(server.reconfigure(|settings| settings.channels = Some(all)), 0);
    let mut ending = Caller::connect(&server).await;
    let watch = |channel: &str| json!({ "channel": channel, "presence": true, "info": { "name": "Ada" } });
    call(&mut ending, "subscribe", watch("room-open")).await;
    assert_eq!(moves(&mut ending).await, ["+Ada"]);
    call(&mut ending, "subscribe", watch("room-1")).await;
    assert_eq!(moves(&mut ending).await, ["+Ada"]);
    let claims = json!({ "sub": ["room*"] });
    let mut staying = bearer(&server, &claims).await;
    call(&mut staying, "subscribe", json!({ "channel": "room-1", "presence": true })).await;
    let open = "room-open".parse().expect("a pattern");
    assert_eq!(server.reconfigure(|settings| settings.channels = Some(open)), 0);
    assert_eq!(moves(&mut staying).await, ["-Ada"]);
    assert_eq!(call(&mut staying, "presence", json!(["room-1"])).await["clients"], 1);
    let mut eve = bearer(&server, &claims).await;
    for channel in ["room-1", "room-open"] {
        eve.call("subscribe", json!({ "channel": channel, "info": { "name": "Eve" } })).await;
        if channel == "room-1" {
            assert_eq!(moves(&mut staying).await, ["+Eve"]);
        }
    }
    // Numbers of clients and the end of the subscription may be told before.
    loop {
        let told = ending.client.next().await;
        let is_told = told["method"] == "presence";
        if is_told && told["params"]["joined"] == json!([{ "info": { "name": "Eve" } }]) {
            assert_eq!(told["params"]["source"], "room-open", "{told}");
            break;
        }
        assert!(!is_told || told["params"]["left"] == json!([]), "{told}");
    }
}
