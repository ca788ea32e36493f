use geocast_protocol::{
    ChangeFormat, Channel, Crs, Offset, Word,
    envelope::{self, ClientReference, Content, Envelope, Source, Timestamp},
    text,
};

use super::{Answer, Commands, Dialect, Kind, Message, Payload, Push, Told, Wrap};
use crate::{
    AbsentClientReference, Count,
    session::{Conversation, Fault, FaultKind, Fetch, Receipt, Wishes},
};

/// The text dialect: commands of one line, envelopes in return.
#[derive(Debug)]
pub(crate) struct Text {
    absent: AbsentClientReference,
    added: Commands,
}

impl Text {
    pub(crate) fn new(absent: AbsentClientReference) -> Self {
        Self { absent, added: Commands::default() }
    }

    /// The same with further commands.
    pub(crate) fn with(self, added: Commands) -> Self {
        Self { added, ..self }
    }

    fn envelope(
        &self,
        source: Source<'_>,
        content: Content<'_>,
        now: Timestamp,
        reference: Option<&str>,
    ) -> Payload {
        let client_reference = reference.map_or_else(|| self.absent.into(), ClientReference::Given);
        Payload::text(Envelope { source, content, timestamp: now, client_reference }.to_vec())
    }

    /// What the state holds, each value in an envelope of its own; without any, one that says so.
    fn values(&self, fetch: &Fetch, values: &[Content<'_>], now: Timestamp) -> Vec<Payload> {
        let source = match &fetch.key {
            Some(key) => Source::Key(&fetch.channel, key.as_str()),
            None => Source::Channel(&fetch.channel),
        };
        let values = if values.is_empty() { &[Content::Null] } else { values };
        let reference = fetch.reference.as_deref();
        values.iter().map(|value| self.envelope(source, *value, now, reference)).collect()
    }

    /// Says from where on a client gets a channel, if it asked for that.
    fn subscribed(
        &self,
        channel: &Channel,
        position: Option<(Offset, &Word)>,
        recovered: Option<bool>,
        now: Timestamp,
    ) -> Payload {
        let mut subscribed = serde_json::json!({ "channel": channel.as_str() });
        if let Some((offset, epoch)) = position {
            subscribed["offset"] = match offset {
                Offset::Number(number) => number.into(),
                Offset::Entry(..) => offset.to_string().into(),
            };
            subscribed["epoch"] = epoch.as_str().into();
        }
        if let Some(recovered) = recovered {
            subscribed["recovered"] = recovered.into();
        }
        let content = serde_json::json!({ "subscribed": subscribed }).to_string();
        self.envelope(Source::Websocket, Content::Json(content.as_bytes()), now, None)
    }

    fn error(&self, code: &str, message: &str, now: Timestamp, reference: Option<&str>) -> Payload {
        self.envelope(Source::Websocket, Content::Error { code, message }, now, reference)
    }

    fn apply(&self, command: text::Command, conversation: &mut Conversation<'_>) -> Result<(), Fault> {
        match command {
            text::Command::Get { channel, key, client_reference } => {
                self.get(Fetch::new(channel, key).under(client_reference), None, conversation);
                Ok(())
            }
            text::Command::Pget { channel, key, client_reference, crs } => {
                self.get(Fetch::new(channel, key).under(client_reference), Some(crs), conversation);
                Ok(())
            }
            // A refused channel is silence here; it has been counted.
            text::Command::Subscribe { channel, track, since } => {
                let subscribed = match (track, since) {
                    (Some(format), since) => {
                        // All there is follows in the place of what was missed.
                        let done =
                            since.map(|_| self.subscribed(&channel, None, Some(false), conversation.now()));
                        let receipt = done.map(|done| Receipt { reference: "".into(), done: Some(done) });
                        conversation.track(channel, format, receipt)
                    }
                    (None, Some(since)) => conversation.resume(channel, Some(since), None),
                    (None, None) => conversation.subscribe(channel, None),
                };
                match subscribed {
                    Err(fault) if fault.kind == FaultKind::AccessDenied => Ok(()),
                    outcome => outcome,
                }
            }
            text::Command::Unsubscribe { channel } => {
                conversation.unsubscribe(&channel);
                Ok(())
            }
            text::Command::Ping { client_reference } => {
                let reference = client_reference.as_ref().map(|word| word.as_str());
                let pong = self.envelope(Source::Websocket, Content::Pong, conversation.now(), reference);
                conversation.say(pong);
                Ok(())
            }
            text::Command::Bbox(None) => {
                conversation.change_view(|view| (view.viewport, view.wishes) = (None, Wishes::default()));
                conversation.reset();
                Ok(())
            }
            text::Command::Bbox(Some(bbox)) => self.look_at(&bbox, conversation),
            text::Command::Projection(crs) => {
                let crs = conversation.known(crs)?;
                conversation.change_view(|view| view.output = crs);
                Ok(())
            }
            text::Command::Buffer { milliseconds, count } => {
                conversation.buffer(milliseconds, count).map(|_buffering| ())
            }
            text::Command::Reset => {
                conversation.reset();
                Ok(())
            }
        }
    }

    /// Carries out a command that is none of the dialect's own.
    fn run_added(&self, frame: &str, conversation: &mut Conversation<'_>) {
        let Some((handler, arguments)) = self.added.find(frame) else {
            return conversation.count(Count::CommandUnknown);
        };
        if let Some(content) = handler.run(arguments, conversation) {
            let content = content.to_string();
            let content = Content::Json(content.as_bytes());
            let answer = self.envelope(Source::Websocket, content, conversation.now(), None);
            conversation.say(answer);
        }
    }

    /// What may not be read is answered like what does not exist.
    fn get(&self, fetch: Fetch, crs: Option<Crs>, conversation: &mut Conversation<'_>) {
        let crs = match crs.map(|crs| conversation.known(crs)).transpose() {
            Ok(crs) => crs,
            Err(fault) => {
                conversation.count(Count::CommandMalformed);
                let (code, reference) = (fault.kind.code(), fetch.reference.as_deref());
                return conversation.say(self.error(code, &fault.message, conversation.now(), reference));
            }
        };
        let fetch = Fetch { crs, ..fetch };
        if conversation.may_read(&fetch.channel).is_ok() {
            conversation.get(fetch);
        } else {
            let nothing = self.values(&fetch, &[], conversation.now());
            nothing.into_iter().for_each(|payload| conversation.say(payload));
        }
    }

    fn look_at(&self, bbox: &text::Bbox, conversation: &mut Conversation<'_>) -> Result<(), Fault> {
        let corners = [bbox.left, bbox.bottom, bbox.right, bbox.top].map(f64::from);
        let viewport = conversation.viewport(corners, bbox.crs, bbox.members, bbox.zoom)?;
        let wishes = Wishes::read(conversation.settings(), bbox)?;
        conversation.change_view(|view| (view.viewport, view.wishes) = (Some(viewport), wishes));
        conversation.start_viewport_channels();
        Ok(())
    }
}

impl Dialect for Text {
    fn name(&self) -> &'static str {
        "geocast.text"
    }

