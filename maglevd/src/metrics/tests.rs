//! What Prometheus sees of an engine in a known state.

use std::collections::BTreeSet;
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

use maglev_core::engine::{Effect, MayEmpty, ProbeOrder};
use maglev_core::intent::{Attribution, Request};
use maglev_core::outcome::{Code, Outcome, Timings};
use maglev_core::time::Time;
use maglev_core::weight::Weight;
use maglev_probe::Prober;

use super::*;
use crate::clock::Clock;
use crate::control::{Driver, Keep, Kept, Load};
use crate::fixture::{self, WEB};

/// A guard who has seen nobody.
fn guard() -> Guard {
    Guard {
        denials: Arc::default(),
        tls: None,
        audit: crate::audit::Audit::default(),
        grpc: crate::accept::Tally::new("gRPC"),
        metrics: crate::accept::Tally::new("metrics"),
    }
}

/// An engine in which something has happened, and what was counted.
struct Scene {
    engine: Engine,
    tally: Tally,
    state: StateView,
    damaged: Damaged,
}

impl Scene {
    fn new(config: &str) -> Self {
        let engine = fixture::engine(config);
        let tally = Tally::new(&engine);
        Scene { engine, tally, state: StateView::default(), damaged: Damaged::default() }
    }

    fn settle(&mut self) -> Vec<ProbeOrder> {
        let mut orders = Vec::new();
        while let Some(effect) = self.engine.poll_effect() {
            match effect {
                Effect::StartProbe(order) => orders.push(order),
                Effect::CancelProbe(_) | Effect::Observe | Effect::Apply(_) | Effect::Synced(_) => {}
                Effect::Event(event) => self.tally.event(&event),
            }
        }
        orders
    }

    /// Sends the next probe of each watched backend, and answers it.
    fn probe(&mut self, answer: impl Fn(&str) -> (Code, u64)) {
        let now = Time::ZERO + Duration::from_secs(24 * 3600) * (1 + self.probes());
        self.engine.handle_timeout(now);
        for order in self.settle() {
            let (code, millis) = answer(order.backend.as_str());
            let timings = Timings { total: Duration::from_millis(millis), ..Timings::default() };
            let outcome = Outcome { code, detail: String::new(), timings };
            self.tally.probe(&order.backend, order.check.probe.kind(), &outcome);
            self.engine.handle_outcome(now, &order.backend, order.id, outcome);
        }
        self.settle();
    }

    fn probes(&self) -> u32 {
        let counts = self.tally.backends().flat_map(|(_, tally)| tally.probes.values());
        u32::try_from(counts.sum::<u64>()).unwrap()
    }

    fn request(&mut self, backend: &str, request: Request) {
        let who = Attribution { by: "test".into(), at: Time::ZERO, reason: String::new(), until: None };
        self.engine.request(Time::ZERO, backend, request, who, MayEmpty::Anything).unwrap();
        self.settle();
    }

    /// What Prometheus gets.
    fn scrape(&self) -> String {
        let (_, control) =
            Driver::new(fixture::engine(WEB), Clock::start(), Prober::new(), (Keep::InMemory, None), None);
        let sources = Sources {
            link: None,
            messages: Messages::default(),
            calls: Calls::default(),
            missing: Missing::default(),
            guard: guard(),
            damaged: self.damaged,
            lines: Lines::new(),
        };
        let metrics = Metrics::new((control, Answers::start().unwrap()), ConfigStatus::loaded(), sources);
        let load = Load { probes: 2, watchers: 1 };
        let reading = Clock::start().reading();
        let sample = Sample::take(&self.engine, &self.tally, reading, load, self.state.clone());
        metrics.write(&sample, problems::count(&[]))
    }

