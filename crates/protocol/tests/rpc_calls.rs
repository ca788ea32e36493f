//! JSON-RPC frames, call by call.

use geocast_protocol::rpc::{
    Call, Error, Frame, Id, METHODS, PropertyFilter, Refusal, Reply, Request, batch,
};
use serde_json::{Value, json};

fn single(text: &str) -> Request {
    match Frame::read(text, Frame::MAX_CALLS) {
        Frame::Single(request) => *request,
        Frame::Batch(requests) => panic!("{text} is a batch: {requests:?}"),
    }
}

/// The errors of what is answered, as they go out; `null` stands for a call that is in order.
fn answers(requests: &[Request]) -> Option<Value> {
    let replies = requests.iter().filter_map(|request| {
        let outcome = match &request.call {
            Ok(_) => Ok(&b"null"[..]),
            Err(error) => Err(error),
        };
        Some(Reply { id: request.id.as_ref()?, outcome }.to_vec())
    });
    batch(replies).map(|batch| serde_json::from_slice(&batch).expect("a batch is JSON"))
}

fn check_single(text: &str, id: &str, code: i32, message: &str) {
    let request = single(text);
    let error = request.call.expect_err(text);
    let found = (request.id.as_ref().map(Id::as_json), error.code(), error.to_string());
    assert_eq!(found, (Some(id), code, message.to_owned()), "{text}");
}

fn check_params(method: &str, params: &str, parameter: Option<&str>, message: &str) {
    let error = single(&format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{params}}}"#))
        .call
        .expect_err(params);
    assert_eq!(
        (error.code(), error.parameter(), error.to_string()),
        (-32602, parameter, format!("invalid params: {message}")),
        "{method} {params}"
    );
}

