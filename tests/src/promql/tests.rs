//! What is found in queries.

use super::*;

fn found(query: &str) -> (Vec<String>, Vec<String>) {
    let names = names(query);
    let selectors = names.selectors.into_iter().map(|(metric, labels)| {
        let labels: Vec<_> = labels.into_iter().collect();
        format!("{metric} {}", labels.join(" ")).trim().to_owned()
    });
    (selectors.collect(), names.grouped.into_iter().collect())
}

fn owned<const N: usize>(words: [&str; N]) -> Vec<String> {
    words.map(str::to_owned).to_vec()
}

#[test]
fn selectors_and_labels_are_found() {
    assert_eq!(
        found(
            r#"sum by (a, b) (rate(x_total{c="by (z) {y}", d=~'e'}[5m] offset 1h)) / on (a) group_left () y:z > 1.5e3"#
        ),
        (owned(["x_total c d", "y:z"]), owned(["a", "b"]))
    );
}

#[test]
fn functions_keywords_and_numbers_are_no_metrics() {
    assert_eq!(
        found("time() - max without (q) (up) or vector(0) unless bool 5m # not this"),
        (owned(["up"]), owned(["q"]))
    );
}
