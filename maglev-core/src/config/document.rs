//! Pure. From a [`Config`] back to the keys of the file, with every default written out.

mod node;

use std::collections::BTreeMap;
use std::fmt::Display;

pub(super) use self::node::Node;
use super::{
    Backend, Config, Frontend, HealthSettings, Member, Ownership, Pool, TableLength, VppSettings,
    WeightScaling, format_duration,
};
use crate::check::{CustomSpec, HealthCheck, HttpSpec, Pace, ProbeSpec, Thresholds, TlsSpec};
use crate::net::{Service, Vip};

impl Config {
    /// The configuration as a file: YAML with every key and every default, sorted by name. [`parse`](super::parse) of it
    /// gives this configuration again.
    pub fn to_yaml(&self) -> String {
        let Config { health, vpp, checks, backends, frontends } = self;
        let maglev = Node::map([
            ("healthchecker", Some(self::health(health))),
            ("vpp", Some(Node::map([("lb", Some(lb(vpp)))]))),
            ("healthchecks", Some(named(checks, |check| self::check(check)))),
            ("backends", Some(named(backends, backend))),
            ("frontends", Some(named(frontends, frontend))),
        ]);
        Node::map([("maglev", Some(maglev))]).to_yaml()
    }
}

fn named<N: Display, T>(things: &BTreeMap<N, T>, node: impl Fn(&T) -> Node) -> Node {
    Node::Map(things.iter().map(|(name, thing)| (name.to_string(), node(thing))).collect())
}

/// `maglev.healthchecker`.
pub(super) fn health(settings: &HealthSettings) -> Node {
    let HealthSettings { transition_history, netns } = settings;
    Node::map([
        ("transition-history", Some(Node::plain(transition_history))),
        ("netns", netns.as_deref().map(Node::text)),
    ])
}

/// `maglev.vpp.lb`.
pub(super) fn lb(settings: &VppSettings) -> Node {
    let VppSettings {
        source_v4,
        source_v6,
        sync_interval,
        sticky_buckets_per_core,
        flow_timeout,
        startup_min_delay,
        startup_max_delay,
        ownership,
        weight_scaling,
    } = settings;
    let ownership = match ownership {
        Ownership::Managed => "managed",
        Ownership::Exclusive => "exclusive",
    };
    let weight_scaling = match weight_scaling {
        WeightScaling::Ratio => "ratio",
        WeightScaling::Raw => "raw",
    };
    Node::map([
        ("ipv4-src-address", source_v4.map(Node::text)),
        ("ipv6-src-address", source_v6.map(Node::text)),
        ("sync-interval", Some(Node::text(format_duration(*sync_interval)))),
        ("sticky-buckets-per-core", Some(Node::plain(sticky_buckets_per_core))),
        ("flow-timeout", Some(Node::text(format_duration(*flow_timeout)))),
        ("startup-min-delay", Some(Node::text(format_duration(*startup_min_delay)))),
        ("startup-max-delay", Some(Node::text(format_duration(*startup_max_delay)))),
        ("ownership", Some(Node::text(ownership))),
        ("weight-scaling", Some(Node::text(weight_scaling))),
    ])
}

/// `maglev.healthchecks.<name>`.
pub(super) fn check(check: &HealthCheck) -> Node {
    let HealthCheck { name: _, probe, pace, thresholds, source_v4, source_v6, unprobeable } = check;
    let Pace { interval, fast_interval, down_interval, timeout } = pace;
    let Thresholds { rise, fall } = thresholds;
    Node::map([
        ("type", Some(Node::text(probe.kind()))),
        ("port", probe.port().map(Node::plain)),
        ("interval", Some(Node::text(format_duration(*interval)))),
        ("fast-interval", Some(Node::text(format_duration(*fast_interval)))),
        ("down-interval", Some(Node::text(format_duration(*down_interval)))),
        ("timeout", Some(Node::text(format_duration(*timeout)))),
        ("rise", Some(Node::plain(rise))),
        ("fall", Some(Node::plain(fall))),
        ("probe-ipv4-src", source_v4.map(Node::text)),
        ("probe-ipv6-src", source_v6.map(Node::text)),
        ("unprobeable", Some(Node::text(unprobeable.as_str()))),
        ("params", params(probe)),
    ])
}

