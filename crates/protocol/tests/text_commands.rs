//! What clients of the text dialect send, and how it is read.

use geocast_protocol::{
    ChangeFormat, Crs, Number, Offset, Since,
    text::{Bbox, Command, MAX_COMMAND_BYTES, Members, Property},
};

/// Reads `input` and compares it with its canonical print, which shows every field that is not its default.
#[track_caller]
fn check(input: &str, expected: &str) {
    match input.parse::<Command>() {
        Ok(command) => {
            assert_eq!(command.to_string(), expected, "{input:?}");
            assert_eq!(expected.parse(), Ok(command), "{expected:?} reads back");
        }
        Err(error) => panic!("{input:?}: {error}"),
    }
}

/// Expects a command that is known and malformed.
#[track_caller]
fn check_malformed(input: &str, code: &str, offset: usize, message: &str) {
    let error = input.parse::<Command>().expect_err(input);
    assert_eq!((error.kind.code(), error.offset), (code, offset), "{input:?}");
    assert_eq!(error.to_string(), format!("{message} (byte {offset})"), "{input:?}");
    assert!(!error.kind.is_unknown_command(), "{input:?}");
}

/// Expects a frame that is passed over and counted.
#[track_caller]
fn check_ignored(input: &str, code: &str, offset: usize) {
    let error = input.parse::<Command>().expect_err(input);
    assert_eq!((error.kind.code(), error.offset), (code, offset), "{input:?}");
    assert!(error.kind.is_unknown_command(), "{input:?}");
}

#[test]
fn every_field_is_read_into_its_place() {
    let parse = |input: &str| input.parse::<Command>().unwrap();
    let number = |value: f64| Number::try_from(value).unwrap();
    let channel = "vehicles".parse::<geocast_protocol::Channel>().unwrap();
    let word = |text: &str| Some(text.parse().unwrap());

    let get = Command::Get { channel: channel.clone(), key: word("7"), client_reference: word("q") };
    assert_eq!(parse("GET vehicles 7 q"), get);
    let crs = Crs::WEB_MERCATOR;
    let pget = Command::Pget { channel: channel.clone(), key: word("7"), client_reference: word("q"), crs };
    assert_eq!(parse("PGET vehicles 7 q projection=epsg:3857"), pget);
    assert_eq!(
        parse("SUB vehicles"),
        Command::Subscribe { channel: channel.clone(), track: None, since: None }
    );
    for (text, format) in [
        ("SUB vehicles track", ChangeFormat::Changes),
        ("SUB vehicles track=true", ChangeFormat::Changes),
        ("SUB vehicles track maplibre", ChangeFormat::Maplibre),
        ("SUB track=maplibre vehicles", ChangeFormat::Maplibre),
    ] {
        let subscribe = Command::Subscribe { channel: channel.clone(), track: Some(format), since: None };
        assert_eq!(parse(text), subscribe, "{text}");
    }
    for text in ["SUB vehicles track=false", "SUB vehicles tracks", "SUB vehicles surplus track"] {
        let subscribe = Command::Subscribe { channel: channel.clone(), track: None, since: None };
        assert_eq!(parse(text), subscribe, "{text}");
    }
    for (text, offset, epoch) in [
        ("SUB vehicles since=now", None, None),
        ("SUB since=41 vehicles epoch=b7e1", Some(Offset::Number(41)), word("b7e1")),
        ("SUB vehicles surplus since=1700000000123-7", Some(Offset::Entry(1_700_000_000_123, 7)), None),
    ] {
        let since = Some(Since { offset, epoch });
        assert_eq!(
            parse(text),
            Command::Subscribe { channel: channel.clone(), track: None, since },
            "{text}"
        );
    }
    assert_eq!(parse("DEL vehicles"), Command::Unsubscribe { channel });
    assert_eq!(parse("PING client_ref=q"), Command::Ping { client_reference: word("q") });
    assert_eq!(parse("BBOX"), Command::Bbox(None));
    let bbox = Bbox {
        left: number(1.0),
        bottom: number(2.0),
        right: number(3.0),
        top: number(4.0),
        zoom: Some(number(5.5)),
        crs: Some(Crs::WEB_MERCATOR),
        members: Members::Inside,
        fields: ["name", "line"].map(|name| name.parse().expect("is a name")).into(),
        precision: "5".parse().ok(),
        tolerance: "1.5".parse().ok(),
        min_move: "2".parse().ok(),
        properties: vec![Property {
            name: "mots".parse().unwrap(),
            values: vec!["rail".parse().unwrap(), "bus".parse().unwrap()],
        }],
    };
    let bbox = Command::Bbox(Some(bbox));
    for words in ["4 5.5", "4 zoom=5.5", "4 7 zoom=5.5"] {
        let wishes = "crs=epsg:3857 fields=name,,line min_move=2 members=inside tolerance=1.5 precision=5";
        assert_eq!(parse(&format!("BBOX 1 2 3 {words} {wishes} mots=rail,bus")), bbox, "{words}");
    }
    assert_eq!(parse("PROJECTION epsg:3857"), Command::Projection(Crs::WEB_MERCATOR));
    assert_eq!(parse("BUFFER 100 20"), Command::Buffer { milliseconds: 100, count: 20 });
    assert_eq!(parse("RESET"), Command::Reset);
}

