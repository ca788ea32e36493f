//! What operators are shown.

use std::{
    collections::BTreeSet, net::TcpListener, num::NonZeroUsize, sync::Mutex, sync::mpsc::sync_channel,
    time::Duration,
};

use geocast_server::{Count, RedisSettings, Secret, Settings, StoreSettings, TroubleLevel, Troubles};
use rustix::process::{Resource, getrlimit, setrlimit};
use serde_json::{Value, json};

use crate::{
    caller::Caller,
    client::Client,
    http_client::{Response, request},
    raw_client::{RawClient, TEXT, frame},
    redis_server::RedisServer,
    server::{Backend, TestServer},
    stores::on_both_stores,
    waiting::until,
};

on_both_stores!(clients_and_channels_are_shown, a_client_that_does_not_read_is_shown_first);

const TOKEN: &str = "sesame";

async fn start(backend: Backend) -> TestServer {
    TestServer::start_with(backend, guarded).await
}

fn guarded(settings: &mut Settings) {
    settings.operator_token = Some(Secret::new(TOKEN));
}

async fn ask(server: &TestServer, query: &str) -> Response {
    let path = format!("/api/operator{query}");
    request(server.address, "GET", &path, &[&format!("Authorization: Bearer {TOKEN}")], "").await
}

async fn look(server: &TestServer, query: &str) -> Value {
    let response = ask(server, query).await;
    assert_eq!(response.status, 200, "{response:?}");
    assert!(response.head.contains("cache-control: no-store"), "{response:?}");
    response.json()
}

/// Looks until what is shown is as it is to be; `wrong` says how it is not.
async fn shows(server: &TestServer, wrong: impl Fn(&Value) -> Option<String>) -> Value {
    until("the operator to be shown it", async || {
        let shown = look(server, "").await;
        wrong(&shown).map_or(Ok(shown), Err)
    })
    .await
}

/// The clients of a list, by the first channel that each has.
fn by_channel<'a>(list: &'a Value, channel: &str) -> Vec<&'a Value> {
    let list = list.as_array().expect("a list");
    list.iter().filter(|client| client["channels"]["names"][0] == channel).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_but_an_operator_is_shown_anything() {
    let status = async |server: &TestServer, headers: &[&str]| {
        let answer = request(server.address, "GET", "/api/operator", headers, "").await;
        assert!(!answer.body.contains("version"), "{answer:?}");
        answer.status
    };
    let plain = TestServer::start_with(Backend::Embedded, |settings| settings.channels = None).await;
    assert_eq!(status(&plain, &[]).await, 404);
    assert_eq!(status(&plain, &["Authorization: Bearer sesame"]).await, 404);
    let server = start(Backend::Embedded).await;
    for headers in [
        &[][..],
        &["Authorization: Bearer"],
        &["Authorization: Bearer sesam"],
        &["Authorization: Bearer sesame2"],
        &["Authorization: Basic sesame"],
    ] {
        assert_eq!(status(&server, headers).await, 401, "{headers:?}");
    }
    let in_the_address = request(server.address, "GET", "/api/operator?token=sesame", &[], "").await;
    assert_eq!(in_the_address.status, 401, "addresses are in logs");
    assert!(in_the_address.head.contains("www-authenticate: Bearer"), "{in_the_address:?}");
    assert_eq!(ask(&server, "").await.status, 200);
    for query in ["?limit=1001", "?after=x", "?what=ever"] {
        let refused = ask(&server, query).await;
        assert_eq!((refused.status, &refused.json()["error"]["code"]), (400, &json!("bad_query")), "{query}");
    }
    assert_eq!(server.reconfigure(|settings| settings.operator_token = Some(Secret::new("another"))), 0);
    assert_eq!(ask(&server, "").await.status, 401);
    assert_eq!(status(&server, &["Authorization: Bearer sesame"]).await, 401);
    let another =
        request(server.address, "GET", "/api/operator", &["Authorization: Bearer another"], "").await;
    assert_eq!(another.status, 200);
    assert_eq!(server.reconfigure(|settings| settings.operator_token = None), 0);
    assert_eq!(ask(&server, "").await.status, 404, "the address is gone with the token");
}

