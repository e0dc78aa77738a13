//! Pure. What is valid and rarely meant.

mod steps;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::duration::format_duration;
use super::raw::{Raw, RawFrontend, RawPool};
use super::report::{At, Place, Report};
use super::{Backend, Config, Frontend, Member, Pool, TableLength};
use crate::names::{BackendName, CheckName};
use crate::weight::Weight;
use crate::weight::share::{Share, shares, worst};

/// How far the share of a server may be off before it is worth a warning: 5 %, in millionths.
const SHARE_TOLERANCE_PPM: u64 = 50_000;

/// The longest table VPP can be asked for.
const LONGEST_TABLE: u32 = 65536;

/// Warns of all of it. The configuration is the resolved form of `raw`.
pub(super) fn lint(raw: &Raw, config: &Config, report: &mut Report) {
    slow_timeouts(raw, config, report);
    unused(raw, config, report);
    loopback_sources(raw, config, report);
    for (name, frontend) in &config.frontends {
        if let Some(written) = raw.frontends.get(name) {
            shared_addresses(written, frontend, config, report);
            never_active(written, frontend, config, report);
            uneven_shares(written, frontend, config, report);
            if let (Some(steps), Some(At { place, .. })) = (frontend.weight_steps, &written.weight_steps) {
                steps::lint(place, steps, frontend, config.vpp.weight_scaling, report);
            }
        }
    }
}

/// A probe that may take longer than the time to the next one delays it. The defaults are equal, which is not the
/// operator's doing.
fn slow_timeouts(raw: &Raw, config: &Config, report: &mut Report) {
    for (name, check) in &config.checks {
        let Some(place) = raw.checks.get(name).and_then(|written| written.pace.as_ref()) else { continue };
        if check.pace.timeout >= check.pace.interval {
            let (timeout, interval) = (check.pace.timeout, check.pace.interval);
            let message = format!(
                "the timeout ({}) is not shorter than the interval ({}), so a slow probe delays the next",
                format_duration(timeout),
                format_duration(interval)
            );
            let hint = format!("write a `timeout` below {}", format_duration(interval));
            report.warning(place, message, hint);
        }
    }
}

/// Linux sends nothing from a loopback address to another host.
fn loopback_sources(raw: &Raw, config: &Config, report: &mut Report) {
    for (name, backend) in &config.backends {
        let source = backend.check.as_ref().and_then(|check| check.source_for(backend.address));
        let Some(source) = source.filter(|source| source.is_loopback() && !backend.address.is_loopback())
        else {
            continue;
        };
        if let Some(written) = raw.backends.get(name) {
            let message = format!(
                "probes from {source} reach {} only if that is an address of this host",
                backend.address
            );
            let hint = "write another source address in the health check, or none";
            report.warning(&written.place, message, hint);
        }
    }
}

fn unused(raw: &Raw, config: &Config, report: &mut Report) {
    let backends: BTreeSet<&BackendName> =
        config.frontends.values().flat_map(Frontend::members).map(|(_, member)| &member.backend).collect();
    for (name, written) in &raw.backends {
        if !backends.contains(name) {
            report.warning(&written.place, "no frontend uses this backend", "add it to a pool, or remove it");
        }
    }
    let checks: BTreeSet<&CheckName> =
        raw.backends.values().filter_map(|backend| Some(&backend.check.as_ref()?.value)).collect();
    for (name, written) in &raw.checks {
        if !checks.contains(name) {
            let hint = format!("write `healthcheck: {name}` in a backend, or remove it");
            report.warning(&written.place, "no backend uses this health check", hint);
        }
    }
}

/// VPP knows the servers of a VIP by their addresses only.
fn shared_addresses(written: &RawFrontend, frontend: &Frontend, config: &Config, report: &mut Report) {
    let mut first: BTreeMap<IpAddr, &BackendName> = BTreeMap::new();
    let mut seen: BTreeSet<&BackendName> = BTreeSet::new();
    let places = written.pools.iter().flat_map(|pool| &pool.members).map(|member| &member.place);
    for ((_, member), place) in frontend.members().zip(places) {
        let Some(backend) = config.backends.get(&member.backend) else { continue };
        if !seen.insert(&member.backend) {
            continue;
        }
        match first.get(&backend.address) {
            None => {
                first.insert(backend.address, &member.backend);
            }
            Some(other) => {
                let message = format!(
                    "{} has the address of {other}, {}; to VPP they are one server, and the larger weight counts",
                    member.backend, backend.address
                );
                report.warning(place, message, "use one of the two in this frontend");
            }
        }
    }
}

