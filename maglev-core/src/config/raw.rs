//! Pure. The configuration as written, with the place of everything that others refer to. References are still names.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::time::Duration;

use ipnet::IpNet;

use super::address::{backend as backend_address, source_v4, source_v6, vip};
use super::duration::format_duration;
use super::keys;
use super::options::Options;
use super::probe::{self, RawCheck};
use super::report::{At, Place, Report};
use super::section::{Cursor, Section};
use super::suggest::quoted;
use super::value::{boolean, duration, integer, name, named, one_of, power_of_two, text};
use super::{HealthSettings, Ownership, TableLength, VppSettings, WeightScaling};
use crate::names::{BackendName, CheckName, FrontendName, InvalidName, PoolName};
use crate::net::Protocol;
use crate::weight::{Weight, WeightSteps};

/// Room for a week of flapping. Memory is used for transitions that there were, some hundred bytes each.
const HISTORY: RangeInclusive<i64> = 1..=10_000;

/// From what VPP carries out without pause to once a day.
const SYNC: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(86_400);

/// What the `lb` plugin takes.
const FLOW_TIMEOUT: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(120);

/// Nobody waits longer for a load balancer to start.
const STARTUP: RangeInclusive<Duration> = Duration::ZERO..=Duration::from_secs(3600);

/// A GiB of flow table for each of VPP's workers, at 64 bytes a bucket.
const STICKY_BUCKETS: u32 = 1 << 24;

/// VPP reports the length in 16 bits, so that a longer table could not be told from a shorter one.
const TABLE_LENGTH: u32 = 65536;

/// All that is written in a file.
#[derive(Debug)]
pub(super) struct Raw {
    /// Where `maglev` is.
    pub(super) place: Place,
    pub(super) health: HealthSettings,
    pub(super) vpp: VppSettings,
    /// Where the GRE sources are, or belong.
    pub(super) lb: Place,
    pub(super) checks: BTreeMap<CheckName, RawCheck>,
    pub(super) backends: BTreeMap<BackendName, RawBackend>,
    pub(super) frontends: BTreeMap<FrontendName, RawFrontend>,
}

#[derive(Debug)]
pub(super) struct RawBackend {
    pub(super) place: Place,
    pub(super) address: Option<At<IpAddr>>,
    pub(super) check: Option<At<CheckName>>,
    pub(super) enabled: bool,
}

#[derive(Debug)]
pub(super) struct RawFrontend {
    pub(super) description: String,
    pub(super) address: Option<At<IpNet>>,
    pub(super) service: RawService,
    pub(super) pools: Vec<RawPool>,
    pub(super) src_ip_sticky: bool,
    pub(super) flush_on_down: bool,
    pub(super) table_length: TableLength,
    pub(super) weight_steps: Option<At<WeightSteps>>,
}

/// Which packets a frontend takes.
#[derive(Debug)]
pub(super) enum RawService {
    /// Neither protocol nor port is written.
    All,
    /// Both are.
    Port(Protocol, u16),
    /// Something is wrong, and reported.
    Wrong,
}

#[derive(Debug)]
pub(super) struct RawPool {
    pub(super) place: Place,
    pub(super) name: Option<At<PoolName>>,
    pub(super) members: Vec<RawMember>,
}

#[derive(Debug)]
pub(super) struct RawMember {
    pub(super) place: Place,
    pub(super) backend: BackendName,
    pub(super) weight: Weight,
}

/// Reads the whole file.
pub(super) fn file(root: &Cursor<'_>, options: &Options, report: &mut Report) -> Raw {
    let mut file = Section::open(root, &keys::FILE, report);
    file.require("maglev", "{backends: …, frontends: …}");
    let mut maglev = file.nested("maglev", &keys::MAGLEV);
    let place = maglev.place().clone();
    let health = healthchecker(&mut maglev.nested("healthchecker", &keys::HEALTHCHECKER));
    let mut vpp = maglev.nested("vpp", &keys::VPP);
    let mut lb = vpp.nested("lb", &keys::LB);
    let (lb_place, vpp) = (lb.place().clone(), vpp_lb(&mut lb));
    Raw {
        place,
        health,
        vpp,
        lb: lb_place,
        checks: entries(
            &mut maglev,
            "healthchecks",
            keys::CHECK.example,
            |name: &CheckName, cursor, report| probe::health_check(name.clone(), cursor, options, report),
        ),
        backends: entries(&mut maglev, "backends", keys::BACKEND.example, |_, cursor, report| {
            backend(cursor, report)
        }),
        frontends: entries(&mut maglev, "frontends", keys::FRONTEND.example, |_, cursor, report| {
            frontend(cursor, report)
        }),
    }
}

