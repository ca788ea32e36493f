use super::{
    figures::{bytes, clock, grouped, rate, time},
    rates::Rates,
    report::{Connection, Report},
};

/// A report as lines.
#[derive(Debug)]
pub(super) struct Table<'a> {
    server: &'a str,
    report: &'a Report,
    rates: &'a Rates,
    /// Why there is no newer report.
    trouble: Option<&'a str>,
}

/// Where the text of a column stands.
#[derive(Debug, Clone, Copy)]
enum Column {
    Left(usize),
    Right(usize),
}

impl<'a> Table<'a> {
    pub(super) fn new(server: &'a str, report: &'a Report, rates: &'a Rates) -> Self {
        Self { server, report, rates, trouble: None }
    }

    /// The same, and why there is no newer one.
    pub(super) fn in_trouble(self, trouble: Option<&'a str>) -> Self {
        Self { trouble, ..self }
    }

    /// Lines of at most so many characters; at most so many of them, if there is no more room.
    pub(super) fn lines(&self, columns: usize, rows: Option<usize>) -> Vec<String> {
        let mut lines = self.head();
        // What is left is for channels and connections, and some of it for errors.
        let left = rows.map_or(usize::MAX, |rows| rows.saturating_sub(lines.len() + HEADINGS));
        let errors = self.errors();
        let errors = &errors[..errors.len().min(if rows.is_some() { left / 4 } else { 10 })];
        let left = left.saturating_sub(errors.len());
        let (channels, connections) = (self.channels(), self.connections());
        let few_channels = channels.len().min(if rows.is_some() { left / 2 } else { usize::MAX });
        let few_connections = connections.len().min(left.saturating_sub(few_channels));
        let few_channels = channels.len().min(left.saturating_sub(few_connections));
        lines.push(String::new());
        lines.push(CHANNELS.into_iter().zip(CHANNEL_HEADS).map(|(column, head)| column.fit(head)).collect());
        lines.extend(channels.into_iter().take(few_channels));
        lines.push(String::new());
        lines.push(
            CONNECTIONS.into_iter().zip(CONNECTION_HEADS).map(|(column, head)| column.fit(head)).collect(),
        );
        lines.extend(connections.into_iter().take(few_connections));
        if !errors.is_empty() {
            lines.push(String::new());
            lines.push("LAST ERRORS (UTC)".to_owned());
            lines.extend(errors.iter().cloned());
        }
        lines.iter().map(|line| cut(line.trim_end(), columns)).collect()
    }

    fn head(&self) -> Vec<String> {
        let Report { server, now, store, workers, .. } = self.report;
        let state = if server.draining { "  stopping" } else { "" };
        let mut lines = vec![format!(
            "geocast {}  {}  up {}{state}",
            server.version,
            self.server,
            time(server.uptime_seconds)
        )];
        if let Some(trouble) = self.trouble {
            lines.push(format!("! {trouble}"));
        }
        let hung = workers.iter().filter(|worker| !worker.up).count();
        if hung > 0 {
            lines.push(format!("! {hung} of {} workers do not answer", workers.len()));
        }
        lines.push(format!(
            "clients  {} of {}, {} slow, {} behind; {} subscriptions, {} tracked, {} channels",
            grouped(now.connections),
            grouped(server.limits.connections),
            grouped(now.slow),
            grouped(now.behind),
            grouped(now.subscriptions),
            grouped(now.tracked),
            grouped(now.channels),
        ));
        lines.push(format!(
            "a second {} messages, {} delivered, {} withheld, {}",
            rate(self.rates.of("events")),
            rate(self.rates.of("delivered")),
            rate(self.rates.of_all("withheld")),
            self.rates.of("bytes_sent").map_or_else(|| "–".to_owned(), bytes),
        ));
        lines.push(format!(
            "waiting  {}, at most {} for one; {} delivered since the start",
            bytes(now.outbox_bytes as f64),
            bytes(now.outbox_largest_bytes as f64),
            grouped(self.report.total("delivered")),
        ));
        let mut line =
            format!("store    {}: {}", store.description, if store.healthy { "well" } else { "in trouble" });
        if let Some(age) = store.probe_age_seconds {
            line += &format!(", heard {} ago", time(age));
        }
        if let Some(round_trip) = store.probe_round_trip_seconds {
            line += &format!(", probed in {}", time(round_trip));
        }
        if store.reconnects > 0 {
            line += &format!(", back {} times", grouped(store.reconnects));
        }
        lines.push(line);
        if let Some(trouble) = &store.trouble {
            lines.push(format!("! {trouble}"));
        }
        lines
    }

