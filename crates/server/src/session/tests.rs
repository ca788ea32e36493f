mod giving_up;
mod limits;

use std::{
    sync::{Arc, LazyLock},
    time::{Duration, Instant},
};

use geocast_geo_filter::Catalogue;
use proptest::prelude::*;

use geocast_protocol::envelope::Timestamp;

use super::{Buffering, Effect, Fetch, Now, Rules, Session};
use crate::{
    AbsentClientReference, Access, Count, Settings,
    access::{Exposure, Identity},
    dialect::{AnyDialect, Message, Mixed, Payload, Rpc, Text},
};

static CATALOGUE: LazyLock<Arc<Catalogue>> =
    LazyLock::new(|| Arc::new(Catalogue::load().expect("PROJ brings its database")));

fn rules(adjust: impl FnOnce(&mut Settings)) -> Arc<Rules> {
    let mut settings = Settings { channels: Some("news,map*".parse().unwrap()), ..Settings::default() };
    adjust(&mut settings);
    let access = Arc::new(Access::new(&settings, Exposure::Loopback));
    Arc::new(Rules::new(access, Arc::clone(&CATALOGUE), Arc::new(settings)))
}

/// What is spoken on `/ws`.
fn dialect() -> AnyDialect {
    let text = AnyDialect::new(Text::new(AbsentClientReference::Null));
    AnyDialect::new(Mixed::new(text, AnyDialect::new(Rpc)))
}

thread_local! {
    /// One for each test, so that all that is said is said in the same one.
    static DIALECT: AnyDialect = dialect();
}

fn moment(instant: Instant) -> Now {
    Now { instant, wall: Timestamp::since_epoch(Duration::ZERO) }
}

fn receive(session: &mut Session, message: Message<'_>, now: Instant) -> Vec<Count> {
    DIALECT.with(|dialect| session.receive(message, dialect, moment(now))).0
}

fn open(session: &mut Session) -> Vec<Effect> {
    DIALECT.with(|dialect| session.open(dialect, None, moment(Instant::now())))
}

/// What the frames of one set lead to, in short, and what is counted.
fn converse(session: &mut Session, frames: &[&str]) -> (Vec<String>, Vec<Count>) {
    let counts =
        frames.iter().flat_map(|frame| receive(session, Message::Text(frame), Instant::now())).collect();
    (session.settle().iter().map(short).collect(), counts)
}

fn short(effect: &Effect) -> String {
    let fetch = |fetch: &Fetch| {
        let crs = fetch.crs.map(|crs| format!(" in {}", crs.code())).unwrap_or_default();
        let key = fetch.key.as_ref().map(|key| key.as_str());
        let words: Vec<&str> = key.into_iter().chain(fetch.reference.as_deref()).collect();
        format!("{} {}{crs}", fetch.channel, words.join(" ")).replace("  ", " ").trim().to_owned()
    };
    match effect {
        Effect::Say(payload) => said(payload),
        Effect::View(view, _) => {
            let window = view.viewport.as_ref().map_or_else(String::new, |viewport| {
                format!(" {:?} in {}", viewport.corners, viewport.crs.code())
            });
            format!("view {}{window}", view.output.code())
        }
        Effect::Buffer(None) => "no buffer".to_owned(),
        Effect::Buffer(Some(Buffering { wait, count, .. })) => {
            format!("buffer {} {count}", wait.as_millis())
        }
        Effect::Fetch(request, _) => format!("fetch {}", fetch(request)),
        Effect::Subscribe(channel, ..) => format!("subscribe {channel}"),
        Effect::Resume(channel, since, _) => format!("resume {channel} {since:?}"),
        Effect::Replay(channel, since, _) => format!("replay {channel} {since:?}"),
        Effect::Recall(recall, _) => format!("recall {}", recall.channel),
        Effect::Confirm(channel, ..) => format!("confirm {channel}"),
        Effect::Unsubscribe(channel) => format!("unsubscribe {channel}"),
        Effect::Publish(publication, _) => {
            format!("publish {} {}", publication.channel, String::from_utf8_lossy(&publication.payload))
        }
        Effect::Attend(channel, attendee) => {
            let person = attendee.person.as_ref().map(|person| format!(" as {person}")).unwrap_or_default();
            format!("attend {channel}{person}{}", if attendee.watches { " watching" } else { "" })
        }
        Effect::Muster(muster, _) => format!("muster {} {}", muster.channel, muster.most),
        Effect::Report(reference, _) => format!("report {reference}"),
        Effect::Handle(handling) => format!("handle {}", handling.request.json()),
        Effect::Close => "close".to_owned(),
        Effect::Gather => "gather".to_owned(),
        Effect::Release(_) => "release".to_owned(),
    }
}

