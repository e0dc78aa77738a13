//! Edge. The engine's view of things as messages.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::time::{Duration, SystemTime};

use maglev_api::v1;
use maglev_core::access::Role;
use maglev_core::check::{HealthCheck, ProbeSpec, TlsSpec};
use maglev_core::config::{Change, Diagnostic, Diff, KeyChange, Member, Pool, Severity, TableLength};
use maglev_core::desired::{BackendState, Decision, FrontendState, Reason};
use maglev_core::engine::{BackendStatus, Cause, Engine, FrontendStatus, LastProbe, Transition};
use maglev_core::intent::{Admin, Attribution, Intent, Mode, WeightOverride};
use maglev_core::names::{BackendName, PoolName};
use maglev_core::outcome::Verdict;
use maglev_core::time::Time;
use serde_json::Value;

use crate::audit::Record;
use crate::clock::Reading;
use crate::control::Snapshot;
use crate::grpc::dataplane::service;
use crate::narrate::explain;
use crate::problems::{self, Kind, Problem};

pub(super) fn timestamp(wall: SystemTime) -> prost_types::Timestamp {
    wall.into()
}

pub(super) fn duration(span: Duration) -> prost_types::Duration {
    // Nothing here lasts longer than the 10000 years that fit.
    prost_types::Duration::try_from(span).unwrap_or_default()
}

/// A member of a pool, and what is decided for it.
type Place<'a> = ((&'a Pool, &'a Member), &'a Decision);

/// Every place in a frontend.
fn places(frontend: &FrontendStatus) -> impl Iterator<Item = Place<'_>> {
    frontend.config().members().zip(frontend.decision().pools.iter().flatten())
}

/// Turns what the engine has into messages, with one reading of the clocks for all its times.
#[derive(Clone, Copy, Debug)]
pub(super) struct Converter<'a> {
    pub(super) engine: &'a Engine,
    pub(super) reading: Reading,
}

impl<'a> Converter<'a> {
    /// Of everything at one moment.
    pub(super) fn of(seen: &'a Snapshot) -> Self {
        Converter { engine: &seen.engine, reading: seen.reading }
    }

    /// Every backend. Looks at each member of each frontend once, where [`backend`](Self::backend) looks at all of them
    /// for each backend.
    pub(super) fn backends(self) -> impl Iterator<Item = v1::Backend> {
        let mut memberships: BTreeMap<&BackendName, Vec<v1::Membership>> = BTreeMap::new();
        for frontend in self.engine.frontends() {
            for place in places(frontend) {
                let ((_, member), _) = &place;
                memberships.entry(&member.backend).or_default().push(self.membership(frontend, &place));
            }
        }
        self.engine.backends().map(move |status| {
            let memberships = memberships.remove(status.name()).unwrap_or_default();
            v1::Backend { memberships, ..self.backend_alone(status) }
        })
    }

    /// A backend.
    pub(super) fn backend(&self, status: &BackendStatus) -> v1::Backend {
        let frontends = self.engine.frontends_of(status.name().as_str());
        let memberships = frontends.flat_map(|frontend| {
            let own = places(frontend).filter(|((_, member), _)| member.backend == *status.name());
            own.map(|place| self.membership(frontend, &place))
        });
        v1::Backend { memberships: memberships.collect(), ..self.backend_alone(status) }
    }

    /// A backend without the frontends it is in.
    fn backend_alone(&self, status: &BackendStatus) -> v1::Backend {
        let config = status.config();
        let counter = status.counter();
        v1::Backend {
            name: status.name().to_string(),
            address: config.address.to_string(),
            state: backend_state(status.state()).into(),
            since: Some(at(self.reading, status.since())),
            health_check: config.check.as_ref().map(|check| check.name.to_string()).unwrap_or_default(),
            enabled: status.mode() != Mode::Disabled,
            health: counter.map_or(0, |counter| counter.value()),
            rise: counter.map_or(0, |counter| counter.rise()),
            fall: counter.map_or(0, |counter| counter.fall()),
            last_probe: status.last_probe().map(|probe| self.probe(probe)),
            next_probe_at: status.next_probe_at().map(|time| at(self.reading, time)),
            intent: self.intent(status.intent()),
            unprobeable: status.unprobeable().map(|unprobeable| v1::Unprobeable {
                since: Some(at(self.reading, unprobeable.since)),
                reason: unprobeable.reason.clone(),
            }),
            transitions: status.transitions().map(|t| transition(self.reading, t)).collect(),
            memberships: Vec::new(),
        }
    }

