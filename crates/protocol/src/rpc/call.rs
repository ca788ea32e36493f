//! The table of methods, and the calls that it makes.

use serde_json::value::RawValue;

use crate::{
    ChangeFormat, Channel, Crs, Info, Json, Number, Offset, Pixels, Precision, Word, excerpt::excerpt, json,
    text::Members,
};

use super::{Corners, Error, Id, Method, Parameter, PropertyFilter, arguments::Arguments, parameter::Field};

/// Makes [`Call`] and [`METHODS`] of one table, so that they cannot disagree.
macro_rules! methods {
    ($(
        $(#[doc = $doc:literal])+
        $name:literal => $variant:ident { $(
            $(#[doc = $field_doc:literal])+
            $field:ident: $kind:ty = $example:literal,
        )* } -> $result:expr, $result_example:literal;
    )+) => {
        /// A call whose parameters are valid, by itself: whether it may and can be carried out is for a server to say.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Call {
            $(
                $(#[doc = $doc])+
                $variant { $( $(#[doc = $field_doc])+ $field: $kind, )* },
            )+
        }

        impl Call {
            /// The method's name on the wire.
            #[must_use]
            pub const fn method(&self) -> &'static str {
                match self { $( Self::$variant { .. } => $name, )+ }
            }

            /// Reads the fields in the order of the table.
            fn fields(name: &str, mut arguments: Arguments<'_>) -> Result<Self, Error> {
                match name {
                    $( $name => Ok(Self::$variant { $( $field: arguments.next()?, )* }), )+
                    _ => Err(Error::UnknownMethod { method: excerpt(name) }),
                }
            }

            /// The parameters that are not absent, as JSON, by name.
            fn values(&self) -> Vec<(&'static str, String)> {
                match self {
                    $( Self::$variant { $( $field, )* } => {
                        let values: Vec<(&'static str, Option<String>)> =
                            vec![ $( (stringify!($field), $field.json()), )* ];
                        values.into_iter().filter_map(|(name, json)| Some((name, json?))).collect()
                    } )+
                }
            }
        }

        /// All methods: their names, parameters and results.
        pub const METHODS: &[Method] = &[ $( Method {
            name: $name,
            summary: concat!($($doc),+).trim_ascii(),
            params: &[ $( Parameter {
                name: stringify!($field),
                summary: concat!($($field_doc),+).trim_ascii(),
                required: <$kind as Field>::REQUIRED,
                schema: <$kind as Field>::SCHEMA,
                example: $example,
            }, )* ],
            result: $result,
            result_example: $result_example,
        }, )+ ];
    };
}

methods! {
    /// Asks for a sign of life. The result is `data`, or `"pong"` without it.
    "ping" => Ping {
        /// What the result repeats: any value.
        data: Option<Json> = r#"{"sequence":7}"#,
    } -> "{}", r#"{"sequence":7}"#;

    /// Reads the state of a channel, or one key of it, as far as it is in the viewport.
    "get" => Get {
        /// The channel whose state is read.
        channel: Channel = r#""vehicles""#,
        /// One key of the state instead of all.
        key: Option<Word> = r#""7""#,
        /// The CRS of the values instead of the session's.
        projection: Option<Crs> = r#""EPSG:3857""#,
    } -> concat!(
        r#"{"type":"object","required":["channel","crs","values"],"properties":{"#,
        r#""channel":{"type":"string"},"key":{"type":"string"},"crs":{"type":"string"},"values":{"type":"array"}}}"#
    ), r#"{"channel":"vehicles","key":"7","crs":"EPSG:3857","values":[{"id":7}]}"#;

    /// Receives what is published on a channel from now on, as notifications `message`.
    "subscribe" => Subscribe {
        /// The channel.
        channel: Channel = r#""vehicles""#,
        /// Whether to be told what enters the viewport, changes in it and leaves it, as notifications `enter`, `update`
        /// and `leave`; not, if absent.
        track: Option<bool> = "true",
        /// Receive first what came after this offset of the channel's history.
        since: Option<Offset> = "41",
        /// Which history the offset is of, as an earlier result said.
        epoch: Option<Word> = r#""b7e1""#,
        /// How a tracked subscription is told of changes: as `changes`, if absent, or as a diff for `maplibre`.
        format: Option<ChangeFormat> = r#""maplibre""#,
        /// Whether to be told who comes and goes, as notifications `presence`; not, if absent.
        presence: Option<bool> = "true",
        /// What the others on the channel are told of this client: an object of at most 512 bytes.
        info: Option<Info> = r#"{"name":"Ada"}"#,
    } -> concat!(
        r#"{"type":"object","required":["channel","tracked"],"properties":{"channel":{"type":"string"},"#,
        r#""tracked":{"type":"boolean"},"offset":{"type":["integer","string"]},"epoch":{"type":"string"},"#,
        r#""recovered":{"type":"boolean"},"presence":{"const":true}}}"#
    ), r#"{"channel":"vehicles","tracked":true,"offset":42,"epoch":"b7e1","recovered":true,"presence":true}"#;

    /// Ends a subscription; that there is none is no error.
    "unsubscribe" => Unsubscribe {
        /// The channel.
        channel: Channel = r#""vehicles""#,
    } -> concat!(
        r#"{"type":"object","required":["channel","subscribed"],"properties":{"#,
        r#""channel":{"type":"string"},"subscribed":{"const":false}}}"#
    ), r#"{"channel":"vehicles","subscribed":false}"#;

    /// Sets the viewport. Without anything it is cleared; without a box, only `properties`, `fields` and
    /// `precision` may be given.
    "viewport" => Viewport {
        /// The box as `[left, bottom, right, top]`, in the units of its CRS.
        bbox: Option<Corners> = "[5.9,45.8,10.5,47.8]",
        /// The CRS of the box instead of the session's.
        crs: Option<Crs> = r#""EPSG:4326""#,
        /// The map's zoom level, where the whole world is one tile at zero.
        zoom: Option<Number> = "9.5",
        /// What features' properties must be: a scalar, a list of scalars, or a range with `min` and `max`, each.
        properties: Option<Vec<PropertyFilter>> =
            r#"{"mot":["rail","bus"],"delay":{"min":60,"max":null},"tenant":["sbb"]}"#,
        /// What passes of a collection that is partly inside: `whole`, if absent.
        members: Option<Members> = r#""inside""#,
        /// The only properties of features that are sent: all, if absent.
        fields: Option<Vec<String>> = r#"["name","line"]"#,
        /// How many decimals coordinates have at most, in the units that they are sent in.
        precision: Option<Precision> = "5",
        /// How many pixels lines may be from where they are, on a Web Mercator map of 256-pixel tiles at `zoom`.
        tolerance: Option<Pixels> = "1",
        /// How many pixels something moves at least before a tracked subscription is told, on the same map.
        min_move: Option<Pixels> = "2",
    } -> concat!(
        r#"{"type":"object","required":["bbox","crs"],"properties":{"#,
        r#""bbox":{"type":["array","null"],"items":{"type":"number"},"minItems":4,"maxItems":4},"#,
        r#""crs":{"type":"string"},"zoom":{"type":["number","null"]},"#,
        r#""properties":{"type":"object"},"members":{"enum":["whole","inside"]},"#,
        r#""fields":{"type":"array","items":{"type":"string"}},"precision":{"type":"integer"},"#,
        r#""tolerance":{"type":"number"},"min_move":{"type":"number"}}}"#
    ), r#"{"bbox":[5.9,45.8,10.5,47.8],"crs":"EPSG:4326","zoom":9.5,"members":"inside","fields":["line","name"],"precision":5,"tolerance":1,"min_move":2}"#;

    /// Sets the CRS of all later geometry.
    "projection" => Projection {
        /// The CRS; `EPSG:4326` ends projecting.
        crs: Crs = r#""EPSG:3857""#,
    } -> r#"{"type":"object","required":["crs"],"properties":{"crs":{"type":"string"}}}"#,
        r#"{"crs":"EPSG:3857"}"#;

    /// Collects what is pushed and sends it together. Two zeros turn that off.
    "buffer" => Buffer {
        /// How long to collect at most, in milliseconds; zero for no bound.
        milliseconds: u32 = "100",
        /// How many messages to collect at most; zero for no bound.
        count: u32 = "50",
    } -> concat!(
        r#"{"type":"object","required":["milliseconds","count"],"#,
        r#""properties":{"milliseconds":{"type":"integer"},"count":{"type":"integer"}}}"#
    ), r#"{"milliseconds":100,"count":50}"#;

    /// Publishes a value on a channel. On one with a history, the result says where it stands: as `since`, that brings what follows.
    "publish" => Publish {
        /// The channel.
        channel: Channel = r#""vehicles""#,
        /// What is published: any value, which reaches subscribers as it was written.
        data: Json = r#"{"type":"Feature","geometry":null,"properties":{}}"#,
        /// Also keep it as the channel's state under this key.
        key: Option<Word> = r#""7""#,
    } -> concat!(
        r#"{"type":"object","required":["channel"],"properties":{"channel":{"type":"string"},"#,
        r#""key":{"type":"string"},"offset":{"type":["integer","string"]},"epoch":{"type":"string"}}}"#
    ), r#"{"channel":"vehicles","key":"7","offset":42,"epoch":"b7e1"}"#;

    /// Reads what was published on a channel, oldest first, as far as it is in the viewport. The result's `offset` says how far
    /// it goes: as `since`, it brings what follows.
    "history" => History {
        /// The channel.
        channel: Channel = r#""vehicles""#,
        /// Only what came after this offset, from there on; without it, the last messages.
        since: Option<Offset> = "41",
        /// Which history the offset is of, as an earlier result said.
        epoch: Option<Word> = r#""b7e1""#,
        /// How many messages at most are looked at: 100, if absent.
        limit: Option<u32> = "100",
    } -> concat!(
        r#"{"type":"object","required":["channel","messages"],"properties":{"channel":{"type":"string"},"#,
        r#""offset":{"type":["integer","string"]},"epoch":{"type":"string"},"recovered":{"type":"boolean"},"messages":{"type":"array","items":{"#,
        r#""type":"object","required":["offset","content"],"properties":{"offset":{"type":["integer","string"]},"#,
        r#""content":{},"timestamp":{"type":"number"}}}}}}"#
    ), r#"{"channel":"vehicles","offset":42,"epoch":"b7e1","recovered":true,"messages":[{"offset":42,"content":{"id":7},"timestamp":1700000000123.0}]}"#;

    /// Says how many clients are subscribed to a channel, on all nodes, and who they are, as far as they have a name or have said so.
    "presence" => Presence {
        /// The channel.
        channel: Channel = r#""vehicles""#,
        /// How many entries at most are said: 100, if absent; never more than 1000.
        limit: Option<u32> = "100",
    } -> concat!(
        r#"{"type":"object","required":["channel","clients","entries","truncated","stale"],"properties":{"#,
        r#""channel":{"type":"string"},"clients":{"type":"integer","minimum":0},"entries":{"type":"array","items":{"#,
        r#""type":"object","required":["connections"],"properties":{"user":{"type":"string"},"info":{"type":"object"},"#,
        r#""connections":{"type":"integer","minimum":0}}}},"truncated":{"type":"boolean"},"stale":{"type":"boolean"}}}"#
    ), r#"{"channel":"vehicles","clients":12,"entries":[{"user":"ada","info":{"name":"Ada"},"connections":2}],"truncated":false,"stale":false}"#;

    /// Says what the server believes about this connection, and what it withheld for which reason.
    "session" => Session {} -> concat!(
        r#"{"type":"object","required":["channels","crs","viewport","withheld","accounts","connection"],"properties":{"#,
        r#""channels":{"type":"array","items":{"type":"string"}},"crs":{"type":"string"},"#,
        r#""viewport":{"type":["object","null"]},"#,
        r#""withheld":{"type":"object","additionalProperties":{"type":"integer","minimum":0}},"#,
        r#""accounts":{"type":"object","additionalProperties":{"type":"object","#,
        r#""required":["tracked","events","granted","withheld"],"properties":{"tracked":{"type":"boolean"},"#,
        r#""events":{"type":"integer","minimum":0},"granted":{"type":"integer","minimum":0},"#,
        r#""withheld":{"type":"object","additionalProperties":{"type":"integer","minimum":0}}}}},"#,
        r#""connection":{"type":"object","additionalProperties":{"type":"integer","minimum":0}}}}"#
    ), r#"{"channels":["vehicles"],"crs":"EPSG:4326","viewport":null,"withheld":{"outside":3},"accounts":{"vehicles":{"tracked":true,"events":5,"granted":2,"withheld":{"outside":3}}},"connection":{"granted":2,"delivered":1,"waiting":1,"replaced":0,"slow":0}}"#;

    /// Describes all methods: an OpenRPC document.
    "rpc.discover" => Discover {} -> r#"{"type":"object","required":["openrpc","info","methods"]}"#,
        r#"{"openrpc":"1.3.2","info":{"title":"geocast","version":"0.1.0"},"methods":[]}"#;
}

impl Call {
    /// Reads a call; `params` are an array or an object, or are absent.
    pub(super) fn read(name: &str, params: Option<&RawValue>) -> Result<Self, Error> {
        let method = METHODS.iter().find(|method| method.name == name);
        let method = method.ok_or_else(|| Error::UnknownMethod { method: excerpt(name) })?;
        let call = Self::fields(name, Arguments::read(method, params)?)?;
        // Wishes without a box would be lost without a word.
        match &call {
            Self::Viewport { bbox: None, crs, zoom, members, tolerance, min_move, .. }
                if crs.is_some()
                    || zoom.is_some()
                    || members.is_some()
                    || tolerance.is_some()
                    || min_move.is_some() =>
            {
                Err(Error::MissingParameter { parameter: "bbox" })
            }
            _ => Ok(call),
        }
    }

    /// The request as a client sends it, parameters by name. Without an id, it is a notification.
    #[must_use]
    pub fn to_request(&self, id: Option<&Id>) -> Vec<u8> {
        let mut out = br#"{"jsonrpc":"2.0""#.to_vec();
        if let Some(id) = id {
            out.extend_from_slice(br#","id":"#);
            out.extend_from_slice(id.as_json().as_bytes());
        }
        out.extend_from_slice(br#","method":"#);
        json::string(&mut out, self.method());
        let values = self.values();
        for (at, (name, value)) in values.iter().enumerate() {
            out.extend_from_slice(if at == 0 { br#","params":{"# } else { b"," });
            json::string(&mut out, name);
            out.push(b':');
            out.extend_from_slice(value.as_bytes());
        }
        out.extend_from_slice(if values.is_empty() { b"}" } else { b"}}" });
        out
    }
}
