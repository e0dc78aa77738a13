//! Pure. From what is written to what is meant: references are followed, and what contradicts itself is refused.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use ipnet::IpNet;

use super::options::Options;
use super::raw::{Raw, RawBackend, RawFrontend, RawPool, RawService};
use super::report::{At, Place, Report};
use super::suggest::quoted;
use super::{Backend, Config, Frontend, Member, Pool, TableLength};
use crate::check::HealthCheck;
use crate::names::{BackendName, CheckName, FrontendName, PoolName};
use crate::net::{Family, Service, Vip};

/// Reports every broken rule. What could not be resolved is left out of the result, so the result is only worth
/// something when the report has no errors.
pub(super) fn resolve(raw: &Raw, options: &Options, report: &mut Report) -> Config {
    let checks: BTreeMap<CheckName, Arc<HealthCheck>> = raw
        .checks
        .iter()
        .filter_map(|(name, raw)| Some((name.clone(), Arc::new(raw.check.clone()?))))
        .collect();
    let backends = raw
        .backends
        .iter()
        .filter_map(|(name, written)| Some((name.clone(), backend(name, written, raw, &checks, report)?)))
        .collect();
    let frontends: BTreeMap<FrontendName, Frontend> = raw
        .frontends
        .iter()
        .filter_map(|(name, written)| Some((name.clone(), frontend(name, written, raw, report)?)))
        .collect();
    vips_agree(raw, &frontends, report);
    if options.vpp {
        gre_sources(raw, &frontends, report);
        taken_for_ipv4(raw, &frontends, report);
    }
    Config { health: raw.health.clone(), vpp: raw.vpp.clone(), checks, backends, frontends }
}

fn backend(
    name: &BackendName,
    written: &RawBackend,
    raw: &Raw,
    checks: &BTreeMap<CheckName, Arc<HealthCheck>>,
    report: &mut Report,
) -> Option<Backend> {
    let check = written.check.as_ref().and_then(|At { value, place }| {
        if !raw.checks.contains_key(value) {
            let known = raw.checks.keys().map(CheckName::as_str);
            dangling("health check", value.as_str(), known, "maglev.healthchecks", place, report);
        }
        checks.get(value).cloned()
    });
    let address = written.address.as_ref()?.value;
    Some(Backend { name: name.clone(), address, check, enabled: written.enabled })
}

/// Reports a reference to nothing.
fn dangling<'k>(
    kind: &str,
    name: &str,
    known: impl Iterator<Item = &'k str>,
    section: &str,
    place: &Place,
    report: &mut Report,
) {
    let hint = match report.nearest(name, known) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("define it under {section}"),
    };
    report.meaning(place, format!("there is no {kind} {}", quoted(name)), hint);
}

fn frontend(name: &FrontendName, written: &RawFrontend, raw: &Raw, report: &mut Report) -> Option<Frontend> {
    references_exist(written, raw, report);
    pool_names_differ(&written.pools, report);
    let family = one_family(written, raw, report)?;
    let service = match written.service {
        RawService::All => Service::All,
        RawService::Port(protocol, port) => Service::Port(protocol, port),
        RawService::Wrong => return None,
    };
    let frontend = Frontend {
        name: name.clone(),
        description: written.description.clone(),
        vip: Vip { prefix: written.address.as_ref()?.value, service },
        family,
        pools: written.pools.iter().map(pool).collect::<Option<_>>()?,
        src_ip_sticky: written.src_ip_sticky,
        flush_on_down: written.flush_on_down,
        table_length: written.table_length,
        weight_steps: written.weight_steps.as_ref().map(|steps| steps.value),
    };
    steps_fit_the_table(written, &frontend, report);
    Some(frontend)
}

/// With more steps than buckets, some servers would get no flows at all.
fn steps_fit_the_table(written: &RawFrontend, frontend: &Frontend, report: &mut Report) {
    let Some(At { value: steps, place }) = &written.weight_steps else { return };
    let (members, length) = (frontend.member_count().max(1), frontend.wanted_length());
    let fits = usize::try_from(length).unwrap_or(usize::MAX) / members;
    if usize::from(steps.get()) <= fits {
        return;
    }
    let message = format!(
        "{steps} steps for each of {members} backends are more than the {length} buckets of the table"
    );
    let hint = match (fits, frontend.table_length) {
        (0, TableLength::Auto) => "remove it, and write a longer `new-flows-table-length`".to_owned(),
        (0, TableLength::Fixed(_)) => "remove it, or write a longer `new-flows-table-length`".to_owned(),
        (fits, _) => format!("write `weight-steps: {fits}` or less, or a longer `new-flows-table-length`"),
    };
    report.meaning(place, message, hint);
}

fn pool(written: &RawPool) -> Option<Pool> {
    let members = written
        .members
        .iter()
        .map(|member| Member { backend: member.backend.clone(), weight: member.weight })
        .collect();
    Some(Pool { name: written.name.as_ref()?.value.clone(), members })
}

fn references_exist(written: &RawFrontend, raw: &Raw, report: &mut Report) {
    for member in written.pools.iter().flat_map(|pool| &pool.members) {
        if !raw.backends.contains_key(&member.backend) {
            let known = raw.backends.keys().map(BackendName::as_str);
            dangling("backend", member.backend.as_str(), known, "maglev.backends", &member.place, report);
        }
    }
}