    fn membership(&self, frontend: &FrontendStatus, place: &Place<'_>) -> v1::Membership {
        let &((pool, member), decision) = place;
        let own = frontend.override_of(&pool.name, &member.backend);
        let (reason, active_pool) = reason(decision);
        v1::Membership {
            frontend: frontend.name().to_string(),
            pool: pool.name.to_string(),
            configured_weight: member.weight.get().into(),
            weight_override: own.map(|own| own.weight.get().into()),
            effective_weight: decision.weight.get().into(),
            reason: reason.into(),
            active_pool: active_pool.map(PoolName::to_string).unwrap_or_default(),
            override_attribution: self.set_by(own),
        }
    }

    pub(super) fn frontend(&self, status: &FrontendStatus) -> v1::Frontend {
        let config = status.config();
        let (protocol, port) = service(&config.vip);
        let pools = config.pools.iter().zip(&status.decision().pools).enumerate().map(
            |(index, (pool, decisions))| {
                let backends = pool.members.iter().zip(decisions).map(|(member, decision)| {
                    let backend = self.engine.backend(member.backend.as_str());
                    let own = status.override_of(&pool.name, &member.backend);
                    v1::PoolBackend {
                        name: member.backend.to_string(),
                        address: backend
                            .map(|backend| backend.config().address.to_string())
                            .unwrap_or_default(),
                        state: backend_state(backend.map_or(BackendState::Removed, BackendStatus::state))
                            .into(),
                        configured_weight: member.weight.get().into(),
                        weight_override: own.map(|own| own.weight.get().into()),
                        effective_weight: decision.weight.get().into(),
                        reason: reason(decision).0.into(),
                        override_attribution: self.set_by(own),
                    }
                });
                v1::Pool {
                    name: pool.name.to_string(),
                    active: status.decision().active == Some(index),
                    backends: backends.collect(),
                }
            },
        );
        v1::Frontend {
            name: status.name().to_string(),
            description: config.description.clone(),
            prefix: config.vip.prefix.to_string(),
            protocol,
            port,
            state: frontend_state(status.decision().state).into(),
            since: Some(at(self.reading, status.since())),
            active_pool: status.active_pool().map(PoolName::to_string).unwrap_or_default(),
            pools: pools.collect(),
            src_ip_sticky: config.src_ip_sticky,
            flush_on_down: config.flush_on_down,
            encap: config.encap().to_string(),
            table_length: match config.table_length {
                TableLength::Auto => 0,
                TableLength::Fixed(length) => length,
            },
            weight_steps: config.weight_steps.map_or(0, |steps| steps.get().into()),
            table_length_desired: config.wanted_length(),
            fingerprint: self
                .engine
                .table_fingerprint(status)
                .map(|fingerprint| fingerprint.to_string())
                .unwrap_or_default(),
            fingerprint_desired: self.engine.desired_fingerprint(status).to_string(),
        }
    }

    pub(super) fn health_check(&self, check: &HealthCheck) -> v1::HealthCheck {
        let uses = |backend: &&BackendStatus| {
            backend.config().check.as_ref().is_some_and(|used| used.name == check.name)
        };
        v1::HealthCheck {
            name: check.name.to_string(),
            r#type: check.probe.kind().to_owned(),
            port: check.probe.port().unwrap_or(0).into(),
            interval: Some(duration(check.pace.interval)),
            fast_interval: Some(duration(check.pace.fast_interval)),
            down_interval: Some(duration(check.pace.down_interval)),
            timeout: Some(duration(check.pace.timeout)),
            rise: check.thresholds.rise.into(),
            fall: check.thresholds.fall.into(),
            probe_ipv4_src: check.source_v4.map(|source| source.to_string()).unwrap_or_default(),
            probe_ipv6_src: check.source_v6.map(|source| source.to_string()).unwrap_or_default(),
            params: params(&check.probe),
            unprobeable: check.unprobeable.as_str().to_owned(),
            backends: self.engine.backends().filter(uses).map(|backend| backend.name().to_string()).collect(),
        }
    }

    fn probe(&self, LastProbe { outcome, at: ended }: &LastProbe) -> v1::ProbeResult {
        v1::ProbeResult {
            code: outcome.code.to_string(),
            success: match outcome.verdict() {
                Verdict::Pass => Some(true),
                Verdict::Fail => Some(false),
                Verdict::Inconclusive => None,
            },
            detail: outcome.detail.clone(),
            at: Some(at(self.reading, *ended)),
            connect: outcome.timings.connect.map(duration),
            tls: outcome.timings.tls.map(duration),
            response: outcome.timings.response.map(duration),
            total: Some(duration(outcome.timings.total)),
        }
    }

