use std::env;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};

use crate::counted::SYMBOL;

/// Counts the instructions of a case, in a process of its own under callgrind. Leaves the profile in the folder.
///
/// # Errors
/// When valgrind is missing, the case fails, or nothing was counted.
pub(crate) fn count(case: &str, folder: &Path) -> anyhow::Result<u64> {
    let profile = folder.join(format!("{}.callgrind", case.replace(' ', "-")));
    let output = Command::new("valgrind")
        .arg("--tool=callgrind")
        .arg(format!("--toggle-collect={SYMBOL}"))
        .arg(format!("--callgrind-out-file={}", profile.display()))
        .arg(env::current_exe().context("this program does not know where it is")?)
        .args(["run", case])
        // What the environment holds must not shift a count.
        .env_clear()
        .env("PATH", env::var_os("PATH").unwrap_or_default())
        .env("GLIBC_TUNABLES", PLAIN_COPIES)
        .stdin(Stdio::null())
        .output()
        .context("valgrind cannot be started (scripts/setup gate installs it)")?;
    if !output.status.success() {
        bail!("`{case}` failed under valgrind:\n{}", String::from_utf8_lossy(&output.stderr));
    }
    let text = fs::read_to_string(&profile)
        .with_context(|| format!("valgrind left no profile in {}", profile.display()))?;
    instructions(&text).with_context(|| format!("no instruction was counted, see {}", profile.display()))
}

/// What a profile says of the whole (`callgrind-out` format, line `summary`). None if that is nothing.
fn instructions(profile: &str) -> Option<u64> {
    let summary = profile.lines().find_map(|line| line.strip_prefix("summary:"))?;
    summary.trim().parse().ok().filter(|count| *count > 0)
}

/// Keeps glibc from choosing its memory functions by the processor, so that they count the same everywhere: these leave
/// those for SSE2, which every x86-64 has.
const PLAIN_COPIES: &str = "glibc.cpu.hwcaps=-AVX2,-AVX_Fast_Unaligned_Load,-ERMS";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_count_is_the_summary() {
        assert_eq!(instructions("events: Ir\nfn=(1) f\n1 7\nsummary: 1234\n\ntotals: 1234\n"), Some(1234));
        assert_eq!(instructions("events: Ir\nsummary: 0\n"), None, "the function was not found");
        assert_eq!(instructions("events: Ir\n"), None);
    }
}
