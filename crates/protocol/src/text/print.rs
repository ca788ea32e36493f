//! Commands as text.

use std::fmt;

use crate::{ChangeFormat, Channel, Crs, Since, Word};

use super::{Bbox, Command, Members};

/// Prints the command as a client would send it, in its canonical form: defaults are left out, and what would
/// not be read back as a positional word is written as a keyword.
impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match self {
            Self::Get { channel, key, client_reference } => selection(f, channel, key, client_reference),
            Self::Pget { channel, key, client_reference, crs } => {
                selection(f, channel, key, client_reference)?;
                if *crs == Crs::WGS84 { Ok(()) } else { write!(f, " projection={crs}") }
            }
            Self::Subscribe { channel, track, since } => {
                word(f, "channel", channel.as_str())?;
                match track {
                    None => {}
                    Some(ChangeFormat::Changes) => f.write_str(" track")?,
                    Some(format) => write!(f, " track {format}")?,
                }
                since.iter().try_for_each(|since| resumption(f, since))
            }
            Self::Unsubscribe { channel } => word(f, "channel", channel.as_str()),
            Self::Ping { client_reference } => reference(f, client_reference),
            Self::Bbox(None) | Self::Reset => Ok(()),
            Self::Bbox(Some(bbox)) => viewport(f, bbox),
            Self::Projection(crs) => write!(f, " {crs}"),
            Self::Buffer { milliseconds, count } => write!(f, " {milliseconds} {count}"),
        }
    }
}

fn selection(
    f: &mut fmt::Formatter<'_>,
    channel: &Channel,
    key: &Option<Word>,
    client_reference: &Option<Word>,
) -> fmt::Result {
    word(f, "channel", channel.as_str())?;
    if let Some(key) = key {
        word(f, "key", key.as_str())?;
    }
    reference(f, client_reference)
}

/// Always by keyword: behind a channel without key, a positional word would be the key.
fn reference(f: &mut fmt::Formatter<'_>, client_reference: &Option<Word>) -> fmt::Result {
    client_reference.iter().try_for_each(|reference| write!(f, " client_ref={reference}"))
}

fn resumption(f: &mut fmt::Formatter<'_>, since: &Since) -> fmt::Result {
    match since.offset {
        Some(offset) => write!(f, " since={offset}")?,
        None => f.write_str(" since=now")?,
    }
    since.epoch.iter().try_for_each(|epoch| write!(f, " epoch={epoch}"))
}

/// As a positional word, or by keyword where it would itself look like a keyword.
fn word(f: &mut fmt::Formatter<'_>, name: &str, text: &str) -> fmt::Result {
    match text.find('=') {
        None | Some(0) => write!(f, " {text}"),
        Some(_) => write!(f, " {name}={text}"),
    }
}

fn viewport(f: &mut fmt::Formatter<'_>, bbox: &Bbox) -> fmt::Result {
    let Bbox {
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
    } = bbox;
    write!(f, " {left} {bottom} {right} {top}")?;
    zoom.iter().try_for_each(|zoom| write!(f, " {zoom}"))?;
    crs.iter().try_for_each(|crs| write!(f, " crs={crs}"))?;
    if *members != Members::Whole {
        write!(f, " members={}", members.as_str())?;
    }
    for (position, field) in fields.iter().enumerate() {
        let before = if position == 0 { " fields=" } else { "," };
        write!(f, "{before}{}", field.as_str())?;
    }
    precision.iter().try_for_each(|precision| write!(f, " precision={precision}"))?;
    tolerance.iter().try_for_each(|tolerance| write!(f, " tolerance={tolerance}"))?;
    min_move.iter().try_for_each(|min_move| write!(f, " min_move={min_move}"))?;
    properties.iter().try_for_each(|property| write!(f, " {property}"))
}