async fn clients_and_channels_are_shown(backend: Backend) {
    let server = start(backend).await;
    // Bern, in LV95, and told in Web Mercator.
    let lv95 = "BBOX 2590000 1190000 2610000 1210000 crs=epsg:2056";
    let bern = server.subscriber("map", &["PROJECTION epsg:3857", lv95]).await;
    let _fiji = server.subscriber("map", &["BBOX 176 -20 -178 -16"]).await;
    let idle = server.client().await;
    let mut caller = Caller::connect(&server).await;
    for channel in ["a", "b", "c", "d", "e", "f"] {
        caller.call("subscribe", json!({ "channel": channel })).await;
    }
    caller.call("subscribe", json!({ "channel": "places", "track": true })).await;
    server.heard().await;
    let before = look(&server, "").await;
    for _ in 0..3 {
        let point =
            r#"{"type":"Feature","properties":{},"geometry":{"type":"Point","coordinates":[7.44,46.95]}}"#;
        server.publish("map", point).await;
    }
    server.heard().await;
    let shown = shows(&server, |shown| {
        // What has been written is counted when it is flushed, behind what was heard.
        let delivered = server.count(Count::Delivered);
        let is_all = Some(delivered) >= before["totals"]["delivered"].as_u64().map(|before| before + 3);
        let total = &shown["totals"]["delivered"];
        (!is_all || *total != json!(delivered)).then(|| format!("{total} of {delivered}"))
    })
    .await;
    assert_eq!(shown["server"]["version"], env!("CARGO_PKG_VERSION"));
    assert!(shown["server"]["uptime_seconds"].as_f64() > before["server"]["uptime_seconds"].as_f64());
    assert_eq!(shown["server"]["limits"]["outbox_bytes"], 1024 * 1024);
    assert_eq!(shown["totals"].as_object().map(serde_json::Map::len), Some(Count::ALL.len()));
    assert!(shown["at"].as_f64() > before["at"].as_f64() && before["at"].as_f64() > Some(1e12));
    let workers = [&shown["workers"][0], &shown["workers"][1]];
    assert!(workers.iter().all(|worker| worker["up"] == true), "{workers:?}");
    let (now, expected) = (&shown["now"], json!({ "geocast.rpc": 1, "geocast.text": 3 }));
    assert_eq!((&now["connections"], &now["dialects"]), (&json!(4), &expected));
    assert_eq!((&now["subscriptions"], &now["tracked"], &now["channels"]), (&json!(8), &json!(1), &json!(8)));

    let connections = &shown["connections"];
    assert_eq!((connections["list"].as_array().map(Vec::len), &connections["next"]), (Some(4), &Value::Null));
    let [bern_shown, fiji_shown] = by_channel(&connections["list"], "map")[..] else { panic!("{shown:#}") };
    assert_eq!((&bern_shown["dialect"], &bern_shown["crs"]), (&json!("geocast.text"), &json!("EPSG:3857")));
    let looking = &bern_shown["viewport"];
    assert_eq!(looking["crs"], "EPSG:2056");
    assert_eq!(looking["corners"], json!([2_590_000.0, 1_190_000.0, 2_610_000.0, 1_210_000.0]));
    let [bounds] = &looking["boxes"].as_array().expect("a list")[..] else { panic!("{looking}") };
    let edge = |place: usize| bounds[place].as_f64().expect("a number");
    // What pyproj 3 says of the box, with 201 points on each edge. Ours is never smaller, and not much larger.
    let (west, south, east, north) = (7.30705, 46.86105, 7.57021, 47.04103);
    let beyond = [west - edge(0), south - edge(1), edge(2) - east, edge(3) - north];
    assert!(beyond.iter().all(|beyond| (-0.00001..0.03).contains(beyond)), "{bounds}: {beyond:?} beyond");
    assert_eq!(bern_shown["address"], json!(bern.local_address().to_string()));
    assert_eq!((&bern_shown["channels"]["count"], &bern_shown["blocked"]), (&json!(1), &json!(false)));
    assert!(bern_shown["delivered"].as_u64() >= Some(3), "{bern_shown}");
    let mut boxes: Vec<Value> = fiji_shown["viewport"]["boxes"].as_array().expect("a list").clone();
    boxes.sort_by_key(|edges| edges[0].as_f64() > Some(0.0));
    assert_eq!(boxes, [json!([-180.0, -20.0, -178.0, -16.0]), json!([176.0, -20.0, 180.0, -16.0])]);
    let [caller_shown] = by_channel(&connections["list"], "a")[..] else { panic!("{shown:#}") };
    let channels = json!({ "count": 7, "names": ["a", "b", "c", "d", "e"] });
    assert_eq!((&caller_shown["channels"], &caller_shown["viewport"]), (&channels, &Value::Null));

    let channel = |report: &Value, name: &str| {
        let list = report["channels"]["list"].as_array().expect("a list");
        list.iter().find(|channel| channel["name"] == name).cloned().unwrap_or_else(|| panic!("{report:#}"))
    };
    let (map, map_before) = (channel(&shown, "map"), channel(&before, "map"));
    let rise = |of: &str| map[of].as_u64().zip(map_before[of].as_u64()).map(|(now, before)| now - before);
    assert_eq!((&map["subscribers"], rise("events"), rise("deliveries")), (&json!(2), Some(3), Some(3)));
    assert_eq!(channel(&shown, "places")["subscribers"], 1);
    assert_eq!(shown["channels"]["truncated"], false);

    let store = &shown["store"];
    let kind = if backend == Backend::Redis { "redis" } else { "embedded" };
    assert_eq!(
        (&store["kind"], &store["healthy"], &store["trouble"]),
        (&json!(kind), &json!(true), &Value::Null)
    );
    assert_eq!(store["probe_age_seconds"].is_number(), backend == Backend::Redis, "{store}");
    drop(idle);
}

