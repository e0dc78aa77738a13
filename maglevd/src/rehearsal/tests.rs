//! What is tried, and how it is shown.

use super::*;
use crate::fixture;

const MIXED: &str = "
maglev:
  healthchecks:
    web: {type: http, port: 80, probe-ipv4-src: 192.0.2.250}
    ping: {type: icmp}
    https: {type: https, port: 443, params: {ca-file: /nowhere/ca.pem}}
  backends:
    a: {address: 192.0.2.10, healthcheck: web}
    b: {address: 192.0.2.11, healthcheck: web}
    c: {address: '2001:db8::1', healthcheck: web}
    d: {address: 192.0.2.12, healthcheck: https}
    e: {address: 192.0.2.13}
  frontends:
    site:
      address: 203.0.113.1
      protocol: tcp
      port: 80
      pools: [{name: primary, backends: {a: {}, b: {}, d: {}, e: {}}}]
";

#[test]
fn each_check_is_tried_once_for_each_family_it_is_used_with() {
    let config = fixture::config(MIXED);
    let groups = groups(&config);
    let seen: Vec<_> =
        groups.iter().map(|((name, v4), g)| (name.as_str(), *v4, g.backends.join(" "))).collect();
    assert_eq!(
        seen,
        [("https", true, "d".to_owned()), ("web", false, "c".to_owned()), ("web", true, "a b".to_owned()),],
        "a check that nobody uses needs nothing"
    );
}

#[tokio::test]
async fn what_cannot_be_probed_is_found_with_the_reason() {
    let found = rehearse(&Prober::new(), &fixture::config(MIXED)).await;
    let seen: Vec<_> = found
        .iter()
        .map(|(obstacle, unprobed)| {
            let sentence = obstacle.sentence.split(':').next().unwrap_or_default();
            (obstacle.capability, sentence, listed(&unprobed.checks), listed(&unprobed.backends))
        })
        .collect();
    assert_eq!(seen.len(), 2, "{seen:?}");
    assert!(seen.iter().any(|(capability, sentence, checks, backends)| capability.is_none()
        && *sentence == "cannot send from 192.0.2.250"
        && checks == "web"
        && backends == "a b"));
    assert!(seen.iter().any(|(capability, sentence, checks, backends)| capability.is_none()
        && sentence.contains("/nowhere/ca.pem")
        && checks == "https"
        && backends == "d"));
}

#[test]
fn a_long_list_is_cut() {
    let names = |count: usize| (0..count).map(|n| format!("web{n:02}")).collect();
    assert_eq!(listed(&names(2)), "web00 web01");
    assert!(listed(&names(10)).ends_with(" web09"));
    assert!(listed(&names(1000)).ends_with(" web09 and 990 more"));
}