/// A mapping from names to sections of one kind.
fn entries<'t, N, T>(
    section: &mut Section<'t, '_>,
    key: &str,
    example: &str,
    read: impl Fn(&N, &Cursor<'t>, &mut Report) -> T,
) -> BTreeMap<N, T>
where
    N: Ord + std::str::FromStr<Err = InvalidName>,
{
    let cursor = section.child(key);
    let report = section.report();
    let entries = cursor.and_then(|cursor| cursor.entries(example, report)).unwrap_or_default();
    let mut found = BTreeMap::new();
    for (key, cursor) in entries {
        if let Some(name) = named(key, cursor.key(), report) {
            let value = read(&name, &cursor, report);
            found.insert(name, value);
        }
    }
    found
}

fn healthchecker(section: &mut Section<'_, '_>) -> HealthSettings {
    HealthSettings {
        transition_history: section.or("transition-history", 5, integer(HISTORY)).value,
        netns: section.optional("netns", netns).map(|netns| netns.value),
    }
}

/// A name under `/run/netns`, or an absolute path.
fn netns(cursor: &Cursor<'_>, report: &mut Report) -> Option<String> {
    let written = text(cursor, report)?;
    let is_name = !written.is_empty() && !written.contains(['/', '\0']) && written != "." && written != "..";
    let is_path = written.starts_with('/') && !written.contains('\0');
    if is_name || is_path {
        return Some(written);
    }
    let hint = "write a name as `ip netns list` shows it, or an absolute path such as /proc/1/ns/net";
    report.meaning(&cursor.place(), format!("{} is not a network namespace", quoted(&written)), hint);
    None
}

fn vpp_lb(section: &mut Section<'_, '_>) -> VppSettings {
    let seconds = Duration::from_secs;
    let (startup_min_delay, startup_max_delay) = startup_delays(section);
    let ownership = one_of([("managed", Ownership::Managed), ("exclusive", Ownership::Exclusive)]);
    let scaling = one_of([("ratio", WeightScaling::Ratio), ("raw", WeightScaling::Raw)]);
    VppSettings {
        source_v4: section.optional("ipv4-src-address", source_v4).map(|source| source.value),
        source_v6: section.optional("ipv6-src-address", source_v6).map(|source| source.value),
        sync_interval: section.or("sync-interval", seconds(30), duration(SYNC)).value,
        sticky_buckets_per_core: section
            .or("sticky-buckets-per-core", 65536, power_of_two(STICKY_BUCKETS))
            .value,
        flow_timeout: section.or("flow-timeout", seconds(40), whole_seconds).value,
        startup_min_delay,
        startup_max_delay,
        ownership: section.or("ownership", Ownership::default(), ownership).value,
        weight_scaling: section.or("weight-scaling", WeightScaling::default(), scaling).value,
    }
}

/// The minimum and the maximum, in this order.
fn startup_delays(section: &mut Section<'_, '_>) -> (Duration, Duration) {
    let (min_default, max_default) = (Duration::from_secs(5), Duration::from_secs(30));
    let min = section.right_or("startup-min-delay", min_default, duration(STARTUP));
    let max = section.right_or("startup-max-delay", max_default, duration(STARTUP));
    let (Some(min), Some(max)) = (min, max) else { return (min_default, max_default) };
    if min.value > max.value {
        let place = if max.place.path.last() == "startup-max-delay" { &max.place } else { &min.place };
        let (min, max) = (format_duration(min.value), format_duration(max.value));
        let message = format!("`startup-max-delay` ({max}) is shorter than `startup-min-delay` ({min})");
        section.report().meaning(place, message, format!("write `startup-max-delay: {min}` or more"));
    }
    (min.value, max.value)
}

fn whole_seconds(cursor: &Cursor<'_>, report: &mut Report) -> Option<Duration> {
    let written = duration(FLOW_TIMEOUT)(cursor, report)?;
    if written.subsec_nanos() == 0 {
        return Some(written);
    }
    let hint = format!("write {}s or {}s", written.as_secs(), written.as_secs() + 1);
    report.meaning(&cursor.place(), "VPP counts this in whole seconds", hint);
    None
}

fn backend(cursor: &Cursor<'_>, report: &mut Report) -> RawBackend {
    let mut section = Section::open(cursor, &keys::BACKEND, report);
    if let Some(place) = section.blank("healthcheck") {
        let message = "this is blank, so that the backend is always up";
        section.report().warning(&place, message, "write the name of a health check, or remove it");
    }
    RawBackend {
        place: section.place().clone(),
        address: section.required("address", "192.0.2.11", backend_address),
        check: section.optional("healthcheck", name),
        enabled: section.or("enabled", true, boolean).value,
    }
}

