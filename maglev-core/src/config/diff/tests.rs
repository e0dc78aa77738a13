//! Pure. One edit at a time, and what it changes.

use super::*;
use crate::config::keys as sections;
use crate::config::{Options, parse};

const BEFORE: &str = "
maglev:
  healthchecker: {netns: dataplane}
  healthchecks:
    web: {type: http, port: 80, interval: 2s, probe-ipv6-src: '2001:db8::10'}
    ping: {type: icmp}
  backends:
    a: {address: 192.0.2.1, healthcheck: web}
    b: {address: 192.0.2.2, healthcheck: ping}
    c: {address: 192.0.2.3}
  frontends:
    site:
      address: 203.0.113.1
      pools: [{name: primary, backends: {a: {weight: 50}, b: }}]
";

fn config(text: &str) -> Config {
    parse(text, &Options::default()).unwrap_or_else(|errors| panic!("{errors}")).config
}

/// What differs once `from` is replaced by `to`.
#[track_caller]
fn after(from: &str, to: &str) -> Diff {
    assert!(BEFORE.contains(from), "{from:?} is not in the file");
    Diff::between(&config(BEFORE), &config(&BEFORE.replace(from, to)))
}

fn backend(name: &str, change: Change<BackendChange>) -> BTreeMap<BackendName, Change<BackendChange>> {
    BTreeMap::from([(name.parse().unwrap(), change)])
}

#[test]
fn the_same_file_changes_nothing() {
    assert!(after("", "").is_empty());
    assert!(after("2s", "2000ms").is_empty());
}

#[test]
fn an_address_changes_its_backend_only() {
    let change = Change::Changed(BackendChange { address: true, ..BackendChange::default() });
    assert_eq!(after("192.0.2.1,", "192.0.2.9,"), Diff { backends: backend("a", change), ..Diff::default() });
}

#[test]
fn pace_and_thresholds_are_told_from_the_question() {
    let diff = after("interval: 2s", "interval: 3s, rise: 5");
    let change = BackendChange { pace: true, thresholds: true, ..BackendChange::default() };
    assert_eq!(diff.backends, backend("a", Change::Changed(change)));
    let change = CheckChange { pace: true, thresholds: true, question: false };
    assert_eq!(diff.checks, BTreeMap::from([("web".parse().unwrap(), Change::Changed(change))]));
    assert!(diff.frontends.is_empty());

    let diff = after("port: 80", "port: 81");
    let change = BackendChange { question: true, ..BackendChange::default() };
    assert_eq!(diff.backends, backend("a", Change::Changed(change)));
}

#[test]
fn a_source_of_the_other_family_changes_the_check_but_no_backend() {
    let diff = after("2001:db8::10", "2001:db8::11");
    assert_eq!(diff.checks.len(), 1);
    assert!(diff.backends.is_empty(), "{:?}", diff.backends);
}

#[test]
fn another_namespace_asks_every_checked_backend_anew() {
    let diff = after("netns: dataplane", "netns: other");
    let changed = BackendChange { question: true, ..BackendChange::default() };
    let names: Vec<&str> = diff.backends.keys().map(BackendName::as_str).collect();
    assert_eq!((names, diff.health), (vec!["a", "b"], true));
    assert!(diff.backends.values().all(|change| *change == Change::Changed(changed)));
}

#[test]
fn a_check_gained_is_a_new_question() {
    let diff = after("c: {address: 192.0.2.3}", "c: {address: 192.0.2.3, healthcheck: ping}");
    let change = BackendChange {
        check: true,
        question: true,
        pace: true,
        thresholds: true,
        ..BackendChange::default()
    };
    assert_eq!(diff.backends, backend("c", Change::Changed(change)));
}

#[test]
fn a_check_of_another_name_with_the_same_question_is_no_new_question() {
    let diff = after("    ping: {type: icmp}", "    ping: {type: icmp}\n    pong: {type: icmp}");
    assert_eq!(diff.checks, BTreeMap::from([("pong".parse().unwrap(), Change::Added)]));
    let text = BEFORE.replace("ping: {type", "pong: {type").replace("healthcheck: ping", "healthcheck: pong");
    let diff = Diff::between(&config(BEFORE), &config(&text));
    let change = BackendChange { check: true, ..BackendChange::default() };
    assert_eq!(diff.backends, backend("b", Change::Changed(change)));
}