fn params(probe: &ProbeSpec) -> Option<Node> {
    match probe {
        ProbeSpec::Icmp => None,
        ProbeSpec::Tcp { port: _, tls: None } => Some(Node::map([("tls", Some(Node::plain(false)))])),
        ProbeSpec::Tcp { port: _, tls: Some(spec) } => {
            let mut params = vec![("tls", Some(Node::plain(true)))];
            params.extend(tls(spec));
            Some(Node::map(params))
        }
        ProbeSpec::Http { port: _, tls: spec, request } => {
            let mut params = http(request);
            params.extend(spec.iter().flat_map(tls));
            Some(Node::map(params))
        }
        ProbeSpec::Custom(CustomSpec { kind: _, port: _, params }) => {
            Some(named(params, |param| Node::text(param)))
        }
    }
}

fn http(request: &HttpSpec) -> Vec<(&'static str, Option<Node>)> {
    let HttpSpec { path, host, method, status, body } = request;
    vec![
        ("path", Some(Node::text(path))),
        ("host", host.as_deref().map(Node::text)),
        ("method", Some(Node::text(method))),
        ("response-code", Some(Node::text(status))),
        ("response-regexp", body.as_ref().map(Node::text)),
    ]
}

fn tls(spec: &TlsSpec) -> Vec<(&'static str, Option<Node>)> {
    let TlsSpec { server_name, verify, ca_file, client } = spec;
    vec![
        ("server-name", server_name.as_deref().map(Node::text)),
        ("insecure-skip-verify", Some(Node::plain(!verify))),
        ("ca-file", ca_file.as_ref().map(|file| Node::text(file.display()))),
        ("client-cert", client.as_ref().map(|client| Node::text(client.certificate.display()))),
        ("client-key", client.as_ref().map(|client| Node::text(client.key.display()))),
    ]
}

/// `maglev.backends.<name>`.
pub(super) fn backend(backend: &Backend) -> Node {
    let Backend { name: _, address, check, enabled } = backend;
    Node::map([
        ("address", Some(Node::text(address))),
        ("healthcheck", check.as_ref().map(|check| Node::text(&check.name))),
        ("enabled", Some(Node::plain(enabled))),
    ])
}

/// `maglev.frontends.<name>`.
pub(super) fn frontend(frontend: &Frontend) -> Node {
    let Frontend {
        name: _,
        description,
        vip: Vip { prefix, service },
        family: _,
        pools,
        src_ip_sticky,
        flush_on_down,
        table_length,
        weight_steps,
    } = frontend;
    let host = prefix.prefix_len() == prefix.max_prefix_len();
    let address = if host { Node::text(prefix.addr()) } else { Node::text(prefix) };
    let (protocol, port) = match service {
        Service::All => (None, None),
        Service::Port(protocol, port) => (Some(Node::text(protocol)), Some(Node::plain(port))),
    };
    let table_length = match table_length {
        TableLength::Auto => Node::text("auto"),
        TableLength::Fixed(length) => Node::plain(length),
    };
    Node::map([
        ("description", Some(Node::text(description))),
        ("address", Some(address)),
        ("protocol", protocol),
        ("port", port),
        ("pools", Some(Node::List(pools.iter().map(pool).collect()))),
        ("src-ip-sticky", Some(Node::plain(src_ip_sticky))),
        ("flush-on-down", Some(Node::plain(flush_on_down))),
        ("new-flows-table-length", Some(table_length)),
        ("weight-steps", weight_steps.map(|steps| Node::plain(steps.get()))),
    ])
}

fn pool(pool: &Pool) -> Node {
    let Pool { name, members } = pool;
    let member = |member: &Member| {
        let Member { backend, weight } = member;
        (backend.to_string(), Node::map([("weight", Some(Node::plain(weight)))]))
    };
    Node::map([
        ("name", Some(Node::text(name))),
        ("backends", Some(Node::Map(members.iter().map(member).collect()))),
    ])
}

#[cfg(test)]
mod tests;