fn pool_names_differ(pools: &[RawPool], report: &mut Report) {
    let mut first: BTreeMap<&PoolName, &Place> = BTreeMap::new();
    for At { value, place } in pools.iter().filter_map(|pool| pool.name.as_ref()) {
        if let Some(before) = first.get(value) {
            let message = format!(
                "another pool of this frontend, on line {}, has the name {value}",
                before.position.line
            );
            report.meaning(place, message, "give each pool a name of its own");
        } else {
            first.insert(value, place);
        }
    }
}

/// The family of all backends: VPP wraps what it sends to them in GRE over one or the other.
fn one_family(written: &RawFrontend, raw: &Raw, report: &mut Report) -> Option<Family> {
    let mut members = written.pools.iter().flat_map(|pool| &pool.members).filter_map(|member| {
        let address = raw.backends.get(&member.backend)?.address.as_ref()?.value;
        Some((member, Family::of(address)))
    });
    let (first, family) = members.next()?;
    for (member, other) in members.filter(|&(_, other)| other != family) {
        let message =
            format!("{} is {other}, but {} of the same frontend is {family}", member.backend, first.backend);
        let hint = format!("move the {other} backends to a frontend of their own");
        report.meaning(&member.place, message, hint);
    }
    Some(family)
}

/// No two frontends take the same packets, and those on one address suit each other: VPP encapsulates all packets to a
/// prefix the same way, and knows either every port of it or some.
fn vips_agree(raw: &Raw, frontends: &BTreeMap<FrontendName, Frontend>, report: &mut Report) {
    let mut in_file_order: Vec<(&Place, &Frontend)> = frontends
        .values()
        .filter_map(|frontend| Some((&raw.frontends.get(&frontend.name)?.address.as_ref()?.place, frontend)))
        .collect();
    in_file_order.sort_by_key(|(place, frontend)| (place.position, &frontend.name));

    let mut by_vip: BTreeMap<Vip, &Frontend> = BTreeMap::new();
    let mut by_prefix: BTreeMap<IpNet, &Frontend> = BTreeMap::new();
    for (place, frontend) in in_file_order {
        let vip = frontend.vip;
        if let Some(before) = by_vip.get(&vip) {
            let message = format!("{vip} is served by frontend {} already", before.name);
            report.meaning(place, message, "give one of the two another address or port, or make them one");
            continue;
        }
        by_vip.insert(vip, frontend);
        let first = by_prefix.entry(vip.prefix).or_insert(frontend);
        if (first.vip.service == Service::All) != (vip.service == Service::All) {
            let (all, one) =
                if vip.service == Service::All { (frontend, *first) } else { (*first, frontend) };
            let message = format!(
                "frontend {} serves every port of {}, and frontend {} a single one",
                all.name, vip.prefix, one.name
            );
            let hint = format!(
                "give frontend {} a protocol and a port, or one of the two another address",
                all.name
            );
            report.meaning(place, message, hint);
        }
        if first.family != frontend.family {
            let message = format!(
                "the backends of this frontend are {}, those of frontend {} on the same address are {}",
                frontend.family, first.name, first.family
            );
            report.meaning(place, message, "give one of the two another address");
        }
    }
}

/// The GRE packets to backends of a family need a source of that family.
fn gre_sources(raw: &Raw, frontends: &BTreeMap<FrontendName, Frontend>, report: &mut Report) {
    let sources = [
        (Family::Ipv4, "ipv4-src-address", "192.0.2.1", raw.vpp.source_v4.is_some()),
        (Family::Ipv6, "ipv6-src-address", "2001:db8::1", raw.vpp.source_v6.is_some()),
    ];
    for (family, key, example, written) in sources {
        let user = frontends.values().find(|frontend| frontend.family == family);
        if let (Some(user), false) = (user, written) {
            let place =
                Place { position: raw.lb.position, path: raw.place.path.key("vpp").key("lb").key(key) };
            let message = format!(
                "the source of VPP's GRE packets is missing, which the {family} backends of frontend {} need",
                user.name
            );
            let hint = format!("write `{key}: {example}` with an address of VPP's own");
            report.meaning(&place, message, hint);
        }
    }
}

/// VPP's `lb` plugin takes an IPv6 address whose first 96 bits are zero for an IPv4 one, and refuses it beside IPv6.
fn taken_for_ipv4(raw: &Raw, frontends: &BTreeMap<FrontendName, Frontend>, report: &mut Report) {
    let ipv4 = |address: IpAddr| match address {
        IpAddr::V6(v6) => u32::try_from(v6.to_bits()).ok().map(Ipv4Addr::from_bits),
        IpAddr::V4(_) => None,
    };
    let refuse = |address: IpAddr, ipv4: Ipv4Addr, place: &Place, report: &mut Report| {
        let message = format!("VPP takes {address} for the IPv4 address {ipv4}");
        report.meaning(place, message, "write an IPv6 address outside ::/96");
    };
    for (name, frontend) in frontends {
        let prefix = frontend.vip.prefix;
        let place = raw.frontends.get(name).and_then(|written| written.address.as_ref());
        if let (Some(ipv4), Some(At { place, .. }), 96..) = (ipv4(prefix.addr()), place, prefix.prefix_len())
        {
            refuse(prefix.addr(), ipv4, place, report);
        }
        for (_, member) in frontend.members() {
            let written = raw.backends.get(&member.backend).and_then(|written| written.address.as_ref());
            if let Some(At { value, place }) = written
                && let Some(ipv4) = ipv4(*value)
            {
                refuse(*value, ipv4, place, report);
            }
        }
    }
}