#[test]
fn words_are_split_at_ascii_white_space() {
    check("  GET\ta\r\n\u{b}\u{c}b  \n", "GET a b");
    check_malformed(
        "GET a\u{a0}b",
        "bad_channel",
        5,
        r"character '\u{a0}' at byte 1 of the channel name is not allowed",
    );
}

#[test]
fn get_takes_a_key_and_a_client_reference() {
    check("GET ch", "GET ch");
    check("GET ch ref", "GET ch ref");
    check("GET ch ref client", "GET ch ref client_ref=client");
    check("GET ch ref client_ref=client", "GET ch ref client_ref=client");
    check("GET ch ref client_reference=client", "GET ch ref client_ref=client");
    check("GET ch client_ref=client", "GET ch client_ref=client");
    check("GET client_ref=client ch", "GET ch client_ref=client");
    check("GET ch ref third client_ref=keyword", "GET ch ref client_ref=keyword");
    check("GET ch client_ref=first client_reference=last", "GET ch client_ref=last");
    check("GET ch client_ref=a=b", "GET ch client_ref=a=b");
}

#[test]
fn channels_and_keys_with_an_equals_sign_go_by_keyword() {
    check("GET channel=a=b key=c=d", "GET channel=a=b key=c=d");
    check("GET channel=a=b key", "GET channel=a=b key");
    check("GET channel=a key=b", "GET a b");
    check("GET ch key=k client", "GET ch k client_ref=client");
    check("SUB channel=a=b", "SUB channel=a=b");
    check("DEL channel=a=b", "DEL channel=a=b");
    check("SUB =a", "SUB =a");
    check("GET = =", "GET = =");
}

#[test]
fn pget_has_a_crs_of_its_own() {
    check("PGET ch", "PGET ch");
    check("PGET ch projection=epsg:4326", "PGET ch");
    check("PGET ch ref client projection=epsg:3857", "PGET ch ref client_ref=client projection=EPSG:3857");
    check("PGET projection=EPSG:2056 ch ref", "PGET ch ref projection=EPSG:2056");
    check_malformed(
        "PGET ch projection=+proj=merc",
        "bad_crs",
        19,
        "`+proj=merc` is not a CRS of the form epsg:n",
    );
    check_malformed("PGET", "missing_parameter", 4, "PGET needs a channel");
}

#[test]
fn surplus_words_and_unknown_keywords_are_tolerated() {
    check("GET ch ref client more words x=y =", "GET ch ref client_ref=client");
    check("SUB ch more x=y", "SUB ch");
    check("DEL ch more x=y", "DEL ch");
    check("PING more words x=y", "PING");
    check("RESET more words x=y", "RESET");
    check("PROJECTION epsg:3857 x=y", "PROJECTION EPSG:3857");
    check("BUFFER 1 2 x=y", "BUFFER 1 2");
    check("BBOX 1 2 3 4 5 6 more =x", "BBOX 1 2 3 4 5");
    check("GET ch projection=nonsense", "GET ch");
}

