use std::sync::LazyLock;

use geocast_protocol::{
    Channel, Json, Since,
    envelope::{Source, Timestamp},
    rpc::{self, Call, Corners, Error, Frame, Id, Outcome, PropertyFilter, Refusal, Request},
    text::Members,
};

use super::{Answer, Dialect, Kind, Message, Payload, Push, Told, Wrap};
use crate::{
    Count, Fields, Place, PropertyFilters,
    session::{
        Conversation, Fault, FaultKind, Fetch, Muster, Publication, Recall, Receipt, Report, Sent, Thinning,
        View, Viewport, Wishes, name_of,
    },
};

/// JSON-RPC 2.0: every call is answered with what is in force from then on.
#[derive(Debug)]
pub(crate) struct Rpc;

impl Rpc {
    fn call(request: &Request, conversation: &mut Conversation<'_>) {
        let outcome = match &request.call {
            Ok(call) => Self::apply(call, request.id.as_ref(), conversation),
            Err(error) => Err(error.clone()),
        };
        if let Err(error) = outcome {
            if error.refusal().is_none() {
                conversation.count(Count::CommandMalformed);
            }
            if let Some(id) = &request.id {
                conversation.say(refuse(id, &error));
            }
        }
    }

    fn apply(call: &Call, id: Option<&Id>, conversation: &mut Conversation<'_>) -> Result<(), Error> {
        let receipt = |outcome: &Outcome<'_>| {
            id.map(|id| Receipt { reference: id.as_json().into(), done: Some(accept(id, outcome)) })
        };
        let say = |conversation: &mut Conversation<'_>, outcome: &Outcome<'_>| {
            if let Some(id) = id {
                conversation.say(accept(id, outcome));
            }
        };
        match call {
            Call::Ping { data } => say(conversation, &Outcome::Pong(data.as_ref())),
            Call::Get { channel, key, projection } => {
                conversation.may_read(channel)?;
                let crs = projection.map(|crs| conversation.known(crs)).transpose()?;
                // A read whose result nobody gets is none.
                if let Some(id) = id {
                    let fetch = Fetch::new(channel.clone(), key.clone());
                    conversation.get(Fetch { crs, reference: Some(id.as_json().into()), ..fetch });
                }
            }
            Call::Subscribe { since: None, epoch: Some(epoch), .. }
            | Call::History { since: None, epoch: Some(epoch), .. } => {
                let (value, reason) = (epoch.as_str().to_owned(), "needs since".to_owned());
                return Err(Error::BadParameter { parameter: "epoch", value, reason });
            }
            Call::Subscribe { track: None | Some(false), format: Some(format), .. } => {
                let (value, reason) = (format.as_str().to_owned(), "needs track to be true".to_owned());
                return Err(Error::BadParameter { parameter: "format", value, reason });
            }
            Call::Subscribe { channel, track, format, since, epoch, presence, info } => {
                let tracked = track.unwrap_or(false);
                let watches = presence.unwrap_or(false);
                if watches || info.is_some() {
                    conversation.must_have_presence(channel)?;
                }
                let (named, info) = (channel, info.clone());
                // Who tracks gets all there is in the place of what was missed.
                let recovered = since.map(|_| false);
                let outcome =
                    Outcome::Subscribed { channel, tracked, position: None, recovered, presence: watches };
                let (channel, receipt) = (channel.clone(), receipt(&outcome));
                if !tracked && (since.is_some() || conversation.has_history(&channel)) {
                    let since = since.map(|offset| Since { offset: Some(offset), epoch: epoch.clone() });
                    let receipt = receipt.map(|receipt| Receipt { done: None, ..receipt });
                    conversation.resume(channel, since, receipt)?;
                } else if tracked {
                    conversation.track(channel, format.unwrap_or_default(), receipt)?;
                } else {
                    conversation.subscribe(channel, receipt)?;
                }
                conversation.attend(named, info, watches);
            }
            Call::Unsubscribe { channel } => {
                conversation.unsubscribe(channel);
                say(conversation, &Outcome::Unsubscribed { channel });
            }
            Call::Viewport {
                bbox,
                crs,
                zoom,
                properties,
                members,
                fields,
                precision,
                tolerance,
                min_move,
            } => {
                let members = members.unwrap_or(Members::Whole);
                let viewport = |bbox: &Corners| {
                    let corners = [bbox.left, bbox.bottom, bbox.right, bbox.top].map(f64::from);
                    conversation.viewport(corners, *crs, members, *zoom)
                };
                let viewport = bbox.as_ref().map(viewport).transpose()?;
                let wishes = Wishes {
                    properties: PropertyFilters::new(properties.iter().flatten()),
                    thinning: Thinning::new(*zoom, *precision, *tolerance, *min_move)?,
                    fields: fields.as_ref().map(|names| names.iter().map(String::as_str).collect()),
                };
                let view = View { output: conversation.view().output, viewport, wishes };
                let properties = view.wishes.properties.to_wire();
                let receipt = receipt(&Outcome::Viewport(in_force(&view, &properties)));
                if bbox.is_none() {
                    conversation.reset();
                }
                conversation.look(|seen| *seen = view, receipt);
                if bbox.is_some() {
                    conversation.start_viewport_channels();
                }
            }
            Call::Projection { crs } => {
                let known = conversation.known(*crs)?;
                let receipt = receipt(&Outcome::Projection { crs: *crs });
                conversation.look(|view| view.output = known, receipt);
            }
            Call::Buffer { milliseconds, count } => {
                let (milliseconds, count) = conversation.buffer(*milliseconds, *count)?;
                say(conversation, &Outcome::Buffer { milliseconds, count });
            }
            Call::Publish { channel, data, key } => {
                let outcome = Outcome::Published { channel, key: key.as_ref(), position: None };
                let publication = Publication {
                    channel: channel.clone(),
                    key: key.clone(),
                    payload: data.as_bytes().to_vec().into(),
                };
                conversation.publish(publication, receipt(&outcome))?;
            }
            Call::History { channel, since, epoch, limit } => {
                conversation.may_read(channel)?;
                let since = since.map(|offset| Since { offset: Some(offset), epoch: epoch.clone() });
                // A read whose result nobody gets is none.
                let reference = id.map_or("", Id::as_json).into();
                let most = limit.map_or(MESSAGES, |limit| limit as usize);
                conversation.history(Recall { channel: channel.clone(), since, most, reference })?;
            }
            Call::Presence { channel, limit } => {
                conversation.must_have_presence(channel)?;
                // A question whose answer nobody gets is none.
                if let Some(id) = id {
                    let most = limit.map_or(ENTRIES, |limit| limit as usize).min(MOST_ENTRIES);
                    let reference = id.as_json().into();
                    conversation.muster(Muster { channel: channel.clone(), most, reference });
                }
            }
            Call::Session {} => {
                if let Some(id) = id {
                    conversation.report(id.as_json().into());
                }
            }
            Call::Discover {} => {
                say(conversation, &Outcome::Description(&DESCRIPTION));
            }
        }
        Ok(())
    }

    fn described(reference: &str, report: &Report<'_>) -> Payload {
        let view = report.view;
        let properties = view.wishes.properties.to_wire();
        let is_limited = view.viewport.is_some() || view.wishes != Wishes::default();
        let viewport = is_limited.then(|| in_force(view, &properties));
        let accounts: Vec<rpc::Account<'_>> = report
            .accounts
            .iter()
            .map(|account| rpc::Account {
                channel: &account.channel,
                tracked: account.is_tracked,
                events: account.events,
                granted: account.granted,
                withheld: &account.withheld,
            })
            .collect();
        let Sent { granted, delivered, waiting, replaced, slow } = report.sent;
        let outcome = Outcome::Session {
            channels: report.channels,
            crs: name_of(report.view.output),
            viewport,
            withheld: report.withheld,
            accounts: &accounts,
            connection: rpc::Sent { granted, delivered, waiting, replaced, slow },
        };
        answer(reference, Ok(&outcome))
    }
}

