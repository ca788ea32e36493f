//! What is asked for while something before it takes its time.

use std::time::Duration;

use geocast_server::Secret;
use serde_json::json;

use crate::{
    caller::Caller,
    history::keeping,
    server::{Backend, TestServer},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_behind_something_slow_is_judged_when_its_turn_comes() {
    let server = TestServer::start_with(Backend::Redis, |settings| {
        settings.publish_key = Some(Secret::new("one"));
        keeping(100)(settings);
    })
    .await;
    let redis = server.redis.as_ref().expect("it runs on Redis");
    redis.cli(&["HSET", "map", "1", "\"hidden\""]);
    let mut caller = Caller::publisher(&server, "one").await;
    redis.freeze();
    for (id, method, params) in [
        (1, "get", json!({ "channel": "open" })),
        (2, "get", json!({ "channel": "map" })),
        (3, "publish", json!({ "channel": "open", "data": 1 })),
        (4, "history", json!({ "channel": "map" })),
        (5, "get", json!({ "channel": "open" })),
    ] {
        let request = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
        caller.client.send(request.to_string()).await;
    }
    // What has not come by then is refused when it comes, which is not what is looked at here.
    tokio::time::sleep(Duration::from_millis(300)).await;
    let failures = server.reconfigure(|settings| {
        settings.channels = Some("open".parse().expect("a pattern"));
        settings.publish_key = Some(Secret::new("two"));
    });
    assert_eq!(failures, 0);
    redis.thaw();
    for (id, is_denied) in [(1, false), (2, true), (3, true), (4, true), (5, false)] {
        let reply = caller.client.next().await;
        assert_eq!(reply["id"], id, "{reply}");
        let reason = &reply["error"]["data"]["reason"];
        assert_eq!(reason == "access_denied", is_denied, "{reply}");
    }
}
