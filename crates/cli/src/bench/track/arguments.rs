use std::{num::NonZeroUsize, str::FromStr};

use clap::Args;

use crate::{
    bench::{
        arguments::{KeyOption, LoadOptions, RunOptions, ServerOptions},
        viewports::ViewportSize,
    },
    units,
};

/// `geocast bench track`
#[derive(Debug, Args)]
pub(in crate::bench) struct TrackArguments {
    #[command(flatten)]
    pub(super) load: LoadOptions,
    /// How many features there are; each message moves one of them
    #[arg(long, value_name = "N", value_parser = features, default_value = "20000", help_heading = "Load")]
    pub(super) features: u32,
    /// More features, which stand where nobody looks
    #[arg(long, value_name = "N", value_parser = elsewhere, default_value = "0", help_heading = "Load")]
    pub(super) elsewhere: u32,
    /// How far a message moves a feature at most, in degrees
    #[arg(
        long,
        value_name = "DEGREES",
        value_parser = step,
        default_value = "0.1",
        hide_short_help = true,
        help_heading = "Load"
    )]
    pub(super) step: f64,
    /// A viewport of this size in degrees for each client; features are on 360x160
    #[arg(long, value_name = "random:WxH", default_value = "random:36x16", help_heading = "Load")]
    pub(super) viewports: ViewportSize,
    /// How far each client pans in the end, in widths of its viewport
    #[arg(long, value_name = "PART", value_parser = part, default_value = "0.25", help_heading = "Load")]
    pub(super) pan: f64,
    /// Clients that pan at once; the next ones when these have everything
    #[arg(
        long,
        value_name = "N",
        value_parser = units::positive,
        default_value = "1",
        hide_short_help = true,
        help_heading = "Load"
    )]
    pub(super) pan_burst: NonZeroUsize,
    #[command(flatten)]
    pub(super) key: KeyOption,
    #[command(flatten)]
    pub(super) server: ServerOptions,
    #[command(flatten)]
    pub(super) run: RunOptions,
}

fn features(text: &str) -> Result<u32, String> {
    within(text, 1, FEATURES)
}

fn elsewhere(text: &str) -> Result<u32, String> {
    within(text, 0, FEATURES)
}

/// Less is lost with the decimals of a coordinate.
fn step(text: &str) -> Result<f64, String> {
    within(text, 1e-5, 10.0)
}

fn part(text: &str) -> Result<f64, String> {
    within(text, 0.001, 10.0)
}

fn within<T: FromStr + PartialOrd + Copy + std::fmt::Display>(
    text: &str,
    least: T,
    most: T,
) -> Result<T, String> {
    let number = text.parse().ok().filter(|number| least <= *number && *number <= most);
    number.ok_or_else(|| format!("{text:?} is no number from {least} to {most}"))
}

/// Each takes some hundred bytes here, and more in the server.
const FEATURES: u32 = 1_000_000;

pub(in crate::bench) const TRACK_EXAMPLES: &str = "\
Features are set in the state of the channel and move by small steps; each
client looks at a part of the world and is told what enters, changes and leaves
there. In the end each pans once, and gets the difference. What everybody has to
be told is counted here as well, and compared.

Examples:
  geocast bench track --spawn
  geocast bench track --spawn --connections 10000 --messages 5000 --rate 200
  geocast bench track --spawn --elsewhere 200000
  geocast bench track --spawn --viewports random:1x1 --burst 100

Exit codes: 0 measured; 1 failed, or a client was told more or less; 2 bad
option; 4 server not reached.";
