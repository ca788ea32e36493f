use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use crate::toolchain::Toolchain;

/// The counts that are expected, as they are kept beside the code.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Table {
    /// What they were counted with.
    pub(crate) toolchain: Toolchain,
    /// Instructions of each case, by name.
    pub(crate) instructions: BTreeMap<String, u64>,
}

impl Table {
    /// # Errors
    /// When there is none, or it is not one.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let text = fs::read_to_string(path)
            .with_context(|| format!("{} cannot be read; `make gate UPDATE=1` writes it", path.display()))?;
        toml::from_str(&text).with_context(|| format!("{} is not a table of counts", path.display()))
    }

    /// # Errors
    /// When it cannot be written.
    pub(crate) fn write(&self, path: &Path) -> anyhow::Result<()> {
        fs::write(path, self.text()?).with_context(|| format!("{} cannot be written", path.display()))
    }

    fn text(&self) -> anyhow::Result<String> {
        Ok(format!("{HEADER}{}", toml::to_string(self).context("the table cannot be put into words")?))
    }
}

const HEADER: &str = "\
# Instructions that each case takes. Written by `make gate UPDATE=1`; a commit that changes a number says why.
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let table = Table {
            toolchain: Toolchain { rustc: "1.95.0".to_owned(), host: "here".to_owned() },
            instructions: [("b c".to_owned(), 2), ("a".to_owned(), 1)].into(),
        };
        let text = table.text().unwrap();
        assert!(text.ends_with("[instructions]\na = 1\n\"b c\" = 2\n"), "{text}");
        assert_eq!(toml::from_str::<Table>(&text).unwrap(), table);
    }
}
