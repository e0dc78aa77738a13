//! Pure. The tables of new flows: whether they are those of every other instance, and which VIPs keep another length.

use crate::desired::DesiredVip;
use crate::engine::{Engine, FrontendStatus};
use crate::names::FrontendName;
use crate::net::Vip;
use crate::observed::TableFingerprint;

/// A VIP whose table has another length than that of a fresh VIP, so that it differs from the table of an instance that
/// started later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptLength {
    /// The frontend.
    pub frontend: FrontendName,
    /// Its VIP.
    pub vip: Vip,
    /// The length of the table.
    pub present: u32,
    /// The length of the table of a fresh VIP.
    pub wanted: u32,
}

impl Engine {
    /// The fingerprint of the table that the dataplane is believed to have for a frontend; `None` where it has no VIP or is
    /// not reached.
    pub fn table_fingerprint(&self, frontend: &FrontendStatus) -> Option<TableFingerprint> {
        Some(self.believed()?.vip(&frontend.config().vip)?.fingerprint())
    }

    /// The fingerprint of the table that the dataplane should have for a frontend.
    pub fn desired_fingerprint(&self, frontend: &FrontendStatus) -> TableFingerprint {
        self.desired_vip(frontend).fingerprint()
    }

    /// The fingerprint of the tables of all frontends that the dataplane is believed to have; `None` while it is not reached.
    pub fn all_tables_fingerprint(&self) -> Option<TableFingerprint> {
        let believed = self.believed()?;
        let vips = self.frontends().filter_map(|frontend| believed.vip(&frontend.config().vip));
        Some(TableFingerprint::of_all(vips.map(|vip| vip.fingerprint())))
    }

    /// The length kept for a frontend, if it is not the one of a fresh VIP.
    pub fn kept_length(&self, frontend: &FrontendStatus) -> Option<KeptLength> {
        let vip = frontend.config().vip;
        let present = self.believed()?.vip(&vip)?.table_length;
        let config = frontend.config();
        config.keeps_length(present).then(|| KeptLength {
            frontend: config.name.clone(),
            vip,
            present,
            wanted: config.wanted_length(),
        })
    }

    /// Every length that is kept, by frontend.
    pub fn kept_lengths(&self) -> impl Iterator<Item = KeptLength> {
        self.frontends().filter_map(|frontend| self.kept_length(frontend))
    }

    /// Removes the VIP of a frontend and adds it again with the next writes, if it keeps another length than that of a
    /// fresh one. Its established flows are lost by that. Returns whether there is such a frontend.
    pub fn recreate(&mut self, frontend: &str) -> bool {
        let vip = self.frontend(frontend).map(|frontend| frontend.config().vip);
        vip.is_some_and(|vip| {
            self.dataplane.memory.recreate.insert(vip);
            true
        })
    }

    pub(super) fn desired_vips(&self, wanted: impl Fn(&FrontendName) -> bool) -> Vec<DesiredVip> {
        let frontends = self.frontends.values().filter(|frontend| wanted(frontend.name()));
        frontends.map(|frontend| self.desired_vip(frontend)).collect()
    }

    fn desired_vip(&self, frontend: &FrontendStatus) -> DesiredVip {
        let address = |name: &_| self.backends.get(name).map(|backend| backend.config().address);
        let mut desired = frontend.desired(self.config.vpp.weight_scaling, address);
        if let Some(hold) = self.holds.get(frontend.name()) {
            hold.apply(&mut desired);
        }
        desired
    }
}

#[cfg(test)]
mod tests;