#[test]
fn faults_of_a_frame_have_the_codes_of_the_specification() {
    let parse = "parse error: expected value at line 1 column 1";
    check_single("x", "null", -32700, parse);
    check_single(
        r#"{"jsonrpc": "2.0", "method": "foobar, "params": "bar", "baz]"#,
        "null",
        -32700,
        "parse error: expected `,` or `}` at line 1 column 40",
    );
    check_single("", "null", -32700, "parse error: EOF while parsing a value at line 1 column 0");
    check_single("[]", "null", -32600, "invalid request: the batch is empty");
    check_single("1", "null", -32600, "invalid request: not an object");
    check_single("\"{}\"", "null", -32600, "invalid request: not an object");
    check_single("{}", "null", -32600, "invalid request: jsonrpc must be \"2.0\"");
    check_single(
        r#"{"jsonrpc":"1.0","id":7,"method":"ping"}"#,
        "7",
        -32600,
        "invalid request: jsonrpc must be \"2.0\"",
    );
    check_single(
        r#"{"jsonrpc":2.0,"id":7,"method":"ping"}"#,
        "7",
        -32600,
        "invalid request: jsonrpc must be \"2.0\"",
    );
    check_single(
        r#"{"jsonrpc":"2.0","method":1,"params":"bar"}"#,
        "null",
        -32600,
        "invalid request: method must be a string",
    );
    check_single(
        r#"{"jsonrpc":"2.0","id":"a","method":"ping","params":null}"#,
        "\"a\"",
        -32600,
        "invalid request: params must be an array or an object",
    );
    check_single(r#"{"jsonrpc":"2.0","id":1,"method":"Ping"}"#, "1", -32601, "method not found: `Ping`");
    for id in ["true", "[1]", "{}"] {
        check_single(
            &format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#),
            "null",
            -32600,
            "invalid request: id must be a string, a number or null",
        );
    }
}

#[test]
fn a_frame_nests_32_levels_at_most() {
    let nested = |levels: usize| {
        let data = format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        format!(r#"{{"jsonrpc":"2.0","id":1,"method":"ping","params":{{"data":{data}}}}}"#)
    };
    assert!(single(&nested(30)).call.is_ok());
    check_single(&nested(31), "null", -32600, "invalid request: nested deeper than 32 levels");
    check_single(&"[".repeat(100_000), "null", -32600, "invalid request: nested deeper than 32 levels");
}

#[test]
fn ids_come_back_as_they_were_written() {
    for id in ["null", "0", "-0", "1.0", "1e3", "12345678901234567890123", "0.1", r#""""#, r#""\u0041 \"""#] {
        let request = single(&format!(r#"{{"id" : {id} ,"jsonrpc":"2.0","method":"session"}}"#));
        assert_eq!(request.call, Ok(Call::Session {}), "{id}");
        let id_found = request.id.expect("is no notification");
        let reply = Reply { id: &id_found, outcome: Ok(b"{}") };
        assert_eq!(reply.to_vec(), format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{}}}}"#).as_bytes());
        assert_eq!(reply.to_vec().len(), reply.len_hint());
    }
}

#[test]
fn a_notification_has_no_id_and_null_is_one() {
    assert_eq!(single(r#"{"jsonrpc":"2.0","method":"ping"}"#).id, None);
    assert_eq!(single(r#"{"jsonrpc":"2.0","method":"nothing"}"#).id, None);
    assert_eq!(single(r#"{"jsonrpc":"2.0","method":"get","params":[5]}"#).id, None);
    assert_eq!(single(r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#).id, Some(Id::null()));
}

#[test]
fn the_last_of_two_equal_names_counts() {
    let request = single(
        r#"{"jsonrpc":"1","id":1,"method":"x","method":"unsubscribe","jsonrpc":"2.0","id":2,"params":{"channel":5,"\u0063hannel":"a"}}"#,
    );
    assert_eq!(request.id, Some(Id::from(2)));
    assert_eq!(request.call, Ok(Call::Unsubscribe { channel: "a".parse().expect("is a channel") }));
}

#[test]
fn batches_are_answered_item_by_item() {
    let Frame::Batch(requests) = Frame::read(
        r#"[{"jsonrpc":"2.0","id":"1","method":"session"},{"jsonrpc":"2.0","method":"ping"},1,
            {"foo":"boo"},{"jsonrpc":"2.0","method":"no"},{"jsonrpc":"2.0","id":"5","method":"no"},[]]"#,
        Frame::MAX_CALLS,
    ) else {
        panic!("is a batch")
    };
    let error = |id: Value, code: i32, message: &str| json!({"jsonrpc":"2.0","id":id,"error":{"code":code,"message":message}});
    let not_an_object = || error(Value::Null, -32600, "invalid request: not an object");
    assert_eq!(
        answers(&requests),
        Some(json!([
            {"jsonrpc":"2.0","id":"1","result":null},
            not_an_object(),
            error(Value::Null, -32600, "invalid request: jsonrpc must be \"2.0\""),
            error(json!("5"), -32601, "method not found: `no`"),
            not_an_object(),
        ]))
    );
    let Frame::Batch(silent) = Frame::read(r#"[{"jsonrpc":"2.0","method":"ping"}]"#, 1) else {
        panic!("is a batch")
    };
    assert_eq!(answers(&silent), None);
}

#[test]
fn a_batch_has_a_bound() {
    let calls = |count: usize| format!("[{}]", vec![r#"{"jsonrpc":"2.0","method":"ping"}"#; count].join(","));
    assert!(matches!(Frame::read(&calls(50), Frame::MAX_CALLS), Frame::Batch(calls) if calls.len() == 50));
    check_single(&calls(51), "null", -32600, "invalid request: a batch of 51 calls is longer than 50");
}

#[test]
fn parameters_are_named_when_they_are_wrong() {
    check_params("get", "{}", Some("channel"), "channel is missing");
    check_params("get", "[null]", Some("channel"), "channel `null`: must be a string");
    check_params("publish", r#"{"channel":"a"}"#, Some("data"), "data is missing");
    check_params("ping", r#"{"date":1}"#, Some("date"), "`date` is not a parameter of ping");
    check_params("session", "[1]", None, "session takes at most 0, not 1");
    check_params(
        "subscribe",
        r#"["a*"]"#,
        Some("channel"),
        "channel `a*`: character '*' at byte 1 of the channel name is not allowed",
    );
    check_params("subscribe", r#"["a","yes"]"#, Some("track"), "track `yes`: must be true or false");
    check_params(
        "buffer",
        "[1.5,0]",
        Some("milliseconds"),
        "milliseconds `1.5`: must be a whole number from 0 to 4294967295",
    );
    check_params(
        "buffer",
        "[0,4294967296]",
        Some("count"),
        "count `4294967296`: must be a whole number from 0 to 4294967295",
    );
    check_params(
        "projection",
        r#"["+proj=merc"]"#,
        Some("crs"),
        "crs `+proj=merc`: `+proj=merc` is not a CRS of the form epsg:n",
    );
    check_params(
        "viewport",
        "[[1,2,3]]",
        Some("bbox"),
        "bbox `[1,2,3]`: must be [left, bottom, right, top], four finite numbers",
    );
    check_params(
        "viewport",
        "[[1,2,3,1e999]]",
        Some("bbox"),
        "bbox `[1,2,3,1e999]`: must be [left, bottom, right, top], four finite numbers",
    );
    for member in ["zoom", "tolerance", "min_move"] {
        check_params("viewport", &format!(r#"{{"{member}":5}}"#), Some("bbox"), "bbox is missing");
    }
    for value in ["16", "-1", "5.5", "true"] {
        let message = format!("precision `{value}`: must be a whole number from 0 to 15");
        check_params("viewport", &format!(r#"{{"precision":{value}}}"#), Some("precision"), &message);
    }
    for (member, value) in
        [("tolerance", "0"), ("min_move", "-1"), ("tolerance", "256.5"), ("min_move", "[]")]
    {
        let params = format!(r#"{{"bbox":[1,2,3,4],"zoom":9,"{member}":{value}}}"#);
        let message = format!("{member} `{value}`: must be a number from 0.01 to 256");
        check_params("viewport", &params, Some(member), &message);
    }
    check_params(
        "viewport",
        r#"[[1,2,3,4],null,null,{"a":{"from":1}}]"#,
        Some("properties"),
        r#"properties `{\"a\":{\"from\":1}}`: a range has the members min and max"#,
    );
}

#[test]
fn filters_of_properties_are_few() {
    let call = |names: &mut dyn Iterator<Item = usize>| {
        let members: Vec<String> = names.map(|name| format!(r#""p{name}":{name}"#)).collect();
        let params = format!("[[1,2,3,4],null,null,{{{}}}]", members.join(","));
        single(&format!(r#"{{"jsonrpc":"2.0","id":1,"method":"viewport","params":{params}}}"#)).call
    };
    let filters = |call| match call {
        Ok(Call::Viewport { properties, .. }) => properties.map(|filters| filters.len()),
        other => panic!("no viewport: {other:?}"),
    };
    assert_eq!(PropertyFilter::MAX, 64);
    assert_eq!(filters(call(&mut (0..64))), Some(64));
    assert_eq!(filters(call(&mut (0..64).map(|name| name % 2))), Some(2), "of a name, the last counts");
    // Names that stand there twice are not looked for among more than that.
    for names in [65, 100_000] {
        for different in [1, names] {
            let Err(error) = call(&mut (0..names).map(|name| name % different)) else {
                panic!("{names} filters, {different} of them different")
            };
            let message = error.to_string();
            assert!(message.contains(&format!("has {names} members, at most 64 are allowed")), "{message}");
            assert!(message.contains("properties"), "{message}");
        }
    }
}

#[test]
fn optional_parameters_may_be_null() {
    for params in ["[]", "[null]", "[null,null,null,null,null]", "{}", r#"{"bbox":null,"zoom":null}"#] {
        let call =
            single(&format!(r#"{{"jsonrpc":"2.0","id":1,"method":"viewport","params":{params}}}"#)).call;
        assert_eq!(
            call,
            Ok(Call::Viewport {
                bbox: None,
                crs: None,
                zoom: None,
                properties: None,
                members: None,
                fields: None,
                precision: None,
                tolerance: None,
                min_move: None
            }),
            "{params}"
        );
    }
    // Where any value is one, `null` is a value.
    let ping = single(r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":[null]}"#).call;
    assert_eq!(ping, Ok(Call::Ping { data: Some("null".parse().expect("is JSON")) }));
}

#[test]
fn every_method_reads_its_own_example() {
    for method in METHODS {
        let positions: Vec<_> = method.params.iter().map(|parameter| parameter.example).collect();
        let names: Vec<_> = method.params.iter().map(|p| format!("\"{}\":{}", p.name, p.example)).collect();
        let frame = |params: String| {
            format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{}","params":{params}}}"#, method.name)
        };
        let by_position = single(&frame(format!("[{}]", positions.join(",")))).call;
        let by_name = single(&frame(format!("{{{}}}", names.join(",")))).call;
        assert_eq!(by_position, by_name, "{}", method.name);
        let call = by_name.unwrap_or_else(|error| panic!("{}: {error}", method.name));
        assert_eq!(call.method(), method.name);

        let least = method.params.iter().take_while(|parameter| parameter.required);
        let least: Vec<_> = least.map(|parameter| parameter.example).collect();
        assert!(single(&frame(format!("[{}]", least.join(",")))).call.is_ok(), "{}", method.name);
    }
}

#[test]
fn refusals_have_codes_of_their_own() {
    for (at, refusal) in Refusal::ALL.into_iter().enumerate() {
        assert_eq!(refusal.code(), -32_000 - i32::try_from(at).expect("there are few"));
    }
    let error =
        Error::Refused { refusal: Refusal::AccessDenied, message: "channel `a` is not for you".into() };
    assert_eq!(
        String::from_utf8(Reply { id: &Id::from(1), outcome: Err(&error) }.to_vec()).expect("is UTF-8"),
        r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"channel `a` is not for you","data":{"reason":"access_denied"}}}"#
    );
}
