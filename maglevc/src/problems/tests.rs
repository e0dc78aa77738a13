use crate::canned::fixtures;
use crate::problems::{Everything, problems};
use crate::view::backend::Backend;
use crate::view::frontend::Frontend;
use crate::view::problem::ProblemSeverity;

fn of_backends(backends: Vec<Backend>) -> Vec<(String, String)> {
    let found = problems(&Everything { backends, ..Everything::default() });
    found.into_iter().map(|problem| (problem.name.unwrap_or_default(), problem.what)).collect()
}

fn backend(name: &str) -> Backend {
    fixtures::backends().into_iter().find(|backend| backend.name == name).unwrap().into()
}

#[test]
fn nothing_is_wrong_where_all_is_well() {
    let frontends = fixtures::calm_frontends().into_iter().map(Frontend::from).collect();
    let backends = fixtures::calm_backends().into_iter().map(Backend::from).collect();
    assert!(problems(&Everything { frontends, backends, ..Everything::default() }).is_empty());
}

#[test]
fn a_backend_that_fails_is_told_before_it_is_down() {
    let mut failing = backend("nginx0");
    failing.memberships.clear();
    assert!(of_backends(vec![failing.clone()]).is_empty());
    failing.last_probe.as_mut().unwrap().success = Some(false);
    failing.health.counter = 2;
    let found = problems(&Everything { backends: vec![failing], ..Everything::default() });
    assert_eq!(found[0].what, "failing");
    assert!(found[0].because.ends_with("; 1 more failure and it is down"), "{}", found[0].because);
}

#[test]
fn a_frontend_on_its_spare_pool_is_told() {
    let mut site = fixtures::frontends().into_iter().find(|one| one.name == "site").unwrap();
    site.active_pool = "spare".into();
    site.pools[0].backends.remove(0);
    let frontends = vec![site.into()];
    let found = problems(&Everything { frontends, ..Everything::default() });
    assert_eq!(found[0].what, "on a spare pool");
    assert_eq!(found[0].because, "pool spare serves: pool primary has 1 down, 1 paused");
}

#[test]
fn the_worst_comes_first() {
    let everything = Everything {
        frontends: fixtures::frontends().into_iter().map(Into::into).collect(),
        backends: fixtures::backends().into_iter().map(Into::into).collect(),
        ..Everything::default()
    };
    let severities: Vec<ProblemSeverity> = problems(&everything).iter().map(|one| one.severity).collect();
    assert!(severities.is_sorted(), "{severities:?}");
    assert!(severities.contains(&ProblemSeverity::Bad) && severities.contains(&ProblemSeverity::Notice));
}
