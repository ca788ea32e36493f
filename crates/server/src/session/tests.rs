use std::{
    sync::{Arc, LazyLock},
    time::{Duration, Instant},
};

use geocast_geo_filter::Catalogue;
use proptest::prelude::*;

use super::{Buffering, Effect, Fetch, Reply, Rules, Session};
use crate::{Access, Count, Settings, access::Exposure};

static CATALOGUE: LazyLock<Arc<Catalogue>> =
    LazyLock::new(|| Arc::new(Catalogue::load().expect("PROJ brings its database")));

fn rules(adjust: impl FnOnce(&mut Settings)) -> Arc<Rules> {
    let mut settings = Settings { channels: Some("news,map*".parse().unwrap()), ..Settings::default() };
    adjust(&mut settings);
    let access = Arc::new(Access::new(&settings, Exposure::Loopback));
    let catalogue = Arc::clone(&CATALOGUE);
    let source = catalogue.crs(4326).unwrap();
    Arc::new(Rules { access, catalogue, settings: Arc::new(settings), source })
}

/// What the frames of one set lead to, in short, and what is counted.
fn converse(session: &mut Session, frames: &[&str]) -> (Vec<String>, Vec<Count>) {
    let counts = frames.iter().flat_map(|frame| session.receive(frame, Instant::now()).0).collect();
    (session.settle().iter().map(short).collect(), counts)
}

fn short(effect: &Effect) -> String {
    let fetch = |fetch: &Fetch| {
        let crs = fetch.crs.map(|crs| format!(" in {}", crs.code())).unwrap_or_default();
        let words = [fetch.key.as_ref(), fetch.client_reference.as_ref()];
        let words: Vec<&str> = words.into_iter().flatten().map(|word| word.as_str()).collect();
        format!("{} {}{crs}", fetch.channel, words.join(" ")).replace("  ", " ").trim().to_owned()
    };
    match effect {
        Effect::Reply(Reply::Open) => "open".to_owned(),
        Effect::Reply(Reply::Pong { client_reference: None }) => "pong".to_owned(),
        Effect::Reply(Reply::Pong { client_reference: Some(word) }) => format!("pong {word}"),
        Effect::Reply(Reply::Error { code, .. }) => format!("error {code}"),
        Effect::Reply(Reply::Nothing(request)) => format!("nothing {}", fetch(request)),
        Effect::View(view) => {
            let window = view.viewport.as_ref().map_or_else(String::new, |viewport| {
                format!(" {:?} in {}", viewport.bbox.to_array(), viewport.crs.code())
            });
            format!("view {}{window}", view.output.code())
        }
        Effect::Buffer(None) => "no buffer".to_owned(),
        Effect::Buffer(Some(Buffering { wait, count })) => format!("buffer {} {count}", wait.as_millis()),
        Effect::Fetch(request) => format!("fetch {}", fetch(request)),
        Effect::Subscribe(channel) => format!("subscribe {channel}"),
        Effect::Unsubscribe(channel) => format!("unsubscribe {channel}"),
    }
}

fn session(rules: Arc<Rules>) -> Session {
    let source = rules.source;
    Session::new(rules, source, Instant::now())
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
    assert_eq!(short_of(session(Arc::clone(&rules)).open()), ["open"]);
    let metres = rules.catalogue.crs(3857).unwrap();
    let mut session = Session::new(rules, metres, Instant::now());
    assert_eq!(short_of(session.open()), ["open", "view 3857"]);
    assert_eq!(converse(&mut session, &["BBOX 1 2 3 4"]).0, ["view 3857 [1.0, 2.0, 3.0, 4.0] in 3857"]);
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
    check(&["PROJECTION epsg:3857", "BBOX 1 2 3 4"], &["view 3857 [1.0, 2.0, 3.0, 4.0] in 3857"], &[]);
    check(&["BBOX 1 2 3 4", "PROJECTION epsg:3857"], &["view 3857 [1.0, 2.0, 3.0, 4.0] in 4326"], &[]);
    check(&["BBOX 1 2 3 4 crs=epsg:2056"], &["view 4326 [1.0, 2.0, 3.0, 4.0] in 2056"], &[]);
}

#[test]
fn what_makes_no_sense_changes_nothing() {
    let malformed = &[Count::CommandMalformed];
    check(&["PROJECTION epsg:999998"], &["error unknown_crs"], malformed);
    check(&["PROJECTION +init=epsg:4326"], &["error wrong_arity"], malformed);
    check(&["PROJECTION"], &["error wrong_arity"], malformed);
    check(&["BBOX 3 2 1 4"], &["error invalid_bbox"], malformed);
    check(&["BBOX 1 2 3 nan"], &["error bad_number"], malformed);
    check(&["BBOX 1 2 3 4 crs=epsg:5"], &["error unknown_crs"], malformed);
    check(&["PGET news projection=epsg:5"], &["error unknown_crs"], malformed);
    check(&["BUFFER 60001 1"], &["error buffer_too_large"], malformed);
    check(&["GET"], &["error missing_parameter"], malformed);
    check(&["SUB a*"], &["error bad_channel"], malformed);
    for unknown in ["", "  ", "sub news", "HELLO", "\0", "{\"jsonrpc\":\"2.0\"}"] {
        check(&[unknown], &[], &[Count::CommandUnknown]);
    }
}

#[test]
fn what_may_not_be_read_is_silence_or_nothing() {
    check(&["SUB secret"], &[], &[Count::ChannelRefused]);
    check(&["GET secret"], &["nothing secret"], &[Count::ChannelRefused]);
    check(&["GET secret a 7"], &["nothing secret a 7"], &[Count::ChannelRefused]);
    check(&["PGET secret a"], &["nothing secret a in 4326"], &[Count::ChannelRefused]);
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
    let noted = session.receive_binary(3, Instant::now());
    assert_eq!(session.settle().iter().map(short).collect::<Vec<_>>(), ["error binary_frame"]);
    assert_eq!(noted.0, [Count::CommandMalformed]);
}

#[test]
fn a_hasty_client_waits() {
    let start = Instant::now();
    let rules = rules(|settings| settings.limits.command_burst = 2);
    let source = rules.source;
    let mut session = Session::new(rules, source, start);
    for _ in 0..3 {
        session.receive("PING", start);
    }
    assert_eq!(session.resumes(start), Some(start + Duration::from_millis(100)));
    assert_eq!(session.resumes(start + Duration::from_millis(100)), None);
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
                session.receive(frame, Instant::now());
            }
            let effects = session.settle();
            prop_assert!(!session.is_unsettled());
            for effect in effects {
                match effect {
                    Effect::Subscribe(channel) => prop_assert!(subscribed.insert(channel)),
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