/// An envelope in short; what is none, as it is.
fn said(payload: &Payload) -> String {
    let text = std::str::from_utf8(&payload.bytes).unwrap();
    let message: serde_json::Value = serde_json::from_str(text).unwrap();
    let (source, content) = (&message["source"], &message["content"]);
    let reference = message["client_reference"].as_str().map(|word| format!(" {word}")).unwrap_or_default();
    if content["status"] == "open" {
        "open".to_owned()
    } else if content == "PONG" {
        format!("pong{reference}")
    } else if let Some(code) = content["error"]["code"].as_str() {
        format!("error {code}")
    } else if content.is_null() && source.is_string() {
        format!("nothing {}{reference}", source.as_str().unwrap())
    } else {
        text.to_owned()
    }
}

fn session(rules: Arc<Rules>) -> Session {
    session_at(rules, Instant::now())
}

fn session_at(rules: Arc<Rules>, now: Instant) -> Session {
    let (limits, source) = (rules.limits.current(), rules.source);
    Session::new(rules, limits, Identity::ANYBODY, source, now)
}

fn check(frames: &[&str], expected: &[&str], counted: &[Count]) {
    let mut session = session(rules(|_| ()));
    let (effects, counts) = converse(&mut session, frames);
    assert_eq!(effects, expected, "{frames:?}");
    assert_eq!(counts, counted, "{frames:?}");
}

#[test]
fn commands_become_effects() {
    check(&["PING"], &["pong"], &[]);
    check(&["PING client_ref=7"], &["pong 7"], &[]);
    check(&["GET news"], &["fetch news"], &[]);
    check(&["GET news a 7"], &["fetch news a 7"], &[]);
    check(&["PGET news a"], &["fetch news a in 4326"], &[]);
    check(&["PGET news projection=epsg:2056"], &["fetch news in 2056"], &[]);
    check(&["SUB news", "SUB news", "DEL news", "DEL news"], &["subscribe news", "unsubscribe news"], &[]);
    check(&["BUFFER 100 20", "BUFFER 200 0"], &["buffer 200 10000"], &[]);
    check(&["BUFFER 0 5"], &["buffer 60000 5"], &[]);
    check(&["BUFFER 100 20", "BUFFER 0 0"], &["no buffer"], &[]);
    check(&["PROJECTION EPSG:3857"], &["view 3857"], &[]);
    check(&["BBOX 1 2 3 4", "BBOX"], &["view 4326"], &[]);
}

#[test]
fn a_session_may_begin_projected() {
    let rules = rules(|_| ());
    let short_of = |effects: Vec<Effect>| effects.iter().map(short).collect::<Vec<_>>();
    assert_eq!(short_of(open(&mut session(Arc::clone(&rules)))), ["open"]);
    let metres = rules.catalogue.crs(3857).unwrap();
    let limits = rules.limits.current();
    let mut session = Session::new(rules, limits, Identity::ANYBODY, metres, Instant::now());
    assert_eq!(short_of(open(&mut session)), ["open", "view 3857"]);
    assert_eq!(
        converse(&mut session, &["BBOX 1000 2000 3000 4000"]).0,
        ["view 3857 [1000.0, 2000.0, 3000.0, 4000.0] in 3857"]
    );
}

#[test]
fn a_set_is_looked_at_before_it_is_answered() {
    check(
        &["GET news", "SUB news", "BBOX 1 2 3 4 9 gen=5", "PING", "PROJECTION epsg:3857"],
        &["view 3857 [1.0, 2.0, 3.0, 4.0] in 4326", "fetch news", "subscribe news", "pong"],
        &[],
    );
}

#[test]
fn a_box_stays_where_it_was_given() {
    let metres = "BBOX 1000 2000 3000 4000";
    let in_metres = "[1000.0, 2000.0, 3000.0, 4000.0] in";
    check(&["PROJECTION epsg:3857", metres], &[&format!("view 3857 {in_metres} 3857")], &[]);
    check(&["BBOX 1 2 3 4", "PROJECTION epsg:3857"], &["view 3857 [1.0, 2.0, 3.0, 4.0] in 4326"], &[]);
    check(&[&format!("{metres} crs=epsg:2056")], &[&format!("view 4326 {in_metres} 2056")], &[]);
}

#[test]
fn a_box_may_go_around_the_world() {
    check(&["BBOX 170 -10 -170 10"], &["view 4326 [170.0, -10.0, -170.0, 10.0] in 4326"], &[]);
    check(&["BBOX 530 -10 560 100"], &["view 4326 [530.0, -10.0, 560.0, 100.0] in 4326"], &[]);
    let metres = "19000000 0 -19000000 1e6 crs=epsg:3857";
    let view = "view 4326 [19000000.0, 0.0, -19000000.0, 1000000.0] in 3857";
    check(&[&format!("BBOX {metres}")], &[view], &[]);
}