    /// What is ours of it and always the same, in order.
    fn ours(&self) -> String {
        let text = self.scrape();
        let varies = |line: &str| {
            line.contains("process_")
                || line.starts_with("maglev_build_info")
                || (line.contains("_timestamp_seconds") && !line.starts_with('#'))
        };
        let mut lines: Vec<_> = text.lines().filter(|line| !line.is_empty() && !varies(line)).collect();
        // Help, type and samples of a family stay together; those of a histogram keep their order.
        let family = |line: &str| {
            let name = line.trim_start_matches("# HELP ").trim_start_matches("# TYPE ");
            name.split([' ', '{']).next().unwrap_or_default().to_owned()
        };
        lines.sort_by_key(|line| {
            let histogram = line.starts_with("maglev_probe_duration_seconds_");
            (family(line), !line.starts_with('#'), if histogram { String::new() } else { (*line).to_owned() })
        });
        lines.join("\n") + "\n"
    }
}

/// One backend up, one that went down, was mended and paused, and one without a check; a weight of an operator's.
fn scene() -> Scene {
    let mut scene = Scene::new(WEB);
    scene.probe(|backend| if backend == "nginx0" { (Code::L7Ok, 3) } else { (Code::L4Con, 1) });
    scene.probe(|backend| if backend == "nginx0" { (Code::L7Sts, 30) } else { (Code::SockErr, 0) });
    scene.request("nginx1", Request::Pause);
    scene.request("static0", Request::Disable);
    let who = Attribution { by: "test".into(), at: Time::ZERO, reason: String::new(), until: None };
    let weight = Weight::try_from(10_u8).unwrap();
    scene
        .engine
        .set_weight(Time::ZERO, ("site", "primary", "nginx0"), weight, false, who, MayEmpty::Anything)
        .unwrap();
    scene.settle();
    scene
}

#[test]
fn a_known_state_gives_known_metrics() {
    let expected = include_str!("golden.txt");
    let found = scene().ours();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/src/metrics/golden.txt"), &found).unwrap();
    } else {
        assert_eq!(found, expected, "UPDATE_GOLDEN=1 takes this as the new truth");
    }
}

/// The family a sample belongs to.
fn family(line: &str, histograms: &BTreeSet<&str>) -> String {
    let name = line.split([' ', '{']).next().unwrap_or_default();
    let parts = ["_bucket", "_sum", "_count"].map(|suffix| name.strip_suffix(suffix));
    parts.into_iter().flatten().find(|base| histograms.contains(base)).unwrap_or(name).to_owned()
}

#[test]
fn only_what_ends_by_itself_has_an_end() {
    let mut scene = scene();
    let until = Some(Time::ZERO + Duration::from_secs(3600));
    let who = Attribution { by: "test".into(), at: Time::ZERO, reason: String::new(), until };
    scene.engine.request(Time::ZERO, "nginx0", Request::Disable, who, MayEmpty::Anything).unwrap();
    let text = scene.scrape();
    let value = |name: &str, backend: &str, intent: &str| -> Option<f64> {
        let sample = format!("{name}{{backend=\"{backend}\",intent=\"{intent}\"}} ");
        text.lines().find_map(|line| line.strip_prefix(&sample)?.parse().ok())
    };
    let (since, end) =
        ("maglev_backend_intent_timestamp_seconds", "maglev_backend_intent_expiry_timestamp_seconds");
    let [since, end] = [since, end].map(|name| value(name, "nginx0", "disabled").unwrap());
    assert!((end - since - 3600.0).abs() < 0.01, "{since} to {end}");
    assert_eq!(value("maglev_backend_intent_expiry_timestamp_seconds", "nginx1", "paused"), None);
}

