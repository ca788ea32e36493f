use std::{collections::BTreeSet, io::Write, process::Output, time::Duration};

use serde_json::Value;

use crate::{
    geocast::{code, geocast, run, stderr, stdout, wait_until},
    redis_server::RedisServer,
};

const ZURICH: &str =
    r#"{"type":"Feature","geometry":{"type":"Point","coordinates":[8.54,47.38]},"properties":{}}"#;

fn said(redis: &RedisServer, arguments: &[&str]) -> (i32, String) {
    let output = run(&[&["doctor", &redis.url()], arguments].concat());
    assert_eq!(stderr(&output), "");
    (code(&output), unwrapped(&output))
}

/// Each finding in one line, as long as it may be.
fn unwrapped(output: &Output) -> String {
    stdout(output).replace("\n                    ", " ")
}

fn check(said: &str, expected: &[&str]) {
    for line in expected {
        assert!(said.contains(line), "{line:?} is not in\n{said}");
    }
}

#[test]
fn an_empty_redis_is_well() {
    let redis = RedisServer::start(&[]);
    let (code, text) = said(&redis, &[]);
    assert_eq!(code, 0, "{text}");
    check(
        &text,
        &["ok       redis      Redis ", "standalone, master, user default", "ok       keys       0 keys"],
    );
    let line = format!("\n  geocast serve --redis {}/0 --channels '*'\n", redis.url());
    assert!(text.ends_with(&format!("What fits:{line}")), "{text}");
}

