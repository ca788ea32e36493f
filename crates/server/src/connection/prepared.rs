use std::sync::Arc;

use geocast_geo_filter::{Transform, TransformError};

use crate::{
    interest::{Sight, Window},
    node::Node,
    runtime,
    session::{Fault, View, Viewport},
};

/// What a client has asked to look at, ready to be looked at.
pub(super) struct Prepared {
    pub(super) sight: Sight,
    /// The box that was asked for, if it is plainly in another unit or larger than the client may see; the one before stays
    /// in sight.
    pub(super) refused: Option<(Viewport, Fault)>,
}

impl Prepared {
    /// Prepares a view: transforms are made where they are not there yet.
    pub(super) async fn new(
        node: &Arc<Node>,
        view: View,
        before: Sight,
    ) -> Result<Box<Self>, TransformError> {
        let output = node.transform(view.output).await?;
        // What a client wishes of features comes with its box.
        let mut wishes = view.wishes;
        let (window, refused) = match view.viewport {
            None => (None, None),
            Some(viewport) => {
                let transform = node.transform(viewport.crs).await?;
                let window = window(viewport.clone(), transform).await;
                match window.and_then(|window| before.check(&window).map(|()| window)) {
                    Ok(window) => (Some(Arc::new(window)), None),
                    Err(fault) => {
                        wishes = before.wishes.clone();
                        (before.window.clone(), Some((viewport, fault)))
                    }
                }
            }
        };
        Ok(Box::new(Self { sight: Sight { output, window, wishes, ..before }, refused }))
    }

    /// Whether a view would be prepared without fail, as far as is known without waiting.
    pub(super) fn is_certain(node: &Node, view: &View, before: &Sight) -> bool {
        if before.rights.is_some() {
            return false;
        }
        let is_fit = |viewport: &Viewport| match node.known_transform(viewport.crs) {
            Some(Some(transform)) => transform.check_units(&viewport.region).is_ok(),
            known => known.is_some(),
        };
        node.known_transform(view.output).is_some() && view.viewport.as_ref().is_none_or(is_fit)
    }
}

async fn window(viewport: Viewport, transform: Option<Arc<Transform>>) -> Result<Window, Fault> {
    let Some(transform) = transform else { return Ok(Window::new(viewport, None)) };
    // Bounds in another system take up to milliseconds.
    let make = move || {
        transform.check_units(&viewport.region)?;
        Ok(Window::new(viewport, Some(transform)))
    };
    runtime::apart(make).await.expect("making a window does not panic")
}
