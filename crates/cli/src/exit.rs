use std::process::ExitCode;

use geocast_server::StartError;

use crate::{bad_option::BadOption, config::ConfigError, token::TokenFault, unreachable::Unreachable};

/// How the program ends. The numbers are documented in `geocast --help` and stay as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Everything asked for was done.
    Success,
    /// Something failed; standard error says what.
    Failure,
    /// What was typed or configured makes no sense.
    Usage,
    /// There was nothing, or less than was asked for before the time was up.
    Incomplete,
    /// The server, or its Redis, cannot be reached.
    Unreachable,
    /// A second signal came before the connections were closed.
    Interrupted,
}

impl Exit {
    /// What an error amounts to.
    pub(crate) fn of(error: &anyhow::Error) -> Self {
        let is_configured_wrongly = matches!(
            error.downcast_ref(),
            Some(
                StartError::TooManyWorkers(_)
                    | StartError::UnknownCrs(_)
                    | StartError::UnknownChannelCrs(_)
                    | StartError::ChannelCrs(_)
                    | StartError::Keys(_)
                    | StartError::Handlers(_)
            )
        );
        let is_no_option = error.is::<BadOption>() || error.is::<TokenFault>();
        if is_configured_wrongly || is_no_option || error.is::<ConfigError>() {
            Self::Usage
        } else if error.is::<Unreachable>() {
            Self::Unreachable
        } else {
            Self::Failure
        }
    }

    /// The number that a shell sees.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Failure => 1,
            Self::Usage => 2,
            Self::Incomplete => 3,
            Self::Unreachable => 4,
            Self::Interrupted => 130,
        }
    }
}

/// The error and its causes, but for those that it tells itself.
pub(crate) fn told(error: &anyhow::Error) -> String {
    error.chain().map(ToString::to_string).fold(String::new(), |told, cause| match told.as_str() {
        "" => cause,
        _ if told.ends_with(&cause) => told,
        _ => format!("{told}: {cause}"),
    })
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::Exit;

    #[test]
    fn codes_are_those_of_the_documentation() {
        let page = include_str!("../../../docs/cli.md").split("## Exit codes").nth(1).expect("the chapter");
        let rows = page.split("\n## ").next().expect("its end").lines();
        let told: Vec<u8> =
            rows.filter_map(|row| row.strip_prefix("| ")?.split(' ').next()?.parse().ok()).collect();
        let all = [
            Exit::Success,
            Exit::Failure,
            Exit::Usage,
            Exit::Incomplete,
            Exit::Unreachable,
            Exit::Interrupted,
        ];
        assert_eq!(told, all.map(Exit::code));
    }
}
