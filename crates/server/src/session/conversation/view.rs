use geocast_geo_filter::KnownCrs;
use geocast_protocol::{Crs, Number, text::Members};

use super::{
    super::{Admission, Asked, Change, Effect, Fault, FaultKind, Naming, Receipt, View, Viewport},
    Conversation,
};

/// Where the client looks.
impl Conversation<'_> {
    /// What the client looks at.
    pub fn view(&self) -> &View {
        &self.session.view
    }

    /// Changes what the client looks at, from here on.
    pub fn look(&mut self, change: impl FnOnce(&mut View), receipt: Option<Receipt>) {
        self.pan();
        change(&mut self.session.view);
        let view = Box::new(self.session.view.clone());
        let asked = self.asked(receipt);
        self.wants(Effect::View(view, asked));
    }

    /// Changes what the client looks at, for all that has come together with this.
    pub fn change_view(&mut self, change: impl FnOnce(&mut View)) {
        let before = self.session.view.clone();
        change(&mut self.session.view);
        let view = &self.session.view;
        let names_box = view.viewport.is_some() && view.viewport != before.viewport;
        let waited = self.session.waiting.as_ref().and_then(|waiting| waiting.view.as_ref());
        let has_box = waited.is_some_and(|waited| waited.has_box);
        let has_box_already = has_box && names_box;
        let change = Change {
            dialect: self.dialect.clone(),
            has_box: names_box || has_box && view.viewport.is_some(),
        };
        let rights = self.session.identity.rights();
        // Whose boxes may all be refused has them all looked into.
        if !has_box_already || rights.is_none() {
            self.pan();
        }
        let waited = self.session.waiting().view.replace(change);
        if let Some(waited) = waited.filter(|_| has_box_already) {
            // The box that was named before is the one that stays if this one turns out to be refused.
            let asked =
                Asked { dialect: waited.dialect, rights, admission: Admission::default(), receipt: None };
            self.session.waiting().boxes.push(Effect::View(Box::new(before), asked));
        }
    }

    /// A box that a client named: `[left, bottom, right, top]`, in this system or else in that of the client's view, and the
    /// zoom level, if it named one.
    ///
    /// # Errors
    /// [`FaultKind::InvalidBbox`], [`FaultKind::BboxUnits`], [`FaultKind::UnknownCrs`], [`FaultKind::AccessDenied`].
    pub fn viewport(
        &self,
        corners: [f64; 4],
        crs: Option<Crs>,
        members: Members,
        zoom: Option<Number>,
    ) -> Result<Viewport, Fault> {
        let members = self.session.identity.limit(zoom.map(f64::from), members)?;
        let crs = crs.map_or(Ok(self.session.view.output), |crs| self.known(crs))?;
        let rules = &self.session.rules;
        let region = rules.catalogue.region(crs, rules.settings.axis_order, corners);
        let region = region.map_err(|error| Fault::from(error).of(format!("{corners:?}")))?;
        Ok(Viewport { corners, region, crs, members, zoom, naming: Naming::next() })
    }

    /// A system of PROJ's database.
    ///
    /// # Errors
    /// [`FaultKind::UnknownCrs`].
    pub fn known(&self, crs: Crs) -> Result<KnownCrs, Fault> {
        self.session.rules.catalogue.crs(crs.code()).ok_or_else(|| {
            let message = format!("coordinate reference system `{crs}` is not known here");
            Fault::new(FaultKind::UnknownCrs, message).of(crs.to_string())
        })
    }

    /// A view that is replaced before it was shown costs the client nothing.
    fn pan(&mut self) {
        if self.session.is_panning() {
            self.session.rate.refund();
        }
    }
}
