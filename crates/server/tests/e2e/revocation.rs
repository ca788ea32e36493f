//! What becomes of those who are connected when what they may do is configured anew.

use std::{
    fs,
    time::{Duration, Instant},
};

use geocast_server::{Count, KeyFile, OriginPolicy, Patterns, Secret, Settings, TokenSettings};
use serde_json::{Value, json};
use tokio_tungstenite::{connect_async, tungstenite::client::IntoClientRequest};

use crate::{
    caller::Caller,
    client::Client,
    http_client::request,
    server::{Backend, TestServer},
    signing::Signer,
    stores::on_both_stores,
};

on_both_stores!(
    a_key_that_is_gone_takes_its_bearers_along,
    bearers_of_a_key_do_not_leave_at_the_same_moment,
    another_issuer_or_no_keys_at_all_do_too,
    a_channel_that_is_closed_is_taken_from_everybody,
    what_a_client_asks_for_first_is_judged_before_it_is_carried_out,
    a_subscription_by_a_token_of_its_own_ends_alone,
    a_publish_key_holds_until_there_is_another,
    a_page_that_is_struck_off_the_list_is_closed,
    what_cannot_be_read_changes_nothing,
);

struct Keys(tempfile::NamedTempFile);

impl Keys {
    fn of(signers: &[Signer]) -> Self {
        let keys = Self(tempfile::NamedTempFile::new().expect("a file"));
        keys.write(signers);
        keys
    }

    fn write(&self, signers: &[Signer]) {
        let keys: Vec<Value> = signers.iter().map(|signer| signer.jwk()).collect();
        fs::write(self.0.path(), json!({ "keys": keys }).to_string()).expect("it can be written");
    }

    fn settings(&self) -> Option<TokenSettings> {
        Some(TokenSettings::new(vec![KeyFile::Jwks(self.0.path().to_owned())]))
    }
}

fn patterns(list: &str) -> Option<Patterns> {
    Some(list.parse().expect("patterns"))
}

fn token(signer: Signer, sub: &[&str], publish: &[&str]) -> String {
    signer.token(&json!({ "iss": "the office", "channels": { "sub": sub, "pub": publish } }))
}

async fn connect(server: &TestServer, path: &str, token: &str) -> Client {
    let mut client = Client::connect_raw(server.address, &format!("{path}?token={token}")).await;
    if path == "/ws" {
        assert_eq!(client.next().await["content"]["status"], "open");
    }
    client
}

async fn closed(mut client: Client) -> (u16, String) {
    let close = client.next_close().await;
    (close.code.into(), close.reason.to_string())
}

fn unaccepted() -> (u16, String) {
    (3010, "token no longer accepted".to_owned())
}

async fn a_key_that_is_gone_takes_its_bearers_along(backend: Backend) {
    let keys = Keys::of(&Signer::ALL);
    let server = TestServer::start_with(backend, |settings| {
        settings.channels = patterns("open");
        settings.tokens = keys.settings();
    })
    .await;
    let (gone, kept) =
        (token(Signer::Es256, &["secret"], &["secret"]), token(Signer::EdDsa, &["secret"], &["secret"]));
    let mut leaving = Vec::new();
    for path in ["/ws", "/rpc", "/rohrpost/", "/channel/secret/"] {
        leaving.push(connect(&server, path, &gone).await);
    }
    leaving[0].send("SUB open").await;
    leaving[0].settled().await;
    let mut staying = connect(&server, "/ws", &kept).await;
    staying.send("SUB secret").await;
    server.subscribed(&mut staying, "secret").await;
    let mut anybody = server.subscriber("open", &[]).await;
    server.publish("open", "\"begin\"").await;
    leaving[0].until("begin").await;
    anybody.until("begin").await;
    // The same keys in another order are the same keys.
    keys.write(&[Signer::EdDsa, Signer::Rs256, Signer::Es256, Signer::Hs256]);
    assert_eq!(server.reload.run(), 0);
    leaving[0].settled().await;
    keys.write(&[Signer::EdDsa, Signer::Hs256]);
    assert_eq!(server.reload.run(), 0);
    for client in leaving {
        assert_eq!(closed(client).await, unaccepted());
    }
    assert_eq!(server.count(Count::ClosedRevoked), 4);
    server.publish("secret", "\"for few\"").await;
    assert_eq!(staying.next_content().await, "for few");
    server.publish("open", "\"for all\"").await;
    assert_eq!(anybody.next_content().await, "for all");
}

