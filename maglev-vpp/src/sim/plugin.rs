//! Pure. The `lb` plugin: VIPs, servers, the table of new flows, and what becomes of what is removed.
//!
//! A function here does what the one of the same name in `src/plugins/lb/lb.c` does, return values and oddities
//! included.

use std::net::IpAddr;

use super::fib::Fib;
use super::ip46::{Ip46, Prefix46};
use super::pool::Pool;
use crate::message::lb::{ENCAP_GRE4, ENCAP_GRE6, ENCAP_L3DSR, ENCAP_NAT4, ENCAP_NAT6, KEEP, PROTOCOL_ANY};
use crate::retval::Retval;

/// `LB_GARBAGE_RUN`: garbage is collected at most this often, in seconds.
const GARBAGE_RUN: u32 = 60;
/// `LB_CONCURRENCY_TIMEOUT`: a removed server stays at least this long, in seconds.
const CONCURRENCY_TIMEOUT: u32 = 10;

type Done = Result<(), Retval>;

/// `lb_vip_type_t`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Ip6Gre6,
    Ip6Gre4,
    Ip4Gre6,
    Ip4Gre4,
    Ip4L3dsr,
    Ip4Nat4,
    Ip6Nat6,
}

impl Kind {
    /// `vl_api_lb_add_del_vip_v2_t_handler`: what has no kind of its own becomes the first one.
    fn new(is_ipv4: bool, encap: u32) -> Kind {
        match (is_ipv4, encap) {
            (true, ENCAP_GRE4) => Kind::Ip4Gre4,
            (true, ENCAP_GRE6) => Kind::Ip4Gre6,
            (true, ENCAP_L3DSR) => Kind::Ip4L3dsr,
            (true, ENCAP_NAT4) => Kind::Ip4Nat4,
            (false, ENCAP_GRE4) => Kind::Ip6Gre4,
            (false, ENCAP_NAT6) => Kind::Ip6Nat6,
            _ => Kind::Ip6Gre6,
        }
    }

    fn is_for_ipv4_vips(self) -> bool {
        matches!(self, Kind::Ip4Gre6 | Kind::Ip4Gre4 | Kind::Ip4L3dsr | Kind::Ip4Nat4)
    }

    fn has_ipv4_servers(self) -> bool {
        matches!(self, Kind::Ip6Gre4 | Kind::Ip4Gre4 | Kind::Ip4L3dsr | Kind::Ip4Nat4)
    }

    /// `lb_vip_type_to_api_encap`.
    pub(super) fn encap(self) -> u32 {
        match self {
            Kind::Ip4Gre4 | Kind::Ip6Gre4 => ENCAP_GRE4,
            Kind::Ip4Gre6 | Kind::Ip6Gre6 => ENCAP_GRE6,
            Kind::Ip4L3dsr => ENCAP_L3DSR,
            Kind::Ip4Nat4 => ENCAP_NAT4,
            Kind::Ip6Nat6 => ENCAP_NAT6,
        }
    }
}

/// The key of a VIP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) prefix: Prefix46,
    pub(super) protocol: u8,
    pub(super) port: u16,
}

/// A VIP to be.
#[derive(Clone, Copy, Debug)]
pub(super) struct NewVip {
    pub(super) encap: u32,
    pub(super) dscp: u8,
    pub(super) srv_type: u8,
    pub(super) target_port: u16,
    pub(super) table_length: u32,
    pub(super) src_ip_sticky: bool,
}

#[derive(Clone, Debug)]
pub(super) struct VipEntry {
    pub(super) key: Key,
    pub(super) kind: Kind,
    pub(super) dscp: u8,
    pub(super) srv_type: u8,
    pub(super) target_port: u16,
    pub(super) table_length: u32,
    pub(super) src_ip_sticky: bool,
    pub(super) used: bool,
    pub(super) counters: [u64; 4],
    pub(super) servers: Pool<ServerEntry>,
    last_garbage_collection: u32,
}

#[derive(Clone, Debug)]
pub(super) struct ServerEntry {
    pub(super) address: Ip46,
    pub(super) used: bool,
    pub(super) weight: u8,
    pub(super) last_used: u32,
    pub(super) buckets: u32,
    pub(super) flows: u64,
    pub(super) route: u32,
}

/// `lb_main_t`.
#[derive(Clone, Debug)]
pub(super) struct Plugin {
    pub(super) ipv4_source: [u8; 4],
    pub(super) ipv6_source: [u8; 16],
    pub(super) sticky_buckets: u32,
    pub(super) flow_timeout: u32,
    pub(super) vips: Pool<VipEntry>,
    pub(super) fib: Fib,
}