    pub(super) fn intent(&self, intent: &Intent) -> Option<v1::Intent> {
        let (kind, who) = match (&intent.admin, &intent.paused) {
            (Some(Admin::Disabled(who)), _) => (v1::IntentKind::Disabled, who),
            (_, Some(who)) => (v1::IntentKind::Paused, who),
            (Some(Admin::Enabled(who)), None) => (v1::IntentKind::Enabled, who),
            (None, None) => return None,
        };
        Some(v1::Intent { kind: kind.into(), attribution: Some(self.attribution(who)) })
    }

    fn set_by(&self, own: Option<&WeightOverride>) -> Option<v1::Attribution> {
        own.map(|own| self.attribution(&own.attribution))
    }

    pub(super) fn attribution(&self, who: &Attribution) -> v1::Attribution {
        v1::Attribution {
            by: who.by.clone(),
            at: Some(at(self.reading, who.at)),
            reason: who.reason.clone(),
            expires_at: who.until.map(|until| at(self.reading, until)),
        }
    }
}

pub(super) fn at(reading: Reading, time: Time) -> prost_types::Timestamp {
    timestamp(reading.wall(time))
}

pub(super) fn transition(reading: Reading, transition: &Transition) -> v1::Transition {
    let (code, detail) = explain(&transition.cause);
    let cause = match &transition.cause {
        Cause::Probe { .. } => v1::Cause::Probe,
        Cause::Operator { .. } => v1::Cause::Operator,
        Cause::Expired { .. } => v1::Cause::Expired,
        Cause::Config => v1::Cause::Config,
    };
    v1::Transition {
        from: backend_state(transition.from).into(),
        to: backend_state(transition.to).into(),
        at: Some(at(reading, transition.at)),
        cause: cause.into(),
        code: code.to_owned(),
        detail,
    }
}

pub(super) const fn backend_state(state: BackendState) -> v1::BackendState {
    match state {
        BackendState::Unknown => v1::BackendState::Unknown,
        BackendState::Up => v1::BackendState::Up,
        BackendState::Down => v1::BackendState::Down,
        BackendState::Paused => v1::BackendState::Paused,
        BackendState::Disabled => v1::BackendState::Disabled,
        BackendState::Removed => v1::BackendState::Removed,
    }
}

pub(super) const fn role(role: Role) -> v1::Role {
    match role {
        Role::None => v1::Role::None,
        Role::Viewer => v1::Role::Viewer,
        Role::Admin => v1::Role::Admin,
    }
}

/// A record of the audit log. What does not apply is empty.
pub(super) fn audit(record: Record) -> v1::AuditRecord {
    let json = |value: Value| if value.is_null() { String::new() } else { value.to_string() };
    v1::AuditRecord {
        at: humantime::parse_rfc3339(&record.at).ok().map(timestamp),
        by: record.by,
        from: record.from,
        call: record.call,
        request: json(record.request),
        before: json(record.before),
        after: json(record.after),
        result: record.result,
        message: record.message,
    }
}

pub(super) const fn frontend_state(state: FrontendState) -> v1::FrontendState {
    match state {
        FrontendState::Unknown => v1::FrontendState::Unknown,
        FrontendState::Up => v1::FrontendState::Up,
        FrontendState::Down => v1::FrontendState::Down,
    }
}

fn reason(decision: &Decision) -> (v1::WeightReason, Option<&PoolName>) {
    match &decision.because {
        Reason::Active => (v1::WeightReason::Active, None),
        Reason::Standby { active } => (v1::WeightReason::Standby, Some(active)),
        Reason::Awaiting { .. } => (v1::WeightReason::Awaiting, None),
        Reason::Zero => (v1::WeightReason::Zero, None),
        Reason::Unknown => (v1::WeightReason::Unknown, None),
        Reason::Down => (v1::WeightReason::Down, None),
        Reason::Paused => (v1::WeightReason::Paused, None),
        Reason::Disabled | Reason::Removed => (v1::WeightReason::Disabled, None),
    }
}