impl Dialect for Rpc {
    fn name(&self) -> &'static str {
        "geocast.rpc"
    }

    fn receive(&self, message: Message<'_>, conversation: &mut Conversation<'_>) {
        let text = match message {
            Message::Text(text) => Ok(text),
            Message::Binary(bytes) => std::str::from_utf8(bytes),
        };
        match text.map(|text| Frame::read(text, Frame::MAX_CALLS)) {
            Ok(Frame::Single(request)) => Self::call(&request, conversation),
            Ok(Frame::Batch(requests)) => conversation.gather(|conversation| {
                for (index, request) in requests.iter().enumerate() {
                    // The frame itself has been counted.
                    if index > 0 {
                        conversation.spend();
                    }
                    Self::call(request, conversation);
                }
            }),
            Err(error) => {
                conversation.count(Count::CommandMalformed);
                conversation.say(refuse(&Id::null(), &Error::Parse { reason: error.to_string() }));
            }
        }
    }

    fn push(&self, push: &Push<'_>, buffer: &mut Vec<u8>) -> Kind {
        let (source, timestamp) = (Source::Channel(push.channel), push.published);
        match push.change {
            Some(Told { change, format }) => {
                rpc::Changed { source, change, format, timestamp }.write(buffer);
            }
            None => {
                let message = rpc::Message { source, content: push.content, timestamp };
                match push.offset {
                    Some(offset) => message.write_at(offset, buffer),
                    None => message.write(buffer),
                }
            }
        }
        Kind::Text
    }

    fn answer(&self, answer_to: Answer<'_>, now: Timestamp) -> Vec<Payload> {
        match answer_to {
            Answer::Values { fetch, crs, values } => {
                let Some(reference) = fetch.reference.as_deref() else { return Vec::new() };
                let (channel, key) = (&fetch.channel, fetch.key.as_ref());
                vec![answer(reference, Ok(&Outcome::Values { channel, key, crs, values }))]
            }
            Answer::Report { reference, report } => vec![Self::described(reference, report)],
            Answer::Subscribed {
                reference: Some(reference),
                channel,
                offset,
                epoch,
                recovered,
                is_watching,
            } => {
                let (position, presence) = (Some(rpc::Position { offset, epoch }), is_watching);
                let outcome = Outcome::Subscribed { channel, tracked: false, position, recovered, presence };
                vec![answer(reference, Ok(&outcome))]
            }
            Answer::Published { reference, channel, key, offset, epoch } => {
                let position = Some(rpc::Position { offset, epoch });
                vec![answer(reference, Ok(&Outcome::Published { channel, key, position }))]
            }
            Answer::Presence { reference, channel, clients, entries, is_truncated, is_stale } => {
                let (truncated, stale) = (is_truncated, is_stale);
                vec![answer(
                    reference,
                    Ok(&Outcome::Presence { channel, clients, entries, truncated, stale }),
                )]
            }
            Answer::History { reference, channel, history, resumes, messages } if !reference.is_empty() => {
                let position = rpc::Position { offset: history.offset, epoch: &history.epoch };
                let messages: Vec<rpc::Kept<'_>> = messages
                    .iter()
                    .map(|(Place { offset, published }, content)| rpc::Kept {
                        offset: *offset,
                        content: *content,
                        timestamp: *published,
                    })
                    .collect();
                let recovered = resumes.then_some(history.is_whole);
                vec![answer(
                    reference,
                    Ok(&Outcome::History { channel, position, recovered, messages: &messages }),
                )]
            }
            Answer::Ended { channel, fault } => {
                let mut notification = Vec::new();
                rpc::write_ended(channel, &Error::from(fault.clone()), now, &mut notification);
                vec![Payload::text(notification)]
            }
            Answer::Failed { reference: Some(reference), fault } => {
                vec![answer(reference, Err(&Error::from(fault.clone())))]
            }
            Answer::Failed { .. } | Answer::Subscribed { .. } | Answer::History { .. } => Vec::new(),
        }
    }

    fn gap(&self, channel: &Channel, now: Timestamp) -> Option<Payload> {
        let mut notification = Vec::new();
        rpc::write_gap(channel, now, &mut notification);
        Some(Payload::text(notification))
    }

    fn gathered(&self, replies: Vec<Payload>) -> Vec<Payload> {
        rpc::batch(replies.into_iter().map(|reply| reply.bytes)).map(Payload::text).into_iter().collect()
    }

    fn wrap(&self, _now: Timestamp) -> Option<Wrap> {
        Some(Wrap { prefix: b"[", separator: b",", suffix: b"]".to_vec() })
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        let refusal = match fault.kind {
            FaultKind::InvalidBbox | FaultKind::BboxUnits => {
                return Self::BadParameter { parameter: "bbox", value: fault.subject, reason: fault.message };
            }
            FaultKind::InvalidZoom => {
                return Self::BadParameter { parameter: "zoom", value: fault.subject, reason: fault.message };
            }
            FaultKind::AccessDenied => Refusal::AccessDenied,
            FaultKind::UnknownCrs => Refusal::UnknownCrs,
            FaultKind::TooManySubscriptions
            | FaultKind::TooManyProperties
            | FaultKind::BufferTooLarge
            | FaultKind::PayloadRefused
            | FaultKind::BatchTooLarge => Refusal::LimitReached,
            FaultKind::StoreUnavailable | FaultKind::StoreRefused | FaultKind::StoreFull => {
                Refusal::StoreUnavailable
            }
            FaultKind::HistoryUnavailable => Refusal::HistoryUnavailable,
            FaultKind::PresenceUnavailable => Refusal::PresenceUnavailable,
            FaultKind::ProjectionFailed => Refusal::ProjectionFailed,
            FaultKind::Busy => Refusal::Busy,
            FaultKind::Unsupported => Refusal::Unsupported,
        };
        Self::Refused { refusal, message: fault.message }
    }
}

