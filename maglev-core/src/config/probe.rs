//! Pure. Reading health checks.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use super::address::{source_v4, source_v6};
use super::keys;
use super::options::{Options, ProbeType};
use super::params;
use super::report::{At, Place, Report};
use super::section::{Cursor, Section};
use super::suggest::quoted;
use super::value::{duration, integer, one_of, text, unknown_word};
use crate::check::{CustomSpec, HealthCheck, Pace, ProbeSpec, Thresholds, WhenUnprobeable};
use crate::names::CheckName;

/// From a hundred probes a second, which a backend hardly notices, to the longest an operator would wait for a verdict.
const INTERVAL: RangeInclusive<Duration> = Duration::from_millis(10)..=Duration::from_secs(3600);

/// From a fast answer in the same rack to the longest anything waits for a connection.
const TIMEOUT: RangeInclusive<Duration> = Duration::from_millis(1)..=Duration::from_secs(600);

/// The default of `interval` and of `timeout`.
const TWO_SECONDS: Duration = Duration::from_secs(2);

/// More probes in a row than anyone waits for; `rise + fall` stays far from overflow.
const THRESHOLD: RangeInclusive<i64> = 1..=1000;

const PORT: RangeInclusive<i64> = 1..=65535;

/// A health check as written.
#[derive(Debug)]
pub(super) struct RawCheck {
    /// Where its name is.
    pub(super) place: Place,
    /// Where its timeout is written, or else its interval, if either is.
    pub(super) pace: Option<Place>,
    /// The check, if nothing is missing.
    pub(super) check: Option<HealthCheck>,
}

#[derive(Clone, Copy, Debug)]
enum Kind<'o> {
    Icmp,
    Tcp,
    Http,
    Https,
    Custom(&'o ProbeType),
}

impl Kind<'_> {
    fn needs_port(self) -> bool {
        match self {
            Kind::Icmp => false,
            Kind::Tcp | Kind::Http | Kind::Https => true,
            Kind::Custom(probe_type) => probe_type.needs_port,
        }
    }
}

/// Reads one health check.
pub(super) fn health_check(
    name: CheckName,
    cursor: &Cursor<'_>,
    options: &Options,
    report: &mut Report,
) -> RawCheck {
    let mut section = Section::open(cursor, &keys::CHECK, report);
    let kind = section.required("type", "http", |cursor, report| kind(cursor, options, report));
    let kind = kind.map(|kind| kind.value);
    let port = port(kind, &mut section);
    let interval = section.optional("interval", duration(INTERVAL));
    let timeout = section.optional("timeout", duration(TIMEOUT));
    let pace_place = timeout.as_ref().or(interval.as_ref()).map(|written| written.place.clone());
    let interval = interval.map_or(TWO_SECONDS, |written| written.value);
    let pace = Pace {
        interval,
        fast_interval: section.or("fast-interval", interval, duration(INTERVAL)).value,
        down_interval: section.or("down-interval", interval, duration(INTERVAL)).value,
        timeout: timeout.map_or(TWO_SECONDS, |written| written.value),
    };
    let thresholds = Thresholds {
        rise: section.or("rise", 2, integer(THRESHOLD)).value,
        fall: section.or("fall", 3, integer(THRESHOLD)).value,
    };
    let source_v4 = section.optional("probe-ipv4-src", source_v4).map(|source| source.value);
    let source_v6 = section.optional("probe-ipv6-src", source_v6).map(|source| source.value);
    let unprobeable = one_of([("hold", WhenUnprobeable::Hold), ("down", WhenUnprobeable::Down)]);
    let unprobeable = section.or("unprobeable", WhenUnprobeable::default(), unprobeable).value;
    let probe = probe(kind, port, &mut section);
    let place = section.place().clone();
    let check =
        probe.map(|probe| HealthCheck { name, probe, pace, thresholds, source_v4, source_v6, unprobeable });
    RawCheck { place, pace: pace_place, check }
}

