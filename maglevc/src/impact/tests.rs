use crate::canned::fixtures;
use crate::impact::{active, serves};
use crate::view::frontend::Frontend;

#[test]
fn the_model_agrees_with_the_daemon_on_what_is_active() {
    for frontend in fixtures::frontends().into_iter().map(Frontend::from) {
        let modelled = active(&frontend, |_, backend| serves(backend)).map(|pool| pool.name.clone());
        assert_eq!(modelled, frontend.active_pool, "{}", frontend.name);
    }
}

#[test]
fn a_spare_pool_takes_over() {
    let frontends = fixtures::frontends().into_iter().map(Frontend::from);
    let site = frontends.into_iter().find(|frontend| frontend.name == "site").unwrap();
    let one = |pool: &str| active(&site, |other, _| other.name == pool).map(|pool| pool.name.clone());
    assert_eq!(one("spare").as_deref(), Some("spare"));
    assert_eq!(active(&site, |_, _| false).map(|pool| pool.name.clone()), None);
}
