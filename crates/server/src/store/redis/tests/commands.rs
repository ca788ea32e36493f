use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reads_what_any_client_wrote() {
    let (redis, store, _inbox) = subscribed(&[]).await;
    redis.cli(&["HSET", "vehicles", "1", "one", "2", "two"]);
    let vehicles = channel("vehicles");
    assert_eq!(store.value(&vehicles, "1").await.unwrap(), Some(bytes("one")));
    assert_eq!(store.value(&vehicles, "3").await.unwrap(), None);
    assert_eq!(store.value(&channel("none"), "1").await.unwrap(), None);
    let mut values = store.values(&vehicles).await.unwrap();
    values.sort();
    assert_eq!(values, ["one", "two"]);
    assert!(store.values(&channel("none")).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sets_and_publishes_removes_and_publishes() {
    let (redis, store, mut inbox) = subscribed(&["vehicles"]).await;
    let vehicles = channel("vehicles");
    // Neither a line end nor a quote in a key or value means anything to Redis.
    let (key, value) = ("k'\"\r\n$1 ü", "v'\"]]\r\nDEL vehicles\r\n\0");
    store.put(&vehicles, key, bytes(value)).await.unwrap();
    inbox.expect("vehicles", value).await;
    assert_eq!(store.value(&vehicles, key).await.unwrap(), Some(bytes(value)));
    assert!(store.remove(&vehicles, key, bytes("gone")).await.unwrap());
    inbox.expect("vehicles", "gone").await;
    assert!(!store.remove(&vehicles, key, bytes("gone again")).await.unwrap());
    store.publish(&vehicles, bytes("last")).await.unwrap();
    inbox.expect("vehicles", "last").await;
    assert_eq!(redis.cli(&["EXISTS", "vehicles"]), "0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_of_another_type_is_refused_and_nothing_is_published() {
    let (redis, store, mut inbox) = subscribed(&["list"]).await;
    redis.cli(&["RPUSH", "list", "x"]);
    let list = channel("list");
    let errors = [
        store.value(&list, "1").await.map(drop),
        store.values(&list).await.map(drop),
        store.put(&list, "1", bytes("published?")).await.map(drop),
        store.remove(&list, "1", bytes("published?")).await.map(drop),
    ];
    for error in errors {
        assert!(matches!(&error, Err(StoreError::Refused(text)) if text.contains("WRONGTYPE")), "{error:?}");
    }
    store.publish(&list, bytes("marker")).await.unwrap();
    inbox.expect("list", "marker").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_is_full_is_known_as_such_in_a_transaction_too() {
    let (redis, store, _inbox) = subscribed(&[]).await;
    redis.cli(&["CONFIG", "SET", "maxmemory", "1"]);
    let news = channel("news");
    let put = store.put(&news, "1", bytes("x")).await.map(drop);
    let packages = store.publish_all(vec![(news, bytes("x"))]).await;
    for full in [put, packages] {
        assert!(matches!(&full, Err(StoreError::Full(text)) if text.contains("OOM")), "{full:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reads_a_large_hash_in_full_and_one_above_the_bound_not() {
    let redis = RedisServer::start(&[]);
    let fill = "for i = 1, 20000 do redis.call('HSET', KEYS[1], i, string.rep('x', 90) .. (100000 + i)) end";
    redis.cli(&["EVAL", fill, "1", "vehicles"]);
    let vehicles = channel("vehicles");
    let (store, _inbox) = subscribed_to(settings(&redis.url()), &[]).await;
    let mut values = store.values(&vehicles).await.unwrap();
    values.sort();
    let expected: Vec<_> = (100_001..=120_000).map(|number| format!("{}{number}", "x".repeat(90))).collect();
    assert_eq!(values, expected);

    let mut small = settings(&redis.url());
    small.max_state = 1_000_000;
    let (store, _inbox) = subscribed_to(small, &[]).await;
    assert!(matches!(store.values(&vehicles).await, Err(StoreError::Full(_))));
    redis.cli(&["EVAL", "redis.call('HSET', 'one', 'k', string.rep('x', 1000001))", "0"]);
    assert!(matches!(store.value(&channel("one"), "k").await, Err(StoreError::Full(_))));
    redis.cli(&["EVAL", "redis.call('HSET', 'one', 'k', string.rep('x', 1000000))", "0"]);
    assert_eq!(store.value(&channel("one"), "k").await.unwrap().unwrap().len(), 1_000_000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn speaks_over_a_unix_socket_and_to_another_database() {
    let redis = RedisServer::start(&[]);
    redis.cli(&["-n", "3", "HSET", "vehicles", "1", "of three"]);
    let socket = redis.socket();
    let socket = socket.to_str().unwrap();
    for url in [format!("redis+unix://{socket}?db=3"), format!("{}/3", redis.url())] {
        let (store, mut inbox) = subscribed_to(settings(&url), &["vehicles"]).await;
        assert_eq!(store.values(&channel("vehicles")).await.unwrap(), ["of three"], "{url}");
        redis.cli(&["PUBLISH", "vehicles", "hello"]);
        inbox.expect("vehicles", "hello").await;
        assert_eq!(store.description(), url);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_callers_than_connections_are_all_served() {
    let (_redis, store, _inbox) = subscribed(&[]).await;
    let (store, one) = (std::sync::Arc::new(store), channel("one"));
    let tasks: Vec<_> = (0..200)
        .map(|number: u32| {
            let (store, one) = (std::sync::Arc::clone(&store), one.clone());
            tokio::spawn(async move {
                let text = number.to_string();
                store.put(&one, &text, bytes(&text)).await.unwrap();
                assert_eq!(store.value(&one, &text).await.unwrap(), Some(bytes(&text)));
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(store.values(&one).await.unwrap().len(), 200);
}
