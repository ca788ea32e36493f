use std::fmt::Write;

use super::{ConfigOption, Table, toml_value::toml_value};
use crate::wrapped::wrapped;

/// A configuration file with every option as a comment: what it is for, and its default. It changes nothing as it is.
pub(super) fn text() -> String {
    let table = Table::new();
    let mut file = String::from(BEGINNING);
    for heading in table.headings() {
        write!(file, "\n## {heading}\n").expect("a string takes everything");
        let options = table.options().filter(|option| !option.names_the_file());
        for option in options.filter(|option| option.heading() == heading) {
            entry(&mut file, option);
        }
    }
    file
}

fn entry(file: &mut String, option: ConfigOption<'_>) {
    let mut lines = wrapped(&option.purpose(), WIDTH);
    let choices = option.choices();
    if !choices.is_empty() && !option.is_switch() {
        lines.push(format!("One of {}.", choices.join(", ")));
    }
    let value = match option.default() {
        Some(default) if is_literal(&default) => toml_value(option, &default),
        Some(default) => {
            lines.push(format!("Default: {default}."));
            example(option)
        }
        None if option.is_switch() => "false".to_owned(),
        None => {
            lines.push("Not set by default.".to_owned());
            example(option)
        }
    };
    file.push('\n');
    for line in lines {
        writeln!(file, "# {line}").expect("a string takes everything");
    }
    writeln!(file, "#{} = {value}", option.key()).expect("a string takes everything");
}

/// Whether a default is one that can be written down.
pub(super) fn is_literal(default: &str) -> bool {
    !default.contains(' ') && default != "none"
}

/// What stands where there is no default to be written: of the right type, and not to be taken for a default.
fn example(option: ConfigOption<'_>) -> String {
    let choices = option.choices();
    match option.placeholder() {
        _ if !choices.is_empty() => toml_value(option, &choices[0]),
        "N" | "PORT" => "1".to_owned(),
        "TIME" => "\"1s\"".to_owned(),
        "SIZE" => "\"1MiB\"".to_owned(),
        other => toml_value(option, other),
    }
}

const BEGINNING: &str = "\
# Configuration of geocast, as `geocast config default` prints it: every option, without effect until its line is made no comment
# (by leaving out the first #). Where it says so, what stands there is an example and no default.
# `geocast check FILE` says what is wrong with a file, `geocast config show --config FILE` what holds in the end: flags win over the
# environment (GEOCAST_PORT), the environment over the file.
";
/// Characters of a line, without what makes it a comment.
const WIDTH: usize = 110;