/// It is the same for everybody.
static DESCRIPTION: LazyLock<Json> = LazyLock::new(|| rpc::discover("geocast", env!("CARGO_PKG_VERSION")));

fn accept(id: &Id, outcome: &Outcome<'_>) -> Payload {
    answer(id.as_json(), Ok(outcome))
}

fn refuse(id: &Id, error: &Error) -> Payload {
    answer(id.as_json(), Err(error))
}

/// The reply to a call of that id, as JSON.
fn answer(id: &str, outcome: Result<&Outcome<'_>, &Error>) -> Payload {
    let id = id.parse().unwrap_or_else(|_error| Id::null());
    let outcome = outcome.map(Outcome::to_vec);
    let outcome = outcome.as_deref().map_err(|error| *error);
    Payload::text(rpc::Reply { id: &id, outcome }.to_vec())
}

fn in_force<'a>(view: &'a View, properties: &'a [PropertyFilter]) -> rpc::Viewport<'a> {
    let viewport = view.viewport.as_ref();
    rpc::Viewport {
        bbox: viewport.and_then(corners),
        crs: name_of(viewport.map_or(view.output, |viewport| viewport.crs)),
        zoom: viewport.and_then(|viewport| viewport.zoom),
        properties,
        members: viewport.map_or(Members::Whole, |viewport| viewport.members),
        fields: view.wishes.fields.as_ref().map(Fields::names),
        precision: view.wishes.thinning.precision(),
        tolerance: view.wishes.thinning.tolerance(),
        min_move: view.wishes.thinning.min_move(),
    }
}

fn corners(viewport: &Viewport) -> Option<Corners> {
    let [left, bottom, right, top] = viewport.corners.map(|edge| edge.try_into().ok());
    Some(Corners { left: left?, bottom: bottom?, right: right?, top: top? })
}

/// People who are named in an answer, unless the client says how many; and how many it can ask for.
const ENTRIES: usize = 100;
const MOST_ENTRIES: usize = 1000;

/// Messages of a history that are looked at, unless the client says how many.
const MESSAGES: usize = 100;
