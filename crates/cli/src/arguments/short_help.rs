use clap::Command;

/// What most people need of commands that take more than fits a screen of 80 by 50 characters: the only options that `-h` shows.
/// `--help` shows all.
const SHOWN: [(&[&str], &[&str]); 7] = [
    (&["serve"], SERVED),
    (&["demo"], SERVED),
    (&["check"], &["file", "offline", "redis", "channels", "config"]),
    (&["config", "show"], &["given", "redis", "channels", "config"]),
    (
        &["sub"],
        &[
            "channels",
            "bbox",
            "bbox_crs",
            "projection",
            "fields",
            "precision",
            "track",
            "explain",
            "count",
            "timeout",
            "url",
            "token",
        ],
    ),
    (
        &["bench", "fanout"],
        &[
            "connections",
            "size",
            "messages",
            "rate",
            "burst",
            "viewports",
            "projection",
            "url",
            "spawn",
            "workers",
            "redis",
            "json",
        ],
    ),
    (
        &["bench", "track"],
        &[
            "connections",
            "messages",
            "rate",
            "burst",
            "features",
            "elsewhere",
            "viewports",
            "url",
            "spawn",
            "workers",
            "redis",
            "json",
        ],
    ),
];

const SERVED: &[&str] = &[
    "vehicles",
    "host",
    "port",
    "usock",
    "tls_cert",
    "tls_key",
    "config",
    "log",
    "redis",
    "data",
    "channels",
    "publish_key_file",
    "allow_origin",
];

/// The same commands, with short help that fits a screen.
pub(super) fn shortened(commands: Command) -> Command {
    SHOWN.iter().fold(commands, |commands, (path, shown)| within(commands, path, shown))
}

fn within(command: Command, path: &[&'static str], shown: &[&str]) -> Command {
    match path {
        [] => command.mut_args(|argument| {
            let hidden = !shown.contains(&argument.get_id().as_str());
            // What is hidden already stays so.
            if hidden { argument.hide_short_help(true) } else { argument }
        }),
        [first, rest @ ..] => command.mut_subcommand(first, |inner| within(inner, rest, shown)),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::{super::invocation::CommandLine, SHOWN};

    #[test]
    fn what_is_to_be_shown_exists() {
        let commands = CommandLine::command();
        for (path, shown) in SHOWN {
            let mut command = &commands;
            for name in path {
                command = command.find_subcommand(name).unwrap_or_else(|| panic!("{path:?}"));
            }
            let ids: Vec<_> = command.get_arguments().map(|argument| argument.get_id().as_str()).collect();
            let unknown: Vec<_> = shown.iter().filter(|id| !ids.contains(id)).collect();
            // `vehicles` is for `demo` alone.
            assert!(
                unknown.is_empty() || (path == ["serve"] && unknown == [&"vehicles"]),
                "{path:?}: {unknown:?}"
            );
        }
    }
}
