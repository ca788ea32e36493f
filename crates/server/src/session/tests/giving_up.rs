//! What a client does not get, although it has asked for it.

use super::*;
use crate::{
    ChannelRule, HistoryBound, Secret,
    session::{Dismissal, Publication},
};

fn now() -> Timestamp {
    Timestamp::since_epoch(Duration::ZERO)
}

/// Has other channels be open.
fn open_only(rules: &Rules, channels: &str) {
    let settings = Settings { channels: Some(channels.parse().unwrap()), ..Settings::default() };
    rules.access.replace(rules.access.prepare(&settings).unwrap());
}

/// Of a client that has come in order.
fn identified(rules: &Arc<Rules>) -> Session {
    let mut session = session(Arc::clone(rules));
    assert_eq!(session.judge(now()).unwrap().len(), 0);
    session
}

#[test]
fn who_may_not_stay_gives_up_all_channels() {
    let rules = rules(|_| ());
    let mut session = session(Arc::clone(&rules));
    // What comes first is given up as well, and what could be kept.
    converse(&mut session, &["SUB map"]);
    DIALECT.with(|dialect| session.open(dialect, Some("news".parse().unwrap()), moment(Instant::now())));
    assert_eq!(session.judge(now()).unwrap().len(), 0);
    open_only(&rules, "map");
    assert!(session.is_to_be_judged(now()));
    let (dismissal, mut channels) = session.judge(now()).unwrap_err();
    channels.sort();
    assert_eq!(dismissal, Dismissal::Address);
    assert_eq!(channels.iter().map(ToString::to_string).collect::<Vec<_>>(), ["map", "news"]);
}

#[test]
fn what_waits_for_its_turn_is_asked_about_again_after_a_reload() {
    let rules = rules(|_| ());
    let mut session = identified(&rules);
    for frame in ["GET news", "GET map"] {
        receive(&mut session, Message::Text(frame), Instant::now());
    }
    let publish = |channel: &str| {
        let params = format!(r#"{{"channel":"{channel}","data":1}}"#);
        format!(r#"{{"jsonrpc":"2.0","id":1,"method":"publish","params":{params}}}"#)
    };
    receive(&mut session, Message::Text(&publish("map")), Instant::now());
    let waiting = session.settle();
    assert_eq!(waiting.iter().map(short).collect::<Vec<_>>(), ["fetch news", "fetch map", "publish map 1"]);
    let judge = |session: &Session| {
        let judged = waiting.iter().map(|effect| match effect {
            Effect::Fetch(Fetch { channel, .. }, asked) => {
                session.is_as_then(&asked.admission)
                    || session.still_reads(channel, &asked.admission, now()).is_ok()
            }
            Effect::Publish(Publication { channel, .. }, asked) => {
                session.is_as_then(&asked.admission)
                    || session.still_publishes(channel, &asked.admission, now()).is_ok()
            }
            other => panic!("{other:?}"),
        });
        judged.collect::<Vec<_>>()
    };
    assert_eq!(judge(&session), [true; 3]);
    open_only(&rules, "map");
    assert_eq!(judge(&session), [false, true, true]);
    let settings = Settings { publish_key: Some(Secret::new("key")), ..Settings::default() };
    rules.access.replace(rules.access.prepare(&settings).unwrap());
    assert_eq!(judge(&session), [true, true, false]);
}

/// One that could not begin is over, unless the client has asked for it anew, and is not answered yet.
#[test]
fn what_could_not_begin_is_forgotten_unless_it_is_asked_for_anew() {
    let bound = HistoryBound { messages: Some(10), age: None };
    let rule = ChannelRule::parse("news=x", |_| Ok::<_, String>(bound)).unwrap();
    let mut session = session(rules(|settings| settings.history = vec![rule]));
    let subscribe =
        r#"{"jsonrpc":"2.0","id":1,"method":"subscribe","params":{"channel":"news","since":3,"epoch":"a"}}"#;
    let channels = |session: &Session| {
        session.subscriptions().map(|(channel, _)| channel.to_string()).collect::<Vec<_>>()
    };
    let news = "news".parse().unwrap();
    let (first, _) = converse(&mut session, &[subscribe]);
    assert_eq!(first.len(), 1, "{first:?}");
    receive(&mut session, Message::Text(subscribe), Instant::now());
    session.forget(&news);
    assert_eq!(channels(&session), ["news"], "it is still to begin");
    let anew = session.settle();
    assert!(anew.iter().any(|effect| effect.begins(&news)), "{anew:?}");
    session.forget(&news);
    assert_eq!(channels(&session), [""; 0]);
}