impl Default for Plugin {
    fn default() -> Plugin {
        let mut vips = Pool::default();
        // The placeholder at index 0, which no dump shows.
        let nowhere = Prefix46 { address: Ip46([0xff; 16]), length: 0 };
        let key = Key { prefix: nowhere, protocol: PROTOCOL_ANY, port: 0 };
        vips.insert(VipEntry::new(key, Kind::Ip6Gre6, 1, 0));
        Plugin {
            ipv4_source: [0xff; 4],
            ipv6_source: [0xff; 16],
            sticky_buckets: 1 << 10,
            flow_timeout: 40,
            vips,
            fib: Fib::default(),
        }
    }
}

impl VipEntry {
    fn new(key: Key, kind: Kind, table_length: u32, now: u32) -> VipEntry {
        VipEntry {
            key,
            kind,
            dscp: 0,
            srv_type: 0,
            target_port: 0,
            table_length,
            src_ip_sticky: false,
            used: true,
            counters: [0; 4],
            servers: Pool::default(),
            last_garbage_collection: now,
        }
    }

    fn server_mut(&mut self, address: Ip46) -> Option<&mut ServerEntry> {
        self.servers.iter_mut().map(|(_, server)| server).find(|server| server.address == address)
    }

    /// `lb_vip_update_new_flow_table`, as far as `num_buckets` shows it.
    ///
    /// Replicas take turns, sorted by (replica, address), until the table is full: each has floor(M/R) entries, and the
    /// first M mod R of them one more.
    fn update_buckets(&mut self) {
        let mut live: Vec<&mut ServerEntry> = Vec::new();
        let mut replicas = 0;
        for (_, server) in self.servers.iter_mut() {
            server.buckets = 0;
            if server.used && server.weight > 0 {
                replicas += u32::from(server.weight);
                live.push(server);
            }
        }
        if replicas == 0 {
            return;
        }
        let (each, mut more) = (self.table_length / replicas, self.table_length % replicas);
        live.sort_unstable_by_key(|server| server.address);
        for server in &mut live {
            server.buckets = each * u32::from(server.weight);
        }
        for replica in 0..=u8::MAX {
            for server in live.iter_mut().filter(|server| server.weight > replica) {
                if more == 0 {
                    return;
                }
                server.buckets += 1;
                more -= 1;
            }
        }
    }
}

/// Whether `now` is at or after `then`, on a clock that wraps (`clib_u32_loop_gt`).
fn is_past(now: u32, then: u32) -> bool {
    now.wrapping_sub(then) < 0x7fff_ffff
}

impl Plugin {
    pub(super) fn conf(&mut self, ipv4: [u8; 4], ipv6: [u8; 16], buckets: u32, timeout: u32) -> Done {
        let buckets = if buckets == KEEP { self.sticky_buckets } else { buckets };
        let timeout = if timeout == KEEP { self.flow_timeout } else { timeout };
        if buckets & buckets.wrapping_sub(1) != 0 {
            return Err(Retval::INVALID_MEMORY_SIZE);
        }
        (self.ipv4_source, self.ipv6_source) = (ipv4, ipv6);
        (self.sticky_buckets, self.flow_timeout) = (buckets, timeout);
        Ok(())
    }

    pub(super) fn find_vip(&self, key: Key) -> Result<usize, Retval> {
        self.vips
            .iter()
            .find(|(_, vip)| vip.used && vip.key == key)
            .map(|(index, _)| index)
            .ok_or(Retval::NO_SUCH_ENTRY)
    }

    fn vip_mut(&mut self, index: usize) -> Result<&mut VipEntry, Retval> {
        self.vips.get_mut(index).ok_or(Retval::NO_SUCH_ENTRY)
    }

    /// Live VIPs on a prefix, other than the one of this key.
    fn neighbours(&self, key: Key) -> impl Iterator<Item = &VipEntry> {
        self.vips
            .iter()
            .map(|(_, vip)| vip)
            .filter(move |vip| vip.used && vip.key.prefix == key.prefix && vip.key != key)
    }

    pub(super) fn add_vip(&mut self, key: Key, new: NewVip, now: u32) -> Result<usize, Retval> {
        let is_ipv4 = key.prefix.is_ipv4();
        let kind = Kind::new(is_ipv4, new.encap);
        if self.find_vip(key).is_ok() {
            return Err(Retval::VALUE_EXIST);
        }
        let mut neighbours = self.neighbours(key);
        let first = neighbours.next();
        let all_ports = first.into_iter().chain(neighbours).any(|vip| vip.key.port == 0);
        match first {
            Some(_) if key.port == 0 || all_ports => return Err(Retval::VALUE_EXIST),
            Some(first) if first.kind != kind => return Err(Retval::INVALID_ARGUMENT),
            _ => {}
        }
        let is_new_prefix = first.is_none();
        if !new.table_length.is_power_of_two() {
            return Err(Retval::INVALID_MEMORY_SIZE);
        }
        if is_ipv4 != kind.is_for_ipv4_vips() {
            return Err(Retval::INVALID_ADDRESS_FAMILY);
        }
        if is_new_prefix {
            self.fib.add(key.prefix);
        }
        let mut vip = VipEntry::new(key, kind, new.table_length, now);
        vip.src_ip_sticky = new.src_ip_sticky;
        match kind {
            Kind::Ip4L3dsr => vip.dscp = new.dscp & 0x3f,
            Kind::Ip4Nat4 | Kind::Ip6Nat6 => {
                (vip.srv_type, vip.target_port) = (new.srv_type, new.target_port);
            }
            Kind::Ip6Gre6 | Kind::Ip6Gre4 | Kind::Ip4Gre6 | Kind::Ip4Gre4 => {}
        }
        Ok(self.vips.insert(vip))
    }

