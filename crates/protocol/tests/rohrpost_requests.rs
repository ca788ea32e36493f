//! The rohrpost dialect, request by request, and its laws.

use geocast_protocol::{
    Json,
    envelope::Content,
    rohrpost::{Body, Change, Error, Id, Push, Reply, Request},
};
use proptest::prelude::*;
use serde_json::{Value, json};

/// A server that allows everything but the group `secret-1` and has no handlers of its own.
fn answer(frame: &str) -> String {
    let reply = match Request::read(frame) {
        Ok(Request { id, body: Body::Ping { data }, .. }) => Reply::pong(&id, data.as_ref()).to_vec(),
        Ok(Request { id, body: Body::Subscribe { group }, .. }) if group.as_str() == "secret-1" => {
            Reply::denied(&id, "subscribe").to_vec()
        }
        Ok(Request { id, body: Body::Subscribe { group }, .. }) => Reply::subscribed(&id, &group).to_vec(),
        Ok(Request { id, body: Body::Unsubscribe { group }, .. }) => {
            Reply::unsubscribed(&id, &group).to_vec()
        }
        Ok(request) => request.unknown_type().to_reply(),
        Err(error) => error.to_reply(),
    };
    String::from_utf8(reply).expect("is UTF-8")
}

fn check(frame: &str, expected: &str) {
    assert_eq!(answer(frame), expected, "{frame}");
}

