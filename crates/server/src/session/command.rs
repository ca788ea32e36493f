use std::time::Duration;

use geocast_geo_filter::{Bbox, KnownCrs};
use geocast_protocol::{Channel, Crs, text};

use super::{Buffering, Effect, Fetch, Noted, Reply, Session, Viewport};
use crate::Count;

/// One method per command of the text dialect.
impl Session {
    pub(super) fn apply(&mut self, command: text::Command, noted: &mut Noted) -> Result<(), Reply> {
        match command {
            text::Command::Get { channel, key, client_reference } => {
                self.get(Fetch { channel, key, client_reference, crs: None }, noted);
            }
            text::Command::Pget { channel, key, client_reference, crs } => {
                let crs = Some(self.known(crs)?);
                self.get(Fetch { channel, key, client_reference, crs }, noted);
            }
            text::Command::Subscribe { channel } => self.subscribe(channel, noted)?,
            text::Command::Unsubscribe { channel } => self.unsubscribe(channel),
            text::Command::Ping { client_reference } => {
                self.waiting.effects.push(Effect::Reply(Reply::Pong { client_reference }));
            }
            text::Command::Bbox(None) => {
                self.view.viewport = None;
                self.waiting.view = true;
                self.reset();
            }
            text::Command::Bbox(Some(bbox)) => self.look_at(&bbox, noted)?,
            text::Command::Projection(crs) => {
                self.view.output = self.known(crs)?;
                self.waiting.view = true;
            }
            text::Command::Buffer { milliseconds, count } => self.buffer(milliseconds, count)?,
            text::Command::Reset => self.reset(),
        }
        Ok(())
    }

    fn get(&mut self, fetch: Fetch, noted: &mut Noted) {
        let effect = if self.rules.access.reads(&fetch.channel) {
            Effect::Fetch(fetch)
        } else {
            noted.0.push(Count::ChannelRefused);
            Effect::Reply(Reply::Nothing(fetch))
        };
        self.waiting.effects.push(effect);
    }

    fn subscribe(&mut self, channel: Channel, noted: &mut Noted) -> Result<(), Reply> {
        if !self.rules.access.reads(&channel) {
            noted.0.push(Count::ChannelRefused);
            return Ok(());
        }
        if self.explicit.contains(&channel) {
            return Ok(());
        }
        if !self.implicit.remove(&channel) {
            let limit = self.rules.settings.limits.subscriptions;
            if self.explicit.len() + self.implicit.len() >= limit {
                noted.0.push(Count::SubscriptionRefused);
                let message = format!("channel `{channel}` would be one more than the {limit} allowed");
                return Err(Reply::Error { code: "too_many_subscriptions", message });
            }
            self.waiting.effects.push(Effect::Subscribe(channel.clone()));
        }
        self.explicit.insert(channel);
        Ok(())
    }

    fn unsubscribe(&mut self, channel: Channel) {
        if self.explicit.remove(&channel) || self.implicit.remove(&channel) {
            self.waiting.effects.push(Effect::Unsubscribe(channel));
        }
    }

    fn look_at(&mut self, bbox: &text::Bbox, noted: &mut Noted) -> Result<(), Reply> {
        let crs = bbox.crs.map_or(Ok(self.view.output), |crs| self.known(crs))?;
        let corners = [bbox.left, bbox.bottom, bbox.right, bbox.top].map(f64::from);
        let rectangle = Bbox::try_from(corners)
            .map_err(|error| Reply::Error { code: "invalid_bbox", message: error.to_string() })?;
        self.view.viewport = Some(Viewport { bbox: rectangle, crs, members: bbox.members });
        self.waiting.view = true;
        self.start_viewport_channels(noted);
        Ok(())
    }

    fn start_viewport_channels(&mut self, noted: &mut Noted) {
        let rules = std::sync::Arc::clone(&self.rules);
        for channel in &rules.settings.viewport_channels {
            if self.explicit.contains(channel) || self.implicit.contains(channel) {
                continue;
            }
            if !rules.access.reads(channel) {
                noted.0.push(Count::ChannelRefused);
            } else if self.explicit.len() + self.implicit.len() >= rules.settings.limits.subscriptions {
                noted.0.push(Count::SubscriptionRefused);
            } else {
                self.implicit.insert(channel.clone());
                self.waiting.effects.push(Effect::Subscribe(channel.clone()));
            }
        }
    }

    fn reset(&mut self) {
        let dropped = std::mem::take(&mut self.implicit);
        self.waiting.effects.extend(dropped.into_iter().map(Effect::Unsubscribe));
    }

    fn buffer(&mut self, milliseconds: u32, count: u32) -> Result<(), Reply> {
        let (longest, most) = self.rules.settings.limits.buffer;
        if milliseconds > longest || count > most {
            let message = format!(
                "buffer of {milliseconds} ms and {count} messages is above the allowed {longest} ms and {most} messages"
            );
            return Err(Reply::Error { code: "buffer_too_large", message });
        }
        // A bound of zero stands for none, so the other one decides alone.
        self.buffering = (milliseconds > 0 || count > 0).then(|| Buffering {
            wait: Duration::from_millis(u64::from(if milliseconds == 0 { longest } else { milliseconds })),
            count: if count == 0 { most as usize } else { count as usize },
        });
        self.waiting.buffering = true;
        Ok(())
    }

    fn known(&self, crs: Crs) -> Result<KnownCrs, Reply> {
        self.rules.catalogue.crs(crs.code()).ok_or_else(|| Reply::Error {
            code: "unknown_crs",
            message: format!("coordinate reference system `{crs}` is not known here"),
        })
    }
}
