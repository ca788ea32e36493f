//! What is wrong with a command.

use thiserror::Error;

use crate::{
    ChangeFormatError, ChannelError, CrsError, NumberError, OffsetError, PixelsError, PrecisionError, Word,
    WordError,
};

use super::{MAX_COMMAND_BYTES, PropertyError};

/// Why a text is not a [`Command`](super::Command), and where.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{kind} (byte {offset})")]
#[non_exhaustive]
pub struct Error {
    /// What is wrong.
    pub kind: ErrorKind,
    /// Where in the text it is wrong, in bytes from its beginning; the length of the text where something is
    /// missing at its end. Always on a character boundary.
    pub offset: usize,
    /// What the client calls the answer, where that could be read before. Only PGET is answered under it when something is
    /// wrong, namely with its coordinate system.
    pub client_reference: Option<Word>,
}

/// What is wrong with a command.
///
/// Messages quote at most 32 characters of the input, escaped.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// There is nothing but white space.
    #[error("there is no command")]
    Empty,
    /// The first word is the name of no command. Names are upper case.
    #[error("`{name}` is not a command")]
    UnknownCommand {
        /// The first word, escaped and shortened.
        name: String,
    },
    /// The text is longer than [`MAX_COMMAND_BYTES`].
    #[error("a command of {bytes} bytes is longer than {MAX_COMMAND_BYTES} bytes")]
    TooLong {
        /// Its length in bytes.
        bytes: usize,
    },
    /// The command needs something that is not there.
    #[error("{command} needs a {parameter}")]
    Missing {
        /// The command's name.
        command: &'static str,
        /// What it needs.
        parameter: &'static str,
    },
    /// The command counts its positional words, and there are others.
    #[error("{command} takes {expected}, not {found}")]
    WrongArity {
        /// The command's name.
        command: &'static str,
        /// How many it takes, in words.
        expected: &'static str,
        /// How many there are.
        found: usize,
    },
    /// A channel's name is not valid.
    #[error(transparent)]
    Channel(ChannelError),
    /// A key or a client reference is not valid.
    #[error("{parameter}: {source}")]
    Word {
        /// Which of them.
        parameter: &'static str,
        /// What is wrong with it.
        source: WordError,
    },
    /// A coordinate or a zoom is not a finite number.
    #[error("{parameter}: {source}")]
    Number {
        /// Which of them.
        parameter: &'static str,
        /// What is wrong with it.
        source: NumberError,
    },
    /// A CRS is not of the form `epsg:n`.
    #[error(transparent)]
    Crs(CrsError),
    /// A count is not a whole number from 0 to 4 294 967 295.
    #[error("{parameter}: `{value}` is not a whole number from 0 to {}", u32::MAX)]
    Integer {
        /// Which of them.
        parameter: &'static str,
        /// The word, escaped and shortened.
        value: String,
    },
    /// `members` is neither `inside` nor `whole`.
    #[error("members: `{value}` is neither inside nor whole")]
    Members {
        /// The word, escaped and shortened.
        value: String,
    },
    /// `precision` is no number of decimals.
    #[error("precision: {0}")]
    Precision(PrecisionError),
    /// A length on the map is none.
    #[error("{parameter}: {source}")]
    Pixels {
        /// Which of them.
        parameter: &'static str,
        /// What is wrong with it.
        source: PixelsError,
    },
    /// The word behind `track` names no format.
    #[error("track: {0}")]
    Format(ChangeFormatError),
    /// `since` is neither an offset nor `now`.
    #[error("since: {0}")]
    Offset(OffsetError),
    /// A further keyword of BBOX is not a property.
    #[error("property `{name}`: {source}")]
    Property {
        /// The keyword's name, escaped and shortened.
        name: String,
        /// What is wrong with it.
        source: PropertyError,
    },
}

impl ErrorKind {
    /// Whether there is no command that could be malformed: the text is empty, or begins with a word that is no
    /// command's name. A gateway ignores and counts such a frame, and answers any other error.
    #[must_use]
    pub const fn is_unknown_command(&self) -> bool {
        matches!(self, Self::Empty | Self::UnknownCommand { .. })
    }

    /// A word for the kind that programs may rely on.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::UnknownCommand { .. } => "unknown_command",
            Self::TooLong { .. } => "too_long",
            Self::Missing { .. } => "missing_parameter",
            Self::WrongArity { .. } => "wrong_arity",
            Self::Channel(_) => "bad_channel",
            Self::Word { .. } => "bad_word",
            Self::Number { .. } => "bad_number",
            Self::Crs(_) => "bad_crs",
            Self::Integer { .. } => "bad_integer",
            Self::Members { .. } => "bad_members",
            Self::Precision(_) => "bad_precision",
            Self::Pixels { .. } => "bad_pixels",
            Self::Format(_) => "bad_format",
            Self::Offset(_) => "bad_offset",
            Self::Property { .. } => "bad_property",
        }
    }
}