fn frontend(cursor: &Cursor<'_>, report: &mut Report) -> RawFrontend {
    let mut section = Section::open(cursor, &keys::FRONTEND, report);
    RawFrontend {
        description: section.or("description", String::new(), text).value,
        address: section.required("address", "203.0.113.1", vip),
        service: service(&mut section),
        pools: pools(&mut section),
        src_ip_sticky: section.or("src-ip-sticky", false, boolean).value,
        flush_on_down: section.or("flush-on-down", true, boolean).value,
        table_length: section.or("new-flows-table-length", TableLength::default(), table_length).value,
        weight_steps: section.optional("weight-steps", weight_steps),
    }
}

/// Protocol and port belong together: VPP knows every port of every protocol, or one port of one.
fn service(section: &mut Section<'_, '_>) -> RawService {
    let (has_protocol, has_port) = (section.has("protocol"), section.has("port"));
    let protocol = section.optional("protocol", one_of([("tcp", Protocol::Tcp), ("udp", Protocol::Udp)]));
    let port = section.optional("port", integer(1..=65535));
    match (protocol, port) {
        (Some(protocol), Some(port)) => RawService::Port(protocol.value, port.value),
        (None, None) if !has_protocol && !has_port => RawService::All,
        (Some(At { place, .. }), None) if !has_port => {
            let hint = "write `port: 80` beside it, or remove it to serve every port of every protocol";
            section.report().meaning(&place, "there is a protocol and no port", hint);
            RawService::Wrong
        }
        (None, Some(At { place, .. })) if !has_protocol => {
            let hint = "write `protocol: tcp` beside it, or remove it to serve every port of every protocol";
            section.report().meaning(&place, "there is a port and no protocol", hint);
            RawService::Wrong
        }
        (Some(_) | None, Some(_) | None) => RawService::Wrong,
    }
}

fn table_length(cursor: &Cursor<'_>, report: &mut Report) -> Option<TableLength> {
    match cursor.scalar() {
        Some(scalar) if scalar.text == "auto" => Some(TableLength::Auto),
        Some(scalar) if scalar.plain && scalar.text.starts_with(|c: char| c.is_ascii_digit()) => {
            power_of_two(TABLE_LENGTH)(cursor, report).map(TableLength::Fixed)
        }
        Some(_) | None => {
            let example = format!("`auto`, or a power of two up to {TABLE_LENGTH}");
            cursor.expected("auto or a number", &example, report);
            None
        }
    }
}

fn weight_steps(cursor: &Cursor<'_>, report: &mut Report) -> Option<WeightSteps> {
    let number: u8 = integer(1..=i64::from(WeightSteps::MAX))(cursor, report)?;
    WeightSteps::try_from(number).ok()
}

fn pools(section: &mut Section<'_, '_>) -> Vec<RawPool> {
    let place = section.place().clone();
    let written = section.required("pools", "[{name: primary, backends: {nginx0: {}}}]", |cursor, report| {
        let items = cursor.items(keys::POOL.example, report)?;
        if items.is_empty() {
            let hint = format!("write {}", keys::POOL.example);
            report.meaning(cursor.key(), "a frontend without pools serves nobody", hint);
        }
        Some(items.iter().map(|item| pool(item, report)).collect())
    });
    written.unwrap_or(At { value: Vec::new(), place }).value
}

fn pool(cursor: &Cursor<'_>, report: &mut Report) -> RawPool {
    let mut section = Section::open(cursor, &keys::POOL, report);
    RawPool {
        place: section.place().clone(),
        name: section.required("name", "primary", name),
        members: section
            .required("backends", "{nginx0: {}}", members)
            .map_or(Vec::new(), |members| members.value),
    }
}

fn members(cursor: &Cursor<'_>, report: &mut Report) -> Option<Vec<RawMember>> {
    let entries = cursor.entries("`backends: {nginx0: {}, nginx1: {weight: 50}}`", report)?;
    if entries.is_empty() {
        let hint = "write `backends: {nginx0: {}}`, or remove the pool";
        report.meaning(cursor.key(), "a pool without backends serves nobody", hint);
    }
    let members = entries.into_iter().filter_map(|(key, cursor)| {
        let mut section = Section::open(&cursor, &keys::MEMBER, report);
        let weight = section.or("weight", Weight::MAX, weight).value;
        let backend = named(key, cursor.key(), report)?;
        Some(RawMember { place: cursor.key().clone(), backend, weight })
    });
    Some(members.collect())
}

fn weight(cursor: &Cursor<'_>, report: &mut Report) -> Option<Weight> {
    let number: i64 = integer(0..=100)(cursor, report)?;
    Weight::try_from(number).ok()
}
