use proptest::prelude::*;

use crate::commands;
use crate::tree::help::usages;
use crate::tree::parse::{Parsed, parse};
use crate::tree::token::Line;

/// Words of the tree, beginnings of them, and what is neither.
fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => prop::sample::select(
            usages(&commands::tree()).iter().flat_map(|usage| usage.line.split(' ')).map(str::to_owned).collect::<Vec<_>>()
        )
        .prop_flat_map(|word| (1..=word.len()).prop_map(move |length| word[..length].to_owned())),
        1 => "\\PC{0,6}",
        1 => Just("?".to_owned()),
    ]
}

proptest! {
    #[test]
    fn every_line_is_understood_or_its_fault_is_pointed_at(words in prop::collection::vec(word(), 0..12)) {
        let tree = commands::tree();
        for line in [Line::split(&words.join(" ")), Ok(Line::from_arguments(&words))] {
            let Ok(line) = line else { continue };
            if let Err(problem) = parse(&tree, &line) {
                prop_assert!(problem.line.get(problem.span.clone()).is_some());
                prop_assert!(!problem.to_string().is_empty());
            }
        }
    }

    #[test]
    fn an_understood_line_means_the_same_in_full(words in prop::collection::vec(word(), 1..12)) {
        let tree = commands::tree();
        let line = Line::from_arguments(&words);
        let Ok(Parsed::Command(command, arguments)) = parse(&tree, &line) else { return Ok(()) };
        // Each word of the tree that was meant, put in the place of its beginning.
        let mut full = words.clone();
        for (index, token) in line.tokens.iter().enumerate() {
            let in_value = arguments.values.iter().any(|value| value.span.start <= token.span.start && token.span.end <= value.span.end);
            if !in_value {
                let meant = arguments.words.iter().filter(|word| word.starts_with(&words[index])).count();
                prop_assert!(meant > 0);
                let before = line.tokens[..index].iter().filter(|before| {
                    !arguments.values.iter().any(|value| value.span.contains(&before.span.start))
                });
                full[index] = arguments.words[before.count()].to_owned();
            }
        }
        let Ok(Parsed::Command(again, same)) = parse(&tree, &Line::from_arguments(&full)) else {
            return Err(TestCaseError::fail(format!("{full:?}")));
        };
        prop_assert!(std::ptr::eq(command, again));
        prop_assert_eq!(arguments.words, same.words);
    }
}
