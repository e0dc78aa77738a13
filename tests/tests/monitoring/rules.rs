//! Edge. Prometheus' rules, alerts and configuration.

use std::collections::{BTreeMap, BTreeSet};

use maglev_tests::cli::maglevc;
use serde_json::Value;

use crate::scene::{Scene, check_names, exported, parse, path, placeholders, promtool, read};

const RULES: &str = "packaging/prometheus/rules.yml";
const ALERTS: &str = "packaging/prometheus/alerts.yml";

fn rules(file: &str) -> Vec<Value> {
    let document: Value = serde_saphyr::from_str(&read(file)).unwrap();
    let groups = document["groups"].as_array().unwrap();
    groups.iter().flat_map(|group| group["rules"].as_array().unwrap().clone()).collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// What recording rules record, with its labels. They stand in the name before the colon; and all have a job.
pub(crate) fn recorded() -> BTreeMap<String, BTreeSet<String>> {
    let names = rules(RULES).into_iter().map(|rule| text(&rule["record"]));
    names
        .map(|name| {
            let level = name.split(':').next().unwrap();
            let labels = level.split('_').chain(["job"]).map(str::to_owned).collect();
            (name, labels)
        })
        .collect()
}

#[test]
fn promtool_takes_the_rules() {
    for file in [RULES, ALERTS] {
        let file = path(file).display().to_string();
        if let Some(found) = promtool(&["check", "rules", "--lint=all", "--lint-fatal", &file], "") {
            assert_eq!(found, Ok(()));
        }
    }
}

#[test]
fn every_alert_fires_when_it_should_and_only_then() {
    let directory = path("packaging/prometheus/tests");
    let mut files: Vec<_> = directory.read_dir().unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty());
    let mut tests = String::new();
    for file in files {
        tests += &std::fs::read_to_string(&file).unwrap();
        if let Some(found) = promtool(&["test", "rules", &file.display().to_string()], "") {
            assert_eq!(found, Ok(()), "{}", file.display());
        }
    }
    for alert in rules(ALERTS) {
        let alert = text(&alert["alert"]);
        let fires = tests.contains(&format!("'ALERTS{{alertname=\"{alert}\", alertstate=\"firing\""))
            || tests.contains(&format!("- alertname: {alert}\n"));
        assert!(fires, "no test sees {alert} fire");
    }
}

#[test]
fn promtool_takes_the_configuration() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name).display().to_string();
    // The files it names, which only the machine of a Prometheus has.
    let mut config = read("packaging/prometheus/scrape.yml");
    for name in ["maglev-ca.pem", "maglev-token"] {
        std::fs::write(at(name), "").unwrap();
        config = config.replace(&format!("/etc/prometheus/{name}"), &at(name));
    }
    assert!(!config.contains("/etc/prometheus"), "{config}");
    for name in ["rules.yml", "alerts.yml"] {
        std::fs::copy(path(&format!("packaging/prometheus/{name}")), at(name)).unwrap();
    }
    std::fs::write(at("prometheus.yml"), config).unwrap();
    if let Some(found) = promtool(&["check", "config", &at("prometheus.yml")], "") {
        assert_eq!(found, Ok(()));
    }
}

#[test]
fn every_alert_says_what_to_do() {
    let guide = read("docs/monitoring.md");
    for alert in rules(ALERTS) {
        let name = text(&alert["alert"]);
        assert!(name.starts_with("Maglev"), "{name}");
        assert!(["critical", "warning"].contains(&text(&alert["labels"]["severity"]).as_str()), "{name}");
        assert!(alert["for"].is_string(), "{name} does not say for how long");
        let notes = &alert["annotations"];
        assert!(text(&notes["summary"]).len() <= 100, "{name} does not fit a pager");
        assert!(text(&notes["description"]).contains('`'), "{name} names no command");
        let anchor = format!("docs/troubleshooting.md#{}", name.to_lowercase());
        assert_eq!(text(&notes["runbook_url"]), anchor);
        assert!(guide.contains(&format!("| `{name}` |")), "docs/monitoring.md does not have {name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_rule_asks_for_what_is_exported() {
    let scene = Scene::start().await;
    let families = exported(&scene.daemon);
    let mut queries = Vec::new();
    for rule in rules(RULES).into_iter().chain(rules(ALERTS)) {
        let (name, query) = (text(&rule["record"]) + &text(&rule["alert"]), text(&rule["expr"]));
        let shown = placeholders(&rule["annotations"].to_string(), "$labels.");
        check_names(&name, &query, &shown, &families);
        queries.push((name, query));
    }
    parse(&queries);
}

/// An operator who is woken up copies a command from the page: there must be one of that name.
#[tokio::test(flavor = "multi_thread")]
async fn every_command_of_an_alert_is_one() {
    let scene = Scene::start().await;
    let mut commands = BTreeSet::new();
    for alert in rules(ALERTS) {
        let description = text(&alert["annotations"]["description"]);
        let quoted = description.split('`').skip(1).step_by(2);
        commands.extend(quoted.filter_map(|quoted| quoted.strip_prefix("maglevc ")).map(str::to_owned));
    }
    assert!(commands.len() > 5, "{commands:?}");
    for command in commands {
        let filled =
            [("backend", "web0"), ("frontend", "site")].iter().fold(command, |command, (label, name)| {
                command.replace(&format!("{{{{ $labels.{label} }}}}"), name)
            });
        let filled = filled.replace("NAME", "web0");
        let said = maglevc(&scene.daemon, &filled.split_whitespace().collect::<Vec<_>>());
        assert!(matches!(said.code, Some(0 | 1)), "maglevc {filled}: {said:?}");
    }
}
