//! Pure. What the dataplane has that nothing here created.

use std::collections::BTreeSet;

use crate::config::Ownership;
use crate::engine::Engine;
use crate::net::Vip;

impl Engine {
    /// VIPs of the dataplane that no frontend has, that were not created here and that the configuration leaves alone, as
    /// last observed; each as text.
    pub fn foreign_vips(&self) -> Vec<String> {
        let Some(believed) = self.believed() else { return Vec::new() };
        let wanted: BTreeSet<Vip> = self.frontends.values().map(|frontend| frontend.config().vip).collect();
        let is_foreign = |vip: &Vip| {
            self.config.vpp.ownership == Ownership::Managed
                && !wanted.contains(vip)
                && !self.dataplane.memory.ours.contains(vip)
        };
        let foreign = believed.vips.iter().map(|state| state.vip).filter(is_foreign);
        // There is no operation for the others, so they stay in any case.
        foreign.map(|vip| vip.to_string()).chain(believed.foreign.iter().map(ToString::to_string)).collect()
    }
}