#[test]
fn bbox_takes_what_map_clients_send() {
    check("BBOX", "BBOX");
    check("BBOX  ", "BBOX");
    check("BBOX 5.9 45.8 10.5 47.8", "BBOX 5.9 45.8 10.5 47.8");
    check(
        "BBOX 656741 5740272 1168861 6075822 8 tenant=sbb mots=rail,bus gen=5",
        "BBOX 656741 5740272 1168861 6075822 8 tenant=sbb mots=rail,bus gen=5",
    );
    check("BBOX 1 2 3 4 gen_level=5", "BBOX 1 2 3 4 gen_level=5");
    check("BBOX a=b 1 2 c=d 3 4", "BBOX 1 2 3 4 a=b c=d");
    check("BBOX 1 2 3 4 mots= tenant=,a,,b, mots=bus", "BBOX 1 2 3 4 mots= tenant=a,b mots=bus");
    check("BBOX 1 2 3 4 crs=EPSG:3857 members=whole", "BBOX 1 2 3 4 crs=EPSG:3857");
    check("BBOX 1 2 3 4 x=a=b", "BBOX 1 2 3 4 x=a=b");
    // The corners' order is judged with the CRS, not here: this box crosses the antimeridian.
    check("BBOX 170 -20 -170 20", "BBOX 170 -20 -170 20");
    check("BBOX +1 -.5 1e300 4.", "BBOX 1 -0.5 1e300 4");
}

#[test]
fn bbox_refuses_what_is_no_box() {
    let few = |found: usize| format!("BBOX takes no word or at least four, not {found}");
    check_malformed("BBOX 1", "wrong_arity", 6, &few(1));
    check_malformed("BBOX 1 2 3 ", "wrong_arity", 11, &few(3));
    check_malformed("BBOX mots=rail", "wrong_arity", 14, &few(0));
    check_malformed("BBOX nan 2 3 4", "bad_number", 5, "left: `nan` is not a number");
    check_malformed("BBOX 1 inf 3 4", "bad_number", 7, "bottom: `inf` is not a number");
    check_malformed("BBOX 1 2 1e999 4", "bad_number", 9, "right: `1e999` is not a finite number");
    check_malformed("BBOX 1 2 3 egg", "bad_number", 11, "top: `egg` is not a number");
    check_malformed("BBOX 1 2 3 4 far", "bad_number", 13, "zoom: `far` is not a number");
    check_malformed("BBOX 1 2 3 4 crs=x", "bad_crs", 17, "`x` is not a CRS of the form epsg:n");
    check_malformed("BBOX 1 2 3 4 crs=epsg:0", "bad_crs", 17, "EPSG code 0 is not in 1 to 999999");
    check_malformed(
        "BBOX 1 2 3 4 members=all",
        "bad_members",
        21,
        "members: `all` is neither inside nor whole",
    );
    check_malformed("BBOX 1 2 3 4 zoom=far", "bad_number", 18, "zoom: `far` is not a number");
    for value in ["16", "-1", "5.5", "", "x"] {
        let message = format!("precision: `{value}` is not a whole number of decimals from 0 to 15");
        check_malformed(&format!("BBOX 1 2 3 4 precision={value}"), "bad_precision", 23, &message);
    }
    for value in ["0", "-1", "256.1", "1e999", "", "nan"] {
        for name in ["tolerance", "min_move"] {
            let message = format!("{name}: `{value}` is not a number of pixels from 0.01 to 256");
            let command = format!("BBOX 1 2 3 4 9 {name}={value}");
            check_malformed(&command, "bad_pixels", 16 + name.len(), &message);
        }
    }
    check_malformed(
        "BBOX 1 2 3 4 mots=rail,b\0s",
        "bad_property",
        24,
        r"property `mots`: character '\0' at byte 1 of the word is not allowed",
    );
}

