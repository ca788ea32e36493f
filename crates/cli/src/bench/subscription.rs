use geocast_protocol::{Channel, Crs};

use super::{
    engine::{TEXT, write_masked},
    viewports::Viewports,
};

/// What each client says once it is connected.
#[derive(Debug, Default)]
pub(super) struct Subscription {
    before: Vec<String>,
    viewports: Option<Viewports>,
    after: Vec<String>,
}

impl Subscription {
    /// In the text dialect, as a map client would.
    pub(super) fn text(channel: &Channel, viewports: Option<Viewports>, projection: Option<Crs>) -> Self {
        Self {
            before: projection.map(|crs| format!("PROJECTION {crs}")).into_iter().collect(),
            viewports,
            after: vec![format!("SUB {channel}")],
        }
    }

    /// These frames, in which `{channel}` stands for the channel.
    pub(super) fn custom(frames: &[String], channel: &Channel) -> Self {
        let after = frames.iter().filter(|frame| !frame.is_empty());
        let after = after.map(|frame| frame.replace("{channel}", channel.as_str())).collect();
        Self { before: Vec::new(), viewports: None, after }
    }

    /// Appends what the client of that index says.
    pub(super) fn write(&self, index: usize, out: &mut Vec<u8>) {
        let mut say = |text: &str| write_masked(TEXT, text.as_bytes(), out);
        for text in &self.before {
            say(text);
        }
        if let Some(viewports) = &self.viewports {
            say(&viewports.command(index));
        }
        for text in &self.after {
            say(text);
        }
    }
}
