use geocast_geo_filter::KnownCrs;
use geocast_protocol::{Crs, Number, text::Members};

use super::{
    super::{Effect, Fault, FaultKind, Receipt, View, Viewport},
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
        self.pan();
        change(&mut self.session.view);
        self.session.waiting.view = Some(self.dialect.clone());
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
        Ok(Viewport { corners, region, crs, members, zoom })
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
