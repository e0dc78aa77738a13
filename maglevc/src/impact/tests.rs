use crate::canned::fixtures;
use crate::impact::{active, empties, serves};
use crate::view::frontend::Frontend;

fn frontend(name: &str) -> Frontend {
    let all = fixtures::frontends().into_iter().map(Frontend::from);
    all.into_iter().find(|frontend| frontend.name == name).unwrap()
}

#[test]
fn the_model_agrees_with_the_daemon_on_what_is_active() {
    for frontend in fixtures::frontends().into_iter().map(Frontend::from) {
        let modelled = active(&frontend, |_, backend| serves(backend)).map(|pool| pool.name.clone());
        assert_eq!(modelled, frontend.active_pool, "{}", frontend.name);
    }
}

#[test]
fn a_spare_pool_takes_over_and_only_the_last_backend_empties() {
    let site = frontend("site");
    assert!(!empties(&site, |_, backend| backend.name == "nginx0"), "nginx8 is spare");
    assert!(empties(&site, |_, backend| ["nginx0", "nginx8"].contains(&backend.name.as_str())));
    assert!(empties(&frontend("dns"), |_, backend| backend.name == "static"));
    assert!(!empties(&frontend("mail"), |_, _| true), "what is empty already is emptied by nobody");
    let one = |pool: &str| active(&site, |other, _| other.name == pool).map(|pool| pool.name.clone());
    assert_eq!(one("spare").as_deref(), Some("spare"));
}
