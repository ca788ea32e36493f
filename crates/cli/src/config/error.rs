use std::{io, path::PathBuf};

use geocast_server::{HandlersError, KeyError, TlsError, pipeline::FiltersError};
use thiserror::Error;

use super::{Table, table::PREFIX};

/// What is wrong with a configuration. Each message says where it stands and what would be right.
#[derive(Debug, Error)]
pub(crate) enum ConfigError {
    /// The file cannot be read.
    #[error("the configuration {path} cannot be read", path = path.display())]
    Read { path: PathBuf, source: io::Error },
    /// The file is neither TOML nor JSON by its name.
    #[error("the configuration {path} is to end in .toml or .json", path = .0.display())]
    Extension(PathBuf),
    /// The file is not what its name says.
    #[error("the configuration {path} is not valid: {reason}", path = path.display())]
    Syntax { path: PathBuf, reason: String },
    /// A file is divided into sections.
    #[error(
        "`{name}` {place} is a section, and there are none: options stand at the top, such as port = 8765"
    )]
    Section { name: String, place: String },
    /// There is no such option.
    #[error(transparent)]
    Unknown(#[from] Unknown),
    /// An option cannot have this value.
    #[error("`{value}` {place} is not valid: {reason}")]
    Value { value: String, place: String, reason: String },
    /// Two options exclude each other.
    #[error("`{first}` and `{second}` {place} exclude each other: remove one")]
    Conflict { first: String, second: String, place: String },
    /// An option makes no sense without another one.
    #[error("`{given}` needs `{other}`, which is not given")]
    Lacking { given: &'static str, other: &'static str },
    /// Two options exclude each other, wherever they stand.
    #[error("`{first}` and `{second}` exclude each other: remove one")]
    Exclusive { first: &'static str, second: &'static str },
    /// TLS, but no port.
    #[error("TLS is spoken on ports, and there is only a unix socket: give `port`, or leave TLS out")]
    TlsWithoutPort,
    /// Certificate or key cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The keys of tokens cannot be used.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// The filters cannot be put together.
    #[error(transparent)]
    Filters(#[from] FiltersError),
    /// The handlers of rohrpost exclude each other.
    #[error(transparent)]
    Handlers(#[from] HandlersError),
    /// There is nothing to look at.
    #[error("no redis is named: `geocast doctor redis://localhost`, or `redis` in the configuration")]
    NoRedis,
    /// A file that an option names cannot be read.
    #[error("the file {path} of `{option}` cannot be read", path = path.display())]
    NamedFile { option: &'static str, path: PathBuf, source: io::Error },
    /// A file that an option names has nothing in it.
    #[error("the file {path} of `{option}` is empty", path = path.display())]
    EmptyFile { option: &'static str, path: PathBuf },
}

/// A name that no option has.
#[derive(Debug, Error)]
#[error("`{name}` {place} is no option of geocast{}", hint(.nearest.as_deref()))]
pub(crate) struct Unknown {
    name: String,
    place: String,
    nearest: Option<String>,
}

impl Unknown {
    /// `known` are the names that would have been right in this place.
    pub(super) fn new(name: &str, place: String, known: impl IntoIterator<Item = String>) -> Self {
        // What all variables begin with says nothing about likeness.
        let bare = |name: &str| name.strip_prefix(PREFIX).unwrap_or(name).to_ascii_lowercase();
        let likeness = |known: &str| strsim::normalized_damerau_levenshtein(&bare(name), &bare(known));
        let nearest = known.into_iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
        Self { name: name.to_owned(), place, nearest: nearest.filter(|nearest| likeness(nearest) > ALIKE) }
    }

    /// A key of a file.
    pub(super) fn key(name: &str, place: String, table: &Table) -> Self {
        let known = table.options().filter(|option| !option.names_the_file());
        Self::new(name, place, known.map(|option| option.key().to_owned()))
    }
}

fn hint(nearest: Option<&str>) -> String {
    nearest.map_or_else(
        || "; `geocast serve --help` lists them".to_owned(),
        |nearest| format!("; did you mean `{nearest}`?"),
    )
}

/// Below this the nearest name is a guess that only confuses.
const ALIKE: f64 = 0.4;
