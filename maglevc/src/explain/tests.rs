use jiff::Timestamp;

use crate::canned::fixtures;
use crate::explain::{Facts, explain};
use crate::view::backend::Backend;
use crate::view::explanation::Explanation;
use crate::view::frontend::Frontend;

fn explanation(backend: &str, change: impl Fn(&mut Backend, &mut Vec<Frontend>)) -> Explanation {
    let mut frontends: Vec<Frontend> = fixtures::frontends().into_iter().map(Into::into).collect();
    let mut backend: Backend =
        fixtures::backends().into_iter().find(|one| one.name == backend).unwrap().into();
    change(&mut backend, &mut frontends);
    explain(&Facts {
        backend: &backend,
        check: None,
        frontends: &frontends,
        lb: None,
        now: Timestamp::new(fixtures::NOW, 0).unwrap(),
    })
}

#[test]
fn the_cause_that_stops_a_weight_is_the_one_that_says_no() {
    for (backend, stopped) in
        [("nginx0", &[][..]), ("nginx1", &["health"]), ("nginx2", &["intent", "health"]), ("static", &[])]
    {
        let place = &explanation(backend, |_, _| {}).places[0];
        let no: Vec<&str> = place.causes.iter().filter(|link| !link.passes).map(|link| link.cause).collect();
        assert_eq!(no, stopped, "{backend}");
        assert_eq!(no.is_empty(), place.weight.effective > 0, "{backend}");
    }
}

#[test]
fn what_would_happen_is_worked_out_from_the_other_backends() {
    let effect = |name: &str| explanation(name, |_, _| {}).places.last().unwrap().changes[0].effect.clone();
    assert_eq!(effect("static"), "weight 0, and the frontend has nowhere to send traffic to");
    assert_eq!(effect("nginx0"), "weight 0, and pool spare takes over");
    assert_eq!(effect("nginx1"), "weight 100");
    assert_eq!(effect("nginx9"), "up, and standby while pool primary is active");
    let zero = explanation("nginx1", |backend, _| backend.memberships[0].weight.configured = 0);
    assert_eq!(zero.places[0].changes[0].effect, "up, and still weight 0: that is what is set");
}