    fn open(&self, conversation: &mut Conversation<'_>) {
        let open = self.envelope(Source::Websocket, Content::Open, conversation.now(), None);
        conversation.say(open);
    }

    fn receive(&self, message: Message<'_>, conversation: &mut Conversation<'_>) {
        let now = conversation.now();
        let error = match message {
            Message::Binary(bytes) => {
                let message = format!("a command is a text frame, not a binary one of {} bytes", bytes.len());
                Some(self.error("binary_frame", &message, now, None))
            }
            Message::Text(frame) => match frame.parse::<text::Command>() {
                Ok(command) => {
                    let fault = self.apply(command, conversation).err();
                    fault.map(|fault| self.error(fault.kind.code(), &fault.message, now, None))
                }
                Err(error) if error.kind.is_unknown_command() => {
                    self.run_added(frame, conversation);
                    None
                }
                Err(error) => {
                    let reference = error.client_reference.as_ref().map(|word| word.as_str());
                    Some(self.error(error.kind.code(), &error.to_string(), now, reference))
                }
            },
        };
        if let Some(error) = error {
            conversation.count(Count::CommandMalformed);
            conversation.say(error);
        }
    }

    fn push(&self, push: &Push<'_>, buffer: &mut Vec<u8>) -> Kind {
        let mut change = Vec::new();
        if let Some(Told { change: told, format }) = push.change {
            match format {
                ChangeFormat::Changes => told.write(&mut change),
                ChangeFormat::Maplibre => told.write_diff(&mut change),
            }
        }
        let content = if push.change.is_some() { Content::Json(&change) } else { push.content };
        let envelope = Envelope {
            source: Source::Channel(push.channel),
            content,
            timestamp: push.published,
            client_reference: self.absent.into(),
        };
        match push.offset {
            Some(offset) => envelope.write_at(offset, buffer),
            None => envelope.write(buffer),
        }
        Kind::Text
    }

    fn answer(&self, answer: Answer<'_>, now: Timestamp) -> Vec<Payload> {
        match answer {
            Answer::Values { fetch, values, .. } => self.values(fetch, values, now),
            // Nothing in this dialect asks for one.
            Answer::Report { .. }
            | Answer::History { .. }
            | Answer::Presence { .. }
            | Answer::Published { .. } => Vec::new(),
            Answer::Subscribed { channel, offset, epoch, recovered, .. } => {
                vec![self.subscribed(channel, Some((offset, epoch)), recovered, now)]
            }
            Answer::Ended { fault, .. } => {
                vec![self.error(fault.kind.code(), &fault.message, now, None)]
            }
            Answer::Failed { reference, fault } => {
                vec![self.error(fault.kind.code(), &fault.message, now, reference)]
            }
        }
    }

    fn gap(&self, channel: &Channel, now: Timestamp) -> Option<Payload> {
        let channel = serde_json::Value::from(channel.as_str());
        let content = serde_json::json!({ "gap": { "channel": channel } }).to_string();
        Some(self.envelope(Source::Websocket, Content::Json(content.as_bytes()), now, None))
    }

    fn wrap(&self, now: Timestamp) -> Option<Wrap> {
        Some(Wrap {
            prefix: envelope::buffer_prefix(),
            separator: envelope::BUFFER_SEPARATOR,
            suffix: envelope::buffer_suffix(now, self.absent.into()),
        })
    }
}

impl From<AbsentClientReference> for ClientReference<'_> {
    fn from(absent: AbsentClientReference) -> Self {
        match absent {
            AbsentClientReference::Null => Self::Null,
            AbsentClientReference::Empty => Self::Empty,
        }
    }
}