/// Weight and permission to take new flows.
fn may_serve(member: &Member, config: &Config) -> bool {
    !member.weight.is_zero() && backend(member, config).is_some_and(|backend| backend.enabled)
}

fn backend<'c>(member: &Member, config: &'c Config) -> Option<&'c Backend> {
    config.backends.get(&member.backend)
}

/// Pools that health alone never makes the active one.
fn never_active(written: &RawFrontend, frontend: &Frontend, config: &Config, report: &mut Report) {
    let mut always_up: Option<(&Pool, &Member)> = None;
    for (pool, written) in frontend.pools.iter().zip(&written.pools) {
        if !pool.members.iter().any(|member| may_serve(member, config)) {
            let message = "this pool can never be active: each of its backends is disabled or has weight 0";
            report.warning(&written.place, message, "give a backend of it a weight, or remove the pool");
        } else if let Some((before, member)) = always_up {
            let message = format!(
                "this pool can never be active: {} of pool {} has no health check, so it is always up",
                member.backend, before.name
            );
            let hint = format!("give {} a `healthcheck`, or remove the pool", member.backend);
            report.warning(&written.place, message, hint);
        }
        let unchecked = |member: &&Member| {
            may_serve(member, config)
                && backend(member, config).is_some_and(|backend| backend.check.is_none())
        };
        always_up = always_up.or_else(|| Some((pool, pool.members.iter().find(unchecked)?)));
    }
}

/// Shares that the new-flow table is too short for.
fn uneven_shares(written: &RawFrontend, frontend: &Frontend, config: &Config, report: &mut Report) {
    let fit = frontend.fit(config.vpp.weight_scaling, &frontend.weights());
    for (pool, written) in frontend.pools.iter().zip(&written.pools) {
        let servers: Vec<(&Member, IpAddr)> = pool
            .members
            .iter()
            .filter(|member| may_serve(member, config))
            .filter_map(|member| Some((member, backend(member, config)?.address)))
            .collect();
        let addresses: BTreeSet<IpAddr> = servers.iter().map(|&(_, address)| address).collect();
        if addresses.len() < servers.len() {
            // Which of the weights counts is not a question of the table.
            continue;
        }
        let weights: Vec<(IpAddr, Weight)> =
            servers.iter().map(|&(member, address)| (address, member.weight)).collect();
        let Some((index, share)) = worst(&shares(fit, &weights)) else { continue };
        if let (Some((member, _)), true) = (servers.get(index), share.error_ppm() > SHARE_TOLERANCE_PPM) {
            let longer = long_enough(frontend, config, &weights, fit.table_length);
            warn_of_share(member, share, longer, written, report);
        }
    }
}

/// The shortest table longer than `than` that gives all shares.
fn long_enough(frontend: &Frontend, config: &Config, servers: &[(IpAddr, Weight)], than: u32) -> Option<u32> {
    let lengths = std::iter::successors(than.checked_mul(2), |length| length.checked_mul(2));
    lengths.take_while(|&length| length <= LONGEST_TABLE).find(|&length| {
        let longer = Frontend { table_length: TableLength::Fixed(length), ..frontend.clone() };
        let fit = longer.fit(config.vpp.weight_scaling, &longer.weights());
        worst(&shares(fit, servers)).is_none_or(|(_, share)| share.error_ppm() <= SHARE_TOLERANCE_PPM)
    })
}

fn warn_of_share(member: &Member, share: Share, longer: Option<u32>, pool: &RawPool, report: &mut Report) {
    let place: &Place = pool
        .members
        .iter()
        .find(|written| written.backend == member.backend)
        .map_or(&pool.place, |written| &written.place);
    let message = format!(
        "weight {} should give {} {:.3} % of the new flows of its pool, VPP's table of {} buckets gives {:.3} % ({})",
        share.weight,
        member.backend,
        100.0 * share.wanted(),
        share.table_length,
        100.0 * share.given(),
        share.buckets
    );
    let hint = match longer {
        Some(length) => {
            format!("write `new-flows-table-length: {length}`, or weights that are nearer to each other")
        }
        None => "write weights that are nearer to each other, or spread the backends over several frontends"
            .to_owned(),
    };
    report.warning(place, message, hint);
}