async fn a_client_that_does_not_read_is_shown_first(backend: Backend) {
    let server = start(backend).await;
    let mut stuck = RawClient::connect(server.address).await;
    stuck.next_frame().await.expect("the greeting");
    stuck.send(frame(TEXT, b"SUB news")).await;
    stuck.send(frame(TEXT, b"GET settled")).await;
    stuck.next_frame().await.expect("the answer");
    let mut reads = server.subscriber("news", &[]).await;
    let payload = format!("\"{}\"", "x".repeat(30_000));
    let shown = until("an outbox to fill", async || {
        for _ in 0..5 {
            server.publish("news", payload.clone()).await;
            reads.next().await;
        }
        let shown = look(&server, "?limit=0").await;
        if shown["slow"][0]["blocked"] == true { Ok(shown) } else { Err(shown["slow"].to_string()) }
    })
    .await;
    let slow = &shown["slow"][0];
    let address = stuck.stream.local_addr().expect("an address").to_string();
    assert_eq!(slow["address"], json!(address));
    assert!(slow["waiting_bytes"].as_u64() > Some(0), "{slow}");
    assert_eq!(shown["now"]["slow"], 1);
    assert_eq!(shown["now"]["outbox_largest_bytes"], slow["waiting_bytes"]);
    assert_eq!(shown["connections"], json!({ "list": [], "next": null }), "none were asked for");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_thousand_connections_are_pages_of_what_is_bounded() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).expect("the limit of open files may be what it may be");
    let server = start(Backend::Embedded).await;
    let mut clients = Vec::new();
    for number in 0..2_000 {
        let mut client = RawClient::connect(server.address).await;
        let subscribe = format!("SUB channel{}", number % 300);
        client.send(frame(TEXT, subscribe.as_bytes())).await;
        clients.push(client);
    }
    shows(&server, |shown| {
        let subscriptions = &shown["now"]["subscriptions"];
        (subscriptions != 2_000).then(|| subscriptions.to_string())
    })
    .await;
    let mut ids: BTreeSet<u64> = BTreeSet::new();
    let mut after = 0;
    for (limit, expected) in [(1_000, 1_000), (700, 700), (1_000, 300)] {
        let page = look(&server, &format!("?after={after}&limit={limit}")).await;
        let list = page["connections"]["list"].as_array().expect("a list");
        assert_eq!(list.len(), expected);
        let found: Vec<u64> = list.iter().map(|client| client["id"].as_u64().expect("a number")).collect();
        assert!(found.is_sorted() && found[0] > after);
        ids.extend(&found);
        let next = page["connections"]["next"].as_u64();
        assert_eq!(next, (expected == limit).then(|| found[expected - 1]), "after {after}");
        after = next.unwrap_or_default();
    }
    assert_eq!(ids.len(), 2_000, "each is on one page");
    let page = ask(&server, "").await;
    assert!(page.body.len() < 100_000, "{} bytes", page.body.len());
    let page = page.json();
    assert_eq!(page["connections"]["list"].as_array().map(Vec::len), Some(100));
    assert_eq!(page["channels"]["list"].as_array().map(Vec::len), Some(200));
    assert_eq!(page["channels"]["truncated"], true);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn however_many_ask_few_are_answered_at_a_time() {
    let server = start(Backend::Embedded).await;
    let began = std::time::Instant::now();
    let answers = futures_util::future::join_all((0..30).map(|_| ask(&server, ""))).await;
    let answered = answers.iter().filter(|answer| answer.status == 200).count();
    let refused: Vec<&Response> = answers.iter().filter(|answer| answer.status == 429).collect();
    assert_eq!(answered + refused.len(), 30);
    assert!(answered > 0);
    assert!(refused.iter().all(|answer| answer.head.contains("retry-after: 1")), "{refused:?}");
    // From the first to the last, each begins a fifth of a second after the one before.
    let least = Duration::from_millis(200) * (u32::try_from(answered).expect("few") - 1);
    assert!(began.elapsed() >= least, "{answered} answers in {:?}", began.elapsed());
    assert_eq!(ask(&server, "").await.status, 200, "who comes later is answered");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_is_away_is_told_of_until_it_is_back() {
    let redis = RedisServer::start(&[]);
    let url = redis.url().replacen("redis://", "redis://default:hush@", 1);
    let mut server = TestServer::start_on(Some(redis), |settings| {
        guarded(settings);
        let mut redis = RedisSettings::new(url.parse().expect("a URL"));
        redis.probe_interval = Duration::from_millis(200);
        settings.store = StoreSettings::Redis(redis);
    })
    .await;
    let wrong = |shown: &Value, healthy: bool| {
        let store = &shown["store"];
        (store["healthy"] != healthy).then(|| store.to_string())
    };
    let client = server.subscriber("news", &[]).await;
    let well = shows(&server, |shown| wrong(shown, true)).await;
    assert_eq!((&well["store"]["interruptions"], &well["store"]["trouble"]), (&json!(0), &Value::Null));
    server.redis.as_mut().expect("it is there").kill();
    let away =
        shows(&server, |shown| wrong(shown, false).filter(|_| shown["store"]["interruptions"] != 1)).await;
    assert!(away["store"]["trouble"].as_str().is_some_and(|trouble| !trouble.is_empty()), "{away:#}");
    assert!(!away.to_string().contains("hush"), "{away:#}");
    server.redis.as_mut().expect("it is there").restart();
    let back = shows(&server, |shown| wrong(shown, true)).await;
    assert_eq!((&back["store"]["reconnects"], &back["store"]["trouble"]), (&json!(1), &Value::Null));
    drop(client);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_hangs_is_shown_as_such_and_the_others_answer() {
    let (solve, solved) = sync_channel::<()>(1);
    let solved = Mutex::new(solved);
    let riddle = move |_: &str| {
        let solved = solved.lock().expect("nobody panics with it").recv();
        solved.ok().map(|()| "solved".into())
    };
    let clients = TcpListener::bind("127.0.0.1:0").expect("there are ports");
    let build = |builder: geocast_server::Builder| builder.command("RIDDLE", riddle);
    let server = TestServer::start_built(clients, None, guarded, build).await;
    let ups = |shown: &Value| {
        let workers = shown["workers"].as_array().expect("a list");
        workers.iter().filter(|worker| worker["up"] == true).count()
    };
    let mut hung = server.client().await;
    hung.send("RIDDLE me").await;
    // A request on the worker that hangs is not answered until it goes on; the next one comes to another.
    let shown = until("another worker to be asked", async || {
        let asked = tokio::time::timeout(Duration::from_secs(5), look(&server, "")).await;
        let shown = asked.map_err(|_elapsed| "no answer".to_owned())?;
        if ups(&shown) == 1 { Ok(shown) } else { Err(shown["workers"].to_string()) }
    })
    .await;
    assert_eq!(shown["now"]["connections"], 1);
    solve.send(()).expect("the command waits for it");
    assert_eq!(hung.next_content().await, "solved");
    assert_eq!(
        ups(&shows(&server, |shown| (ups(shown) != 2).then(|| shown["workers"].to_string())).await),
        2
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_went_wrong_last_is_shown_as_it_was_and_cannot_be_forged() {
    let troubles = Troubles::default();
    let clients = TcpListener::bind("127.0.0.1:0").expect("there are ports");
    let noted = troubles.clone();
    let one = |settings: &mut Settings| {
        guarded(settings);
        settings.workers = NonZeroUsize::MIN;
    };
    let server = TestServer::start_built(clients, None, one, |builder| builder.troubles(noted)).await;
    for number in 0..200 {
        troubles.note(TroubleLevel::Warn, &format!("trouble {number}"));
    }
    troubles.note(TroubleLevel::Error, "a\nforged line\u{1b}[2J");
    let errors = &look(&server, "").await["errors"];
    assert_eq!((errors["list"].as_array().map(Vec::len), &errors["total"]), (Some(100), &json!(201)));
    assert_eq!(errors["list"][0]["text"], "a\\nforged line\\u{1b}[2J");
    assert_eq!((&errors["list"][0]["level"], &errors["list"][1]["level"]), (&json!("error"), &json!("warn")));
    assert_eq!(errors["list"][99]["text"], "trouble 101");
}

impl Client {
    fn local_address(&self) -> std::net::SocketAddr {
        self.socket.get_ref().get_ref().local_addr().expect("it has an address")
    }
}
