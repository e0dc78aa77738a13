//! Edge. A daemon that exports all it can, and what that is.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use maglev_api::v1::BackendIntentRequest;
use maglev_tests::authority::Authority;
use maglev_tests::daemon::{Daemon, Options};
use maglev_tests::metrics::Metrics;
use maglev_tests::promql::names;
use maglev_tests::requirements::{missing, skip};
use maglev_tests::vpp::{Farm, Vpp, vip};
use maglev_tests::wait::{SOON, eventually};
use maglev_vpp::sim::Traffic;
use prost_types::Duration as Span;
use tempfile::TempDir;

use crate::reference::documented;
use crate::rules::recorded;

/// A file of the tree.
pub(crate) fn path(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file)
}

/// The text of a file of the tree.
pub(crate) fn read(file: &str) -> String {
    std::fs::read_to_string(path(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// A kind of metric.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Family {
    /// Its type, as Prometheus calls it.
    pub(crate) kind: String,
    /// Its labels; of a histogram without `le`.
    pub(crate) labels: BTreeSet<String>,
}

/// A daemon with backends in every state, a VPP that counts packets, and an operator who has called it.
pub(crate) struct Scene {
    pub(crate) daemon: Daemon,
    _vpp: Vpp,
    _farm: Farm,
    _files: TempDir,
}

impl Scene {
    /// Starts it, and waits until every documented metric is there.
    pub(crate) async fn start() -> Self {
        let (farm, vpp) = (Farm::start(4).await, Vpp::start().await);
        farm.0[1].answer(503);
        let config = farm.config().pool("site", "primary", &["web0", "web1", "web2"]);
        let (files, arguments) = certificate();
        let vpp_sockets = Some(vpp.directory().to_owned());
        let options = Options { vpp: vpp_sockets, arguments, ..Options::default() };
        let daemon = Daemon::start(&config.pool("site", "spare", &["web3"]), options).await;
        let mut operator = daemon.operator().await;
        // All have a verdict first: VPP is not written before.
        for (backend, code) in [("web0", "L7OK"), ("web1", "L7STS"), ("web2", "L7OK"), ("web3", "L7OK")] {
            operator.probed(backend, code).await;
        }
        // An end is exported where there is one.
        let pause = BackendIntentRequest {
            name: "web2".to_owned(),
            expires_in: Some(Span { seconds: 3600, nanos: 0 }),
            force: true,
            ..BackendIntentRequest::default()
        };
        operator.client.pause_backend(pause).await.unwrap();
        operator.disable("web3").await.unwrap();
        operator.in_charge().await;
        eventually("traffic", SOON, async || vpp.sim.count(vip(1), TRAFFIC).then_some(()).ok_or("no VIP"))
            .await;
        let wanted: BTreeSet<_> = documented().into_keys().collect();
        eventually("every documented metric", SOON, async || {
            let exported: BTreeSet<_> = exported(&daemon).into_keys().collect();
            let absent: Vec<_> = wanted.difference(&exported).cloned().collect();
            if absent.is_empty() { Ok(()) } else { Err(absent) }
        })
        .await;
        Scene { daemon, _vpp: vpp, _farm: farm, _files: files }
    }
}

/// A certificate in a directory, and what makes the daemon serve with it.
fn certificate() -> (TempDir, Vec<String>) {
    let files = TempDir::with_prefix("maglev-tls-").unwrap();
    let [certificate, key] = ["cert.pem", "key.pem"].map(|name| files.path().join(name));
    Authority::new().certify(&["maglevd"]).write(&certificate, &key);
    let flags = [("--tls-cert", certificate), ("--tls-key", key)];
    let words = flags.iter().flat_map(|(flag, file)| [(*flag).to_owned(), file.display().to_string()]);
    (files, words.collect())
}

const TRAFFIC: Traffic = Traffic { next: 1000, first: 20, untracked: 3, no_server: 4, bytes: 64_000 };

/// What a daemon exports.
pub(crate) fn exported(daemon: &Daemon) -> BTreeMap<String, Family> {
    let text = daemon.scrape();
    let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
    let metrics = Metrics::parse(&text);
    let families = types.filter_map(|(name, kind)| {
        let sample = if kind == "histogram" { format!("{name}_count") } else { name.to_owned() };
        let samples = metrics.all(&sample, &[]);
        // A family that is described and has no sample is not exported.
        let labels = samples.first()?.labels.keys().cloned().collect();
        Some((name.to_owned(), Family { kind: kind.to_owned(), labels }))
    });
    families.collect()
}

/// Sees that a query names only what there is, with the labels that it has. `shown` are labels that what is made of its
/// result names.
pub(crate) fn check_names(place: &str, query: &str, shown: &[String], families: &BTreeMap<String, Family>) {
    let recorded = recorded();
    let everywhere = ["job", "instance"].map(str::to_owned);
    let mut known = BTreeSet::from(everywhere.clone());
    let found = names(query);
    for (metric, labels) in &found.selectors {
        let mut has: BTreeSet<_> = everywhere.clone().into();
        let parts = ["_bucket", "_sum", "_count"].iter().find_map(|part| {
            let family = families.get(metric.strip_suffix(part)?)?;
            (family.kind == "histogram").then_some((family, *part))
        });
        match (parts, families.get(metric), recorded.get(metric)) {
            (Some((family, part)), ..) => {
                has.extend(family.labels.iter().cloned());
                has.extend((part == "_bucket").then(|| "le".to_owned()));
            }
            (None, Some(family), _) => has.extend(family.labels.iter().cloned()),
            (None, None, Some(labels)) => has.extend(labels.iter().cloned()),
            (None, None, None) => assert_eq!(metric, "up", "{place}: nothing is called that in {query}"),
        }
        let strange: Vec<_> = labels.difference(&has).collect();
        assert!(strange.is_empty(), "{place}: {metric} has no labels {strange:?} in {query}");
        known.extend(has);
    }
    for label in found.grouped.iter().chain(shown) {
        assert!(known.contains(label), "{place}: nothing has the label {label} in {query}");
    }
}

/// Runs promtool. Returns what it said unless it found everything in order; `None` where there is none.
pub(crate) fn promtool(arguments: &[&str], input: &str) -> Option<Result<(), String>> {
    if let Some(absent) = missing(&[("promtool", "prometheus")]) {
        skip(&absent);
        return None;
    }
    let mut promtool = Command::new("promtool")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // One that fails at once does not read.
    let _ = promtool.stdin.take().unwrap().write_all(input.as_bytes());
    let output = promtool.wait_with_output().unwrap();
    let words = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    Some(if output.status.success() { Ok(()) } else { Err(words.into_owned()) })
}

/// Sees that promtool understands these queries.
pub(crate) fn parse(queries: &[(String, String)]) {
    let rules: Vec<_> = queries
        .iter()
        .enumerate()
        .map(|(number, (_, query))| serde_json::json!({"record": format!("query:{number}"), "expr": query}))
        .collect();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("queries.yml");
    // JSON is YAML too.
    let document = serde_json::json!({"groups": [{"name": "queries", "rules": rules}]});
    std::fs::write(&file, document.to_string()).unwrap();
    if let Some(Err(words)) = promtool(&["check", "rules", "--lint=none", &file.display().to_string()], "") {
        panic!("promtool does not understand a query:\n{words}\n{queries:#?}");
    }
}

/// The names between `{{` and `}}` that begin with `prefix`.
pub(crate) fn placeholders(text: &str, prefix: &str) -> Vec<String> {
    let inside = text.split("{{").skip(1).filter_map(|rest| rest.split("}}").next());
    let words = inside.filter_map(|inside| inside.split_whitespace().next()?.strip_prefix(prefix));
    words.map(str::to_owned).collect()
}

/// promtool has no word to say about all that the daemon exports.
#[tokio::test(flavor = "multi_thread")]
async fn promtool_finds_nothing() {
    let scene = Scene::start().await;
    if let Some(found) = promtool(&["check", "metrics"], &scene.daemon.scrape()) {
        assert_eq!(found, Ok(()));
    }
}
