//! A Redis that goes, and comes back.

use super::*;

async fn two_nodes() -> (TestServer, TestServer) {
    let here = start(Backend::Redis).await;
    let url = here.redis.as_ref().expect("it runs on Redis").url();
    let there = TestServer::start_with(Backend::Embedded, |settings| {
        rooms(settings);
        let redis = geocast_server::RedisSettings::new(url.parse().expect("a URL"));
        settings.store = geocast_server::StoreSettings::Redis(redis);
    })
    .await;
    there.wait_until_ready().await;
    (here, there)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_comes_back_empty_is_told_again_and_nobody_has_left() {
    let (mut here, there) = two_nodes().await;
    let (mut watcher, mut asks) = (watcher(&here, "room").await, Caller::connect(&here).await);
    let mut asks_there = Caller::connect(&there).await;
    let _ada = named(&there, "room", "Ada").await;
    assert_eq!(moves(&mut watcher).await, ["+Ada"]);
    let redis = here.redis.as_mut().expect("it runs on Redis");
    redis.kill();
    // Who comes meanwhile is known here, and who goes there has not been heard of.
    let mut cyd = Caller::connect(&here).await;
    // Its subscription is kept, and in force later.
    let params = json!({ "channel": "room", "info": { "name": "Cyd" } });
    cyd.client.send(json!({ "jsonrpc": "2.0", "method": "subscribe", "params": params }).to_string()).await;
    assert_eq!(moves(&mut watcher).await, ["+Cyd"]);
    assert_eq!(call(&mut asks, "presence", json!(["room"])).await["clients"], 3);
    let begin = Instant::now();
    while call(&mut asks, "presence", json!(["room"])).await["stale"] == false {
        assert!(begin.elapsed() < Duration::from_secs(40), "it is not said that nothing is heard");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    here.redis.as_mut().expect("it runs on Redis").restart();
    let roll = until(&mut asks_there, "room", |roll| roll["clients"] == 3).await;
    let entry = |name: &str| json!({ "info": { "name": name }, "connections": 1 });
    assert_eq!(roll["entries"], json!([entry("Ada"), entry("Cyd")]));
    until(&mut asks, "room", |roll| roll["clients"] == 3).await;
    let _dan = named(&there, "room", "Dan").await;
    assert_eq!(moves(&mut watcher).await, ["+Dan"]);
    drop(cyd);
    assert_eq!(moves(&mut watcher).await, ["-Cyd"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_redis_loses_is_said_again() {
    let (here, there) = two_nodes().await;
    let (mut watcher, mut asks) = (watcher(&here, "room").await, Caller::connect(&here).await);
    let _ada = named(&there, "room", "Ada").await;
    assert_eq!(moves(&mut watcher).await, ["+Ada"]);
    let redis = here.redis.as_ref().expect("it runs on Redis");
    let node = redis.cli(&["ZRANGE", "{geocast:presence}:nodes", "0", "-1"]);
    let nodes: Vec<&str> = node.lines().collect();
    assert_eq!(nodes.len(), 2, "{node}");
    let mut losses: Vec<Vec<String>> = vec![
        vec!["DEL".to_owned(), "{geocast:presence}:log".to_owned()],
        vec!["DEL".to_owned(), "{geocast:presence}:nodes".to_owned()],
        vec!["XTRIM".to_owned(), "{geocast:presence}:log".to_owned(), "MAXLEN".to_owned(), "0".to_owned()],
        vec!["FLUSHALL".to_owned()],
    ];
    losses
        .extend(nodes.iter().map(|node| vec!["DEL".to_owned(), format!("{{geocast:presence}}:node:{node}")]));
    for (number, loss) in losses.iter().enumerate() {
        let loss: Vec<&str> = loss.iter().map(String::as_str).collect();
        redis.cli(&loss);
        let name = format!("after {number}");
        let next = named(&there, "room", &name).await;
        assert_eq!(moves(&mut watcher).await, [format!("+{name}")], "{loss:?}");
        until(&mut asks, "room", |roll| roll["clients"] == 3).await;
        drop(next);
        assert_eq!(moves(&mut watcher).await, [format!("-{name}")], "{loss:?}");
    }
    // And a third one reads what is there.
    let url = redis.url();
    let third = TestServer::start_with(Backend::Embedded, |settings| {
        rooms(settings);
        let redis = geocast_server::RedisSettings::new(url.parse().expect("a URL"));
        settings.store = geocast_server::StoreSettings::Redis(redis);
    })
    .await;
    let mut asks = Caller::connect(&third).await;
    until(&mut asks, "room", |roll| roll["clients"] == 2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_stands_still_loses_nobody() {
    let (here, there) = two_nodes().await;
    let (mut watcher, mut asks) = (watcher(&here, "room").await, Caller::connect(&here).await);
    let ada = named(&there, "room", "Ada").await;
    assert_eq!(moves(&mut watcher).await, ["+Ada"]);
    let redis = here.redis.as_ref().expect("it runs on Redis");
    redis.freeze();
    // Longer than it takes to be taken for dead, by Redis's clock, which goes on.
    tokio::time::sleep(Duration::from_secs(18)).await;
    drop(ada);
    redis.thaw();
    let _bob = named(&there, "room", "Bob").await;
    let mut all = Vec::new();
    while all.len() < 2 {
        all.extend(moves(&mut watcher).await);
    }
    all.sort();
    assert_eq!(all, ["+Bob", "-Ada"]);
    let roll = until(&mut asks, "room", |roll| roll["clients"] == 2).await;
    assert_eq!(roll["entries"], json!([{ "info": { "name": "Bob" }, "connections": 1 }]));
}
