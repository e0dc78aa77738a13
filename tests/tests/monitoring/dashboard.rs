//! Edge. Grafana's dashboard.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::scene::{Scene, check_names, exported, parse, placeholders, read};

fn dashboard() -> Value {
    serde_json::from_str(&read("packaging/grafana/maglevd.json")).unwrap()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().map(Vec::as_slice).unwrap_or_default()
}

/// Every panel, also those in rows that are folded.
fn panels(dashboard: &Value) -> Vec<&Value> {
    list(dashboard, "panels")
        .iter()
        .flat_map(|panel| std::iter::once(panel).chain(list(panel, "panels")))
        .collect()
}

/// A query with where it stands and the labels that its legend names. Grafana's own variables are filled in.
struct Query {
    place: String,
    query: String,
    shown: Vec<String>,
}

fn queries(dashboard: &Value) -> Vec<Query> {
    let fill = |query: &str| {
        let intervals = ["$__rate_interval", "$__interval", "$__range"];
        intervals.iter().fold(query.to_owned(), |query, interval| query.replace(interval, "5m"))
    };
    let mut queries = Vec::new();
    for panel in panels(dashboard) {
        for target in list(panel, "targets") {
            queries.push(Query {
                place: format!("panel {}", text(panel, "title")),
                query: fill(text(target, "expr")),
                shown: placeholders(text(target, "legendFormat"), ""),
            });
        }
    }
    for annotation in list(&dashboard["annotations"], "list").iter().filter(|one| one.get("expr").is_some()) {
        queries.push(Query {
            place: format!("annotation {}", text(annotation, "name")),
            query: fill(text(annotation, "expr")),
            shown: placeholders(&format!("{}{}", annotation["titleFormat"], annotation["textFormat"]), ""),
        });
    }
    for variable in list(&dashboard["templating"], "list").iter().filter(|one| text(one, "type") == "query") {
        let definition = text(variable, "definition").strip_prefix("label_values(").unwrap();
        let (query, label) = definition.strip_suffix(')').unwrap().rsplit_once(", ").unwrap();
        assert_eq!(variable["query"]["query"], variable["definition"]);
        queries.push(Query {
            place: format!("variable {}", text(variable, "name")),
            query: query.to_owned(),
            shown: vec![label.to_owned()],
        });
    }
    queries
}

#[test]
fn every_panel_is_whole() {
    let dashboard = dashboard();
    assert!(dashboard["schemaVersion"].as_u64().unwrap() >= 39);
    assert!(dashboard.get("id").is_none_or(Value::is_null), "the id is the Grafana's that imports it");
    let source = serde_json::json!({"type": "prometheus", "uid": "${datasource}"});
    let (mut ids, mut taken) = (BTreeSet::new(), BTreeSet::new());
    for panel in panels(&dashboard) {
        let title = text(panel, "title");
        assert!(ids.insert(panel["id"].as_u64().unwrap()), "{title}: its id is there twice");
        assert!(!title.is_empty(), "{panel}");
        let place = |key: &str| panel["gridPos"][key].as_u64().unwrap();
        assert!(place("x") + place("w") <= 24, "{title} stands out on the right");
        for cell in (place("y")..place("y") + place("h")).flat_map(|y| (0..place("w")).map(move |x| (x, y))) {
            assert!(taken.insert((place("x") + cell.0, cell.1)), "{title} lies on another panel");
        }
        if text(panel, "type") == "row" {
            continue;
        }
        assert!(!text(panel, "description").is_empty(), "{title} has no description");
        assert!(!text(&panel["fieldConfig"]["defaults"], "unit").is_empty(), "{title} has no unit");
        assert!(!list(panel, "targets").is_empty(), "{title} shows nothing");
        assert_eq!(panel["datasource"], source, "{title}");
        let mut references = BTreeSet::new();
        for target in list(panel, "targets") {
            assert_eq!(target["datasource"], source, "{title}");
            assert!(references.insert(text(target, "refId")), "{title}: two queries have one refId");
        }
    }
    let variables: Vec<_> =
        list(&dashboard["templating"], "list").iter().map(|one| text(one, "name")).collect();
    assert_eq!(variables, ["datasource", "job", "instance", "frontend", "backend"]);
}

/// A variable that nothing sets would be sent to Prometheus as it stands.
#[test]
fn every_variable_is_one_of_the_dashboard() {
    for Query { place, query, .. } in queries(&dashboard()) {
        for rest in query.split('$').skip(1) {
            let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            assert!(["job", "instance", "frontend", "backend"].contains(&name.as_str()), "{place}: ${name}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_query_asks_for_what_is_exported() {
    let scene = Scene::start().await;
    let families = exported(&scene.daemon);
    let queries = queries(&dashboard());
    for Query { place, query, shown } in &queries {
        check_names(place, query, shown, &families);
    }
    parse(&queries.into_iter().map(|query| (query.place, query.query)).collect::<Vec<_>>());
}