#[test]
fn checks_have_the_order_and_the_words_of_the_reference() {
    check("", r#"{"error":"Received empty message."}"#);
    check("x", r#"{"error":"Could not decode JSON message. Error: expected value at line 1 column 1"}"#);
    check(
        &"[".repeat(1000),
        r#"{"error":"Could not decode JSON message. Error: JSON is nested deeper than 32 levels"}"#,
    );
    for json in ["[]", "null", "5", r#""{}""#] {
        check(json, r#"{"error":"Expected a JSON object as message."}"#);
    }
    check("{}", r#"{"error":"Missing required field 'type'."}"#);
    check(r#"{"id":1}"#, r#"{"error":"Missing required field 'type'."}"#);
    check(r#"{"type":"nonsense"}"#, r#"{"error":"Missing required field 'id'."}"#);
    check(
        r#"{"type":"it's \"so\"","id":9}"#,
        r#"{"id":9,"type":"it's \"so\"","error":"Unknown message type 'it's \"so\"'."}"#,
    );
    check(r#"{"type":"","id":9}"#, r#"{"id":9,"type":"","error":"Unknown message type ''."}"#);
}

#[test]
fn a_type_that_is_no_string_is_answered() {
    check(r#"{"id":1,"type":5}"#, r#"{"id":1,"type":5,"error":"Unknown message type '5'."}"#);
    check(r#"{"id":1,"type":null}"#, r#"{"id":1,"type":null,"error":"Unknown message type 'null'."}"#);
    check(r#"{"id":1,"type":["a"]}"#, r#"{"id":1,"type":["a"],"error":"Unknown message type '[\"a\"]'."}"#);
}

#[test]
fn a_ping_comes_back() {
    check(r#"{"id":1,"type":"ping"}"#, r#"{"id":1,"type":"pong"}"#);
    check(r#"{"id":1,"type":"ping","data":{"a": 7.10}}"#, r#"{"id":1,"type":"pong","data":{"a": 7.10}}"#);
    check(r#"{"id":1,"type":"ping","data":"x"}"#, r#"{"id":1,"type":"pong","data":{"data":"x"}}"#);
    check(r#"{"id":1,"type":"ping","data":[0]}"#, r#"{"id":1,"type":"pong","data":{"data":[0]}}"#);
    for empty in ["null", "{}", "[]", "0", "0.0", "false", r#""""#] {
        check(&format!(r#"{{"id":1,"type":"ping","data":{empty}}}"#), r#"{"id":1,"type":"pong"}"#);
        check(&format!(r#"{{"id":{empty},"type":"ping"}}"#), r#"{"type":"pong"}"#);
    }
    for id in ["12345678901234567890123", "1.0", r#""\u0041""#, r#"{"a":[1]}"#, "true"] {
        check(&format!(r#"{{"id": {id} ,"type":"ping"}}"#), &format!(r#"{{"id":{id},"type":"pong"}}"#));
    }
}

#[test]
fn a_group_is_a_type_and_an_id() {
    let ask = |kind: &str, data: &str| answer(&format!(r#"{{"id":2,"type":"{kind}","data":{data}}}"#));
    let check = |data: &str, group: &str| {
        for kind in ["subscribe", "unsubscribe"] {
            let expected = format!(r#"{{"id":2,"type":"{kind}","data":{{"group":"{group}"}}}}"#);
            assert_eq!(ask(kind, data), expected);
        }
    };
    check(r#"{"type":"collection","id":5}"#, "collection-5");
    check(r#"{"type":"collection","id":"a:b"}"#, "collection-a:b");
    check(r#"{"id":12345678901234567890123,"type":"c","more":1}"#, "c-12345678901234567890123");
    check(r#"{"type":"","id":""}"#, "-");

    let refused = |data: &str, error: &str| {
        let expected = json!({"id":2,"type":"subscribe","error":error});
        assert_eq!(
            serde_json::from_str::<Value>(&ask("subscribe", data)).expect("is JSON"),
            expected,
            "{data}"
        );
    };
    refused("[]", "Field 'data' must be an object.");
    refused(r#"{"id":5}"#, "Missing required field 'data.type'.");
    refused(r#"{"type":"c"}"#, "Missing required field 'data.id'.");
    refused(r#"{"type":5,"id":5}"#, "Field 'data.type' must be a string.");
    refused(r#"{"type":"c","id":true}"#, "Field 'data.id' must be a number or a string.");
    refused(
        r#"{"type":"c*","id":5}"#,
        "Group 'c*-5' is not valid: character '*' at byte 1 of the channel name is not allowed.",
    );
    assert_eq!(
        answer(r#"{"id":2,"type":"subscribe"}"#),
        r#"{"id":2,"type":"subscribe","error":"Missing required field 'data'."}"#
    );
    assert_eq!(
        ask("subscribe", r#"{"type":"secret","id":1}"#),
        r#"{"id":2,"type":"subscribe","error":"ACCESS_DENIED"}"#
    );
}

#[test]
fn tokens_are_not_shown() {
    let frame = r#"{"id":1,"type":"mine","auth_jwt":"e.y.z","data":[7.10],"x":1}"#;
    let request = Request::read(frame).expect("is a request");
    let shown = format!("{request:?}");
    assert!(!shown.contains("e.y.z"), "{shown}");
    assert_eq!(request.token.as_ref().map(|token| token.reveal()), Some("e.y.z"));
    let Body::Custom { kind, request } = request.body else { panic!("{shown}") };
    assert_eq!((kind.as_str(), request.json().as_str()), ("mine", frame));
    assert_eq!(request.data().as_ref().map(Json::as_str), Some("[7.10]"));

    for none in ["null", r#""""#] {
        let request = Request::read(&format!(r#"{{"id":1,"type":"ping","auth_jwt":{none}}}"#));
        assert_eq!(request.expect("is a request").token, None);
    }
    check(
        r#"{"id":1,"type":"ping","auth_jwt":5}"#,
        r#"{"id":1,"type":"ping","error":"Field 'auth_jwt' must be a string."}"#,
    );
    check(
        r#"{"id":1,"type":"x","auth_jwt":5}"#,
        r#"{"id":1,"type":"x","error":"Unknown message type 'x'."}"#,
    );
}

#[test]
fn handlers_answer_under_id_and_type() {
    let id = Request::read(r#"{"id":"a","type":"mine"}"#).expect("is a request").id;
    assert_eq!(id.as_json(), Some(r#""a""#));
    let data: Json = "[1]".parse().expect("is JSON");
    assert_eq!(
        Reply::handled(&id, "mi\"ne", Some(&data)).to_vec(),
        br#"{"id":"a","type":"mi\"ne","data":{"data":[1]}}"#
    );
    assert_eq!(Reply::handled(&id, "mine", None).to_vec(), br#"{"id":"a","type":"mine"}"#);
    assert_eq!(Reply::failed(&id, "mine", "no").to_vec(), br#"{"id":"a","type":"mine","error":"no"}"#);
}

#[test]
fn pushes_carry_what_was_published() {
    let group = "c-\"5".parse().expect("is a channel");
    let check = |change, content, data: &str| {
        let push = Push { id: 3, group: &group, change, content };
        let expected = format!(r#"{{"id":3,"type":"subscription-update","data":{data}}}"#);
        assert_eq!(String::from_utf8(push.to_vec()).expect("is UTF-8"), expected);
    };
    let json = |json: &'static str| Content::Json(json.as_bytes());
    check(Change::Update, json("[7.10]"), r#"{"group":"c-\"5","type":"update","object":[7.10]}"#);
    check(Change::Create, json("{}"), r#"{"group":"c-\"5","type":"create","object":{}}"#);
    check(Change::Delete, Content::Null, r#"{"group":"c-\"5","type":"delete","object":null}"#);
    check(Change::Update, Content::Text("a\"b"), r#"{"group":"c-\"5","type":"update","object":"a\"b"}"#);
    check(
        Change::Update,
        Content::Binary(&[255]),
        r#"{"group":"c-\"5","type":"update","object":{"base64":"/w=="}}"#,
    );
    for ready in [
        r#"{"group":"c-\"5","type":"create","object":{"a":1,"updated_fields":["a"]}}"#,
        r#" {"object":null, "type":"delete","group":"c-\u00225","more":1.0}"#,
    ] {
        check(Change::Update, json(ready), ready);
    }
    for other in [
        r#"{"group":"x","type":"created","object":{}}"#,
        r#"{"group":5,"type":"create","object":{}}"#,
        r#"{"group":"x","type":"create"}"#,
        r#"{"type":"update","object":{}}"#,
        r#"{"group":"x","type":"create","object":{}}"#,
        r#"{"id":1,"type":"subscription-update","data":{"group":"x","type":"create","object":{}}}"#,
        r#"{"id":"1","type":"subscription-update","data":{"group":"c-\"5","type":"create","object":{}}}"#,
        r#"{"type":"subscription-update","data":{"group":"c-\"5","type":"create","object":{}}}"#,
        r#"{"id":1,"type":"pong","data":{"group":"c-\"5","type":"create","object":{}}}"#,
        r#"{"id":1,"type":"subscription-update","data":{"group":"c-\"5","type":"create"}}"#,
        r#"{"id":1,"type":"subscription-update"}"#,
    ] {
        check(
            Change::Update,
            json(other),
            &format!(r#"{{"group":"c-\"5","type":"update","object":{other}}}"#),
        );
    }
    let whole =
        r#"{"id": 7,"data":{"group":"c-\"5","type":"delete","object":[ ]},"type":"subscription-update"} "#;
    let push = Push { id: 3, group: &group, change: Change::Update, content: json(whole) };
    assert_eq!(String::from_utf8(push.to_vec()).expect("is UTF-8"), whole);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_frame_is_answered_by_one_object(
        frame in prop_oneof![
            any::<String>(),
            "[\\[\\]{}\":,0-9a-z\\\\ ]{0,40}",
            "\\{\"id\":[a-z0-9\"{}\\[\\].-]{1,6},\"type\":(\"ping\"|\"subscribe\"|[a-z0-9\"]{1,4})(,\"data\":[a-z0-9\"{}:,]{1,20})?\\}",
        ]
    ) {
        let reply: Value = serde_json::from_str(&answer(&frame))?;
        let failed = matches!(Request::read(&frame), Err(_) | Ok(Request { body: Body::Custom { .. }, .. }));
        prop_assert_eq!(reply.get("error").is_some(), failed, "{}", reply);
    }

    #[test]
    fn ids_and_data_come_back(id in 1_u64.., data in "\\PC{1,20}") {
        let frame = json!({"id": id, "type": "ping", "data": data}).to_string();
        let reply: Value = serde_json::from_str(&answer(&frame))?;
        prop_assert_eq!(reply, json!({"id": id, "type": "pong", "data": {"data": data}}));
    }
}

#[test]
fn a_fault_is_its_sentence() {
    assert_eq!(Error::Missing { field: "id" }.to_string(), "Missing required field 'id'.");
    let id: Option<Id> = Request::read(r#"{"id":0,"type":"ping"}"#).ok().map(|request| request.id);
    assert_eq!(id.as_ref().and_then(Id::as_json), None);
}
