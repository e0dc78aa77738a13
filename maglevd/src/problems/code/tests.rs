use std::collections::BTreeSet;

use super::*;

#[test]
fn identifiers_are_unique_and_of_lower_case_words() {
    let ids: BTreeSet<_> = ProblemCode::ALL.iter().map(|code| code.id()).collect();
    assert_eq!(ids.len(), ProblemCode::ALL.len());
    for id in ids {
        assert!(
            id.split('-').all(|word| !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase())),
            "{id}"
        );
    }
}

#[test]
fn every_problem_says_what_to_do() {
    for code in ProblemCode::ALL {
        assert!(
            code.remedy().len() > 20 && !code.remedy().ends_with('.'),
            "{}: {}",
            code.id(),
            code.remedy()
        );
    }
}

fn handbook(file: &str) -> String {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn every_problem_is_in_the_handbook_with_its_kind_severity_and_alert() {
    let page = handbook("docs/troubleshooting.md");
    for code in ProblemCode::ALL {
        let alert =
            code.alert().map_or_else(String::new, |alert| format!("[{alert}](#{})", alert.to_lowercase()));
        let begin = format!(
            "| `{}` | {} | {} | ",
            code.id(),
            format!("{:?}", code.kind()).to_lowercase(),
            code.severity().as_str()
        );
        let row =
            page.lines().find(|line| line.starts_with(&begin)).unwrap_or_else(|| panic!("no row {begin}"));
        assert!(row.ends_with(&format!("| {alert} |")), "{row}");
    }
}

/// Alerts that no daemon can list: there is none to be asked, or they compare several.
const FROM_OUTSIDE: [&str; 4] =
    ["MaglevDaemonDown", "MaglevDaemonAbsent", "MaglevDaemonRestarting", "MaglevTablesDiffer"];

#[test]
fn every_alert_is_of_a_problem_and_every_alert_of_a_problem_exists() {
    let rules = handbook("packaging/prometheus/alerts.yml");
    let alerts: BTreeSet<_> =
        rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect();
    assert!(alerts.len() > 15, "{alerts:?}");
    let named: BTreeSet<_> = ProblemCode::ALL.iter().filter_map(|code| code.alert()).collect();
    let runbooks = handbook("docs/troubleshooting.md");
    for alert in &named {
        assert!(alerts.contains(alert), "there is no alert {alert}");
        assert!(runbooks.contains(&format!("### {alert}\n")), "there is no runbook for {alert}");
    }
    let of_none: Vec<_> = alerts.iter().filter(|alert| !named.contains(*alert)).collect();
    assert!(of_none.iter().all(|alert| FROM_OUTSIDE.contains(alert)), "alerts of no problem: {of_none:?}");
}