/// Three hundred that are closed are so over as many milliseconds.
async fn bearers_of_a_key_do_not_leave_at_the_same_moment(backend: Backend) {
    let keys = Keys::of(&Signer::ALL);
    let server = TestServer::start_with(backend, |settings| settings.tokens = keys.settings()).await;
    let token = token(Signer::Es256, &["secret"], &[]);
    let mut clients = Vec::new();
    for _ in 0..300 {
        clients.push(Client::connect_raw(server.address, &format!("/rpc?token={token}")).await);
    }
    keys.write(&[Signer::EdDsa]);
    let begin = Instant::now();
    assert_eq!(server.reload.run(), 0);
    for client in clients {
        assert_eq!(closed(client).await, unaccepted());
    }
    // Of three hundred moments chosen at random one is late.
    assert!(begin.elapsed() > Duration::from_millis(200), "all were closed within {:?}", begin.elapsed());
    assert_eq!(server.count(Count::ClosedRevoked), 300);
}

async fn another_issuer_or_no_keys_at_all_do_too(backend: Backend) {
    let keys = Keys::of(&Signer::ALL);
    let server = TestServer::start_with(backend, |settings| settings.tokens = keys.settings()).await;
    let token = token(Signer::Rs256, &["secret"], &[]);
    let mut client = connect(&server, "/ws", &token).await;
    let issuer = |name: &str| {
        let mut settings = keys.settings();
        settings.iter_mut().for_each(|settings| settings.issuer = Some(name.to_owned()));
        settings
    };
    assert_eq!(server.reconfigure(|settings| settings.tokens = issuer("the office")), 0);
    client.settled().await;
    assert_eq!(server.reconfigure(|settings| settings.tokens = issuer("another office")), 0);
    assert_eq!(closed(client).await, unaccepted());
    assert_eq!(server.reconfigure(|settings| settings.tokens = issuer("the office")), 0);
    let client = connect(&server, "/ws", &token).await;
    assert_eq!(server.reconfigure(|settings| settings.tokens = None), 0);
    assert_eq!(closed(client).await, unaccepted());
}

