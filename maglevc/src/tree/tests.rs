use std::collections::BTreeSet;

use crate::commands;
use crate::tree::help::usages;
use crate::tree::parse::{Parsed, parse};
use crate::tree::token::{Line, Token as Written};
use crate::tree::{End, Kind, Node, Token};

/// Every place of the tree with the nodes that may follow there, and the words that lead to it.
fn places<'t>(node: &'t Node, path: &str, found: &mut Vec<(String, Vec<&'t Node>)>) {
    let mut follow: Vec<&Node> = node.next.iter().collect();
    if let Some(command) = node.command() {
        follow.extend(&command.options);
        for option in &command.options {
            // What belongs to an option competes with the other options.
            let others = command.options.iter().filter(|other| !std::ptr::eq(*other, option));
            if let End::Option = option.end {
                found.push((
                    format!("{path} {}", option.token.label()),
                    option.next.iter().chain(others).collect(),
                ));
            }
            places(option, &format!("{path} {}", option.token.label()), found);
        }
    }
    found.push((path.to_owned(), follow));
    for next in &node.next {
        places(next, &format!("{path} {}", next.token.label()), found);
    }
}

#[test]
fn the_tree_is_not_ambiguous() {
    let tree = commands::tree();
    let mut all = Vec::new();
    places(&tree, "", &mut all);
    assert!(all.len() > 40, "the walk sees the whole tree");
    for (path, nodes) in all {
        let words: Vec<&str> = nodes
            .iter()
            .filter_map(|node| match node.token {
                Token::Word(word) => Some(word),
                Token::Slot(_) => None,
            })
            .collect();
        let slots = nodes.len() - words.len();
        assert!(slots <= 1, "{path}: two slots cannot be told apart");
        assert!(slots == 0 || words.is_empty(), "{path}: a name could be meant as a word");
        for (index, word) in words.iter().enumerate() {
            for other in words.iter().skip(index + 1) {
                assert_ne!(word, other, "{path}: twice the same");
                // Written in full it wins over what begins with it, and of three letters nobody leaves one out.
                let is_for = [word, other].contains(&&"for") && [word, other].contains(&&"force");
                assert!(
                    is_for || !word.starts_with(other) && !other.starts_with(word),
                    "{path}: no beginning of {other} and {word} is unambiguous"
                );
            }
        }
    }
}

#[test]
fn every_place_leads_to_a_command_and_has_help() {
    fn check(node: &Node, path: &str) {
        let path = format!("{path} {}", node.token.label());
        assert!(!node.help.is_empty(), "{path} has no help");
        assert!(!node.help.ends_with('.'), "{path}: help is no sentence");
        match &node.end {
            End::No => assert!(!node.next.is_empty(), "{path} leads nowhere"),
            End::Option => {}
            End::Command(command) => command.options.iter().for_each(|option| check(option, &path)),
        }
        if let Token::Slot(slot) = node.token
            && slot.kind == Kind::Text
        {
            assert!(node.next.is_empty(), "{path}: nothing can follow the rest of a line");
        }
        node.next.iter().for_each(|next| check(next, &path));
    }
    check(&commands::tree(), "");
}

#[test]
fn all_commands_are_there_and_each_parses_as_it_is_documented() {
    let tree = commands::tree();
    let lines: Vec<String> = usages(&tree).into_iter().map(|usage| usage.line).collect();
    insta::assert_snapshot!(lines.join("\n"));
    let unique: BTreeSet<&String> = lines.iter().collect();
    assert_eq!(unique.len(), lines.len());
    for line in &lines {
        let filled = line
            .replace(['[', ']'], "")
            .replace(" N ", " 7 ")
            .replace("num N", "num 7")
            .replace("LEVEL", "warn")
            .replace("WEIGHT", "7")
            .replace("for TIME", "for 1d12h");
        let parsed = parse(&tree, &Line::split(&filled).unwrap());
        assert!(matches!(parsed, Ok(Parsed::Command(..))), "{filled}: {:?}", parsed.err());
    }
}

#[test]
fn lines_are_split_at_blanks_and_quotes() {
    let split = |text: &str| -> Vec<String> {
        let line = Line::split(text).unwrap();
        line.tokens.iter().for_each(|Written { span, .. }| assert!(text.get(span.clone()).is_some()));
        line.tokens.into_iter().map(|token| token.text).collect()
    };
    assert_eq!(split("  show\tbackends  "), ["show", "backends"]);
    assert_eq!(split("a 'b c' \"d e\" f'g"), ["a", "b c", "d e", "f'g"]);
    assert_eq!(split("a '' b"), ["a", "", "b"]);
    assert_eq!(split("a # b"), ["a"]);
    assert_eq!(split("a#b"), ["a#b"]);
    assert_eq!(split("größe 'naïve façade'"), ["größe", "naïve façade"]);
    assert_eq!(split(""), Vec::<String>::new());
    for open in ["'", "a 'b", "\"it's"] {
        assert!(Line::split(open).is_err(), "{open}");
    }
}

#[test]
fn no_line_is_too_strange_to_be_answered() {
    let tree = commands::tree();
    for text in
        ["ä", "?", "??", "show ?x", "''", "show ''", "' '", "set backend ? pause", "\u{0}", "show \u{1F600}"]
    {
        let line = Line::split(text).unwrap();
        if let Err(problem) = parse(&tree, &line) {
            assert!(problem.line.get(problem.span.clone()).is_some(), "{text}");
        }
    }
}

#[test]
fn a_time_is_written_as_people_write_it() {
    use super::parse::duration;
    let seconds = |text| duration(text).map(|span| span.as_secs());
    assert_eq!(seconds("90s"), Some(90));
    assert_eq!(seconds("30m"), Some(1800));
    assert_eq!(seconds("2h"), Some(7200));
    assert_eq!(seconds("1d12h"), Some(36 * 3600));
    assert_eq!(seconds("366d"), Some(366 * 86400));
    for wrong in ["", "2", "0s", "-2h", "2 fortnights", "367d", "1mo", "9999999999999999999h", "soon"] {
        assert_eq!(seconds(wrong), None, "{wrong}");
    }
}

#[test]
fn words_of_the_go_program_mean_the_same_in_present_words() {
    let tree = crate::commands::tree();
    for (old, new) in [
        ("show vpp lbstate", "show vpp lb state"),
        ("sh vp lbs", "show vpp lb state"),
        ("show vpp lbcounters", "show vpp lb counters"),
        ("sync vpp lbstate", "sync vpp lb state"),
        ("sync vpp lbstate site", "sync vpp lb state site"),
        ("plan vpp lbstate site", "plan vpp lb state site"),
    ] {
        let words = |line: &str| match parse(&tree, &Line::split(line).unwrap())
            .map_err(|problem| problem.to_string())
        {
            Ok(Parsed::Command(_, arguments)) => {
                let values: Vec<String> = arguments.values.into_iter().map(|value| value.text).collect();
                (arguments.words, values)
            }
            Ok(Parsed::Question(_)) => panic!("{line} is a question"),
            Err(problem) => panic!("{line}: {problem}"),
        };
        assert_eq!(words(old), words(new), "{old}");
    }
    assert!(parse(&tree, &Line::split("show vpp lbfoo").unwrap()).is_err());
}