#[test]
fn a_box_in_another_unit_changes_nothing() {
    let malformed = &[Count::CommandMalformed];
    for command in [
        "BBOX 829000 5930000 840000 5940000",
        "BBOX -8 100 8 140",
        "BBOX 5.9 45.8 10.5 47.8 crs=epsg:3857",
        "BBOX 5.9 45.8 10.5 47.8 crs=epsg:2056",
        "BBOX 45.8 5.9 47.8 10.5 crs=epsg:2056",
        "BBOX -50 70 -40 75 crs=epsg:3413",
    ] {
        check(&[command], &["error bbox_units"], malformed);
    }
}

#[test]
fn what_makes_no_sense_changes_nothing() {
    let malformed = &[Count::CommandMalformed];
    check(&["PROJECTION epsg:999998"], &["error unknown_crs"], malformed);
    check(&["PROJECTION +init=epsg:4326"], &["error wrong_arity"], malformed);
    check(&["PROJECTION"], &["error wrong_arity"], malformed);
    check(&["BBOX 1 4 3 2"], &["error invalid_bbox"], malformed);
    check(&["BBOX 3e6 2e6 2e6 3e6 crs=epsg:2056"], &["error invalid_bbox"], malformed);
    check(&["BBOX 1 2 3 nan"], &["error bad_number"], malformed);
    check(&["BBOX 1 2 3 4 crs=epsg:5"], &["error unknown_crs"], malformed);
    check(&["PGET news projection=epsg:5"], &["error unknown_crs"], malformed);
    check(&["BUFFER 60001 1"], &["error buffer_too_large"], malformed);
    check(&["GET"], &["error missing_parameter"], malformed);
    check(&["SUB a*"], &["error bad_channel"], malformed);
    for unknown in ["", "  ", "sub news", "HELLO", "\0"] {
        check(&[unknown], &[], &[Count::CommandUnknown]);
    }
}

#[test]
fn what_may_not_be_read_is_silence_or_nothing() {
    check(&["SUB secret"], &[], &[Count::ChannelRefused]);
    check(&["GET secret"], &["nothing secret"], &[Count::ChannelRefused]);
    check(&["GET secret a 7"], &["nothing secret a 7"], &[Count::ChannelRefused]);
    check(&["PGET secret a"], &["nothing secret a"], &[Count::ChannelRefused]);
}

#[test]
fn a_viewport_starts_its_channels_and_reset_ends_them() {
    let viewport_channels = || {
        rules(|settings| {
            settings.viewport_channels =
                ["map1", "secret", "map2"].map(|name| name.parse().unwrap()).to_vec();
        })
    };
    let mut session = session(viewport_channels());
    let (effects, counts) = converse(&mut session, &["BBOX 1 2 3 4"]);
    assert_eq!(effects[1..], ["subscribe map1", "subscribe map2"]);
    assert_eq!(counts, [Count::ChannelRefused]);
    let (effects, _) = converse(&mut session, &["BBOX 2 2 3 4", "SUB map1"]);
    assert_eq!(effects[1..], [""; 0], "both are subscribed to already");
    assert_eq!(converse(&mut session, &["RESET"]).0, ["unsubscribe map2"], "map1 was asked for by name");
    assert_eq!(converse(&mut session, &["BBOX 1 2 3 4"]).0[1..], ["subscribe map2"]);
    let (mut effects, _) = converse(&mut session, &["BBOX"]);
    effects.sort();
    assert_eq!(effects, ["unsubscribe map2", "view 4326"]);
}

#[test]
fn subscriptions_are_bounded() {
    let mut session = session(rules(|settings| settings.limits.subscriptions = 2));
    let (effects, counts) = converse(&mut session, &["SUB map1", "SUB map2", "SUB map3"]);
    assert_eq!(effects, ["subscribe map1", "subscribe map2", "error too_many_subscriptions"]);
    assert_eq!(counts, [Count::SubscriptionRefused, Count::CommandMalformed]);
    let (effects, _) = converse(&mut session, &["DEL map1", "SUB map3"]);
    assert_eq!(effects, ["unsubscribe map1", "subscribe map3"]);
}

#[test]
fn a_binary_frame_is_answered() {
    let mut session = session(rules(|_| ()));
    let noted = receive(&mut session, Message::Binary(b"abc"), Instant::now());
    assert_eq!(session.settle().iter().map(short).collect::<Vec<_>>(), ["error binary_frame"]);
    assert_eq!(noted, [Count::CommandMalformed]);
}

