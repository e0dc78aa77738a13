use std::collections::BTreeSet;

use super::*;

#[test]
fn identifiers_are_unique_and_of_lower_case_words() {
    let ids: BTreeSet<_> = ProblemCode::ALL.iter().map(|code| code.id()).collect();
    assert_eq!(ids.len(), ProblemCode::ALL.len());
    for id in ids {
        assert!(
            id.split('-').all(|word| !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase())),
            "{id}"
        );
    }
}

#[test]
fn every_problem_says_what_to_do() {
    for code in ProblemCode::ALL {
        assert!(
            code.remedy().len() > 20 && !code.remedy().ends_with('.'),
            "{}: {}",
            code.id(),
            code.remedy()
        );
    }
}
