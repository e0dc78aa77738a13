//! Pure. Every command of maglevc in the handbook is one that maglevc takes.

use maglev_docs::markdown::invocations;

use crate::args::{Args, Early};
use crate::commands;
use crate::tree::parse::parse;
use crate::tree::token::Line;

#[test]
fn every_command_in_the_handbook_is_valid() {
    let tree = commands::tree();
    let all = invocations("maglevc");
    assert!(all.len() > 50, "only {} were found", all.len());
    let mut wrong = Vec::new();
    for (place, words) in all {
        let line = words.join(" ");
        let arguments: Vec<String> = std::iter::once("maglevc".to_owned()).chain(words).collect();
        let args = match Args::parse(&arguments) {
            Ok(args) => args,
            Err(Early::Print(_)) => continue,
            Err(Early::Usage(problem)) => {
                wrong.push(format!("{place}: maglevc {line}\n{problem}"));
                continue;
            }
        };
        if !args.words.is_empty()
            && let Err(problem) = parse(&tree, &Line::from_arguments(&args.words))
        {
            wrong.push(format!("{place}: maglevc {line}\n{problem:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
