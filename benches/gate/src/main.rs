//! Counts the instructions of the fan-out and of the hit test under callgrind, and fails where they are not what the table
//! beside this program expects. Counts are the same in every run and on a busy machine, as times are not.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, bail};

use crate::cases::CASES;
use crate::comparison::{Comparison, Tolerance};
use crate::table::Table;
use crate::toolchain::Toolchain;

mod callgrind;
mod cases;
mod comparison;
mod counted;
mod table;
mod toolchain;

fn main() -> anyhow::Result<ExitCode> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => check(),
        ["--update"] => update(),
        ["run", name] => run(name),
        _ => bail!("usage: geocast-gate [--update | run CASE], not {arguments:?}"),
    }
}

/// Counts all cases and compares them with the table.
fn check() -> anyhow::Result<ExitCode> {
    let (table, here) = (Table::read(Path::new(TABLE))?, Toolchain::here()?);
    let mut out = io::stdout().lock();
    if here.host != table.toolchain.host {
        writeln!(out, "gate: nothing is compared: the table is for {}, this is {here}", table.toolchain)?;
        return Ok(ExitCode::SUCCESS);
    }
    let same = here == table.toolchain;
    let tolerance = if same { Tolerance::SAME_COMPILER } else { Tolerance::OTHER_COMPILER };
    let comparison = Comparison::new(&table.instructions, &count()?, tolerance);
    write!(out, "{comparison}")?;
    if !same {
        writeln!(
            out,
            "gate: the table is for {}, this is {here}: only large regressions are seen.\n\
             Renew it on a commit that passes with the old one: make gate UPDATE=1",
            table.toolchain
        )?;
    }
    let faults = comparison.faults();
    if faults.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    for fault in faults {
        writeln!(out, "gate: {fault}")?;
    }
    writeln!(
        out,
        "Where they are spent: callgrind_annotate {}/CASE.callgrind\n\
         If it is meant: make gate UPDATE=1, and say why in the commit",
        profiles()?
    )?;
    Ok(ExitCode::FAILURE)
}

/// Counts all cases and writes them to the table, after showing what changes.
fn update() -> anyhow::Result<ExitCode> {
    let (path, toolchain, instructions) = (Path::new(TABLE), Toolchain::here()?, count()?);
    let before = if path.exists() { Table::read(path)?.instructions } else { BTreeMap::new() };
    write!(io::stdout(), "{}", Comparison::new(&before, &instructions, Tolerance::SAME_COMPILER))?;
    Table { toolchain, instructions }.write(path)?;
    Ok(ExitCode::SUCCESS)
}

/// Does the work of one case, as valgrind is asked to.
fn run(name: &str) -> anyhow::Result<ExitCode> {
    let case = CASES.iter().find(|case| case.name == name).with_context(|| format!("no case `{name}`"))?;
    (case.run)();
    Ok(ExitCode::SUCCESS)
}

fn count() -> anyhow::Result<BTreeMap<String, u64>> {
    let folder = profiles()?;
    fs::create_dir_all(&folder).with_context(|| format!("{folder} cannot be made"))?;
    let count = |name: &str| Ok((name.to_owned(), callgrind::count(name, Path::new(&folder))?));
    CASES.iter().map(|case| count(case.name)).collect()
}

/// A folder beside the program.
fn profiles() -> anyhow::Result<String> {
    let program = env::current_exe().context("this program does not know where it is")?;
    Ok(program.with_file_name("gate").display().to_string())
}

const TABLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/expected.toml");
