//! What JSON-RPC methods return, and how they are described.

use std::time::Duration;

use geocast_protocol::{
    Channel, Crs, Json, Number, Offset, Person, Word,
    envelope::{Content, Timestamp},
    rpc::{
        Account, Corners, Kept, METHODS, Outcome, Position, Present, PropertyFilter, PropertyTest, Refusal,
        Scalar, Sent, Viewport, discover,
    },
    text::Members,
};
use serde_json::{Value, json};

/// The results in the table are what the writer makes, so that schemas, examples and results cannot disagree.
#[test]
fn results_are_those_of_the_table() {
    let channel: Channel = "vehicles".parse().expect("is a channel");
    let (key, epoch): (Word, Word) = ("7".parse().expect("is a word"), "b7e1".parse().expect("is a word"));
    let number = |value: f64| Number::try_from(value).expect("is finite");
    let position = Position { offset: Offset::Number(42), epoch: &epoch };
    let (left, bottom, right, top) = (number(5.9), number(45.8), number(10.5), number(47.8));
    let fields = ["line", "name"].map(str::to_owned);
    let viewport = Viewport {
        bbox: Some(Corners { left, bottom, right, top }),
        crs: Crs::WGS84,
        zoom: Some(number(9.5)),
        properties: &[],
        members: Members::Inside,
        fields: Some(&fields),
        precision: 5.try_into().ok(),
        tolerance: number(1.0).try_into().ok(),
        min_move: number(2.0).try_into().ok(),
    };
    let content = Content::Json(br#"{"id":7}"#);
    let timestamp = Timestamp::since_epoch(Duration::from_millis(1_700_000_000_123));
    let check = |method: &str, outcome: Outcome<'_>| {
        let method = METHODS.iter().find(|found| found.name == method).expect("is in the table");
        assert_eq!(String::from_utf8(outcome.to_vec()).expect("is UTF-8"), method.result_example);
    };
    let data: Json = r#"{"sequence":7}"#.parse().expect("is JSON");
    check("ping", Outcome::Pong(Some(&data)));
    check(
        "get",
        Outcome::Values { channel: &channel, key: Some(&key), crs: Crs::WEB_MERCATOR, values: &[content] },
    );
    check(
        "subscribe",
        Outcome::Subscribed {
            channel: &channel,
            tracked: true,
            position: Some(position),
            recovered: Some(true),
            presence: true,
        },
    );
    check("unsubscribe", Outcome::Unsubscribed { channel: &channel });
    check("viewport", Outcome::Viewport(viewport));
    check("projection", Outcome::Projection { crs: Crs::WEB_MERCATOR });
    check("buffer", Outcome::Buffer { milliseconds: 100, count: 50 });
    let outcome = Outcome::Published { channel: &channel, key: Some(&key), position: Some(position) };
    check("publish", outcome);
    let messages = [Kept { offset: Offset::Number(42), content, timestamp }];
    let recovered = Some(true);
    check("history", Outcome::History { channel: &channel, position, recovered, messages: &messages });
    let person: Person = r#"{"user":"ada","info":{"name":"Ada"}}"#.parse().expect("is somebody");
    let entries = [Present { person: &person, connections: 2 }];
    let presence = Outcome::Presence {
        channel: &channel,
        clients: 12,
        entries: &entries,
        truncated: false,
        stale: false,
    };
    check("presence", presence);
    let channels = [channel];
    let withheld = &[("outside", 3)];
    let account = Account { channel: &channels[0], tracked: true, events: 5, granted: 2, withheld };
    let session = Outcome::Session {
        channels: &channels,
        crs: Crs::WGS84,
        viewport: None,
        withheld,
        accounts: &[account],
        connection: Sent { granted: 2, delivered: 1, waiting: 1, ..Sent::default() },
    };
    check("session", session);

    let properties =
        [PropertyFilter { name: "mot".into(), test: PropertyTest::AnyOf(vec![Scalar::Text("rail".into())]) }];
    let check = |outcome: Outcome<'_>, expected: &str| {
        assert_eq!(String::from_utf8(outcome.to_vec()).expect("is UTF-8"), expected);
    };
    check(
        Outcome::Viewport(Viewport {
            bbox: None,
            zoom: None,
            properties: &properties,
            fields: None,
            precision: None,
            tolerance: None,
            min_move: None,
            ..viewport
        }),
        r#"{"bbox":null,"crs":"EPSG:4326","properties":{"mot":["rail"]}}"#,
    );
    check(Outcome::Pong(None), r#""pong""#);
    check(
        Outcome::Session {
            channels: &[],
            crs: Crs::WGS84,
            viewport: Some(viewport),
            withheld: &[],
            accounts: &[],
            connection: Sent::default(),
        },
        r#"{"channels":[],"crs":"EPSG:4326","viewport":{"bbox":[5.9,45.8,10.5,47.8],"crs":"EPSG:4326","zoom":9.5,"members":"inside","fields":["line","name"],"precision":5,"tolerance":1,"min_move":2},"withheld":{},"accounts":{},"connection":{"granted":0,"delivered":0,"waiting":0,"replaced":0,"slow":0}}"#,
    );
}

/// The rules of the OpenRPC 1.3 meta schema that concern this document.
#[test]
fn the_description_follows_openrpc() {
    let document: Value = serde_json::from_str(discover("a server", "1.2.3").as_str()).expect("is JSON");
    assert_eq!(document["openrpc"], "1.3.2");
    assert_eq!(document["info"], json!({"title":"a server","version":"1.2.3"}));
    let methods = document["methods"].as_array().expect("is a list");
    let mut names: Vec<_> =
        methods.iter().map(|method| method["name"].as_str().expect("is a name")).collect();
    assert_eq!(names.len(), METHODS.len());
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), METHODS.len(), "names are unique");
    for method in methods {
        let params = method["params"].as_array().expect("is a list");
        let mut optional = false;
        let mut seen = Vec::new();
        for parameter in params {
            assert!(parameter["schema"].is_object(), "{parameter}");
            assert!(!parameter["summary"].as_str().expect("is a text").is_empty());
            assert!(!seen.contains(&&parameter["name"]), "{parameter}");
            seen.push(&parameter["name"]);
            let required = parameter["required"].as_bool().expect("is a boolean");
            assert!(!(optional && required), "what is required comes first: {method}");
            optional |= !required;
        }
        assert!(method["result"]["name"].is_string() && method["result"]["schema"].is_object(), "{method}");
        for example in method["examples"].as_array().expect("is a list") {
            assert!(example["name"].is_string() && example["result"].get("value").is_some());
            assert_eq!(example["params"].as_array().map(Vec::len), Some(params.len()));
        }
        let (schema, result) = (&method["result"]["schema"], &method["examples"][0]["result"]["value"]);
        for required in schema["required"].as_array().into_iter().flatten() {
            assert!(result.get(required.as_str().expect("is a name")).is_some(), "{result}");
        }
        if let Some(properties) = schema["properties"].as_object() {
            for name in result.as_object().expect("is an object").keys() {
                assert!(properties.contains_key(name), "{name} of {}", method["name"]);
            }
        }
    }
    let errors = document["components"]["errors"].as_object().expect("is an object");
    assert_eq!(errors.len(), Refusal::ALL.len());
    assert!(errors.values().all(|error| error["code"].is_i64() && error["message"].is_string()));
}
