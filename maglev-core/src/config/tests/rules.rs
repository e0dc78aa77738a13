//! Pure. What the golden files cannot show: options, byte-order marks, exit codes.

use super::*;
use crate::check::{CustomSpec, ProbeSpec};
use crate::config::{Class, Position};
use crate::names::CheckName;

fn with_ldap() -> Options {
    let validate = |spec: &CustomSpec| match spec.params.get("base") {
        Some(base) if base.starts_with("dc=") => Ok(()),
        Some(_) | None => Err("the base must begin with dc=".to_owned()),
    };
    let ldap = ProbeType {
        kind: "ldap".to_owned(),
        needs_port: true,
        params: vec!["base".to_owned(), "filter".to_owned()],
        validate,
    };
    Options { probe_types: vec![ldap], ..Options::default() }
}

#[test]
fn registered_probe_types_are_read() {
    let text =
        "maglev: {healthchecks: {dir: {type: ldap, port: 389, params: {base: 'dc=example', filter: 5}}}}";
    let config = parse(text, &with_ldap()).unwrap().config;
    let name: CheckName = "dir".parse().unwrap();
    let expected = CustomSpec {
        kind: "ldap".to_owned(),
        port: Some(389),
        params: [("base", "dc=example"), ("filter", "5")].map(|(k, v)| (k.to_owned(), v.to_owned())).into(),
    };
    assert_eq!(config.checks[&name].probe, ProbeSpec::Custom(expected));
}

#[test]
fn registered_probe_types_have_their_rules() {
    let errors = |params: &str| {
        let text = format!("maglev: {{healthchecks: {{dir: {{type: ldap, port: 389, params: {params}}}}}}}");
        parse(text, &with_ldap()).unwrap_err().to_string()
    };
    assert_eq!(
        errors("{base: 'dc=example', fliter: x}"),
        "1:83: maglev.healthchecks.dir.params.fliter: unknown key in the params of type \"ldap\"; did you mean `filter`?"
    );
    assert_eq!(
        errors("{base: example}"),
        "1:54: maglev.healthchecks.dir.params: the base must begin with dc=; \
         see what a check of type \"ldap\" needs"
    );
    let missing = "maglev: {healthchecks: {dir: {type: ldap, params: {base: 'dc=example'}}}}";
    let missing = parse(missing, &with_ldap()).unwrap_err().to_string();
    assert_eq!(missing, "1:25: maglev.healthchecks.dir: `port` is missing; write `port: 80`");
    let unregistered = "maglev: {healthchecks: {dir: {type: ldap}}}";
    let unregistered = parse(unregistered, &Options::default()).unwrap_err().to_string();
    assert_eq!(
        unregistered,
        "1:37: maglev.healthchecks.dir.type: \"ldap\" is not known here; write icmp, tcp, http or https"
    );
}

#[test]
fn gre_sources_are_asked_for_only_with_vpp() {
    let text = "maglev: {backends: {a: {address: 192.0.2.1}}, \
                frontends: {f: {address: 203.0.113.1, pools: [{name: p, backends: {a: }}]}}}";
    assert!(parse(text, &Options::default()).is_ok());
    let errors = parse(text, &Options { vpp: true, ..Options::default() }).unwrap_err();
    let paths: Vec<&str> = errors.diagnostics().iter().map(|d| d.path.as_str()).collect();
    assert_eq!(paths, ["maglev.vpp.lb.ipv4-src-address"]);
}

#[test]
fn a_byte_order_mark_moves_nothing() {
    let errors = parse("\u{feff}maglev: 5", &Options::default()).unwrap_err();
    assert_eq!(errors.diagnostics()[0].position, Position { line: 1, column: 9 });
}

#[test]
fn columns_count_characters() {
    let errors = parse("maglev: {frontends: {é: {address: ü}}}", &Options::default()).unwrap_err();
    let positions: Vec<Position> = errors.diagnostics().iter().map(|d| d.position).collect();
    assert_eq!(positions, [Position { line: 1, column: 22 }, Position { line: 1, column: 35 }]);
}

#[test]
fn one_error_of_shape_decides_the_exit_code() {
    let meaning = "maglev: {backends: {a: {address: banana}}}";
    let errors = parse(meaning, &Options::default()).unwrap_err();
    assert_eq!((errors.exit_code(), errors.diagnostics()[0].class), (2, Class::Meaning));
    let both = "maglev: {backends: {a: {address: banana, colour: yellow}}}";
    assert_eq!(parse(both, &Options::default()).unwrap_err().exit_code(), 1);
}

#[test]
fn errors_after_the_hundredth_are_counted() {
    let keys: String = (0..400_000).map(|number| format!("  key{number}: 1\n")).collect();
    let errors = parse(format!("maglev:\n{keys}"), &Options::default()).unwrap_err();
    let all = errors.in_file("maglev.yaml").to_string();
    let last = all.lines().last().unwrap();
    assert_eq!(
        last,
        "maglev.yaml:102:3: 399900 more errors are not listed; correct those above and check again"
    );
    assert_eq!(errors.diagnostics().len(), 101);
    assert!(all.len() < 64 << 10, "{} bytes", all.len());
}

#[test]
fn exit_code_counts_errors_that_are_not_listed() {
    // A hundred weights out of range are of meaning; the unknown key after them is of shape.
    let weights: String = (0..120).map(|number| format!("b{number}: {{weight: 101}}, ")).collect();
    let text = format!(
        "maglev:\n  frontends:\n    site: {{address: 192.0.2.1, pools: [{{name: p, backends: {{{weights}}}, unknown: 1}}]}}\n"
    );
    assert_eq!(parse(text, &Options::default()).unwrap_err().exit_code(), 1);
}
