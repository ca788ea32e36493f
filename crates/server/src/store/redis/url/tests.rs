use proptest::prelude::*;

use super::*;

fn check(url: &str, shown: &str, user: Option<&str>, password: Option<&str>) {
    let parsed: RedisUrl = url.parse().unwrap_or_else(|error| panic!("{url}: {error}"));
    assert_eq!(parsed.to_string(), shown, "{url}");
    let credentials = parsed.credentials.as_ref();
    assert_eq!(credentials.and_then(|credentials| credentials.user.as_deref()), user, "{url}");
    assert_eq!(credentials.map(|credentials| credentials.password.as_str()), password, "{url}");
}

#[test]
fn reads_hosts() {
    check("redis://localhost", "redis://localhost:6379/0", None, None);
    check("redis://localhost/", "redis://localhost:6379/0", None, None);
    check("redis://10.0.0.1:7000/15", "redis://10.0.0.1:7000/15", None, None);
    check("redis://[::1]:7000/3", "redis://[::1]:7000/3", None, None);
    check("redis://[fe80::1%eth0]", "redis://[fe80::1%eth0]:6379/0", None, None);
    check("redis://redis_1.example.", "redis://redis_1.example.:6379/0", None, None);
}

#[test]
fn reads_sockets() {
    check("/run/redis.sock", "redis+unix:///run/redis.sock?db=0", None, None);
    check("unix:///run/redis.sock?db=4", "redis+unix:///run/redis.sock?db=4", None, None);
    check("redis+unix:///run/r@1.sock", "redis+unix:///run/r@1.sock?db=0", None, None);
    check("redis+unix://u:p@/r.sock", "redis+unix://u@/r.sock?db=0", Some("u"), Some("p"));
}

#[test]
fn reads_credentials() {
    check("redis://:secret@h", "redis://h:6379/0", None, Some("secret"));
    check("redis://u:secret@h:1/2", "redis://u@h:1/2", Some("u"), Some("secret"));
    check("redis://u:s:e@c/r@h", "redis://u@h:6379/0", Some("u"), Some("s:e@c/r"));
    check("redis://%C3%A9:%40%2f%25@h", "redis://é@h:6379/0", Some("é"), Some("@/%"));
    check("redis://u:@h", "redis://u@h:6379/0", Some("u"), Some(""));
}

#[test]
fn reads_tls() {
    check("rediss://u:p@db.example/1", "rediss://u@db.example:6379/1", Some("u"), Some("p"));
    for (url, is_tls) in
        [("rediss://h", true), ("redis://h", false), ("rediss+cluster://h", true), ("/s", false)]
    {
        assert_eq!(url.parse::<RedisUrl>().unwrap().is_tls(), is_tls, "{url}");
    }
}

#[test]
fn reads_sentinels() {
    check("redis+sentinel://a,b:7,[::1]/map", "redis+sentinel://a:26379,b:7,[::1]:26379/map/0", None, None);
    check("rediss+sentinel://u:p@a/map/3", "rediss+sentinel://u@a:26379/map/3", Some("u"), Some("p"));
    for (query, user, password) in [
        ("?sentinel_user=watch&sentinel_password=h%40t", Some("watch"), "h@t"),
        ("?sentinel_password=hot", None, "hot"),
    ] {
        let url: RedisUrl = format!("redis+sentinel://a/map{query}").parse().unwrap();
        let Place::Sentinel(service) = url.place else { panic!("{query}") };
        let credentials = service.credentials.unwrap();
        assert_eq!((credentials.user.as_deref(), &*credentials.password), (user, password), "{query}");
    }
}

#[test]
fn reads_clusters() {
    check("redis+cluster://a:7000,b", "redis+cluster://a:7000,b:6379", None, None);
    check("rediss+cluster://:p@a/0", "rediss+cluster://a:6379", None, Some("p"));
    let many = |number| format!("redis+cluster://{}", vec!["h"; number].join(","));
    assert!(many(64).parse::<RedisUrl>().is_ok());
    assert_eq!(many(65).parse::<RedisUrl>(), Err(RedisUrlError::Hosts(65)));
}

