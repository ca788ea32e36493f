//! Prints how geocast compares with each baseline, from what `cargo bench` left behind.

use std::io::{self, Write as _};
use std::path::PathBuf;

use geocast_benches::ratios;

fn main() -> io::Result<()> {
    let target = ["CARGO_TARGET_DIR", "CARGO_BUILD_TARGET_DIR"].into_iter().find_map(std::env::var_os);
    let folder = target.map_or_else(|| PathBuf::from("target"), PathBuf::from).join("criterion");
    let mut out = io::stdout().lock();
    writeln!(out, "\n{:<20} {:<12} {:<28} {:>9}", "group", "input", "baseline", "× ours")?;
    for ratio in ratios(&folder)? {
        let (group, input, baseline) = (ratio.group, ratio.input, ratio.baseline);
        writeln!(out, "{group:<20} {input:<12} {baseline:<28} {:>9.2}", ratio.times)?;
    }
    Ok(())
}