/// What is asked besides the port, by the names of the configuration.
fn params(probe: &ProbeSpec) -> HashMap<String, String> {
    let mut params = HashMap::new();
    let mut add = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            params.insert(name.to_owned(), value);
        }
    };
    let mut tls = |tls: &TlsSpec| {
        add("server-name", tls.server_name.clone());
        add("insecure-skip-verify", Some((!tls.verify).to_string()));
        add("ca-file", tls.ca_file.as_ref().map(|file| file.display().to_string()));
        let client = tls.client.as_ref();
        add("client-cert", client.map(|client| client.certificate.display().to_string()));
        add("client-key", client.map(|client| client.key.display().to_string()));
    };
    match probe {
        ProbeSpec::Icmp => {}
        ProbeSpec::Tcp { tls: session, .. } => {
            session.iter().for_each(&mut tls);
            add("tls", Some(session.is_some().to_string()));
        }
        ProbeSpec::Http { tls: session, request, .. } => {
            session.iter().for_each(&mut tls);
            add("path", Some(request.path.clone()));
            add("host", request.host.clone());
            add("method", Some(request.method.clone()));
            add("response-code", Some(request.status.to_string()));
            add("response-regexp", request.body.as_ref().map(ToString::to_string));
        }
        ProbeSpec::Custom(custom) => params.extend(custom.params.clone()),
    }
    params
}

pub(super) fn diagnostic(file: &str, diagnostic: &Diagnostic) -> v1::Diagnostic {
    let severity = match diagnostic.severity {
        Severity::Error => v1::Severity::Error,
        Severity::Warning => v1::Severity::Warning,
    };
    v1::Diagnostic {
        severity: severity.into(),
        file: file.to_owned(),
        line: diagnostic.position.line,
        column: diagnostic.position.column,
        key: diagnostic.path.clone(),
        message: format!("{}; {}", diagnostic.message, diagnostic.hint),
    }
}

pub(super) fn diagnostics<'a>(
    found: impl Iterator<Item = (&'a Path, &'a Diagnostic)>,
) -> Vec<v1::Diagnostic> {
    found.map(|(file, found)| diagnostic(&file.display().to_string(), found)).collect()
}

/// In place of errors that only an administrator may read.
pub(super) fn withheld() -> v1::Diagnostic {
    v1::Diagnostic {
        severity: v1::Severity::Error.into(),
        message:
            "the access file or the file of metrics tokens is not valid; administrators are shown the errors"
                .to_owned(),
        ..v1::Diagnostic::default()
    }
}

/// How many keys that differ are listed: what a person reads, and an answer of some 100 KiB.
const KEYS: usize = 1000;

pub(super) fn changes(diff: &Diff, keys: &[KeyChange]) -> v1::ConfigChanges {
    v1::ConfigChanges {
        backends: Some(names(&diff.backends)),
        frontends: Some(names(&diff.frontends)),
        health_checks: Some(names(&diff.checks)),
        keys: keys.iter().take(KEYS).map(key_change).collect(),
        more_keys: u32::try_from(keys.len().saturating_sub(KEYS)).unwrap_or(u32::MAX),
    }
}

fn key_change(change: &KeyChange) -> v1::ConfigKeyChange {
    let KeyChange { key, before, after, effect } = change;
    let effect = effect.unwrap_or_default().to_owned();
    v1::ConfigKeyChange { key: key.clone(), before: before.clone(), after: after.clone(), effect }
}

fn names<N: ToString, C>(changes: &BTreeMap<N, Change<C>>) -> v1::NameChanges {
    let mut names = v1::NameChanges::default();
    for (name, change) in changes {
        let list = match change {
            Change::Added => &mut names.added,
            Change::Changed(_) => &mut names.changed,
            Change::Removed => &mut names.removed,
        };
        list.push(name.to_string());
    }
    names
}

pub(super) fn problem(problem: Problem) -> v1::Problem {
    let Problem { code, severity, name, what, since, until, because, remedy } = problem;
    let severity = match severity {
        problems::Severity::Bad => v1::ProblemSeverity::Bad,
        problems::Severity::Warning => v1::ProblemSeverity::Warning,
        problems::Severity::Notice => v1::ProblemSeverity::Notice,
    };
    let kind = match code.kind() {
        Kind::Daemon => v1::ProblemKind::Daemon,
        Kind::State => v1::ProblemKind::State,
        Kind::Tls => v1::ProblemKind::Tls,
        Kind::Audit => v1::ProblemKind::Audit,
        Kind::Config => v1::ProblemKind::Config,
        Kind::Vpp => v1::ProblemKind::Vpp,
        Kind::Sync => v1::ProblemKind::Sync,
        Kind::Frontend => v1::ProblemKind::Frontend,
        Kind::Backend => v1::ProblemKind::Backend,
    };
    v1::Problem {
        severity: severity.into(),
        kind: kind.into(),
        code: code.id().to_owned(),
        name: name.unwrap_or_default(),
        what,
        since: since.map(timestamp),
        until: until.map(timestamp),
        because,
        remedy,
        alert: code.alert().unwrap_or_default().to_owned(),
    }
}