/// The line at the end is typed, and what it serves can be read.
#[test]
fn what_is_state_is_found_and_can_be_served() {
    let redis = RedisServer::start(&[]);
    redis.cli(&["HSET", "vehicles", "tram-14", ZURICH, "tram-7", ZURICH]);
    redis.cli(&["HSET", "swiss", "a", r#"{"type":"Point","coordinates":[2600000,1200000]}"#]);
    for number in 0..5 {
        redis.cli(&["HSET", &format!("session:{number}"), "user", "joe"]);
    }
    let (code, text) = said(&redis, &[]);
    assert_eq!(code, 1, "metres are no degrees: {text}");
    check(
        &text,
        &[
            "ok       keys       7 keys: 7 hashes",
            "ok       hash       vehicles: 2 keys, 2 of 2 values looked at are GeoJSON, such as {\"type\":\"Feature\"",
            "ok       places     vehicles: within 8.54,47.38,8.54,47.38 (longitude, latitude)",
            "warning  values     swiss: within 2600000,1200000,2600000,1200000, no degrees but EPSG:2056",
            "note     hash       5 hashes of plain values, such as session:*",
        ],
    );
    let line = text.lines().last().expect("the line to type").trim().strip_prefix("geocast ").expect("ours");
    assert!(line.ends_with("--channels swiss,vehicles --channel-crs swiss=epsg:2056"), "{line}");
    let words: Vec<&str> = line.split(' ').chain(["--port", "0"]).collect();
    let server = crate::geocast::Running::server(&words);
    let url = server.url();
    let read = run(&["get", "swiss", "--bbox", "7,46,8,47", "--url", &url]);
    assert!(stdout(&read).contains("7.43"), "{}{}", stdout(&read), stderr(&read));
    assert!(stdout(&run(&["get", "vehicles", "tram-7", "--url", &url])).contains("8.54"));
}

#[test]
fn what_is_wrong_with_values_is_told() {
    let redis = RedisServer::start(&["--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru"]);
    redis.cli(&["HSET", "twice", "a", r#""{\"type\":\"Feature\"}""#]);
    redis.cli(&["HSET", "pairs", "a", r#"{"lat":47.38,"lng":8.54}"#]);
    redis.cli(&["HSET", "tokyo", "a", r#"{"type":"Point","coordinates":[35.7,139.7]}"#]);
    redis.cli(&[
        "HSET",
        "betrayed",
        "a",
        &ZURICH.replace("8.54,47.38", "47.38,8.54").replace("{}", r#"{"lat":47.38,"lon":8.54}"#),
    ]);
    redis.cli(&["HSET", "mercator", "a", r#"{"type":"Point","coordinates":[950671,6003055]}"#]);
    redis.cli(&["HSET", "two words", "a", ZURICH]);
    redis.cli(&["SET", "car:1", ZURICH]);
    let (code, text) = said(&redis, &["--channels", "*"]);
    assert_eq!(code, 1, "{text}");
    check(
        &text,
        &[
            "twice: 1 of 1 values are JSON in a JSON string, encoded twice",
            "pairs: 1 of 1 values have a latitude and a longitude but are no GeoJSON",
            "tokyo: within 35.7,139.7,35.7,139.7, where no latitude can be: latitude and longitude are swapped",
            "betrayed: latitude and longitude are swapped in 1 of 1 values, as their own properties say",
            "in EPSG:3857 that were within 8.54,47.37,8.54,47.37 (longitude, latitude)",
            "note     names      1 hash no channel can be called after, such as 'two words'",
            "warning  strings    car:1: strings with GeoJSON",
            "warning  eviction   allkeys-lru",
            "CONFIG SET maxmemory-policy noeviction",
        ],
    );
}

/// What stands below a finding is typed, and the finding is gone.
#[test]
fn what_is_to_be_typed_mends_it() {
    let redis = RedisServer::start(&[]);
    redis.cli(&["ACL", "SETUSER", "map", "on", ">secret", "~vehicles*", "resetchannels", "&vehicles*"]);
    redis.cli(&[
        "ACL", "SETUSER", "map", "-@all", "+ping", "+info", "+multi", "+discard", "+hget", "+publish",
    ]);
    let url = redis.url().replace("redis://", "redis://map:secret@");
    let asked = ["doctor", &url, "--channels", "vehicles", "--json"];
    let output = run(&asked);
    assert_eq!(code(&output), 1, "{}", stderr(&output));
    assert!(!stdout(&output).contains("secret"), "{}", stdout(&output));
    let rights = |output: &Output| {
        let report: Value = serde_json::from_str(&stdout(output)).expect("JSON");
        let findings = report["findings"].as_array().expect("a list").clone();
        findings.into_iter().find(|finding| finding["topic"] == "rights").expect("it is told")
    };
    let finding = rights(&output);
    assert_eq!(finding["level"], "problem", "{finding}");
    let command = finding["command"].as_str().expect("something to type");
    for rule in ["+subscribe", "+hscan", "+hset", "+eval", "+client|setname", "&__geocast_probe:*"] {
        assert!(command.contains(rule), "{rule}: {command}");
    }
    assert!(!command.contains("+hget") && !command.contains("+publish "), "{command}");
    let words = command.split_once("--askpass ").expect("it asks for the password").1.replace('\'', "");
    assert_eq!(redis.cli(&words.split(' ').collect::<Vec<_>>()), "OK");
    let again = run(&asked);
    let finding = rights(&again);
    assert_eq!(finding["level"], "ok", "{finding}");
    let serves = run(&["check", "--port", "0", "--redis", &url, "--channels", "vehicles"]);
    assert_eq!(code(&serves), 0, "{}{}", stdout(&serves), stderr(&serves));
}

#[test]
fn events_are_asked_for_where_hashes_are_watched() {
    let redis = RedisServer::start(&[]);
    let mut watching = geocast(&["doctor", &redis.url()]);
    let told =
        |output: &Output| unwrapped(output).lines().find(|line| line.contains("events")).map(str::to_owned);
    let output = watching.env("GEOCAST_WATCH", "user:*").output().expect("it runs");
    assert_eq!(code(&output), 1);
    let line = told(&output).expect("events are told of");
    assert!(line.starts_with("warning  events     writes are not told"), "{line}");
    let command = line.split_once("redis-cli ").expect("something to type").1;
    let words: Vec<&str> = command.split(' ').skip_while(|word| *word != "CONFIG").collect();
    assert_eq!(redis.cli(&words), "OK");
    let output = watching.output().expect("it runs");
    assert_eq!(code(&output), 0, "{:?}", told(&output));
}

#[test]
fn a_replica_is_told_from_its_master_and_who_is_subscribed_is_counted() {
    let master = RedisServer::start(&[]);
    let replica = RedisServer::start(&["--replicaof", "127.0.0.1", &master.port().to_string()]);
    let (code, text) = said(&replica, &[]);
    assert_eq!(code, 1, "{text}");
    check(&text, &[&format!("problem  role       a replica of 127.0.0.1:{}", master.port())]);

    let mut subscriber = master.connect();
    subscriber.write_all(b"SUBSCRIBE news weather\r\n").expect("it listens");
    wait_until(
        || master.cli(&["PUBSUB", "NUMSUB", "weather"]).ends_with('1'),
        || "nobody subscribes".to_owned(),
    );
    let (_, text) = said(&master, &[]);
    check(&text, &["with subscribers: news (1), weather (1)", "--channels news,weather\n"]);
}

/// Nothing that writes is carried out, whatever is found.
#[test]
fn nothing_is_written() {
    let redis = RedisServer::start(&[]);
    redis.cli(&["HSET", "vehicles", "a", ZURICH]);
    redis.cli(&["SET", "text", ZURICH]);
    redis.cli(&["CONFIG", "RESETSTAT"]);
    let (_, text) = said(&redis, &[]);
    check(&text, &["may do what geocast does"]);
    let counts = redis.cli(&["INFO", "commandstats"]);
    let carried_out = counts.lines().filter(|line| !line.contains(":calls=0,"));
    let verbs: BTreeSet<&str> =
        carried_out.filter_map(|line| line.strip_prefix("cmdstat_")?.split(':').next()).collect();
    let expected = [
        "acl|whoami",
        "config|get",
        "config|resetstat",
        "dbsize",
        "discard",
        "get",
        "hello",
        "hget",
        "hlen",
        "hrandfield",
        "hstrlen",
        "info",
        "multi",
        "pttl",
        "pubsub|channels",
        "pubsub|numsub",
        "scan",
        "strlen",
        "type",
    ];
    let expected: BTreeSet<&str> = expected.into();
    let others: Vec<_> = verbs.difference(&expected).collect();
    assert!(others.is_empty(), "{others:?} besides what reads");
    assert!(verbs.contains("multi") && verbs.contains("hget"), "{verbs:?}");
}

#[test]
fn a_large_redis_is_looked_at_in_part() {
    let redis = RedisServer::start(&[]);
    redis.cli(&["EVAL", "for i = 1, 20000 do redis.call('HSET', 'h' .. i, 'a', 'b') end", "0"]);
    let (code, text) = said(&redis, &["--keys", "2000"]);
    assert_eq!(code, 0, "{text}");
    let looked =
        text.split("20000 keys, ").nth(1).and_then(|rest| rest.split(' ').next()).expect("it is told");
    let looked: usize = looked.parse().expect("a number");
    assert!((2000..4000).contains(&looked), "{text}");
}

#[test]
fn all_masters_of_a_cluster_are_looked_at() {
    let redis = RedisServer::start(&["--cluster-enabled", "yes"]);
    redis.cli(&["CLUSTER", "ADDSLOTSRANGE", "0", "16383"]);
    wait_until(
        || redis.cli(&["CLUSTER", "INFO"]).contains("cluster_state:ok"),
        || "the cluster does not begin".to_owned(),
    );
    redis.cli(&["HSET", "vehicles", "a", ZURICH]);
    let output = run(&["doctor", &redis.url().replace("redis://", "redis+cluster://")]);
    assert_eq!(code(&output), 0, "{}{}", stdout(&output), stderr(&output));
    check(&unwrapped(&output), &["cluster, master", "vehicles: 1 key, 1 of 1", "may do what geocast does"]);
}

/// What is to be typed names the certificate as well.
#[test]
fn a_redis_behind_tls_is_looked_at() {
    let folder = tempfile::tempdir().expect("a folder");
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let write = |name: &str, text: String| {
        std::fs::write(folder.path().join(name), text).expect("the folder is ours");
        folder.path().join(name).display().to_string()
    };
    let (cert, key) =
        (write("cert.pem", made.cert.pem()), write("key.pem", made.signing_key.serialize_pem()));
    let tls = ["--port", "0", "--tls-port", "{port}", "--tls-cert-file", &cert, "--tls-key-file", &key];
    let redis =
        RedisServer::start(&[&tls[..], &["--tls-ca-cert-file", &cert, "--tls-auth-clients", "no"]].concat());
    let url = format!("rediss://localhost:{}", redis.port());
    let output = run(&["doctor", &url, "--redis-ca", &cert]);
    assert_eq!(code(&output), 0, "{}{}", stdout(&output), stderr(&output));
    let (port, url) = (redis.port(), format!("{url}/0"));
    check(
        &unwrapped(&output),
        &[
            &format!(
                "redis-cli -h localhost -p {port} --tls --cacert {cert} CONFIG SET notify-keyspace-events Ehgxe"
            ),
            &format!("geocast serve --redis {url} --redis-ca {cert} --channels '*'"),
        ],
    );
}

#[test]
fn whom_it_does_not_reach_it_names() {
    let away = RedisServer::prepare(&[]);
    let output = run(&["doctor", &away.url()]);
    assert_eq!(code(&output), 4, "{}", stdout(&output));
    assert!(
        stderr(&output).contains("Connection refused") && stdout(&output).is_empty(),
        "{}",
        stderr(&output)
    );

    let locked = RedisServer::start(&["--requirepass", "tram14"]);
    let output = run(&["doctor", &locked.url().replace("redis://", "redis://:tram15@")]);
    assert_eq!(code(&output), 4);
    assert!(stderr(&output).contains("check user and password") && !stderr(&output).contains("tram15"));

    let output = run(&["doctor"]);
    assert_eq!(code(&output), 2);
    assert!(stderr(&output).contains("geocast doctor redis://localhost"), "{}", stderr(&output));
    let output = run(&["doctor", "redis://u:secret@host:x"]);
    assert_eq!(code(&output), 2);
    assert!(!stderr(&output).contains("secret"), "{}", stderr(&output));
}

/// One that hangs is given up, and not waited for.
#[test]
fn a_redis_that_hangs_is_given_up() {
    let redis = RedisServer::start(&[]);
    redis.freeze();
    let mut command = geocast(&["doctor", &redis.url()]);
    let start = std::time::Instant::now();
    let output = command.env("GEOCAST_REDIS_COMMAND_TIMEOUT", "500ms").output().expect("it runs");
    redis.thaw();
    assert_eq!(code(&output), 4, "{}", stdout(&output));
    assert!(start.elapsed() < Duration::from_secs(40), "{:?}", start.elapsed());
}
