//! Laws that hold for every call.

use std::time::Duration;

use geocast_protocol::{
    ChangeFormat, Channel, Crs, Info, Json, Number, Offset, Pixels, Precision, Word,
    envelope::{Content, Source, Timestamp},
    rpc::{Call, Corners, Frame, Id, Message, PropertyFilter, PropertyTest, Reply, Scalar},
    text::Members,
};
use proptest::{
    collection::{btree_map, vec},
    option::of,
    prelude::*,
};
use serde::Deserialize;
use serde_json::{Value, value::RawValue};

/// A reply as a reader sees it that repeats ids: half a surrogate pair is JSON (RFC 8259 §8.2), but no Rust string.
#[derive(Deserialize)]
struct Refused<'a> {
    #[serde(borrow)]
    id: &'a RawValue,
    error: Code,
}

#[derive(Deserialize)]
struct Code {
    code: i32,
}

fn channel() -> impl Strategy<Value = Channel> {
    "[!-~a-zäß東]{1,20}".prop_filter_map("not a channel", |name| name.parse().ok())
}

fn word() -> impl Strategy<Value = Word> {
    "\\PC{1,12}".prop_filter_map("not a word", |text| text.parse().ok())
}

fn number() -> impl Strategy<Value = Number> {
    any::<f64>().prop_filter_map("not finite", |value| value.try_into().ok())
}

fn crs() -> impl Strategy<Value = Crs> {
    (1..=999_999_u32).prop_map(|code| code.try_into().expect("is in range"))
}

fn json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("1.0".to_owned()),
        Just("12345678901234567890123".to_owned()),
        any::<f64>().prop_filter_map("not finite", |value| serde_json::to_string(&value).ok()),
        ".*".prop_map(|text| Value::from(text).to_string()),
    ];
    let tree = leaf.prop_recursive(4, 16, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(|items| format!("[ {}]", items.join(" ,"))),
            vec((".*", inner), 0..4).prop_map(|members| {
                let members: Vec<_> =
                    members.into_iter().map(|(k, v)| format!("{}: {v}", Value::from(k))).collect();
                format!("{{{} }}", members.join(","))
            }),
        ]
    });
    tree.prop_map(|text| text.parse().expect("is JSON"))
}

fn id() -> impl Strategy<Value = Id> {
    prop_oneof![
        Just(Id::null()),
        any::<u64>().prop_map(Id::from),
        "-?(0|[1-9][0-9]{0,30})(\\.[0-9]{1,5})?([eE][+-]?[0-9]{1,3})?"
            .prop_map(|id| id.parse().expect("is an id")),
        ".*".prop_map(|text| Value::from(text).to_string().parse().expect("is an id")),
    ]
}

fn properties() -> impl Strategy<Value = Vec<PropertyFilter>> {
    let scalar = prop_oneof![
        Just(Scalar::Null),
        any::<bool>().prop_map(Scalar::Boolean),
        number().prop_map(Scalar::Number),
        ".*".prop_map(Scalar::Text),
    ];
    let test = prop_oneof![
        vec(scalar, 0..4).prop_map(PropertyTest::AnyOf),
        (of(number()), of(number())).prop_map(|(min, max)| PropertyTest::Range { min, max }),
    ];
    btree_map(".+", test, 0..4).prop_map(|filters| {
        filters
            .into_iter()
            .filter(|(name, _)| !name.is_empty())
            .map(|(name, test)| PropertyFilter { name, test })
            .collect()
    })
}

fn viewport() -> impl Strategy<Value = Call> {
    let corners = (number(), number(), number(), number()).prop_map(|(left, bottom, right, top)| Corners {
        left,
        bottom,
        right,
        top,
    });
    let members = prop_oneof![Just(Members::Whole), Just(Members::Inside)];
    let fields = vec(".+", 0..4);
    let thin = (of(precision()), of(pixels()), of(pixels()));
    (corners, of(crs()), of(number()), of(properties()), of(members), of(fields), thin).prop_map(
        |(bbox, crs, zoom, properties, members, fields, (precision, tolerance, min_move))| Call::Viewport {
            bbox: Some(bbox),
            crs,
            zoom,
            properties,
            members,
            fields,
            precision,
            tolerance,
            min_move,
        },
    )
}

fn precision() -> impl Strategy<Value = Precision> {
    (0..=15_u64).prop_map(|digits| digits.try_into().expect("is in range"))
}

fn pixels() -> impl Strategy<Value = Pixels> {
    (Pixels::MIN..=Pixels::MAX)
        .prop_map(|pixels| Number::try_from(pixels).expect("is finite").try_into().expect("is in range"))
}

fn cleared() -> Call {
    Call::Viewport {
        bbox: None,
        crs: None,
        zoom: None,
        properties: None,
        members: None,
        fields: None,
        precision: None,
        tolerance: None,
        min_move: None,
    }
}

fn format() -> impl Strategy<Value = ChangeFormat> {
    prop_oneof![Just(ChangeFormat::Changes), Just(ChangeFormat::Maplibre)]
}

fn info() -> impl Strategy<Value = Info> {
    json()
        .prop_map(|json| format!("{{\"a b\":{json}}}"))
        .prop_filter_map("is too long", |json| json.parse().ok())
}

