use std::fmt::Write;

use super::{ConfigOption, Table, default_file::is_literal};

/// A page of Markdown with a row for each option: how it is called in a file, on the command line and in the environment, its
/// default, and what it is for.
pub(crate) fn reference() -> String {
    let table = Table::new();
    let mut page = String::from(BEGINNING);
    for heading in table.headings() {
        write!(page, "\n## {heading}\n\n{HEAD}").expect("a string takes everything");
        for option in table.options().filter(|option| option.heading() == heading) {
            row(&mut page, option);
        }
    }
    page
}

fn row(page: &mut String, option: ConfigOption<'_>) {
    let key = if option.names_the_file() { String::new() } else { code(option.key()) };
    let letter = option.letter().map(|letter| format!("-{letter}, ")).unwrap_or_default();
    let flag = code(format!("{letter}{} {}", option.flag(), option.placeholder()).trim_end());
    let variable = code(&option.variable());
    let default = match option.default() {
        Some(default) if is_literal(&default) => code(&default),
        Some(default) => prose(&default),
        None if option.is_switch() => code("false"),
        None => String::new(),
    };
    let mut purpose = prose(&option.purpose());
    let choices = option.choices();
    if !choices.is_empty() && !option.is_switch() {
        let choices: Vec<_> = choices.iter().map(|choice| code(choice)).collect();
        purpose += &format!(". One of {}", choices.join(", "));
    }
    writeln!(page, "| {key} | {flag} | {variable} | {default} | {purpose} |")
        .expect("a string takes everything");
}

/// Between marks for code; a bar would end the cell even there.
fn code(text: &str) -> String {
    format!("`{}`", text.replace('|', "\\|"))
}

/// As it stands: what Markdown takes for a sign is none, but for marks of code.
fn prose(text: &str) -> String {
    let parts = text.split('`').enumerate().map(|(number, part)| {
        let signs = if number % 2 == 0 { "|*_<[" } else { "|" };
        let mut escaped = String::with_capacity(part.len());
        for character in part.chars() {
            if signs.contains(character) {
                escaped.push('\\');
            }
            escaped.push(character);
        }
        escaped
    });
    parts.collect::<Vec<_>>().join("`")
}

const BEGINNING: &str = "\
# Options

Every option of `geocast serve` and `geocast demo`, as `geocast describe options` prints this page. A flag wins over the environment, the
environment over the file that `--config` names, and an empty variable is as good as none. `geocast config default` prints a file with all of
them, `geocast config show` says what holds in the end and where it is from; see [the command line](cli.md#configuration). Where
nothing stands as the default, the option is not set.
";
const HEAD: &str = "\
| Key | Flag | Variable | Default | |
|---|---|---|---|---|
";

#[cfg(test)]
mod tests {
    use super::{Table, code, prose, reference};

    #[test]
    fn every_option_has_a_row_of_five_cells() {
        let page = reference();
        let rows: Vec<&str> = page.lines().filter(|line| line.contains("| `GEOCAST_")).collect();
        assert_eq!(rows.len(), Table::new().options().count());
        for row in rows {
            assert_eq!(row.replace("\\|", "").matches('|').count(), 6, "{row}");
        }
    }

    #[test]
    fn what_would_be_a_sign_is_none() {
        assert_eq!(prose("a*|`b*|c` [d] e_f"), "a\\*\\|`b*\\|c` \\[d] e\\_f");
        assert_eq!(code("--a true|false"), "`--a true\\|false`");
    }
}
