use std::collections::BTreeMap;

use super::{Identity, backends, pools};
use crate::config::Pool;
use crate::engine::tests::{backend, check, frontend};
use crate::names::BackendName;

/// Backends with the last octet of their address, and with a check or without.
fn identities(of: &[(&str, u8, bool)]) -> BTreeMap<BackendName, Identity> {
    let thresholds = crate::check::Thresholds { rise: 2, fall: 3 };
    let identity = |&(name, octet, checked): &(&str, u8, bool)| {
        let check = checked.then(|| check("web", std::time::Duration::from_secs(1), thresholds));
        (name.parse().unwrap(), Identity::of(&backend(name, octet, check)))
    };
    of.iter().map(identity).collect()
}

fn origins(old: &[(&str, u8, bool)], new: &[(&str, u8, bool)]) -> Vec<(String, String)> {
    let origins = backends(&identities(old), &identities(new));
    origins.into_iter().map(|(new, old)| (new.to_string(), old.to_string())).collect()
}

fn are(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|&(new, old)| (new.to_owned(), old.to_owned())).collect()
}

#[test]
fn a_backend_is_its_address_and_question_under_any_name() {
    assert_eq!(origins(&[("a", 1, true)], &[("b", 1, true)]), are(&[("b", "a")]));
    assert_eq!(
        origins(&[("a", 1, true), ("b", 2, true)], &[("a", 2, true), ("b", 1, true)]),
        are(&[("a", "b"), ("b", "a")])
    );
    assert_eq!(origins(&[("a", 1, true)], &[("x", 1, false), ("y", 1, true)]), are(&[("y", "a")]));
    assert_eq!(origins(&[("a", 1, true)], &[("x", 1, false)]), are(&[("x", "a")]));
}

#[test]
fn what_is_not_unique_is_not_matched() {
    assert_eq!(origins(&[("a", 1, true)], &[("x", 1, true), ("y", 1, true)]), are(&[]));
    assert_eq!(origins(&[("a", 1, true), ("b", 1, true)], &[("x", 1, true)]), are(&[]));
}

#[test]
fn a_backend_with_another_address_keeps_its_name_where_its_server_is_gone() {
    assert_eq!(origins(&[("a", 1, true)], &[("a", 2, true)]), are(&[("a", "a")]));
    assert_eq!(origins(&[("a", 1, true)], &[("a", 2, true), ("b", 1, true)]), are(&[("b", "a")]));
}

#[test]
fn a_pool_is_its_members_under_any_name() {
    let of = |pools: &[(&str, &[(&str, u8)])]| -> Vec<Pool> { frontend("site", pools).pools };
    let same: BTreeMap<BackendName, BackendName> =
        ["a", "b", "c"].iter().map(|name| (name.parse().unwrap(), name.parse().unwrap())).collect();
    let origins = |old: &[Pool], new: &[Pool]| -> Vec<(String, String)> {
        pools(old, new, &same).into_iter().map(|(new, old)| (new.to_string(), old.to_string())).collect()
    };
    let old = of(&[("p", &[("a", 1), ("b", 1)]), ("q", &[("c", 1)])]);
    assert_eq!(
        origins(&old, &of(&[("x", &[("a", 1), ("b", 1)]), ("q", &[("c", 1)])])),
        are(&[("q", "q"), ("x", "p")])
    );
    assert_eq!(
        origins(&old, &of(&[("q", &[("a", 1), ("b", 1)]), ("p", &[("c", 1)])])),
        are(&[("p", "q"), ("q", "p")])
    );
    assert_eq!(origins(&old, &of(&[("x", &[("a", 1)]), ("q", &[("c", 1)])])), are(&[("q", "q"), ("x", "p")]));
    assert_eq!(
        origins(&old, &of(&[("x", &[("a", 1)]), ("y", &[("b", 1)]), ("q", &[("c", 1)])])),
        are(&[("q", "q")])
    );
}
