use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use jiff::Timestamp;

use crate::canned::{fixtures, fixtures_vpp};
use crate::live::key::Then;
use crate::live::model::{Changed, Look, Model, Row, Subject};
use crate::view::Time;
use crate::view::words::FrontendState;

pub(crate) fn look() -> Look {
    Look {
        at: Time(Timestamp::new(fixtures::NOW, 0).unwrap()),
        frontends: fixtures::frontends().into_iter().map(Into::into).collect(),
        backends: fixtures::backends().into_iter().map(Into::into).collect(),
        lb: Some(fixtures_vpp::state().into()),
    }
}

pub(crate) fn model(subject: Subject) -> Model {
    Model::new(subject, "lb1:9090".to_owned(), look())
}

pub(crate) fn press(model: &mut Model, keys: &str) -> Then {
    let mut then = Then::Stay;
    for letter in keys.chars() {
        let code = match letter {
            '\n' => KeyCode::Enter,
            '\u{1b}' => KeyCode::Esc,
            letter => KeyCode::Char(letter),
        };
        then = model.key(KeyEvent::new(code, KeyModifiers::NONE));
    }
    then
}

fn names(model: &Model) -> Vec<String> {
    let name = |row: Row<'_>| match row {
        Row::Backend(backend) => backend.name.clone(),
        Row::Frontend(frontend) => frontend.name.clone(),
        Row::Member(_, pool, backend) => format!("{}/{}", pool.name, backend.name),
    };
    model.rows().into_iter().map(name).collect()
}

#[test]
fn s_sorts_by_one_thing_after_the_other() {
    let mut model = model(Subject::Backends);
    let first = |model: &Model| names(model)[0].clone();
    assert_eq!(first(&model), "nginx0");
    press(&mut model, "s");
    assert_eq!(first(&model), "nginx1", "down is worst");
    press(&mut model, "s");
    assert_eq!(first(&model), "nginx9", "it changed last");
    press(&mut model, "s");
    assert_eq!(first(&model), "nginx1", "no answer is the slowest");
    press(&mut model, "s");
    assert_eq!(first(&model), "nginx0");
}

#[test]
fn a_slash_filters_by_what_is_typed_until_escape() {
    let mut model = model(Subject::Backends);
    let all = names(&model).len();
    press(&mut model, "/down");
    assert_eq!(names(&model), ["nginx1"]);
    press(&mut model, "\nq");
    assert_eq!(press(&mut model, "q"), Then::Leave, "after Enter a q is no letter of the filter");
    press(&mut model, "\u{1b}");
    assert_eq!(names(&model).len(), all);
}

#[test]
fn frontends_are_found_by_their_backends() {
    let mut model = model(Subject::Frontends);
    press(&mut model, "/static");
    assert_eq!(names(&model), ["dns", "only/static"]);
}

#[test]
fn a_pause_holds_the_view_and_not_the_samples() {
    let mut model = model(Subject::Backends);
    press(&mut model, "p");
    let mut later = look();
    later.backends.remove(0);
    let probe = later.backends[0].last_probe.as_mut().unwrap();
    probe.at = Some(later.at);
    model.look(later);
    assert!(names(&model).contains(&"nginx0".to_owned()));
    assert_eq!(model.samples["nginx1"].taken.len(), 2);
    press(&mut model, "p");
    assert!(!names(&model).contains(&"nginx0".to_owned()));
}

#[test]
fn one_probe_is_one_sample() {
    let mut model = model(Subject::Backends);
    model.look(look());
    model.look(look());
    assert_eq!(model.samples["nginx0"].taken, [Some(0.00161)]);
    assert_eq!(model.samples["nginx1"].taken, [None], "one that failed has no time");
}

#[test]
fn changes_of_backends_come_from_their_history_and_those_of_frontends_from_looking() {
    let mut model = model(Subject::Frontends);
    assert!(model.changes.iter().all(|change| matches!(change.what, Changed::Backend { .. })));
    let mut later = look();
    later.frontends[0].state = FrontendState::Down;
    later.frontends[0].active_pool = None;
    later.frontends[0].since = Some(later.at);
    model.look(later);
    let change = &model.changes[0];
    assert!(matches!(&change.what, Changed::Frontend { name, to: FrontendState::Down, .. } if name == "dns"));
    assert_eq!(change.why, "pool only → none");
    assert!(model.changes.is_sorted_by_key(|change| std::cmp::Reverse(change.at.0)));
}
