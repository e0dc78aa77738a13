//! Edge. The references of metrics and log lines.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use maglev_tests::logs::{LogLine, written_by};

use crate::scene::{Family, Scene, check_names, exported, parse, path, read};

const METRICS: &str = "docs/metrics.md";
const LOGGING: &str = "docs/logging.md";

/// The rows of the tables of a document that begin with code: their cells.
fn rows(document: &str) -> Vec<Vec<String>> {
    let rows = document.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| row.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()).collect()
}

/// What stands between backticks.
fn code(text: &str) -> impl Iterator<Item = String> {
    text.split('`').skip(1).step_by(2).map(str::to_owned)
}

/// The metrics that the reference has.
pub(crate) fn documented() -> BTreeMap<String, Family> {
    let rows = rows(&read(METRICS));
    let families = rows.into_iter().filter_map(|cells| {
        let [name, kind, labels, ..] = &cells[..] else { return None };
        let name = code(name).next()?;
        let is_metric = ["maglev_", "process_"].iter().any(|prefix| name.starts_with(prefix));
        is_metric.then(|| (name, Family { kind: kind.clone(), labels: code(labels).collect() }))
    });
    families.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_metric_is_documented_as_it_is() {
    let scene = Scene::start().await;
    let (documented, exported) = (documented(), exported(&scene.daemon));
    for (name, family) in &exported {
        assert_eq!(documented.get(name), Some(family), "{name} in {METRICS}");
    }
    assert_eq!(documented.len(), exported.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn every_query_in_the_documentation_works() {
    let scene = Scene::start().await;
    let families = exported(&scene.daemon);
    let mut queries = Vec::new();
    for file in [METRICS, "docs/monitoring.md", "docs/vpp.md"] {
        let document = read(file);
        for block in document.split("```promql\n").skip(1) {
            for query in block.split("```").next().unwrap().lines().filter(|line| !line.starts_with('#')) {
                check_names(file, query, &[], &families);
                queries.push((file.to_owned(), query.to_owned()));
            }
        }
    }
    assert!(!queries.is_empty());
    parse(&queries);
}

/// Every log line that the daemon can write, of our own sources.
fn written() -> BTreeSet<LogLine> {
    let mut written = BTreeSet::new();
    for directory in ["maglevd/src", "maglev-core/src", "maglev-probe/src", "maglev-vpp/src"] {
        sources(&path(directory), &mut |source| written.extend(written_by(source)));
    }
    written
}

/// Calls `take` with every source file that is no test and no simulation.
fn sources(directory: &Path, take: &mut impl FnMut(&str)) {
    for entry in directory.read_dir().unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        match name.as_str() {
            "tests" | "tests.rs" | "proptests" | "proptests.rs" | "sim" | "sim.rs" | "bin" => {}
            _ if path.is_dir() => sources(&path, take),
            _ if name.ends_with(".rs") => take(&std::fs::read_to_string(&path).unwrap()),
            _ => {}
        }
    }
}

#[test]
fn every_log_line_is_documented_as_it_is() {
    let rows = rows(&read(LOGGING));
    let levels = ["error", "warn", "info", "debug"];
    let documented: BTreeSet<_> = rows
        .into_iter()
        .filter_map(|cells| {
            let [level, message, fields, ..] = &cells[..] else { return None };
            let (level, message) = (code(level).next()?, code(message).next()?);
            let fields = code(fields).collect();
            levels.contains(&level.as_str()).then_some(LogLine { level, message, fields })
        })
        .collect();
    let written = written();
    assert!(written.len() > 30, "{written:#?}");
    let missing: Vec<_> = written.difference(&documented).collect();
    let gone: Vec<_> = documented.difference(&written).collect();
    assert!(
        missing.is_empty() && gone.is_empty(),
        "{LOGGING} lacks {missing:#?}\nand has too much: {gone:#?}"
    );
}
