//! `geocast doctor` at a Redis behind sentinels.

use crate::{
    geocast::{code, run, stderr, stdout, wait_until},
    redis_sentinels::{RedisSentinels, Sentinel},
    redis_server::RedisServer,
};

/// What doctor says at a URL, each finding in one line, and with which code it ends.
fn said_at(url: &str) -> (i32, String) {
    let output = run(&["doctor", url]);
    let text = stdout(&output).replace("\n                    ", " ");
    (code(&output), format!("{text}{}", stderr(&output)))
}

/// Waits until doctor says all of this: sentinels take a second to miss somebody, and ten to hear of a replica.
fn says(url: &str, expected_code: i32, expected: &[&str]) {
    let missing = || {
        let (code, text) = said_at(url);
        let missing = expected.iter().find(|line| !text.contains(**line));
        (code != expected_code || missing.is_some()).then(|| format!("{code}, and not {missing:?}: {text}"))
    };
    wait_until(|| missing().is_none(), || missing().unwrap_or_default());
}

#[test]
fn sentinels_are_asked_what_they_know() {
    let mut redis = RedisSentinels::start(&[], &[]);
    let url = redis.url();
    let hosts = url.trim_start_matches("redis+sentinel://").trim_end_matches("/map").to_owned();
    let [first, second, third] = *hosts.split(',').collect::<Vec<_>>() else {
        panic!("three sentinels: {url}")
    };
    let [master, replica] = redis.servers.each_ref().map(|server| format!("127.0.0.1:{}", server.port()));
    says(
        &url,
        0,
        &[
            &format!(
                "ok       sentinel   {first} names the master {master}, and knows 1 replica and 2 other sentinels; quorum 2"
            ),
            &format!("ok       sentinel   {third} names the master {master}, and knows"),
            &format!("ok       master     {master} says that it is one (ROLE), as 3 of 3 sentinels do"),
            "ok       quorum     2 of 3 have to be there to replace a master, and 3 are",
            &format!("ok       replicas   {replica} can take the place of the master"),
            &format!("geocast serve --redis {url}/0 "),
        ],
    );
    let alone = format!("redis+sentinel://{first}/map");
    let others = [format!("{second}, {third}"), format!("{third}, {second}")];
    let (code, text) = said_at(&alone);
    assert_eq!(code, 0, "{text}");
    let notes = others.map(|others| {
        format!("note     sentinels  the URL names 1 of 3: with {others} too, geocast needs any one of them")
    });
    assert!(notes.iter().any(|note| text.contains(note)), "{text}");
    says(
        &format!("redis+sentinel://{hosts}/other"),
        4,
        &[&format!(
            "problem  sentinel   {second} does not know other, but map: the URL ends with such a name"
        )],
    );

    // The first watches something else by this name.
    let other = RedisServer::start(&[]);
    let port = |address: &str| address.split(':').next_back().expect("a port").to_owned();
    let watch = |port: &str, quorum: &str| {
        assert_eq!(redis.ask(&["SENTINEL", "REMOVE", "map"]), "OK");
        assert_eq!(redis.ask(&["SENTINEL", "MONITOR", "map", "127.0.0.1", port, quorum]), "OK");
    };
    watch(&port(&replica), "3");
    says(
        &alone,
        4,
        &[
            &format!("{first} names the master {replica}, and knows"),
            &format!("problem  master     {replica} is a slave, not the master: geocast waits for it"),
        ],
    );
    watch(&other.port().to_string(), "2");
    let lone = format!("127.0.0.1:{}", other.port());
    says(
        &url,
        1,
        &[
            "warning  master     they name different masters: ",
            &format!("{lone} by {first}"),
            &format!("problem  quorum     {first}: 3 answer, and only 1 is known here, itself included"),
            &format!(
                "warning  replicas   {first}: there is none: nobody takes the place of a master that is lost"
            ),
        ],
    );
    assert_eq!(redis.ask(&["SENTINEL", "REMOVE", "map"]), "OK");
    says(
        &url,
        1,
        &[&format!("warning  sentinel   {first} does not know map: `sentinel monitor map HOST PORT QUORUM`")],
    );

    redis.sentinels[0].kill();
    redis.sentinels[2].kill();
    says(
        &url,
        1,
        &[
            &format!("warning  sentinel   cannot connect to {first}: Connection refused"),
            "geocast asks the others meanwhile: start it, or name another in the URL",
            "problem  quorum     2 of 3 have to be there to replace a master, and 1 is: start ",
            "start others in their place, and when there are 2 to agree (quorum), not before, say to each",
            &format!("redis-cli -h 127.0.0.1 -p {} SENTINEL RESET map", port(second)),
            &format!("ok       master     {master} says that it is one (ROLE), as 1 of 3 sentinels do"),
        ],
    );
    redis.servers[1].kill();
    says(
        &url,
        1,
        &[&format!("warning  replicas   none can take the place of the master: {replica} cannot be reached")],
    );
    redis.servers[0].kill();
    says(
        &url,
        4,
        &[
            &format!(
                "{second} names the master {master}, and knows 1 replica and 2 other sentinels; quorum 2; it misses that master (s_down)"
            ),
            &format!("problem  master     cannot connect to {master}: Connection refused"),
            "start others in their place, and SENTINEL RESET map only once there is a master",
            &format!(
                "; `redis-cli -h 127.0.0.1 -p {} SENTINEL MASTERS` says what a sentinel knows\n",
                port(second)
            ),
        ],
    );
    // It would make it forget the only replica.
    assert!(!said_at(&url).1.contains("to each"), "{:?}", said_at(&url));
    redis.sentinels.iter_mut().for_each(Sentinel::kill);
    says(
        &url,
        4,
        &[
            &format!("problem  sentinel   cannot connect to {second}: Connection refused"),
            "; no sentinel that the URL names answers: start one, or name another\n",
        ],
    );
}

