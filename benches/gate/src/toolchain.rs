use std::env;
use std::fmt;
use std::process::Command;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

/// What made the instructions: counts of different compilers cannot be compared closely, and those of different
/// processors not at all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Toolchain {
    /// The compiler's version, such as `1.95.0`.
    pub(crate) rustc: String,
    /// The platform, such as `x86_64-unknown-linux-gnu`.
    pub(crate) host: String,
}

impl Toolchain {
    /// The compiler that cargo uses here, which has built this program a moment ago.
    ///
    /// # Errors
    /// When it cannot be asked.
    pub(crate) fn here() -> anyhow::Result<Self> {
        let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        let output = Command::new(&rustc).arg("-vV").output();
        let output = output.with_context(|| format!("{} cannot be started", rustc.display()))?;
        let text = String::from_utf8_lossy(&output.stdout);
        parse(&text).with_context(|| format!("{} -vV says neither release nor host: {text}", rustc.display()))
    }
}

impl fmt::Display for Toolchain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "rustc {} on {}", self.rustc, self.host)
    }
}

fn parse(verbose: &str) -> Option<Toolchain> {
    let value = |name: &str| {
        let line = verbose.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        line.map(str::to_owned)
    };
    Some(Toolchain { rustc: value("release")?, host: value("host")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_compiler_says_who_it_is() {
        let verbose =
            "rustc 1.95.0 (59807616e 2026-04-14)\nhost: x86_64-unknown-linux-gnu\nrelease: 1.95.0\n";
        assert_eq!(parse(verbose).unwrap().to_string(), "rustc 1.95.0 on x86_64-unknown-linux-gnu");
        assert_eq!(parse("rustc 1.95.0\n"), None);
        assert!(Toolchain::here().is_ok());
    }
}