    pub(super) fn del_vip(&mut self, key: Key, now: u32) -> Done {
        let index = self.find_vip(key)?;
        self.collect_servers(index, now);
        let vip = self.vip_mut(index)?;
        for (_, server) in vip.servers.iter_mut() {
            server.used = false;
            server.last_used = now;
        }
        vip.update_buckets();
        vip.used = false;
        if self.neighbours(key).next().is_none() {
            self.fib.remove(key.prefix);
        }
        Ok(())
    }

    pub(super) fn add_server(
        &mut self,
        key: Key,
        address: IpAddr,
        weight: u8,
        flush: bool,
        now: u32,
    ) -> Done {
        let address = Ip46::from(address);
        let index = self.find_vip(key)?;
        let vip = self.vips.get_mut(index).ok_or(Retval::NO_SUCH_ENTRY)?;
        let is_ipv4 = vip.kind.has_ipv4_servers();
        match vip.server_mut(address) {
            Some(server) if server.used => return Err(Retval::VALUE_EXIST),
            Some(server) => {
                (server.used, server.weight) = (true, weight);
                if flush {
                    server.flows = 0;
                }
            }
            None if address.is_ipv4() != is_ipv4 => return Err(Retval::INVALID_ADDRESS_FAMILY),
            None => {
                let route = self.fib.add(Prefix46 { address, length: 128 });
                vip.servers.insert(ServerEntry {
                    address,
                    used: true,
                    weight,
                    last_used: 0,
                    buckets: 0,
                    flows: 0,
                    route,
                });
            }
        }
        vip.update_buckets();
        self.collect_servers(index, now);
        Ok(())
    }

    pub(super) fn del_server(&mut self, key: Key, address: IpAddr, flush: bool, now: u32) -> Done {
        let address = Ip46::from(address);
        let index = self.find_vip(key)?;
        self.vip_mut(index)?.server_mut(address).ok_or(Retval::NO_SUCH_ENTRY)?;
        self.collect_servers(index, now);
        let vip = self.vip_mut(index)?;
        if let Some(server) = vip.server_mut(address) {
            (server.used, server.last_used) = (false, now);
            if flush {
                server.flows = 0;
            }
        }
        vip.update_buckets();
        Ok(())
    }

    pub(super) fn set_weight(&mut self, key: Key, address: IpAddr, weight: u8, flush: bool) -> Done {
        let index = self.find_vip(key)?;
        let vip = self.vip_mut(index)?;
        let server = vip.server_mut(address.into()).filter(|server| server.used);
        let server = server.ok_or(Retval::NO_SUCH_ENTRY)?;
        server.weight = weight;
        if flush {
            server.flows = 0;
        }
        vip.update_buckets();
        Ok(())
    }

    /// Never fails: the real one answers 0 whatever it finds.
    pub(super) fn flush_vip(&mut self, key: Key) {
        let Some(vip) = self.find_vip(key).ok().and_then(|index| self.vips.get_mut(index)) else { return };
        for (_, server) in vip.servers.iter_mut() {
            server.flows = 0;
        }
    }

    /// `lb_vip_garbage_collection`.
    fn collect_servers(&mut self, index: usize, now: u32) {
        let Some(vip) = self.vips.get_mut(index) else { return };
        if !is_past(now, vip.last_garbage_collection.wrapping_add(GARBAGE_RUN)) {
            return;
        }
        vip.last_garbage_collection = now;
        let gone: Vec<usize> = vip
            .servers
            .iter()
            .filter(|(_, server)| {
                !server.used
                    && server.flows == 0
                    && is_past(now, server.last_used.wrapping_add(CONCURRENCY_TIMEOUT))
            })
            .map(|(index, _)| index)
            .collect();
        for index in gone {
            if let Some(server) = vip.servers.remove(index) {
                self.fib.remove(Prefix46 { address: server.address, length: 128 });
            }
        }
    }

    /// `lb_garbage_collection`, which VPP runs every 60 s.
    pub(super) fn collect_garbage(&mut self, now: u32) {
        let indices: Vec<usize> = self.vips.iter().map(|(index, _)| index).skip(1).collect();
        for index in indices {
            self.collect_servers(index, now);
            if self.vips.get(index).is_some_and(|vip| !vip.used && vip.servers.len() == 0) {
                self.vips.remove(index);
            }
        }
    }
}

#[cfg(test)]
mod tests;