#[test]
fn what_comes_and_goes_is_added_and_removed() {
    let diff = after("    c: {address: 192.0.2.3}", "    d: {address: 192.0.2.3}");
    let expected =
        BTreeMap::from([("c".parse().unwrap(), Change::Removed), ("d".parse().unwrap(), Change::Added)]);
    assert_eq!(diff.backends, expected);
}

#[test]
fn enabled_and_pools_are_told_apart() {
    let diff = after("192.0.2.2, healthcheck: ping", "192.0.2.2, healthcheck: ping, enabled: false");
    let change = BackendChange { enabled: true, ..BackendChange::default() };
    assert_eq!(diff, Diff { backends: backend("b", Change::Changed(change)), ..Diff::default() });

    let diff = after("weight: 50", "weight: 51");
    let change = FrontendChange { pools: true, ..FrontendChange::default() };
    let frontends = BTreeMap::from([("site".parse().unwrap(), Change::Changed(change))]);
    assert_eq!(diff, Diff { frontends, ..Diff::default() });
}

/// The keys that differ once `from` is replaced by `to`, a line each.
#[track_caller]
fn keys(from: &str, to: &str) -> Vec<String> {
    let (old, new) = (config(BEFORE), config(&BEFORE.replace(from, to)));
    let line = |change: KeyChange| {
        let [before, after] =
            [change.before, change.after].map(|value| value.unwrap_or_else(|| "-".to_owned()));
        format!("{}: {before} > {after}", change.key)
    };
    Diff::between(&old, &new).keys(&old, &new).into_iter().map(line).collect()
}

#[test]
fn settings_are_compared_key_by_key() {
    let changed =
        keys("healthchecker: {netns: dataplane}", "vpp: {lb: {sync-interval: 10s, flow-timeout: 1m}}");
    assert_eq!(
        changed,
        [
            "maglev.healthchecker.netns: dataplane > -",
            "maglev.vpp.lb.sync-interval: 30s > 10s",
            "maglev.vpp.lb.flow-timeout: 40s > 1m",
        ]
    );
}

#[test]
fn every_setting_has_an_effect() {
    let old = config("maglev: {}");
    let new = config(
        "maglev:
  healthchecker: {netns: n, transition-history: 7}
  vpp:
    lb:
      ipv4-src-address: 192.0.2.1
      ipv6-src-address: 2001:db8::1
      sync-interval: 45s
      sticky-buckets-per-core: 32768
      flow-timeout: 1m
      startup-min-delay: 1s
      startup-max-delay: 1m30s
      ownership: exclusive
      weight-scaling: raw
",
    );
    let changes = Diff::between(&old, &new).keys(&old, &new);
    assert_eq!(changes.len(), sections::HEALTHCHECKER.keys.len() + sections::LB.keys.len(), "{changes:#?}");
    assert!(changes.iter().all(|change| change.effect.is_some()), "{changes:#?}");
}

#[test]
fn named_things_are_compared_key_by_key() {
    assert_eq!(keys("192.0.2.1,", "192.0.2.9,"), ["maglev.backends.a.address: 192.0.2.1 > 192.0.2.9"]);
    assert_eq!(
        keys("weight: 50", "weight: 60"),
        ["maglev.frontends.site.pools[0].backends.a.weight: 50 > 60"]
    );
    assert_eq!(
        keys("c: {address: 192.0.2.3}", "d: {address: 192.0.2.4}"),
        [
            "maglev.backends.c: {address: 192.0.2.3, enabled: true} > -",
            "maglev.backends.d: - > {address: 192.0.2.4, enabled: true}",
        ]
    );
}

#[test]
fn configuration_of_a_changed_check_is_compared_once() {
    // Its backends are changed by it, and have no key that differs.
    assert_eq!(keys("port: 80", "port: 81"), ["maglev.healthchecks.web.port: 80 > 81"]);
}