async fn a_channel_that_is_closed_is_taken_from_everybody(backend: Backend) {
    let keys = Keys::of(&[Signer::Es256]);
    let server = TestServer::start_with(backend, |settings| {
        settings.tokens = keys.settings();
        settings.viewport_channels = vec!["vehicles".parse().expect("a channel")];
    })
    .await;
    // Whoever has a token for it keeps it.
    let mut bearer = connect(&server, "/ws", &token(Signer::Es256, &["news"], &[])).await;
    bearer.send("SUB news").await;
    server.subscribed(&mut bearer, "news").await;
    let mut text = server.subscriber("news", &[]).await;
    text.send("SUB other").await;
    server.subscribed(&mut text, "other").await;
    let mut tracking = server.client().await;
    tracking.send_together(&["BBOX 0 0 9 9", "SUB news track", "SUB other"]).await;
    tracking.settled().await;
    let mut rpc = Caller::connect(&server).await;
    rpc.call("subscribe", json!(["news"])).await;
    rpc.call("subscribe", json!(["other"])).await;
    let mut rohrpost = server.rohrpost().await;
    for group in ["news-1", "other-1"] {
        let (kind, id) = group.split_once('-').expect("two parts");
        let subscribe = json!({ "id": 1, "type": "subscribe", "data": { "type": kind, "id": id } });
        assert!(rohrpost.ask(&subscribe.to_string()).await.contains(group));
    }
    let (aiows, mut other_aiows) = (server.aiows("news").await, server.aiows("other").await);
    // What the others were asked meanwhile.
    for channel in ["news", "other"] {
        server.publish(channel, "\"begin\"").await;
        text.until("begin").await;
        tracking.until("begin").await;
        while rpc.pushed().await["content"] != "begin" {}
    }
    bearer.until("begin").await;
    assert_eq!(other_aiows.next_message().await.into_text().expect("text"), "\"begin\"");

    assert_eq!(server.reconfigure(|settings| settings.channels = patterns("other*")), 0);
    for client in [&mut text, &mut tracking] {
        let mut named: Vec<String> = Vec::new();
        while !named.iter().any(|message| message.contains("`news`")) {
            let error = client.next_error().await;
            assert_eq!(error["content"]["error"]["code"], "access_denied", "{error}");
            named.push(error["content"]["error"]["message"].to_string());
        }
    }
    let ended = rpc.client.next().await;
    assert_eq!((&ended["method"], &ended["params"]["source"]), (&json!("ended"), &json!("news")), "{ended}");
    assert_eq!(ended["params"]["error"]["data"]["reason"], "access_denied", "{ended}");
    let (_, update) = rohrpost.next_update().await;
    assert_eq!(update, r#""type":"subscription-update","data":{"group":"news-1","error":"ACCESS_DENIED"}}"#);
    assert_eq!(closed(aiows).await, (3500, "no longer allowed".to_owned()));
    // The viewport has brought along a channel that is closed as well.
    assert_eq!(server.count(Count::SubscriptionEnded), 5);

    for (channel, payload) in [("news", "\"gone\""), ("news-1", "\"gone\""), ("other", "\"here\"")] {
        server.publish(channel, payload).await;
    }
    server.put("news", "1", r#"{"type":"Feature","id":1,"geometry":null,"properties":null}"#).await;
    server.publish("other-1", "\"here\"").await;
    assert_eq!(bearer.next_content().await, "gone", "for whom it is not");
    assert_eq!(text.next_content().await, "here");
    assert_eq!(tracking.until("here").await, [] as [Value; 0]);
    assert_eq!(rpc.pushed().await["content"], "here");
    let (_, update) = rohrpost.next_update().await;
    assert!(update.contains(r#""group":"other-1""#) && update.contains("here"), "{update}");
    assert_eq!(other_aiows.next_message().await.into_text().expect("text"), "\"here\"");
    let (_, reason, _) = rpc.refused("subscribe", json!(["news"])).await;
    assert_eq!(reason["reason"], "access_denied");
    // What is opened again can be had again, by whoever asks.
    assert_eq!(server.reconfigure(|settings| settings.channels = patterns("*")), 0);
    rpc.call("subscribe", json!(["news"])).await;
}

/// The first frames of a connection wait for others that belong to them.
async fn what_a_client_asks_for_first_is_judged_before_it_is_carried_out(backend: Backend) {
    let server = TestServer::start_with(backend, |settings| {
        settings.channels = patterns("secret,open");
        settings.timeouts.settle = Duration::from_secs(3);
    })
    .await;
    server.put("secret", "1", "\"kept\"").await;
    let mut client = server.client().await;
    client.send_together(&["SUB secret", "GET secret", "SUB open", "SUB a*"]).await;
    server.counted(Count::CommandMalformed, 1).await;
    assert_eq!(server.reconfigure(|settings| settings.channels = patterns("open")), 0);
    let mut codes = Vec::new();
    // The last is answered when all have been carried out.
    while codes.last().is_none_or(|code| code != "bad_channel") {
        codes.push(client.next_error().await["content"]["error"]["code"].clone());
    }
    assert_eq!(codes, ["access_denied", "bad_channel"]);
    server.subscribed(&mut client, "open").await;
    server.publish("secret", "\"gone\"").await;
    server.publish("open", "\"here\"").await;
    assert_eq!(client.next_content().await, "here");
    assert_eq!(server.count(Count::SubscriptionEnded), 1);
}

async fn a_subscription_by_a_token_of_its_own_ends_alone(backend: Backend) {
    let keys = Keys::of(&Signer::ALL);
    let server = TestServer::start_with(backend, |settings| {
        settings.channels = patterns("open-1");
        settings.tokens = keys.settings();
    })
    .await;
    let mut client = server.rohrpost().await;
    for (kind, signer) in [("open", None), ("a", Some(Signer::Es256)), ("b", Some(Signer::Rs256))] {
        let mut subscribe = json!({ "id": 1, "type": "subscribe", "data": { "type": kind, "id": 1 } });
        if let Some(signer) = signer {
            subscribe["auth_jwt"] = json!(token(signer, &["?-1"], &[]));
        }
        assert!(client.ask(&subscribe.to_string()).await.contains("group"));
    }
    keys.write(&[Signer::Rs256]);
    assert_eq!(server.reload.run(), 0);
    let (_, update) = client.next_update().await;
    assert_eq!(update, r#""type":"subscription-update","data":{"group":"a-1","error":"ACCESS_DENIED"}}"#);
    for group in ["a-1", "b-1", "open-1"] {
        server.publish(group, "1").await;
    }
    for group in ["b-1", "open-1"] {
        assert!(client.next_update().await.1.contains(group));
    }
}

async fn a_publish_key_holds_until_there_is_another(backend: Backend) {
    let server =
        TestServer::start_with(backend, |settings| settings.publish_key = Some(Secret::new("one"))).await;
    let mut publisher = Caller::publisher(&server, "one").await;
    let post = |key: &str| {
        let (address, header) = (server.address, format!("Authorization: Bearer {key}"));
        async move { request(address, "POST", "/api/publish/news", &[&header], "1").await.status }
    };
    publisher.call("publish", json!(["news", 1])).await;
    assert_eq!(server.reload.run(), 0);
    publisher.call("publish", json!(["news", 1])).await;
    assert_eq!(server.reconfigure(|settings| settings.publish_key = Some(Secret::new("two"))), 0);
    let (_, reason, message) = publisher.refused("publish", json!(["news", 1])).await;
    assert_eq!(
        (&reason["reason"], &*message),
        (&json!("access_denied"), "the publish key is not the right one")
    );
    assert_eq!((post("one").await, post("two").await), (403, 200));
    let mut other = Caller::publisher(&server, "two").await;
    other.call("publish", json!(["news", 1])).await;
    // The first key again is another key than the one that was presented.
    assert_eq!(server.reconfigure(|settings| settings.publish_key = Some(Secret::new("one"))), 0);
    publisher.refused("publish", json!(["news", 1])).await;
    other.refused("publish", json!(["news", 1])).await;
    assert_eq!((post("one").await, post("two").await), (200, 403));
    // The right to publish somewhere ends with the pattern.
    assert_eq!(server.reconfigure(|settings| settings.channels = patterns("sport")), 0);
    let mut publisher = Caller::publisher(&server, "one").await;
    let (_, _, message) = publisher.refused("publish", json!(["news", 1])).await;
    assert!(message.contains("`news`"), "{message}");
}

fn listed(settings: &mut Settings, origins: &[&str]) {
    let origins = origins.iter().map(|origin| origin.parse().expect("an origin"));
    settings.origins = OriginPolicy::Listed(origins.collect());
}

async fn a_page_that_is_struck_off_the_list_is_closed(backend: Backend) {
    let server = TestServer::start_with(backend, |settings| {
        listed(settings, &["https://a.example", "https://b.example"]);
    })
    .await;
    let own = format!("http://{}", server.address);
    let mut pages = Vec::new();
    for origin in ["https://a.example", "https://b.example", &own] {
        let mut request = format!("ws://{}/ws", server.address).into_client_request().expect("a request");
        request.headers_mut().insert("origin", origin.parse().expect("a field"));
        let (socket, _) = connect_async(request).await.expect("the page may connect");
        pages.push(Client::from(socket));
    }
    assert_eq!(server.reconfigure(|settings| listed(settings, &["https://b.example"])), 0);
    let a = pages.remove(0);
    assert_eq!(closed(a).await, (3500, "no longer allowed".to_owned()));
    for page in &mut pages {
        assert_eq!(page.next().await["content"]["status"], "open");
        page.settled().await;
    }
    assert_eq!(server.reconfigure(|settings| settings.origins = OriginPolicy::InsecureAny), 0);
    pages[0].settled().await;
    assert_eq!(server.count(Count::ClosedRevoked), 1);
}

/// All or nothing: what is right beside something that is wrong is not taken up either.
async fn what_cannot_be_read_changes_nothing(backend: Backend) {
    let keys = Keys::of(&[Signer::Es256]);
    let server = TestServer::start_with(backend, |settings| {
        settings.tokens = keys.settings();
        settings.publish_key = Some(Secret::new("one"));
        settings.operator_token = Some(Secret::new("sesame"));
    })
    .await;
    let ready = async || {
        let token = ["Authorization: Bearer sesame"];
        request(server.address, "GET", "/ready", &token, "").await.json()
    };
    let mut client = connect(&server, "/ws", &token(Signer::Es256, &["news"], &[])).await;
    client.send("SUB news").await;
    server.subscribed(&mut client, "news").await;
    let first = ready().await;
    assert!(first.get("store").is_some() && first.get("reload").is_none(), "{first}");
    fs::write(keys.0.path(), "{").expect("it can be written");
    let failures = server.reconfigure(|settings| {
        settings.channels = patterns("sport");
        settings.publish_key = None;
    });
    assert_eq!(failures, 1);
    assert_eq!(ready().await["reload"]["failures"], 1);
    let header = ["Authorization: Bearer one"];
    assert_eq!(request(server.address, "POST", "/api/publish/news", &header, "\"on\"").await.status, 200);
    assert_eq!(client.next_content().await, "on");
    keys.write(&[Signer::Es256]);
    assert_eq!(server.reload.run(), 0, "now all of it is taken up");
    assert_eq!(ready().await["reload"]["failures"], 0);
    client.settled().await;
    assert_eq!(request(server.address, "POST", "/api/publish/news", &header, "1").await.status, 401);
}
