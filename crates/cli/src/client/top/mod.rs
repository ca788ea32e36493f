//! `geocast top`: what goes on in a running server, for its operator.
//!
//! | Module | Holds |
//! |---|---|
//! | `asking` | the question to the server, and its answer |
//! | `report` | what the server says of itself |
//! | `rates` | what came between two answers |
//! | `figures` | numbers as people read them |
//! | `table` | all of it as lines |
//! | `screen` | a terminal that is drawn anew, and is left as it was |
//! | `keys` | what is typed meanwhile |

mod asking;
mod figures;
mod keys;
mod rates;
mod report;
mod screen;
mod table;

use std::io::{self, IsTerminal, Write};

use tokio::{
    signal::unix::{SignalKind, signal},
    time::{Instant, sleep, sleep_until},
};

use self::{asking::Asking, keys::Keys, rates::Rates, report::Report, screen::Screen, table::Table};
use crate::{arguments::TopArguments, exit::Exit, progress::waiting};

/// Shows it until somebody has seen enough: once, where nobody sits before a terminal.
pub(crate) async fn top(arguments: TopArguments) -> anyhow::Result<Exit> {
    let asking = Asking::new(&arguments)?;
    let what = format!("waiting for {}", asking.server());
    let first = waiting(&what, asking.ask()).await?;
    if arguments.json || arguments.once || !io::stdout().is_terminal() {
        waiting("waiting for what comes in the meantime", sleep(arguments.interval)).await;
        let second = waiting(&what, asking.ask()).await?;
        let mut out = io::stdout().lock();
        if arguments.json {
            writeln!(out, "{}", rates::object(&first, second)?)?;
        } else {
            let (first, second) = (Report::read(first)?, Report::read(second)?);
            let rates = Rates::between(&first, &second);
            for line in Table::new(&asking.server(), &second, &rates).lines(usize::MAX, None) {
                writeln!(out, "{line}")?;
            }
        }
        return Ok(Exit::Success);
    }
    live(&arguments, &asking, Report::read(first)?).await
}

/// Draws anew after each interval, until `q` is typed or a signal comes.
async fn live(arguments: &TopArguments, asking: &Asking, first: Report) -> anyhow::Result<Exit> {
    // From here on the terminal is to be given back as it was, also when a signal comes.
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let mut hang_up = signal(SignalKind::hangup())?;
    let mut resized = signal(SignalKind::window_change())?;
    let mut screen = Screen::open()?;
    let mut keys = Keys::listen();
    let server = asking.server();
    let mut rates = Rates::none();
    let (mut latest, mut trouble) = (first, None);
    loop {
        screen.draw(|lines, columns| {
            let table = Table::new(&server, &latest, &rates).in_trouble(trouble.as_deref());
            table.lines(columns, Some(lines))
        })?;
        let due = Instant::now() + arguments.interval;
        let is_due = tokio::select! {
            () = sleep_until(due) => true,
            _ = resized.recv() => false,
            _ = interrupt.recv() => return Ok(Exit::Success),
            _ = terminate.recv() => return Ok(Exit::Success),
            _ = hang_up.recv() => return Ok(Exit::Success),
            () = keys.quit() => return Ok(Exit::Success),
        };
        if !is_due {
            continue;
        }
        let asked = tokio::select! {
            asked = asking.ask() => asked.and_then(Report::read),
            _ = interrupt.recv() => return Ok(Exit::Success),
            _ = terminate.recv() => return Ok(Exit::Success),
            _ = hang_up.recv() => return Ok(Exit::Success),
            () = keys.quit() => return Ok(Exit::Success),
        };
        match asked {
            Ok(next) => {
                rates = Rates::between(&latest, &next);
                (latest, trouble) = (next, None);
            }
            // Servers come back.
            Err(error) => trouble = Some(format!("{error:#}")),
        }
    }
}