    fn channels(&self) -> Vec<String> {
        let mut channels: Vec<_> = self.report.channels.list.iter().collect();
        let rates = |name: &str| self.rates.of_channel(name);
        channels.sort_by(|one, other| {
            let busy = |name: &str| rates(name).map_or(0.0, |rates| rates.deliveries);
            busy(&other.name).total_cmp(&busy(&one.name)).then(other.subscribers.cmp(&one.subscribers))
        });
        let row = |channel: &super::report::Channel| {
            let rates = rates(&channel.name);
            CHANNELS
                .into_iter()
                .zip([
                    channel.name.clone(),
                    grouped(channel.subscribers),
                    rate(rates.map(|rates| rates.events)),
                    rate(rates.map(|rates| rates.deliveries)),
                    grouped(channel.events),
                    grouped(channel.deliveries),
                ])
                .map(|(column, text)| column.fit(&text))
                .collect()
        };
        let mut rows: Vec<String> = channels.into_iter().map(row).collect();
        if self.report.channels.truncated {
            rows.push("… and more".to_owned());
        }
        rows
    }

    fn connections(&self) -> Vec<String> {
        let shown = self.report.worst_first();
        let mut rows: Vec<String> = shown.iter().map(|connection| connection_row(connection)).collect();
        let more = self.report.now.connections.saturating_sub(shown.len() as u64);
        if more > 0 {
            rows.push(format!("… and {} more", grouped(more)));
        }
        rows
    }

    fn errors(&self) -> Vec<String> {
        let errors = self.report.errors.list.iter();
        errors.map(|error| format!("{}  {:<5}  {}", clock(error.at), error.level, error.text)).collect()
    }
}

fn connection_row(connection: &Connection) -> String {
    let state = match (connection.blocked, connection.behind) {
        (true, _) => "slow",
        (false, true) => "behind",
        (false, false) => "",
    };
    let viewport = connection.viewport.as_ref().map_or("everywhere", |viewport| &viewport.crs);
    let mut channels = connection.channels.names.join(" ");
    let more = connection.channels.count.saturating_sub(connection.channels.names.len() as u64);
    if more > 0 {
        channels += &format!(" +{more}");
    }
    CONNECTIONS
        .into_iter()
        .zip([
            connection.id.to_string(),
            connection.address.clone(),
            state.to_owned(),
            bytes(connection.waiting_bytes as f64),
            grouped(connection.delivered),
            viewport.to_owned(),
            connection.dialect.trim_start_matches("geocast.").to_owned(),
            time(connection.age_seconds),
            channels,
        ])
        .map(|(column, text)| column.fit(&text))
        .collect()
}

impl Column {
    /// A text in its column, with two spaces behind it. Of a number, no digit is left out.
    fn fit(self, text: &str) -> String {
        match self {
            Self::Left(width) => format!("{:<width$}  ", cut(text, width)),
            Self::Right(width) => format!("{text:>width$}  "),
        }
    }
}

/// The beginning of a text, if it is too long. What a terminal would obey is shown instead.
fn cut(text: &str, width: usize) -> String {
    let mut plain = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() {
            plain.extend(character.escape_default());
        } else {
            plain.push(character);
        }
    }
    match plain.char_indices().nth(width) {
        None => plain,
        Some(_) => plain.chars().take(width.saturating_sub(1)).chain(['…']).collect(),
    }
}

/// A terminal of 80 columns has room for all of them, if the numbers are not large.
const CHANNELS: [Column; 6] = [
    Column::Left(20),
    Column::Right(8),
    Column::Right(10),
    Column::Right(11),
    Column::Right(10),
    Column::Right(10),
];
const CHANNEL_HEADS: [&str; 6] = ["CHANNEL", "CLIENTS", "MESSAGES/s", "DELIVERED/s", "MESSAGES", "DELIVERED"];
/// What matters most is what a narrow terminal shows.
const CONNECTIONS: [Column; 9] = [
    Column::Left(6),
    Column::Left(21),
    Column::Left(6),
    Column::Right(8),
    Column::Right(9),
    Column::Left(10),
    Column::Left(8),
    Column::Right(11),
    Column::Left(60),
];
const CONNECTION_HEADS: [&str; 9] =
    ["CLIENT", "ADDRESS", "STATE", "WAITING", "DELIVERED", "VIEWPORT", "DIALECT", "AGE", "CHANNELS"];

/// Lines of headings, and those that are left free.
const HEADINGS: usize = 6;

#[cfg(test)]
pub(super) mod tests;
