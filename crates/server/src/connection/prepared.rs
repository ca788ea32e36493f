use std::sync::Arc;

use geocast_geo_filter::{RegionError, Transform, TransformError};

use crate::{
    interest::{Sight, Window},
    node::Node,
    session::{View, Viewport},
};

/// What a client has asked to look at, ready to be looked at.
pub(super) struct Prepared {
    pub(super) sight: Sight,
    /// The box that was asked for, if it is plainly in another unit; the one before stays in sight.
    pub(super) refused: Option<(Viewport, RegionError)>,
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
                match window(viewport.clone(), transform).await {
                    Ok(window) => (Some(Arc::new(window)), None),
                    Err(error) => {
                        wishes = before.wishes.clone();
                        (before.window.clone(), Some((viewport, error)))
                    }
                }
            }
        };
        Ok(Box::new(Self { sight: Sight { output, window, wishes, ..before }, refused }))
    }

    /// Whether a view would be prepared without fail, as far as is known without waiting.
    pub(super) fn is_certain(node: &Node, view: &View) -> bool {
        let is_fit = |viewport: &Viewport| match node.known_transform(viewport.crs) {
            Some(Some(transform)) => transform.check_units(&viewport.region).is_ok(),
            known => known.is_some(),
        };
        node.known_transform(view.output).is_some() && view.viewport.as_ref().is_none_or(is_fit)
    }
}

async fn window(viewport: Viewport, transform: Option<Arc<Transform>>) -> Result<Window, RegionError> {
    let Some(transform) = transform else { return Ok(Window::new(viewport, None)) };
    // Bounds in another system take up to milliseconds.
    let make = move || {
        transform.check_units(&viewport.region)?;
        Ok(Window::new(viewport, Some(transform)))
    };
    tokio::task::spawn_blocking(make).await.expect("making a window does not panic")
}
