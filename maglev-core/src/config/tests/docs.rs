//! Pure. The reference and the parser know the same keys, and the examples of the reference are valid.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::keys::{self, Keys};
use crate::config::{Options, parse};

const REFERENCE: &str = include_str!("../../../../docs/config.md");

const PARAMS: &str = "maglev.healthchecks.<name>.params";

/// The sections, by their headings in the reference.
fn sections() -> BTreeMap<&'static str, BTreeSet<&'static str>> {
    let section = |heading, keys: &Keys| (heading, keys.keys.iter().copied().collect());
    BTreeMap::from([
        section("maglev", &keys::MAGLEV),
        section("maglev.healthchecker", &keys::HEALTHCHECKER),
        section("maglev.vpp", &keys::VPP),
        section("maglev.vpp.lb", &keys::LB),
        section("maglev.healthchecks.<name>", &keys::CHECK),
        section(PARAMS, &keys::ANY_PARAMS),
        section("maglev.backends.<name>", &keys::BACKEND),
        section("maglev.frontends.<name>", &keys::FRONTEND),
        section("maglev.frontends.<name>.pools[]", &keys::POOL),
        section("maglev.frontends.<name>.pools[].backends.<name>", &keys::MEMBER),
    ])
}

/// The first two columns of every row of the table under a heading that is a path, by heading.
fn tables() -> BTreeMap<&'static str, Vec<(&'static str, &'static str)>> {
    let chapters = REFERENCE.split("\n## ").filter_map(|chapter| {
        let (heading, body) = chapter.split_once('\n')?;
        let path = heading.strip_prefix('`')?.strip_suffix('`')?;
        let rows = body.lines().filter_map(|line| {
            let mut cells = line.strip_prefix("| `")?.split('|').map(str::trim);
            Some((cells.next()?.strip_suffix('`')?, cells.next()?))
        });
        Some((path, rows.collect()))
    });
    chapters.collect()
}

#[test]
fn the_reference_has_every_key_and_no_other() {
    let documented: BTreeMap<&str, BTreeSet<&str>> = tables()
        .into_iter()
        .map(|(path, rows)| (path, rows.into_iter().map(|(key, _)| key).collect()))
        .collect();
    assert_eq!(documented, sections());
}

#[test]
fn the_reference_has_every_param_under_its_types() {
    let rows = &tables()[PARAMS];
    for (kind, keys) in [
        ("icmp", &keys::ICMP_PARAMS),
        ("tcp", &keys::TCP_PARAMS),
        ("http", &keys::HTTP_PARAMS),
        ("https", &keys::HTTPS_PARAMS),
    ] {
        let documented: BTreeSet<&str> = rows
            .iter()
            .filter(|(_, types)| types.split(' ').any(|t| t == kind))
            .map(|&(key, _)| key)
            .collect();
        assert_eq!(documented, keys.keys.iter().copied().collect(), "{kind}");
    }
}

#[test]
fn every_listed_key_is_one_the_parser_accepts() {
    // What the golden file of every key leaves out would be listed in vain.
    let every_key = include_str!("../golden/good/every-key.yaml");
    for section in keys::ALL {
        for key in section.keys {
            assert!(every_key.contains(&format!("{key}:")), "{key} is not in every-key.yaml");
        }
    }
    assert!(parse(every_key, &Options { vpp: true, ..Options::default() }).is_ok());
}

#[test]
fn the_examples_of_the_reference_are_valid() {
    let examples: Vec<&str> =
        REFERENCE.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(examples.len() > 5);
    for example in &examples {
        if let Err(errors) = parse(example, &Options::default()) {
            panic!("{errors}\n{example}");
        }
    }
    let whole = parse(examples[0], &Options::default()).unwrap();
    assert_eq!(whole.warnings, [], "the first example is one to follow");
}
