//! The rules of the text dialect that concern its meaning: one function per command.

use std::str::FromStr;

use crate::{ChangeFormat, Channel, Crs, Precision, Since, Word, WordError, excerpt::excerpt};

use super::{
    Bbox, Command, Error, ErrorKind, MAX_COMMAND_BYTES, Members, Property, PropertyError, PropertyValue,
    arguments::Arguments, grammar, property::OWN_KEYWORDS,
};

/// Reads one frame. Never panics, and takes time in proportion to the length of the frame.
impl FromStr for Command {
    type Err = Error;

    fn from_str(input: &str) -> Result<Self, Error> {
        if input.len() > MAX_COMMAND_BYTES {
            let boundary = (0..=MAX_COMMAND_BYTES).rev().find(|&offset| input.is_char_boundary(offset));
            let offset = boundary.unwrap_or_default();
            let kind = ErrorKind::TooLong { bytes: input.len() };
            return Err(Error { kind, offset, client_reference: None });
        }
        // The form of a command is any word with any words behind it: only their absence is against it.
        let Ok((_, (name, words))) = grammar::command(input) else {
            return Err(Error { kind: ErrorKind::Empty, offset: input.len(), client_reference: None });
        };
        let arguments = |command| Arguments::new(input, command, &words);
        match name {
            "GET" => get(arguments("GET")),
            "PGET" => pget(arguments("PGET")),
            "SUB" => subscribe(arguments("SUB")),
            "DEL" => unsubscribe(arguments("DEL")),
            "PING" => ping(&arguments("PING")),
            "BBOX" => bbox(arguments("BBOX")),
            "PROJECTION" => projection(arguments("PROJECTION")),
            "BUFFER" => buffer(arguments("BUFFER")),
            "RESET" => Ok(Self::Reset),
            _ => {
                Err(Arguments::new(input, "", &[])
                    .fault(name, ErrorKind::UnknownCommand { name: excerpt(name) }))
            }
        }
    }
}

/// `get = "GET" selection`
fn get(mut arguments: Arguments<'_>) -> Result<Command, Error> {
    let (channel, key, client_reference) = selection(&mut arguments)?;
    Ok(Command::Get { channel, key, client_reference })
}

/// `pget = "PGET" selection ["projection=" crs]`
fn pget(mut arguments: Arguments<'_>) -> Result<Command, Error> {
    let (channel, key, client_reference) = selection(&mut arguments)?;
    match arguments.keyword(&["projection"]).map_or(Ok(Crs::WGS84), |text| arguments.as_crs(text)) {
        Ok(crs) => Ok(Command::Pget { channel, key, client_reference, crs }),
        Err(error) => Err(Error { client_reference, ..error }),
    }
}

/// `subscribe = "SUB" channel ["track" [format]] ["since=" since ["epoch=" word]]`, or `track=true` or `track=format`; other words
/// are passed over
fn subscribe(mut arguments: Arguments<'_>) -> Result<Command, Error> {
    let channel = arguments.channel()?;
    let track = match arguments.keyword(&["track"]) {
        Some("true") => Some(ChangeFormat::default()),
        Some("false") => None,
        Some(text) => Some(format(&arguments, text)?),
        None if arguments.left() > 0 && arguments.positional("track")? == "track" => match arguments.left() {
            0 => Some(ChangeFormat::default()),
            _ => {
                let text = arguments.positional("format")?;
                Some(format(&arguments, text)?)
            }
        },
        None => None,
    };
    let since = arguments.keyword(&["since"]).map(|text| since(&arguments, text)).transpose()?;
    Ok(Command::Subscribe { channel, track, since })
}

/// `since = offset / "now"`
fn since<'a>(arguments: &Arguments<'a>, text: &'a str) -> Result<Since, Error> {
    let epoch = arguments.keyword_word("epoch", &["epoch"])?;
    let offset = match text {
        "now" => None,
        _ => Some(text.parse().map_err(|error| arguments.fault(text, ErrorKind::Offset(error)))?),
    };
    Ok(Since { offset, epoch })
}

/// `format = "changes" / "maplibre"`
fn format<'a>(arguments: &Arguments<'a>, text: &'a str) -> Result<ChangeFormat, Error> {
    text.parse().map_err(|error| arguments.fault(text, ErrorKind::Format(error)))
}

/// `unsubscribe = "DEL" channel`
fn unsubscribe(mut arguments: Arguments<'_>) -> Result<Command, Error> {
    Ok(Command::Unsubscribe { channel: arguments.channel()? })
}

/// `ping = "PING" [client-reference]`, the reference by keyword only
fn ping(arguments: &Arguments<'_>) -> Result<Command, Error> {
    let client_reference = arguments.keyword_word("client reference", &CLIENT_REFERENCE)?;
    Ok(Command::Ping { client_reference })
}

