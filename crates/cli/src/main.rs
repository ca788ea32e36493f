//! The geocast binary: the gateway itself, and small clients for it.

mod arguments;
mod bad_option;
mod bench;
mod check;
mod client;
mod colour;
mod config;
mod demo;
mod describe;
mod doctor;
mod exit;
mod human_fields;
mod launch;
mod logging;
mod one_line;
mod pages;
mod progress;
mod serve;
mod shell_words;
mod token;
mod traces;
mod trouble_layer;
mod units;
mod unreachable;
mod wrapped;

use std::{future::Future, io, process::ExitCode};

use arguments::{Command, Invocation};
use config::ConfigSource;
use exit::{Exit, told};
use launch::Launch;

fn main() -> ExitCode {
    let invocation = match Invocation::read(std::env::args_os()) {
        Ok(invocation) => invocation,
        Err(answer) => return answer.show().into(),
    };
    match run(invocation) {
        Ok(exit) => exit.into(),
        // Who reads what is printed has enough of it, as `head` has.
        Err(error) if is_closed(&error) => Exit::Success.into(),
        Err(error) => {
            eprintln!("geocast: {}", told(&error));
            Exit::of(&error).into()
        }
    }
}

fn run(Invocation { command, typed }: Invocation) -> anyhow::Result<Exit> {
    match command {
        Command::Serve(_) => {
            let (arguments, source) = ConfigSource::begin(typed)?;
            in_runtime(serve::serve(Launch::try_from(arguments.options)?, source))
        }
        Command::Demo(_) => {
            let (arguments, source) = ConfigSource::begin(typed)?;
            in_runtime(demo::demo(arguments.producer, Launch::try_from(arguments.options)?, source))
        }
        Command::Check(checked) => {
            let resolved = config::resolve_file(&typed, checked.file)?;
            let launch = Launch::try_from(resolved.arguments.options)?;
            in_runtime(check::check(launch, checked.offline))
        }
        Command::Config(asked) => config::config(asked, &typed),
        Command::Get(get) => in_runtime(client::get(get)),
        Command::Sub(sub) => in_runtime(client::sub(sub)),
        Command::Pub(publication) => in_runtime(client::publish(publication)),
        Command::Doctor(doctored) => in_runtime(doctor::doctor(doctored, &typed)),
        Command::Token(asked) => token::token(asked, &typed),
        Command::Probe(probed) => in_runtime(client::probe(probed.by_port(&typed)?)),
        Command::Top(looked) => in_runtime(client::top(looked)),
        Command::Describe(described) => describe::describe(&described),
        Command::Completions(asked) => pages::completions(&asked),
        Command::Man(asked) => pages::man(&asked),
        Command::Bench(benchmark) => bench::bench(benchmark),
    }
}

/// Whether what was printed is read no more.
fn is_closed(error: &anyhow::Error) -> bool {
    let kind = error.downcast_ref::<io::Error>().map(io::Error::kind);
    let kind = kind.or_else(|| error.downcast_ref::<serde_json::Error>()?.io_error_kind());
    kind == Some(io::ErrorKind::BrokenPipe)
}

/// Connections run on threads of their own; one thread suffices for the rest.
fn in_runtime(work: impl Future<Output = anyhow::Result<Exit>>) -> anyhow::Result<Exit> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let outcome = runtime.block_on(work);
    // Whoever insists on an end has it now: what still blocks, such as a read of standard input, is left behind.
    runtime.shutdown_background();
    outcome
}