#[test]
fn a_call_is_acknowledged_with_what_is_in_force() {
    let call = |call: &str| format!(r#"{{"jsonrpc":"2.0","id":1,{call}}}"#);
    let result = |result: &str| format!(r#"{{"jsonrpc":"2.0","id":1,"result":{result}}}"#);
    let check = |frame: &str, expected: &[&str]| {
        let mut session = session(rules(|_| ()));
        assert_eq!(converse(&mut session, &[frame]).0, expected, "{frame}");
    };
    check(&call(r#""method":"ping""#), &[&result(r#""pong""#)]);
    check(&call(r#""method":"subscribe","params":["news"]"#), &["subscribe news"]);
    check(
        &call(r#""method":"get","params":{"channel":"news","projection":"EPSG:2056"}"#),
        &["fetch news 1 in 2056"],
    );
    check(&call(r#""method":"publish","params":["news",{"a":1.0}]"#), &[r#"publish news {"a":1.0}"#]);
    check(
        &call(r#""method":"buffer","params":[0,5]"#),
        &["buffer 60000 5", &result(r#"{"milliseconds":60000,"count":5}"#)],
    );
    check(&call(r#""method":"viewport","params":[[1,2,3,4]]"#), &["view 4326 [1.0, 2.0, 3.0, 4.0] in 4326"]);
    check(&call(r#""method":"session""#), &["report 1"]);
    check(r#"{"jsonrpc":"2.0","method":"subscribe","params":["secret"]}"#, &[]);
    let batch = format!("[{},{}]", call(r#""method":"ping""#), call(r#""method":"get","params":["news"]"#));
    check(&batch, &["gather", &result(r#""pong""#), "fetch news 1", "release"]);
}

proptest! {
    /// Whatever a client says, the hub is told of each subscription once and of its end once, and never of more than
    /// the bound.
    #[test]
    fn subscriptions_and_their_ends_alternate(frames in prop::collection::vec(frame(), 1..60)) {
        let rules = rules(|settings| {
            settings.limits.subscriptions = 4;
            settings.viewport_channels = ["map1", "map2"].map(|name| name.parse().unwrap()).to_vec();
        });
        let mut session = session(rules);
        let mut subscribed = std::collections::BTreeSet::new();
        for set in frames.chunks(3) {
            for frame in set {
                receive(&mut session, Message::Text(frame), Instant::now());
            }
            let effects = session.settle();
            prop_assert!(!session.is_unsettled());
            for effect in effects {
                match effect {
                    Effect::Subscribe(channel, ..) => prop_assert!(subscribed.insert(channel)),
                    Effect::Unsubscribe(channel) => prop_assert!(subscribed.remove(&channel)),
                    _ => {}
                }
            }
            prop_assert!(subscribed.len() <= 4);
        }
    }
}

fn frame() -> impl Strategy<Value = String> {
    let channel = prop::sample::select(vec!["map1", "map2", "map3", "map4", "map5", "news", "secret"]);
    let command = prop::sample::select(vec!["SUB", "SUB", "DEL", "GET"]);
    prop_oneof![
        4 => (command, channel).prop_map(|(command, channel)| format!("{command} {channel}")),
        1 => Just("BBOX 1 2 3 4".to_owned()),
        1 => Just("BBOX".to_owned()),
        1 => Just("RESET".to_owned()),
        1 => any::<String>(),
    ]
}

#[test]
fn who_is_to_be_seen_is_so_before_the_subscription_is_in_force() {
    let mut session = session(rules(|settings| settings.presence = Some("map*".parse().unwrap())));
    let mut check = |frames: &[&str], expected: &[&str]| {
        assert_eq!(converse(&mut session, frames).0, expected, "{frames:?}");
    };
    let subscribe = |more: &str| {
        format!(r#"{{"jsonrpc":"2.0","id":1,"method":"subscribe","params":{{"channel":"map"{more}}}}}"#)
    };
    check(&["SUB map", "SUB news"], &["attend map", "subscribe map", "subscribe news"]);
    check(&["SUB map"], &[]);
    let named = [&*subscribe(r#","info":{ "a": 1 },"presence":true"#)];
    check(&named, &[r#"attend map as {"info":{"a":1}} watching"#, "subscribe map"]);
    check(&named, &[r#"attend map as {"info":{"a":1}} watching"#, "confirm map"]);
    check(&[&subscribe("")], &["attend map", "confirm map"]);
    let who = r#"{"jsonrpc":"2.0","id":1,"method":"presence","params":{"channel":"map","limit":5000}}"#;
    check(&[who, &who.replace(r#","limit":5000"#, "")], &["muster map 1000", "muster map 100"]);
    check(&["DEL map"], &["unsubscribe map"]);
}
