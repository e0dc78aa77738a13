//! A strict dataplane for tests: it refuses what VPP refuses.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use crate::net::{Encap, Family, Vip};
use crate::observed::{Conf, Encapsulation, Observed, ServerState, VipState};
use crate::plan::Operation;
use crate::weight::share::buckets;

/// What it has, and whose flows it was told to evict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Model {
    pub(crate) conf: Conf,
    pub(crate) vips: BTreeMap<Vip, ModelVip>,
    pub(crate) evictions: Vec<(Vip, IpAddr)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ModelVip {
    pub(crate) encap: Encapsulation,
    pub(crate) table_length: u32,
    pub(crate) src_ip_sticky: bool,
    pub(crate) servers: BTreeMap<IpAddr, u8>,
}

impl ModelVip {
    pub(crate) fn total(&self) -> u32 {
        self.servers.values().map(|&weight| u32::from(weight)).sum()
    }
}

impl Model {
    /// As VPP is after a start.
    pub(crate) fn empty() -> Self {
        let conf = Conf {
            ipv4_source: None,
            ipv6_source: None,
            sticky_buckets_per_core: 1024,
            flow_timeout: Duration::from_secs(40),
        };
        Model { conf, vips: BTreeMap::new(), evictions: Vec::new() }
    }

    /// Refuses with the number VPP does. To remove what is not there is no error, as in the client.
    pub(crate) fn apply(&mut self, operation: &Operation) -> Result<(), String> {
        let refuse = |number: i32| Err(number.to_string());
        match operation {
            Operation::SetConf(conf) => {
                if !conf.sticky_buckets_per_core.is_power_of_two() {
                    return refuse(-70);
                }
                self.conf = *conf;
            }
            &Operation::AddVip { vip, encap, table_length, src_ip_sticky } => {
                let encap = Encapsulation::Gre(encap);
                if self.vips.contains_key(&vip) {
                    return refuse(-81);
                }
                if !table_length.is_power_of_two() || table_length > 65536 {
                    return refuse(-70);
                }
                let on_prefix = |(other, _): &(&Vip, &ModelVip)| other.prefix == vip.prefix;
                if self.vips.iter().filter(on_prefix).any(|(_, other)| other.encap != encap) {
                    return refuse(-73);
                }
                let servers = BTreeMap::new();
                self.vips.insert(vip, ModelVip { encap, table_length, src_ip_sticky, servers });
            }
            Operation::RemoveVip { vip } => {
                self.vips.remove(vip);
            }
            &Operation::AddServer { vip, address, weight } => {
                let Some(vip) = self.vips.get_mut(&vip) else { return refuse(-6) };
                if vip.encap != Encapsulation::Gre(Encap::for_family(Family::of(address))) {
                    return refuse(-97);
                }
                if vip.servers.contains_key(&address) {
                    return refuse(-81);
                }
                assert!(weight <= 100);
                vip.servers.insert(address, weight);
            }
            &Operation::SetWeight { vip, address, weight, flush } => {
                let server = self.vips.get_mut(&vip).and_then(|vip| vip.servers.get_mut(&address));
                let Some(server) = server else { return refuse(-6) };
                assert!(weight <= 100);
                *server = weight;
                self.evictions.extend(flush.then_some((vip, address)));
            }
            &Operation::RemoveServer { vip, address, flush } => {
                if self.vips.get_mut(&vip).and_then(|vip| vip.servers.remove(&address)).is_some() {
                    self.evictions.extend(flush.then_some((vip, address)));
                }
            }
        }
        Ok(())
    }

    pub(crate) fn observe(&self) -> Observed {
        let state = |(vip, model): (&Vip, &ModelVip)| {
            let weights: Vec<(IpAddr, u8)> = model.servers.iter().map(|(a, w)| (*a, *w)).collect();
            let buckets = buckets(model.table_length, &weights);
            let server = |((address, weight), buckets)| ServerState { address, weight, buckets };
            VipState {
                vip: *vip,
                encap: model.encap,
                table_length: model.table_length,
                src_ip_sticky: model.src_ip_sticky,
                pool_index: 0,
                servers: weights.into_iter().zip(buckets).map(server).collect(),
            }
        };
        Observed { conf: self.conf, vips: self.vips.iter().map(state).collect(), foreign: Vec::new() }
    }
}
