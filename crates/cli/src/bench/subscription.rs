use geocast_protocol::{Channel, Crs};

use super::{
    engine::{TEXT, write_masked},
    viewports::Viewports,
};

/// What each client says once it is connected.
#[derive(Debug, Default)]
pub(super) struct Subscription {
    viewports: Option<Viewports>,
    after: Vec<String>,
}

impl Subscription {
    /// In the text dialect, as a map client would.
    pub(super) fn text(channel: &Channel, viewports: Option<Viewports>, projection: Option<Crs>) -> Self {
        // Behind the box, which is in degrees.
        let projection = projection.map(|crs| format!("PROJECTION {crs}"));
        Self { viewports, after: projection.into_iter().chain([format!("SUB {channel}")]).collect() }
    }

    /// These frames, in which `{channel}` stands for the channel.
    pub(super) fn custom(frames: &[String], channel: &Channel) -> Self {
        let after = frames.iter().filter(|frame| !frame.is_empty());
        let after = after.map(|frame| frame.replace("{channel}", channel.as_str())).collect();
        Self { viewports: None, after }
    }

    /// Appends what the client of that index says.
    pub(super) fn write(&self, index: usize, out: &mut Vec<u8>) {
        let mut say = |text: &str| write_masked(TEXT, text.as_bytes(), out);
        if let Some(viewports) = &self.viewports {
            say(&viewports.command(index));
        }
        for text in &self.after {
            say(text);
        }
    }
}
