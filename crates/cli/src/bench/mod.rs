//! `geocast bench`: how much a server does, and how much this machine could do at best.
//!
//! Clients and publisher are one thread on one epoll, so that what is measured is the server. It is a process of its own,
//! and what it used is read from `/proc`.

mod arguments;
mod bare;
mod connect;
mod engine;
mod fanout;
mod idle;
mod limit;
mod load;
mod measurement;
mod messages;
mod pace;
mod publisher;
mod report;
mod server;
mod subscription;
mod target;
mod track;
mod viewports;

use crate::{exit::Exit, progress};

pub(crate) use arguments::{BENCH_EXAMPLES, BenchArguments};

use arguments::Benchmark;

/// Runs one benchmark and prints what it found.
pub(crate) fn bench(arguments: BenchArguments) -> anyhow::Result<Exit> {
    match arguments.benchmark {
        Benchmark::Fanout(arguments) => fanout::fanout(&arguments),
        Benchmark::Limit(arguments) => limit::limit(&arguments),
        Benchmark::Track(arguments) => track::track(&arguments),
        Benchmark::Connect(arguments) => connect::connect(&arguments),
        Benchmark::Idle(arguments) => idle::idle(&arguments),
        Benchmark::Bare(arguments) => bare::bare(&arguments),
        Benchmark::Tethered(arguments) => server::tethered(&arguments),
    }
}
