//! Whether what is for people is coloured.

use std::io::IsTerminal;

/// On a terminal alone, and not where the environment says that no colours are wanted (<https://no-color.org>).
pub(crate) fn is_wanted(out: &impl IsTerminal) -> bool {
    out.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}