#[test]
fn every_family_comes_in_one_piece_with_help_and_type() {
    let text = scene().scrape();
    let histograms =
        text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.strip_suffix(" histogram")).collect();
    let (mut helped, mut typed, mut families) = (BTreeSet::new(), BTreeSet::new(), Vec::<String>::new());
    for line in text.lines().filter(|line| !line.is_empty()) {
        if let Some(help) = line.strip_prefix("# HELP ") {
            let (name, words) = help.split_once(' ').unwrap();
            assert!(!words.is_empty() && helped.insert(name.to_owned()), "{line}");
        } else if let Some(kind) = line.strip_prefix("# TYPE ") {
            assert!(typed.insert(kind.split_once(' ').unwrap().0.to_owned()), "{line}");
        } else {
            let family = family(line, &histograms);
            if families.last() != Some(&family) {
                families.push(family);
            }
        }
    }
    let unique: BTreeSet<_> = families.iter().cloned().collect();
    assert_eq!(unique.len(), families.len(), "in pieces: {families:?}");
    for family in &unique {
        assert!(helped.contains(family), "no help for {family}");
        assert!(typed.contains(family), "no type of {family}");
    }
    for name in [
        "maglev_backend_state",
        "maglev_backend_health",
        "maglev_backend_enabled",
        "maglev_frontend_state",
        "maglev_frontend_pool_backend_weight",
        "maglev_frontend_pool_backend_effective_weight",
        "maglev_probe_total",
        "maglev_probe_duration_seconds",
        "maglev_backend_transitions_total",
        "maglev_config_last_reload_successful",
        "maglev_config_last_reload_success_timestamp_seconds",
        "maglev_build_info",
        "process_resident_memory_bytes",
        "process_open_fds",
    ] {
        assert!(unique.contains(name), "{name} is missing");
    }
}

#[test]
fn what_is_gone_from_the_configuration_is_gone_from_the_metrics() {
    let mut scene = scene();
    assert!(scene.scrape().contains("nginx1"));
    scene.engine.reload(Time::ZERO, fixture::config(fixture::STATIC));
    scene.settle();
    scene.tally.resize(&scene.engine);
    let text = scene.scrape();
    assert!(!text.contains("nginx") && !text.contains("spare"), "{text}");
    assert!(text.contains("backend=\"static1\""));
}

#[test]
fn label_values_are_escaped() {
    let mut scene = Scene::new(&WEB.replace("nginx0", r#"'a"\b'"#));
    scene.probe(|_| (Code::L7Ok, 1));
    let escaped = r#"backend="a\"\\b""#;
    let text = scene.scrape();
    for name in ["maglev_backend_state", "maglev_probe_total", "maglev_probe_duration_seconds_bucket"] {
        let found = text.lines().any(|line| line.starts_with(name) && line.contains(escaped));
        assert!(found, "no {name} with {escaped} in:\n{text}");
    }
}

#[test]
fn what_is_not_on_disk_and_what_was_damaged_can_be_seen() {
    let lines = |scene: &Scene| -> Vec<String> {
        let text = scene.scrape();
        let mut lines: Vec<String> =
            text.lines().filter(|line| line.starts_with("maglev_state_")).map(str::to_owned).collect();
        lines.sort();
        lines
    };
    let mut scene = scene();
    assert_eq!(lines(&scene), [""; 0], "nothing is said without a state directory");
    scene.state = StateView {
        intent: Kept { durable: Some(false), failures: 3, failing: None },
        health_failures: 1,
        health_failing: None,
    };
    scene.damaged.health = true;
    assert_eq!(
        lines(&scene),
        [
            "maglev_state_damaged{file=\"health\"} 1",
            "maglev_state_damaged{file=\"intent\"} 0",
            "maglev_state_durable 0",
            "maglev_state_write_failures_total{file=\"health\"} 1",
            "maglev_state_write_failures_total{file=\"intent\"} 3",
        ]
    );
}

#[test]
fn promtool_finds_nothing() {
    for (what, text) in [("at work", scene().scrape()), ("at the start", Scene::new(WEB).scrape())] {
        let promtool = Command::new("promtool")
            .args(["check", "metrics"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        let Ok(mut promtool) = promtool else {
            eprintln!("skipped: promtool is not installed");
            return;
        };
        promtool.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        let output = promtool.wait_with_output().unwrap();
        assert!(output.status.success(), "{what}: {}", String::from_utf8_lossy(&output.stdout));
    }
}