#[test]
fn a_master_that_was_replaced_is_told_from_other_replicas() {
    let mut redis = RedisSentinels::start(&[], &[]);
    let url = redis.url();
    let [old, new] = redis.servers.each_ref().map(|server| format!("127.0.0.1:{}", server.port()));
    redis.servers[0].kill();
    says(
        &url,
        1,
        &[
            &format!("ok       master     {new} says that it is one (ROLE), as 3 of 3 sentinels do"),
            &format!(
                "warning  replicas   none can take the place of the master: {old} cannot be reached, and could not since it was \
                 listed, as a master that was replaced cannot until it is back"
            ),
        ],
    );
    redis.servers[0].restart();
    says(&url, 0, &[&format!("ok       replicas   {old} can take the place of the master")]);
    // From here on it is one that is known.
    redis.servers[0].kill();
    says(
        &url,
        1,
        &[&format!("warning  replicas   none can take the place of the master: {old} cannot be reached")],
    );
    assert!(!said_at(&url).1.contains("replaced"), "{:?}", said_at(&url));
}

/// Who may ask sentinels for the master alone is told that, and nothing is made of what is not known.
#[test]
fn sentinels_tell_their_users_what_they_may() {
    let user = "user watch on >tram14 &+switch-master +subscribe +ping +sentinel|get-master-addr-by-name";
    let redis = RedisSentinels::start(&[], &[user]);
    let at = |password: &str| format!("{}?sentinel_user=watch&sentinel_password={password}", redis.url());
    let (code, text) = said_at(&at("tram14"));
    assert_eq!(code, 0, "{text}");
    let master = redis.servers[0].port();
    for line in [
        &*format!("names the master 127.0.0.1:{master}, and does not say what else it knows"),
        "+sentinel|master +sentinel|replicas +sentinel|sentinels +sentinel|myid would let it",
        "as 3 of 3 sentinels do",
    ] {
        assert!(text.contains(line), "{line:?} is not in\n{text}");
    }
    assert!(!text.contains("quorum"), "{text}");
    let (code, text) = said_at(&at("tram15"));
    assert_eq!(code, 4, "{text}");
    assert!(
        text.contains("problem  sentinel   127.0.0.1:") && text.contains("authentication failed"),
        "{text}"
    );
    assert!(!text.contains("tram1"), "{text}");
}
