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
    pushes: Pushes,
}

/// What each client gets then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Pushes {
    /// What was published, in its order.
    #[default]
    Messages,
    /// What enters, changes and leaves.
    Changes,
}

impl Subscription {
    /// In the text dialect, as a map client would.
    pub(super) fn text(channel: &Channel, viewports: Option<Viewports>, projection: Option<Crs>) -> Self {
        // Behind the box, which is in degrees.
        let projection = projection.map(|crs| format!("PROJECTION {crs}"));
        let after = projection.into_iter().chain([format!("SUB {channel}")]).collect();
        Self { viewports, after, pushes: Pushes::Messages }
    }

    /// In the text dialect, as a map client that is told what is on its map.
    pub(super) fn tracked(channel: &Channel, viewports: Viewports) -> Self {
        let after = vec![format!("SUB {channel} track")];
        Self { viewports: Some(viewports), after, pushes: Pushes::Changes }
    }

    /// These frames, in which `{channel}` stands for the channel.
    pub(super) fn custom(frames: &[String], channel: &Channel) -> Self {
        let after = frames.iter().filter(|frame| !frame.is_empty());
        let after = after.map(|frame| frame.replace("{channel}", channel.as_str())).collect();
        Self { viewports: None, after, pushes: Pushes::Messages }
    }

    pub(super) fn pushes(&self) -> Pushes {
        self.pushes
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
