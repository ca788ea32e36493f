//! `geocast doctor`: what does a Redis have for geocast, and what is in its way? Nothing is written.

mod command_line;
mod examination;
mod extent;
mod finding;
mod groups;
mod payload;
mod place;
mod report;
mod sample;
mod verdicts;

use std::io::{self, Write};

use anyhow::bail;
use clap::ArgMatches;
use geocast_server::{Patterns, RedisInspector, RedisSentinel, SentinelAnswer, StoreError, StoreSettings};

use crate::{
    arguments::DoctorArguments,
    config,
    exit::Exit,
    launch::Launch,
    progress::{Stand, following},
    unreachable::Unreachable,
};

use examination::Examination;
use finding::Level;
use place::Place;
use report::Report;

/// What is looked at.
#[derive(Debug)]
struct Scope {
    /// Channels and hashes with these names; all of them, if there are no patterns.
    names: Option<Patterns>,
    /// So many keys.
    keys: usize,
    /// Whether hashes are to be watched.
    watches: bool,
}

impl Scope {
    fn includes(&self, name: &str) -> bool {
        self.names.as_ref().is_none_or(|names| names.matches(name))
    }
}

/// Looks at a Redis and says what there is.
pub(crate) async fn doctor(arguments: DoctorArguments, typed: &ArgMatches) -> anyhow::Result<Exit> {
    let options = config::resolve(typed)?.arguments.options;
    let redis_options = options.redis_options.clone();
    let launch = Launch::try_from(options)?;
    let StoreSettings::Redis(settings) = &launch.settings.store else { bail!(config::ConfigError::NoRedis) };
    let scope = Scope {
        names: launch.settings.channels.clone(),
        keys: arguments.keys,
        watches: launch.settings.watch.is_some(),
    };
    let url = settings.url.to_string();
    let unreachable = |error: StoreError| Unreachable::redis(&url, &error);
    let stand = Stand::default();
    stand.is(format!("connecting to {url}"));
    let sentinels = following(&stand, RedisInspector::sentinels(settings)).await.map_err(unreachable)?;
    let examining = async {
        let mut inspector = RedisInspector::connect(settings).await?;
        Examination::of(&mut inspector, &scope, &stand).await
    };
    let (mut found, failure) = match following(&stand, examining).await {
        Ok(found) => (found, None),
        Err(error) if sentinels.is_empty() => return Err(unreachable(error).into()),
        Err(error) => (Examination::default(), Some(error)),
    };
    found.failure = failure.as_ref().map(|error| match error {
        StoreError::Unavailable(reason) => reason.clone(),
        other => other.to_string(),
    });
    found.sentinels = sentinels;
    let place = Place::new(settings.url.clone(), &redis_options);
    let report = Report::new(&place, &scope, &found);
    let mut out = io::stdout().lock();
    if arguments.json {
        serde_json::to_writer_pretty(&mut out, &report)?;
        writeln!(out)?;
    } else {
        report.print(&mut out)?;
    }
    // What sentinels say is worth saying without it.
    if let Some(error) = failure {
        return Err(Unreachable::asking(&url, &error, asking(&place, &found.sentinels)).into());
    }
    Ok(if report.worst() >= Level::Warning { Exit::Failure } else { Exit::Success })
}

/// What may help where sentinels are named and no master is found: one of them, who answers, knows more.
fn asking(place: &Place, sentinels: &[RedisSentinel]) -> String {
    let answers = |sentinel: &&RedisSentinel| !matches!(sentinel.answer, SentinelAnswer::Nothing(_));
    sentinels.iter().find(answers).map_or_else(
        || "no sentinel that the URL names answers: start one, or name another".to_owned(),
        |sentinel| {
            let line = command_line::sentinel_cli(place, &sentinel.host_and_port, &["SENTINEL", "MASTERS"]);
            format!("`{line}` says what a sentinel knows")
        },
    )
}