fn offset() -> impl Strategy<Value = Offset> {
    prop_oneof![
        any::<u64>().prop_map(Offset::Number),
        any::<(u64, u64)>().prop_map(|(time, number)| Offset::Entry(time, number))
    ]
}

fn call() -> impl Strategy<Value = Call> {
    let cleared = cleared();
    prop_oneof![
        of(json()).prop_map(|data| Call::Ping { data }),
        (channel(), of(word()), of(crs())).prop_map(|(channel, key, projection)| Call::Get {
            channel,
            key,
            projection
        }),
        (channel(), of(any::<bool>()), of(offset()), of(word()), of(format()), of(any::<bool>()), of(info()))
            .prop_map(|(channel, track, since, epoch, format, presence, info)| Call::Subscribe {
                channel,
                track,
                since,
                epoch,
                format,
                presence,
                info
            }),
        channel().prop_map(|channel| Call::Unsubscribe { channel }),
        viewport(),
        Just(cleared),
        crs().prop_map(|crs| Call::Projection { crs }),
        any::<(u32, u32)>().prop_map(|(milliseconds, count)| Call::Buffer { milliseconds, count }),
        (channel(), json(), of(word())).prop_map(|(channel, data, key)| Call::Publish { channel, data, key }),
        (channel(), of(offset()), of(word()), of(any::<u32>()))
            .prop_map(|(channel, since, epoch, limit)| Call::History { channel, since, epoch, limit }),
        (channel(), of(any::<u32>())).prop_map(|(channel, limit)| Call::Presence { channel, limit }),
        Just(Call::Session {}),
        Just(Call::Discover {}),
    ]
}

/// Frames that are nearly calls.
fn frame() -> impl Strategy<Value = String> {
    let value = || {
        prop_oneof![
            json().prop_map(|json| json.to_string()),
            Just(r#""2.0""#.to_owned()),
            Just(r#""\ud800""#.to_owned()),
            Just(r#"["a"]"#.to_owned()),
            Just(r#"{"channel":"a","\ud800":1}"#.to_owned()),
            "\"(ping|get|viewport|publish|history|rpc\\.discover)\"",
        ]
    };
    let name = "(jsonrpc|id|method|params|[a-z]{1,3})";
    let object = vec((name, value()), 0..6).prop_map(|members| {
        let members: Vec<_> =
            members.into_iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
        format!("{{\"jsonrpc\":\"2.0\",{}}}", members.join(",")).replace(",}", "}")
    });
    prop_oneof![
        object.clone(),
        vec(object, 0..4).prop_map(|calls| format!("[{}]", calls.join(","))),
        "[\\[\\]{}\":,0-9a-z\\\\ ]{0,40}",
        any::<String>(),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_reads_back(call in call(), id in of(id())) {
        let text = String::from_utf8(call.to_request(id.as_ref()))?;
        let Frame::Single(request) = Frame::read(&text, 1) else { panic!("{text} is a batch") };
        prop_assert_eq!(request.id, id, "{}", text);
        prop_assert_eq!(request.call, Ok(call), "{}", text);
    }

    #[test]
    fn every_frame_is_answered_by_json_under_its_ids(frame in frame()) {
        let requests = match Frame::read(&frame, 50) {
            Frame::Single(request) => vec![*request],
            Frame::Batch(requests) => requests,
        };
        for request in requests {
            let id = request.id.unwrap_or_else(Id::null);
            prop_assert!(frame.contains(id.as_json()) || id == Id::null());
            match request.call {
                Ok(call) => {
                    let written = String::from_utf8(call.to_request(Some(&id)))?;
                    let Frame::Single(again) = Frame::read(&written, 1) else { panic!("{written} is a batch") };
                    prop_assert_eq!(again.call, Ok(call), "{}", written);
                }
                Err(error) => {
                    let message = error.to_string();
                    prop_assert!(message.len() < 1024 && !message.contains(char::is_control), "{:?}", message);
                    let reply = Reply { id: &id, outcome: Err(&error) }.to_vec();
                    let reply: Refused<'_> = serde_json::from_slice(&reply)?;
                    prop_assert_eq!(reply.error.code, error.code());
                    prop_assert_eq!(reply.id.get(), id.as_json());
                }
            }
        }
    }

    #[test]
    fn messages_carry_content_byte_for_byte(channel in channel(), content in json(), text in ".*", at in any::<u32>()) {
        let timestamp = Timestamp::since_epoch(Duration::from_millis(at.into()));
        let written = Message { source: Source::Channel(&channel), content: Content::Json(content.as_bytes()), timestamp };
        let written = String::from_utf8(written.to_vec())?;
        let expected = format!(r#","content":{content},"timestamp":{at}.0}}}}"#);
        prop_assert!(written.ends_with(&expected), "{}", written);
        let read: Value = serde_json::from_str(&written)?;
        prop_assert_eq!(&read["params"]["source"], channel.as_str());

        let written = Message { source: Source::Websocket, content: Content::Text(&text), timestamp }.to_vec();
        let read: Value = serde_json::from_slice(&written)?;
        prop_assert_eq!(&read["params"]["content"], text.as_str());
    }
}
