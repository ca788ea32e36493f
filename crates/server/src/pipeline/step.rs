use super::{Action, Body, Context, FilterError, Group, printer::printable};

/// What one filter wants done about one message.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) actions: Vec<Action>,
    pub(super) course: Course,
    /// The new token, if there is one.
    pub(super) token: Option<Group>,
    has_client: bool,
    bytes: usize,
}

/// How a message goes on.
#[derive(Debug)]
pub(super) enum Course {
    Pass,
    Change(Body),
    Stop,
}

impl Step {
    pub(super) fn new(has_client: bool) -> Self {
        Self { actions: Vec::new(), course: Course::Pass, token: None, has_client, bytes: 0 }
    }

    pub(super) fn needs_client(&self, purpose: &'static str) -> Result<(), FilterError> {
        if self.has_client { Ok(()) } else { Err(FilterError::NoClient(purpose)) }
    }

    /// Notes an action, within the bounds of a step.
    pub(super) fn act(&mut self, action: Action) -> Result<(), FilterError> {
        if self.actions.len() == Context::MOST_ACTIONS {
            return Err(FilterError::TooManyActions);
        }
        let action = match action {
            Action::Print(text) => Action::Print(printable(&text)),
            other => other,
        };
        self.bytes += action.size();
        if self.bytes > Context::MOST_BYTES {
            return Err(FilterError::TooManyBytes);
        }
        self.actions.push(action);
        Ok(())
    }
}
