use std::sync::Arc;

use geocast_protocol::Channel;
use parking_lot::Mutex;
use rhai::{Array, Blob, Dynamic, Engine, EvalAltResult, ImmutableString, Map};

use crate::pipeline::{
    Action, Body, Context, FilterError, Group,
    step::{Course, Step},
};

/// What a script sees of its client, and what it wants done: apart from the [`Context`], so that a script can hold it.
#[derive(Debug)]
pub(super) struct Turn {
    client: ImmutableString,
    token: ImmutableString,
    groups: Array,
    /// Milliseconds since the epoch.
    now: i64,
    state: Map,
    step: Step,
}

/// The `ctx` of a script.
#[derive(Debug, Clone)]
pub(super) struct TurnHandle(Arc<Mutex<Turn>>);

type Done = Result<(), Box<EvalAltResult>>;

impl Turn {
    pub(super) fn new(context: &Context<'_>, state: Map) -> Self {
        let client = context.client().map(|client| client.to_string()).unwrap_or_default();
        Self {
            client: client.into(),
            token: context.token().map(Group::as_str).unwrap_or_default().into(),
            groups: context.groups().map(|group| Dynamic::from(group.as_str().to_owned())).collect(),
            // Whole milliseconds: the cast leaves off their fraction.
            now: context.now().millis() as i64,
            state,
            step: Step::new(context.client().is_some()),
        }
    }
}

impl TurnHandle {
    pub(super) fn new(turn: Turn) -> Self {
        Self(Arc::new(Mutex::new(turn)))
    }

    /// What has come of it.
    pub(super) fn finish(self) -> (Step, Map) {
        let mut turn = self.0.lock();
        let step = std::mem::replace(&mut turn.step, Step::new(false));
        (step, std::mem::take(&mut turn.state))
    }

    fn act(&self, action: Action) -> Done {
        self.0.lock().step.act(action).map_err(thrown)
    }

    fn act_for_client(&self, purpose: &'static str, action: Action) -> Done {
        self.0.lock().step.needs_client(purpose).map_err(thrown)?;
        self.act(action)
    }
}

/// Gives scripts their `ctx`.
pub(super) fn register(engine: &mut Engine) {
    engine
        .register_type_with_name::<TurnHandle>("Context")
        .register_get("client", |turn: &mut TurnHandle| turn.0.lock().client.clone())
        .register_get("token", |turn: &mut TurnHandle| turn.0.lock().token.clone())
        .register_get("groups", |turn: &mut TurnHandle| turn.0.lock().groups.clone())
        .register_get("now", |turn: &mut TurnHandle| turn.0.lock().now)
        .register_get("state", |turn: &mut TurnHandle| turn.0.lock().state.clone())
        .register_set("state", |turn: &mut TurnHandle, state: Map| turn.0.lock().state = state)
        .register_fn("send", |turn: &mut TurnHandle, what: Dynamic| {
            turn.act_for_client("be sent something", Action::Send(body(what)))
        })
        .register_fn("broadcast", |turn: &mut TurnHandle, what: Dynamic| {
            turn.act(Action::Broadcast(body(what)))
        })
        .register_fn("send_to", |turn: &mut TurnHandle, group: &str, what: Dynamic| {
            turn.act(Action::SendToGroup(self::group(group)?, body(what)))
        })
        .register_fn("publish", |turn: &mut TurnHandle, channel: &str, what: Dynamic| {
            let channel: Channel = channel.parse().map_err(|error| thrown(FilterError::Channel(error)))?;
            turn.act(Action::Publish(channel, body(what)))
        })
        .register_fn("join", |turn: &mut TurnHandle, group: &str| {
            turn.act_for_client("join a group", Action::Join(self::group(group)?))
        })
        .register_fn("leave", |turn: &mut TurnHandle, group: &str| {
            turn.act_for_client("leave a group", Action::Leave(self::group(group)?))
        })
        .register_fn("stdout", |turn: &mut TurnHandle, what: Dynamic| {
            turn.act(Action::Print(what.to_string()))
        })
        .register_fn("change", |turn: &mut TurnHandle, what: Dynamic| {
            turn.0.lock().step.course = Course::Change(body(what));
        })
        .register_fn("stop", |turn: &mut TurnHandle| turn.0.lock().step.course = Course::Stop);
}

/// A message, as scripts see it.
pub(super) fn dynamic(body: &Body) -> Dynamic {
    match body {
        Body::Text(text) => text.clone().into(),
        Body::Binary(bytes) => Dynamic::from_blob(bytes.clone()),
    }
}

/// Whether a script's state would keep a turn, with all that this one holds, alive.
pub(super) fn holds_turn(state: &Map) -> bool {
    state.values().any(is_turn)
}

fn is_turn(value: &Dynamic) -> bool {
    if let Some(map) = value.read_lock::<Map>() {
        holds_turn(&map)
    } else if let Some(array) = value.read_lock::<Array>() {
        array.iter().any(is_turn)
    } else {
        value.is::<TurnHandle>()
    }
}

/// About how many bytes a script's state takes.
pub(super) fn size(state: &Map) -> usize {
    state.iter().map(|(key, value)| key.len() + size_of_value(value)).sum()
}

fn size_of_value(value: &Dynamic) -> usize {
    let held = if let Some(map) = value.read_lock::<Map>() {
        size(&map)
    } else if let Some(array) = value.read_lock::<Array>() {
        array.iter().map(size_of_value).sum()
    } else if let Some(blob) = value.read_lock::<Blob>() {
        blob.len()
    } else if let Some(text) = value.read_lock::<ImmutableString>() {
        text.len()
    } else {
        0
    };
    held + size_of::<Dynamic>()
}

/// A blob is binary, everything else is the text of it.
fn body(what: Dynamic) -> Body {
    match what.try_cast_result::<Blob>() {
        Ok(bytes) => Body::Binary(bytes),
        Err(other) => Body::Text(other.to_string()),
    }
}

fn group(name: &str) -> Result<Group, Box<EvalAltResult>> {
    name.parse().map_err(|error| thrown(FilterError::Group(error)))
}

#[expect(clippy::needless_pass_by_value, reason = "it is handed to `map_err`")]
fn thrown(error: FilterError) -> Box<EvalAltResult> {
    error.to_string().into()
}
