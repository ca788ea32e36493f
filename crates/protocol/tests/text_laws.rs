//! Laws that hold for every command.

use geocast_protocol::{
    ChangeFormat, Channel, Crs, Number, Offset, Pixels, Precision, Since, Word,
    text::{Bbox, Command, Members, Property, PropertyName, PropertyValue},
};
use proptest::{collection::vec, option::of, prelude::*};

fn format() -> impl Strategy<Value = ChangeFormat> {
    prop_oneof![Just(ChangeFormat::Changes), Just(ChangeFormat::Maplibre)]
}

fn channel() -> impl Strategy<Value = Channel> {
    let name = "[!-~a-z=äß東]{1,20}";
    name.prop_filter_map("not a channel", |name| name.parse().ok())
}

/// Words that the keywords, numbers and separators of the dialect are made of, among others.
fn word() -> impl Strategy<Value = Word> {
    let own =
        prop_oneof![Just("crs=epsg:1"), Just("="), Just("a=b"), Just("client_ref=x"), Just("1"), Just("a,b")];
    let printable = "\\PC{1,12}".prop_filter_map("not a word", |text| text.parse().ok());
    prop_oneof![printable, own.prop_map(|text| text.parse().expect("is a word"))]
}

fn number() -> impl Strategy<Value = Number> {
    let finite = any::<f64>().prop_filter_map("not finite", |value| value.try_into().ok());
    let whole = any::<i32>().prop_map(|value| f64::from(value).try_into().expect("is finite"));
    prop_oneof![finite, whole]
}

fn crs() -> impl Strategy<Value = Crs> {
    prop_oneof![Just(4326), Just(3857), 1..=999_999_u32]
        .prop_map(|code| code.try_into().expect("is in range"))
}

fn precision() -> impl Strategy<Value = Precision> {
    (0..=15_u64).prop_map(|digits| digits.try_into().expect("is in range"))
}

fn pixels() -> impl Strategy<Value = Pixels> {
    (Pixels::MIN..=Pixels::MAX)
        .prop_map(|pixels| Number::try_from(pixels).expect("is finite").try_into().expect("is in range"))
}

fn property_value() -> impl Strategy<Value = PropertyValue> {
    "[^\\s,\\pC]{1,8}".prop_filter_map("not a value", |text| text.parse::<PropertyValue>().ok())
}

fn property() -> impl Strategy<Value = Property> {
    let name = "[^\\s=\\pC]{1,8}".prop_filter_map("not a name", |text| text.parse::<PropertyName>().ok());
    (name, vec(property_value(), 0..4)).prop_map(|(name, values)| Property { name, values })
}

fn bbox() -> impl Strategy<Value = Bbox> {
    let corners = (number(), number(), number(), number());
    let members = prop_oneof![Just(Members::Whole), Just(Members::Inside)];
    let fields = vec(property_value(), 0..4);
    let thin = (of(precision()), of(pixels()), of(pixels()));
    (corners, of(number()), of(crs()), members, fields, thin, vec(property(), 0..4)).prop_map(
        |(
            (left, bottom, right, top),
            zoom,
            crs,
            members,
            fields,
            (precision, tolerance, min_move),
            properties,
        )| Bbox {
            left,
            bottom,
            right,
            top,
            zoom,
            crs,
            members,
            fields,
            precision,
            tolerance,
            min_move,
            properties,
        },
    )
}

fn since() -> impl Strategy<Value = Since> {
    let offset = prop_oneof![
        any::<u64>().prop_map(Offset::Number),
        any::<(u64, u64)>().prop_map(|(time, number)| Offset::Entry(time, number))
    ];
    (of(offset), of(word())).prop_map(|(offset, epoch)| Since { offset, epoch })
}

fn command() -> impl Strategy<Value = Command> {
    let get = (channel(), of(word()), of(word())).prop_map(|(channel, key, client_reference)| Command::Get {
        channel,
        key,
        client_reference,
    });
    let pget =
        (channel(), of(word()), of(word()), crs()).prop_map(|(channel, key, client_reference, crs)| {
            Command::Pget { channel, key, client_reference, crs }
        });
    prop_oneof![
        get,
        pget,
        (channel(), of(format()), of(since())).prop_map(|(channel, track, since)| Command::Subscribe {
            channel,
            track,
            since
        }),
        channel().prop_map(|channel| Command::Unsubscribe { channel }),
        of(word()).prop_map(|client_reference| Command::Ping { client_reference }),
        of(bbox()).prop_map(Command::Bbox),
        crs().prop_map(Command::Projection),
        any::<(u32, u32)>().prop_map(|(milliseconds, count)| Command::Buffer { milliseconds, count }),
        Just(Command::Reset),
    ]
}

/// Frames that are nearly commands: names, and words of the kinds that they take.
fn frame() -> impl Strategy<Value = String> {
    let name = prop_oneof![
        "GET",
        "PGET",
        "SUB",
        "DEL",
        "PING",
        "BBOX",
        "PROJECTION",
        "BUFFER",
        "RESET",
        "[A-Z]{1,4}"
    ];
    let argument = prop_oneof![
        5 => "[+-]?[0-9]{1,4}(\\.[0-9]{0,3})?(e[+-]?[0-9]{1,3})?",
        2 => "[a-z=*äß\u{301}]{1,6}",
        1 => "(crs|projection)=[eE]psg:[0-9]{1,7}",
        1 => "members=(inside|whole|x)?",
        1 => "(channel|key|client_ref|mots|fields)=[a-z=,]{0,6}",
        1 => "(zoom|precision|tolerance|min_move)=[0-9.e-]{0,4}",
        1 => "\\PC{1,4}",
        1 => any::<char>().prop_map(String::from),
    ];
    let space = "[ \t\r\n\u{b}\u{c}]{1,2}";
    (name, vec((space, argument), 0..7)).prop_map(|(name, arguments)| {
        arguments.into_iter().fold(name, |frame, (space, argument)| frame + &space + &argument)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_printed_reads_back(command in command()) {
        let printed = command.to_string();
        prop_assert_eq!(printed.parse::<Command>(), Ok(command), "{}", printed);
    }

    #[test]
    fn what_was_read_is_printed_and_reads_back(frame in frame()) {
        if let Ok(command) = frame.parse::<Command>() {
            let printed = command.to_string();
            prop_assert!(printed.starts_with(command.name()));
            prop_assert_eq!(printed.parse::<Command>(), Ok(command), "{:?} as {:?}", frame, printed);
        }
    }

    #[test]
    fn errors_point_into_the_frame_and_stay_short(frame in prop_oneof![frame(), "\\PC*", any::<String>()]) {
        if let Err(error) = frame.parse::<Command>() {
            prop_assert!(frame.is_char_boundary(error.offset), "{:?}", error);
            let message = error.to_string();
            prop_assert!(message.len() < 500 && !message.contains(char::is_control), "{:?}", message);
        }
    }
}