#[test]
fn refuses_with_the_reason() {
    let quoted = str::to_owned;
    for (url, error) in [
        ("", RedisUrlError::NoScheme),
        ("localhost:6379", RedisUrlError::NoScheme),
        ("http://localhost", RedisUrlError::Scheme(quoted("http"))),
        ("redis+sentinel://h", RedisUrlError::Service(quoted(""))),
        ("redis+sentinel://h/", RedisUrlError::Service(quoted(""))),
        ("redis+sentinel://h/a b", RedisUrlError::Service(quoted("a b"))),
        ("redis+sentinel://h/s/x", RedisUrlError::Database(quoted("x"))),
        ("redis+sentinel://h,/s", RedisUrlError::Host(quoted(""))),
        ("redis+sentinel://h/s?db=1", RedisUrlError::Query(quoted("db"))),
        ("redis+sentinel://h/s?x", RedisUrlError::Query(quoted("a word without a value"))),
        ("redis+sentinel://h/s?sentinel_user=u", RedisUrlError::NoPassword),
        ("redis+sentinel://u@h/s", RedisUrlError::NoPassword),
        ("redis+cluster://", RedisUrlError::Host(quoted(""))),
        ("redis+cluster://h:1,h:x", RedisUrlError::Port(quoted("x"))),
        ("redis+cluster://h/2", RedisUrlError::ClusterDatabase(2)),
        ("redis+cluster://h?x=1", RedisUrlError::Query(quoted("x=1"))),
        ("unixs:///run/redis.sock", RedisUrlError::Scheme(quoted("unixs"))),
        ("redis://", RedisUrlError::Host(quoted(""))),
        ("redis://:6379", RedisUrlError::Host(quoted(""))),
        ("redis://a b", RedisUrlError::Host(quoted("a b"))),
        ("redis://h\r\nFLUSHALL", RedisUrlError::Host(quoted("h\r\nFLUSHALL"))),
        ("redis://[::1", RedisUrlError::Host(quoted("[::1"))),
        ("redis://[::1]7", RedisUrlError::Host(quoted("[::1]7"))),
        ("redis://h:0", RedisUrlError::Port(quoted("0"))),
        ("redis://h:65536", RedisUrlError::Port(quoted("65536"))),
        ("redis://h:", RedisUrlError::Port(quoted(""))),
        ("redis://h/x", RedisUrlError::Database(quoted("x"))),
        ("redis://h/-1", RedisUrlError::Database(quoted("-1"))),
        ("redis://h?db=1", RedisUrlError::Query(quoted("db=1"))),
        ("redis://u@h", RedisUrlError::NoPassword),
        ("redis://u:%f@h", RedisUrlError::Encoding),
        ("redis://u:%ff@h", RedisUrlError::Encoding),
        ("redis+unix://run/redis", RedisUrlError::Path(quoted("run/redis"))),
        ("unix:///a?x=1", RedisUrlError::Query(quoted("x=1"))),
    ] {
        assert_eq!(url.parse::<RedisUrl>(), Err(error), "{url:?}");
    }
}

#[test]
fn never_shows_the_password() {
    for url in [
        "redis://u:hunter2@h/1",
        "redis://:hunter2@h",
        "redis://:?hunter2@h",
        "redis+unix://:hunter2@/s",
        "redis+sentinel://a/map?sentinel_password=hunter2",
        "redis+cluster://u:hunter2@a",
    ] {
        let url: RedisUrl = url.parse().unwrap();
        let settings = super::super::RedisSettings::new(url.clone());
        for shown in [url.to_string(), format!("{url:?}"), format!("{settings:#?}")] {
            assert!(!shown.contains("hunter2"), "{shown}");
        }
    }
    for url in [
        "redis://u:hunter2%@h",
        "redis://u:hunter2@h:x",
        "redis://u:hunter2@",
        "x://u:hunter2@h",
        "redis+sentinel://a/map?password=hunter2",
        "redis+sentinel://a/map?hunter2",
        "redis+sentinel://a/map?sentinel_password=hunter2%",
        "redis+sentinel://a?sentinel_password=hunter2",
    ] {
        let error = url.parse::<RedisUrl>().unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
    }
}

proptest! {
    #[test]
    fn survives_any_text(text in "(redis://|rediss\\+cluster://|redis\\+sentinel://|unix://|/)?.{0,40}") {
        let parsed = text.parse::<RedisUrl>();
        let has_secret = |url: &RedisUrl| {
            url.credentials.is_some() || matches!(&url.place, Place::Sentinel(service) if service.credentials.is_some())
        };
        if let Ok(url) = parsed && !has_secret(&url) {
            prop_assert_eq!(url.to_string().parse(), Ok(url));
        }
    }
}
