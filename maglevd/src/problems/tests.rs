use super::*;

fn named(code: ProblemCode, name: &str) -> Problem {
    Problem::new(code, "because").named(name)
}

#[test]
fn the_most_severe_comes_first_then_kind_then_name() {
    let found = vec![
        named(ProblemCode::BackendPaused, "a"),
        named(ProblemCode::BackendDown, "b"),
        named(ProblemCode::BackendDown, "a"),
        named(ProblemCode::FrontendDown, "z"),
        named(ProblemCode::ConfigNotLoaded, "c"),
        named(ProblemCode::BackendFailing, "c"),
    ];
    let order: Vec<_> = arrange(found).into_iter().map(|p| (p.code.id(), p.name.unwrap())).collect();
    let expected = [
        ("frontend-down", "z"),
        ("backend-down", "a"),
        ("backend-down", "b"),
        ("backend-failing", "c"),
        ("config-not-loaded", "c"),
        ("backend-paused", "a"),
    ];
    assert_eq!(order, expected.map(|(code, name)| (code, name.to_owned())));
}

#[test]
fn a_long_list_keeps_the_most_severe_and_counts_the_rest() {
    let mut found: Vec<_> =
        (0..MAX_LISTED + 5).map(|number| named(ProblemCode::BackendPaused, &number.to_string())).collect();
    found.push(named(ProblemCode::FrontendDown, "site"));
    let listed = arrange(found);
    assert_eq!(listed.len(), MAX_LISTED + 1);
    assert_eq!(listed[0].code, ProblemCode::FrontendDown);
    assert!(listed[MAX_LISTED].because.starts_with("6 more problems"), "{:?}", listed[MAX_LISTED]);
}

#[test]
fn text_from_servers_is_escaped_in_every_field() {
    let text = "a\x1b[2J\u{202e}b";
    let problem =
        Problem::new(ProblemCode::BackendDown, text).named(text).described_as(text).with_remedy(text);
    let Problem { name, what, because, remedy, .. } = arrange(vec![problem]).remove(0);
    for field in [name.unwrap(), what, because, remedy] {
        assert_eq!(field, r"a\u{1b}[2J\u{202e}b");
    }
}

#[test]
fn problems_are_counted_by_severity() {
    let found = [named(ProblemCode::BackendDown, "a"), named(ProblemCode::BackendPaused, "b")];
    assert_eq!(count(&found), [(Severity::Bad, 1), (Severity::Warning, 0), (Severity::Notice, 1)]);
}