/// `bbox = "BBOX" [left bottom right top [zoom] *(wish / property)]`, where
/// `wish = "zoom=" number / "crs=" crs / "members=" members / "fields=" list / "precision=" precision /
/// "tolerance=" number / "min_move=" number`
fn bbox(mut arguments: Arguments<'_>) -> Result<Command, Error> {
    let words = arguments.left();
    if words == 0 && arguments.keywords().is_empty() {
        return Ok(Command::Bbox(None));
    }
    if words < 4 {
        return Err(arguments.wrong_arity(4, "no word or at least four"));
    }
    let left = arguments.number("left")?;
    let bottom = arguments.number("bottom")?;
    let right = arguments.number("right")?;
    let top = arguments.number("top")?;
    let zoom = arguments.optional_number("zoom")?;
    let crs = arguments.keyword(&["crs"]).map(|text| arguments.as_crs(text)).transpose()?;
    let members =
        arguments.keyword(&["members"]).map_or(Ok(Members::Whole), |text| members(&arguments, text))?;
    let fields =
        arguments.keyword(&["fields"]).map_or(Ok(Vec::new()), |text| list(&arguments, "fields", text))?;
    let precision = arguments.keyword(&["precision"]).map(|text| precision(&arguments, text)).transpose()?;
    let (tolerance, min_move) = (arguments.pixels("tolerance")?, arguments.pixels("min_move")?);
    let others = arguments.keywords().iter().filter(|(name, _)| !OWN_KEYWORDS.contains(name));
    let properties =
        others.map(|(name, value)| property(&arguments, name, value)).collect::<Result<_, _>>()?;
    Ok(Command::Bbox(Some(Bbox {
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
    })))
}

/// `members = "inside" / "whole"`
fn members<'a>(arguments: &Arguments<'a>, text: &'a str) -> Result<Members, Error> {
    match grammar::members(text) {
        Ok((_, members)) => Ok(members),
        Err(_) => Err(arguments.fault(text, ErrorKind::Members { value: excerpt(text) })),
    }
}

/// `precision = integer`, at most 15
fn precision<'a>(arguments: &Arguments<'a>, text: &'a str) -> Result<Precision, Error> {
    text.parse().map_err(|error| arguments.fault(text, ErrorKind::Precision(error)))
}

/// `property = name "=" list`
fn property<'a>(arguments: &Arguments<'a>, name: &'a str, value: &'a str) -> Result<Property, Error> {
    let known = name.parse().map_err(|source| property_fault(arguments, name, name, source))?;
    Ok(Property { name: known, values: list(arguments, name, value)? })
}

/// `list = *(value / ",")`, the value of the keyword of this name
fn list<'a>(arguments: &Arguments<'a>, name: &str, value: &'a str) -> Result<Vec<PropertyValue>, Error> {
    // A list is any text, split at commas.
    let (_, items) = grammar::list(value).unwrap_or_default();
    let values = items.into_iter();
    values.map(|item| item.parse().map_err(|source| property_fault(arguments, name, item, source))).collect()
}

fn property_fault<'a>(arguments: &Arguments<'a>, name: &str, at: &'a str, source: PropertyError) -> Error {
    let shift = match source {
        PropertyError::Word(WordError::BadCharacter { offset, .. })
        | PropertyError::Separator { offset, .. } => offset,
        _ => 0,
    };
    arguments.fault(&at[shift..], ErrorKind::Property { name: excerpt(name), source })
}

/// `projection = "PROJECTION" crs`
fn projection(mut arguments: Arguments<'_>) -> Result<Command, Error> {
    arguments.exactly(1, "one word")?;
    let text = arguments.positional("CRS")?;
    Ok(Command::Projection(arguments.as_crs(text)?))
}

/// `buffer = "BUFFER" milliseconds count`
fn buffer(mut arguments: Arguments<'_>) -> Result<Command, Error> {
    if arguments.left() < 2 {
        return Err(arguments.wrong_arity(2, "two words"));
    }
    let milliseconds = arguments.integer("milliseconds")?;
    let count = arguments.integer("count")?;
    Ok(Command::Buffer { milliseconds, count })
}

/// `selection = channel [key [client-reference]]`
fn selection(arguments: &mut Arguments<'_>) -> Result<(Channel, Option<Word>, Option<Word>), Error> {
    let channel = arguments.channel()?;
    let key = arguments.word("key", &["key"])?;
    let client_reference = arguments.word("client reference", &CLIENT_REFERENCE)?;
    Ok((channel, key, client_reference))
}

/// The keywords for a client reference. The first is the one that clients use.
const CLIENT_REFERENCE: [&str; 2] = ["client_ref", "client_reference"];
