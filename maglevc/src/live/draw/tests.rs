use jiff::Timestamp;
use jiff::tz::TimeZone;
use ratatui::Terminal;
use ratatui::backend::TestBackend;

use crate::canned::fixtures;
use crate::live::draw::draw;
use crate::live::model::tests::{look, model, press};
use crate::live::model::{Model, Subject};
use crate::output::Paper;
use crate::view::Time;

fn screen(model: &mut Model, width: u16, height: u16) -> String {
    let paper = Paper {
        color: false,
        width: 80,
        clock: || Timestamp::new(fixtures::NOW, 0).unwrap(),
        zone: TimeZone::UTC,
    };
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| draw(frame, model, &paper)).unwrap();
    let buffer = terminal.backend().buffer();
    let mut text = String::new();
    for line in buffer.content().chunks(width.into()) {
        let line: String = line.iter().map(|cell| cell.symbol()).collect();
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// A model that has seen some probes of nginx0 and nginx1.
fn seasoned(subject: Subject) -> Model {
    let mut model = model(subject);
    for (step, milliseconds) in [2.0, 1.0, 1.5, 8.0, 16.0, 4.0, 2.0, 1.0, 1.2].into_iter().enumerate() {
        let mut later = look();
        let at = Time(Timestamp::new(fixtures::NOW + 1 + i64::try_from(step).unwrap(), 0).unwrap());
        for backend in &mut later.backends[..2] {
            let probe = backend.last_probe.as_mut().unwrap();
            probe.at = Some(at);
            probe.total_seconds = Some(milliseconds / 1e3);
            probe.success = Some(backend.name == "nginx0" || step < 4);
        }
        model.look(later);
    }
    model
}

#[test]
fn backends_on_80_by_24() {
    insta::assert_snapshot!(screen(&mut seasoned(Subject::Backends), 80, 24));
}

#[test]
fn frontends_on_80_by_24() {
    insta::assert_snapshot!(screen(&mut seasoned(Subject::Frontends), 80, 24));
}

#[test]
fn backends_on_a_wide_screen() {
    insta::assert_snapshot!(screen(&mut seasoned(Subject::Backends), 160, 20));
}

#[test]
fn trouble_a_pause_and_a_filter_show() {
    let mut model = seasoned(Subject::Backends);
    press(&mut model, "s/nginx\np");
    let paused = screen(&mut model, 80, 24);
    assert!(paused.contains("PAUSED") && paused.contains("/ filter nginx") && paused.contains("worst first"));
    model.miss("cannot connect to lb1:9090: connection refused".to_owned());
    let trouble = screen(&mut model, 120, 24);
    assert!(trouble.contains("connection refused; trying on"), "{trouble}");
    press(&mut model, "/1");
    assert!(screen(&mut model, 80, 24).contains("filter: nginx1_"));
}

#[test]
fn it_scrolls_no_further_than_its_rows() {
    let mut model = seasoned(Subject::Backends);
    press(&mut model, "jjjjjjjjjjjjjjjjjj");
    let small = screen(&mut model, 80, 6);
    assert!(small.contains("5-7 of 7"), "{small}");
    assert!(small.contains("static"));
    press(&mut model, "kk");
    assert!(screen(&mut model, 80, 6).contains("3-5 of 7"));
    assert!(screen(&mut model, 80, 24).contains("1-7 of 7"));
}

#[test]
fn no_screen_is_too_small() {
    for subject in [Subject::Backends, Subject::Frontends] {
        let mut model = seasoned(subject);
        for (width, height) in [(1, 1), (10, 3), (40, 12), (79, 24), (80, 1), (300, 80)] {
            screen(&mut model, width, height);
        }
    }
}

#[test]
fn what_backends_say_does_nothing_to_the_terminal() {
    let mut hostile = look();
    hostile.backends = vec![fixtures::hostile_backend().into()];
    let mut model = model(Subject::Backends);
    model.look(hostile);
    assert!(!screen(&mut model, 200, 24).contains('\u{1b}'));
}
