use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn speaks_with_a_password() {
    let redis = RedisServer::start(&["--requirepass", "hunter2"]);
    let url = redis.url().replace("redis://", "redis://:hunter2@");
    let (store, mut inbox) = subscribed_to(settings(&url), &["vehicles"]).await;
    store.put(&channel("vehicles"), "1", bytes("one")).await.unwrap();
    inbox.expect("vehicles", "one").await;
    assert_eq!(store.description(), format!("{}/0", redis.url()));
    assert!(!format!("{store:?}").contains("hunter2"), "{store:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_or_missing_password_is_told_and_tried_again() {
    let redis = RedisServer::start(&["--requirepass", "right"]);
    let inbox = Inbox::new(&[], 1);
    for (login, expected) in [(":hunter2@", "WRONGPASS"), ("", "NOAUTH")] {
        let url = redis.url().replace("redis://", &format!("redis://{login}"));
        let store = RedisStore::start(settings(&url), inbox.broker()).unwrap();
        let told = async {
            loop {
                match store.health().await {
                    Err(StoreError::Unavailable(reason)) if reason.contains(expected) => break reason,
                    Err(_) => sleep(Duration::from_millis(5)).await,
                    Ok(()) => panic!("healthy without a password"),
                }
            }
        };
        let reason = timeout(PATIENCE, told).await.unwrap();
        assert!(!reason.contains("hunter2"), "{reason}");
        let error = store.value(&channel("a"), "1").await.unwrap_err().to_string();
        assert!(!error.contains("hunter2"), "{error}");
        redis.cli(&["--no-auth-warning", "-a", "right", "CONFIG", "SET", "requirepass", "hunter2"]);
        if login.is_empty() {
            break;
        }
        healthy(&store).await;
        redis.cli(&["--no-auth-warning", "-a", "hunter2", "CONFIG", "SET", "requirepass", "right"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_acl_user_is_refused_its_forbidden_channels_only() {
    let redis = RedisServer::start(&[]);
    let rules = "ACL SETUSER map on >secret ~vehicles* resetchannels &vehicles* &__geocast_probe:* -@all \
        +subscribe +unsubscribe +ping +client|setname +hget +hstrlen +hscan +publish +eval +hset +hdel";
    assert_eq!(redis.cli(&rules.split_whitespace().collect::<Vec<_>>()), "OK");
    let url = redis.url().replace("redis://", "redis://map:secret@");
    let (store, mut inbox) = subscribed_to(settings(&url), &["vehicles"]).await;
    // All in one batch, which Redis refuses as a whole.
    let names = ["vehicles:1", "secret", "vehicles:2", "private"];
    let [one, secret, two, private] = names.map(|name| store.subscribe(&channel(name)));
    let (one, secret, two, private) = tokio::join!(one, secret, two, private);
    assert!(one.is_ok() && two.is_ok(), "{one:?} {two:?}");
    for refused in [secret, private] {
        assert!(matches!(&refused, Err(StoreError::Refused(text)) if text.contains("NOPERM")), "{refused:?}");
    }
    store.put(&channel("vehicles"), "1", bytes("one")).await.unwrap();
    inbox.expect("vehicles", "one").await;
    assert!(store.remove(&channel("vehicles"), "1", bytes("gone")).await.unwrap());
    inbox.expect("vehicles", "gone").await;
    assert_eq!(store.values(&channel("vehicles")).await.unwrap(), Vec::<Bytes>::new());
    assert_eq!(store.value(&channel("vehicles"), "1").await.unwrap(), None);
    let refused = store.values(&channel("secret")).await;
    assert!(matches!(refused, Err(StoreError::Refused(_))), "{refused:?}");
    // Rights that were given later are used by the next who asks.
    redis.cli(&["ACL", "SETUSER", "map", "&secret"]);
    store.subscribe(&channel("secret")).await.unwrap();
    assert_eq!(store.interruptions(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn does_without_the_probe_channel() {
    let redis = RedisServer::start(&[]);
    redis.cli(&["ACL", "SETUSER", "map", "on", ">secret", "allkeys", "resetchannels", "&vehicles", "+@all"]);
    let mut settings = settings(&redis.url().replace("redis://", "redis://map:secret@"));
    settings.probe_interval = Duration::from_millis(50);
    let (store, mut inbox) = subscribed_to(settings, &["vehicles"]).await;
    sleep(Duration::from_millis(300)).await;
    store.publish(&channel("vehicles"), bytes("hello")).await.unwrap();
    inbox.expect("vehicles", "hello").await;
    assert_eq!(store.interruptions(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_channel_that_was_forbidden_for_a_while_is_heard_again() {
    let redis = RedisServer::start(&[]);
    let mut settings = settings(&redis.url());
    settings.probe_interval = Duration::from_millis(200);
    let (store, mut inbox) = subscribed_to(settings, &["a", "b"]).await;
    redis.cli(&["ACL", "SETUSER", "default", "resetchannels", "&__geocast*", "&b"]);
    let begin = Instant::now();
    while !matches!(store.health().await, Err(StoreError::Unavailable(reason)) if reason.contains("forbids"))
    {
        assert!(begin.elapsed() < PATIENCE, "{:?}", store.health().await);
        sleep(Duration::from_millis(20)).await;
    }
    redis.cli(&["ACL", "SETUSER", "default", "allchannels"]);
    let told = loop {
        let told = inbox.partial_gaps();
        if !told.is_empty() {
            break told;
        }
        assert!(begin.elapsed() < 2 * PATIENCE, "{:?}", store.health().await);
        sleep(Duration::from_millis(20)).await;
    };
    assert_eq!(told.into_iter().collect::<Vec<_>>(), [("a".to_owned(), 1)], "the other went on");
    healthy(&store).await;
    redis.cli(&["PUBLISH", "a", "again"]);
    inbox.expect("a", "again").await;
}