fn kind<'o>(cursor: &Cursor<'_>, options: &'o Options, report: &mut Report) -> Option<Kind<'o>> {
    let written = text(cursor, report)?;
    let custom = || options.probe_types.iter().find(|probe_type| probe_type.kind == written);
    match written.to_ascii_lowercase().as_str() {
        "icmp" => Some(Kind::Icmp),
        "tcp" => Some(Kind::Tcp),
        "http" => Some(Kind::Http),
        "https" => Some(Kind::Https),
        _ => custom().map(Kind::Custom).or_else(|| {
            let own = options.probe_types.iter().map(|probe_type| probe_type.kind.as_str());
            let known: Vec<&str> = ["icmp", "tcp", "http", "https"].into_iter().chain(own).collect();
            unknown_word(cursor, &written, &known, report);
            None
        }),
    }
}

/// The port, which must be there for all but icmp.
fn port(kind: Option<Kind<'_>>, section: &mut Section<'_, '_>) -> Option<u16> {
    let port = match kind {
        Some(kind) if kind.needs_port() => section.required("port", "80", integer(PORT)),
        Some(_) | None => section.optional("port", integer(PORT)),
    };
    if let (Some(Kind::Icmp), Some(At { place, .. })) = (kind, &port) {
        section.report().warning(place, "an icmp check has no port", "remove it");
    }
    port.map(|port| port.value)
}

/// What to ask. `None` if it cannot be told, for reasons that are in the report.
fn probe(kind: Option<Kind<'_>>, port: Option<u16>, section: &mut Section<'_, '_>) -> Option<ProbeSpec> {
    match kind {
        Some(Kind::Icmp) => {
            section.nested("params", &keys::ICMP_PARAMS);
            Some(ProbeSpec::Icmp)
        }
        Some(Kind::Tcp) => {
            let tls = params::tcp(&mut section.nested("params", &keys::TCP_PARAMS));
            port.map(|port| ProbeSpec::Tcp { port, tls })
        }
        Some(Kind::Http) => {
            let request = params::http(&mut section.nested("params", &keys::HTTP_PARAMS));
            port.map(|port| ProbeSpec::Http { port, tls: None, request })
        }
        Some(Kind::Https) => {
            let mut params = section.nested("params", &keys::HTTPS_PARAMS);
            let request = params::http(&mut params);
            let tls = Some(params::tls(&mut params));
            port.map(|port| ProbeSpec::Http { port, tls, request })
        }
        Some(Kind::Custom(probe_type)) => custom(probe_type, port, section),
        None => {
            section.nested("params", &keys::ANY_PARAMS);
            None
        }
    }
}

/// A probe of an embedder's type: scalars under the keys it has registered.
fn custom(probe_type: &ProbeType, port: Option<u16>, section: &mut Section<'_, '_>) -> Option<ProbeSpec> {
    let cursor = section.child("params");
    let place = cursor.as_ref().map_or_else(|| section.place().clone(), |cursor| cursor.key().clone());
    let report = section.report();
    let mut params = BTreeMap::new();
    let entries = cursor.map(|cursor| cursor.entries("`params:` and `key: value` pairs", report));
    for (key, cursor) in entries.flatten().unwrap_or_default() {
        if !probe_type.params.iter().any(|known| known == key) {
            let hint = match report.nearest(key, probe_type.params.iter().map(String::as_str)) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("remove it; the keys here are {}", probe_type.params.join(", ")),
            };
            let message = format!("unknown key in the params of type {}", quoted(&probe_type.kind));
            report.shape(cursor.key(), message, hint);
        } else if let Some(value) = text(&cursor, report) {
            params.insert(key.to_owned(), value);
        }
    }
    let spec = CustomSpec { kind: probe_type.kind.clone(), port, params };
    if let Err(message) = (probe_type.validate)(&spec) {
        let hint = format!("see what a check of type {} needs", quoted(&probe_type.kind));
        report.meaning(&place, message, hint);
    }
    Some(ProbeSpec::Custom(spec))
}

/// A file, by its absolute path: a daemon's working directory is nothing to rely on.
pub(super) fn absolute_path(cursor: &Cursor<'_>, report: &mut Report) -> Option<PathBuf> {
    let written = text(cursor, report)?;
    if written.starts_with('/') && !written.contains('\0') {
        return Some(PathBuf::from(written));
    }
    let message = format!("{} is not an absolute path", quoted(&written));
    report.meaning(&cursor.place(), message, "write the whole path, beginning with `/`");
    None
}