#[test]
fn projection_takes_one_crs_in_any_case() {
    check("PROJECTION epsg:4326", "PROJECTION EPSG:4326");
    check("PROJECTION ePsG:3857", "PROJECTION EPSG:3857");
    check_malformed("PROJECTION", "wrong_arity", 10, "PROJECTION takes one word, not 0");
    check_malformed("PROJECTION e g", "wrong_arity", 13, "PROJECTION takes one word, not 2");
    check_malformed("PROJECTION egg", "bad_crs", 11, "`egg` is not a CRS of the form epsg:n");
    check_malformed("PROJECTION crs=epsg:3857", "wrong_arity", 24, "PROJECTION takes one word, not 0");
}

#[test]
fn buffer_takes_two_whole_numbers() {
    check("BUFFER 0 0", "BUFFER 0 0");
    check("BUFFER 100 100", "BUFFER 100 100");
    check("BUFFER 4294967295 1", "BUFFER 4294967295 1");
    check("BUFFER 1 2 surplus words=too", "BUFFER 1 2");
    let wrong =
        |name: &str, value: &str| format!("{name}: `{value}` is not a whole number from 0 to 4294967295");
    check_malformed("BUFFER 1.5 1", "bad_integer", 7, &wrong("milliseconds", "1.5"));
    check_malformed("BUFFER -1 1", "bad_integer", 7, &wrong("milliseconds", "-1"));
    check_malformed("BUFFER 1 4294967296", "bad_integer", 9, &wrong("count", "4294967296"));
    check_malformed("BUFFER 100", "wrong_arity", 10, "BUFFER takes two words, not 1");
}

#[test]
fn names_and_references_are_validated() {
    for command in ["GET", "SUB", "DEL"] {
        check_malformed(command, "missing_parameter", 3, &format!("{command} needs a channel"));
    }
    let refused = |shown: &str, offset: usize| {
        format!("character {shown} at byte {offset} of the channel name is not allowed")
    };
    check_malformed("SUB news_*", "bad_channel", 9, &refused("'*'", 5));
    check_malformed("SUB a\0", "bad_channel", 5, &refused(r"'\0'", 1));
    check_malformed("SUB channel=", "bad_channel", 12, "a channel name must not be empty");
    check_malformed(
        &format!("SUB {}", "x".repeat(256)),
        "bad_channel",
        4,
        "a channel name of 256 bytes is longer than 255 bytes",
    );
    check_malformed("GET a b\0", "bad_word", 7, r"key: character '\0' at byte 1 of the word is not allowed");
    check_malformed("GET a key=", "bad_word", 10, "key: a word must not be empty");
    check_malformed("PING client_ref=", "bad_word", 16, "client reference: a word must not be empty");
    // What follows a line end is another word, not another command.
    check("SUB a\r\nPUBLISH b c", "SUB a");
}

#[test]
fn unknown_commands_are_told_from_malformed_ones() {
    check_ignored("", "empty", 0);
    check_ignored(" \t\r\n", "empty", 4);
    check_ignored("get a", "unknown_command", 0);
    check_ignored("  Sub a", "unknown_command", 2);
    check_ignored("GETS a", "unknown_command", 0);
    check_ignored("GET=a b", "unknown_command", 0);
    check_ignored("{\"jsonrpc\":\"2.0\"}", "unknown_command", 0);
    check_ignored("\u{feff}PING", "unknown_command", 0);
    check_ignored("PING\0", "unknown_command", 0);
    let error = "x\u{1b}[2J".repeat(9).parse::<Command>().unwrap_err().to_string();
    assert!(
        error.starts_with(r"`x\u{1b}[2Jx\u{1b}") && error.ends_with("…` is not a command (byte 0)"),
        "{error}"
    );
}

#[test]
fn long_frames_are_refused() {
    let longest = format!("PING {}", "x".repeat(MAX_COMMAND_BYTES - 5));
    check(&longest, "PING");
    let message = "a command of 16385 bytes is longer than 16384 bytes";
    check_malformed(&format!("{longest}x"), "too_long", MAX_COMMAND_BYTES, message);
    check_malformed(&format!("{}é", &longest[1..]), "too_long", MAX_COMMAND_BYTES - 1, message);
}
